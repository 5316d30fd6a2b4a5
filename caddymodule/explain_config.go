package caddymodule

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// executed are the handlers that a request goes through while it is explained:
// they change the request or choose the way, and reach out to nobody.
var executed = []string{"subroute", "rewrite", "vars", "map", "headers", "invoke", "oauth2_gate", "oauth2_issuer"}

// answering are the handlers that end the way of a request.
var answering = []string{"reverse_proxy", "file_server", "static_response", "error", "copy_response", "metrics"}

// object is a part of a configuration that is taken apart as JSON: what it
// names is replaced before it is made, so that making it can do nothing.
type object = map[string]any

// offline makes of a configuration one that can be made without a trace: sites
// with their matchers, gates and what changes requests; all other handlers are
// stand-ins, and other apps, logs, TLS and the admin endpoint are not there.
// Storage is only read.
func offline(config []byte) ([]byte, error) {
	var root struct {
		Storage json.RawMessage            `json:"storage"`
		Apps    map[string]json.RawMessage `json:"apps"`
	}
	if err := json.Unmarshal(config, &root); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	apps := object{}
	if app, found := root.Apps["oauth2"]; found {
		option, err := offlineOption(app)
		if err != nil {
			return nil, err
		}
		apps["oauth2"] = option
	}
	if app, found := root.Apps["http"]; found {
		sites, err := offlineSites(app)
		if err != nil {
			return nil, err
		}
		apps["http"] = sites
	}
	storage := object{"module": overlayName}
	if root.Storage != nil {
		storage["below"] = root.Storage
	}
	return json.Marshal(object{
		"admin": object{"disabled": true}, "storage": storage, "apps": apps,
		"logging": object{"logs": object{"default": object{"level": "ERROR"}}},
	})
}

// offlineOption has nothing written to a store that instances share.
func offlineOption(app json.RawMessage) (map[string]json.RawMessage, error) {
	var option map[string]json.RawMessage
	if err := json.Unmarshal(app, &option); err != nil {
		return nil, fmt.Errorf("reading the app oauth2: %w", err)
	}
	if below, found := option["store"]; found {
		encoded, err := json.Marshal(object{"module": overlayName, "below": below})
		if err != nil {
			return nil, err
		}
		option["store"] = encoded
	}
	return option, nil
}

func offlineSites(app json.RawMessage) (object, error) {
	var sites struct {
		HTTPPort  uint              `json:"http_port,omitempty"`
		HTTPSPort uint              `json:"https_port,omitempty"`
		Servers   map[string]object `json:"servers"`
	}
	decoder := json.NewDecoder(bytes.NewReader(app))
	decoder.UseNumber() // what stays must stay as it is written
	if err := decoder.Decode(&sites); err != nil {
		return nil, fmt.Errorf("reading the sites: %w", err)
	}
	servers := object{}
	for name, server := range sites.Servers {
		servers[name] = offlineServer(server)
		if managesCertificates(server, cmp.Or(sites.HTTPPort, caddyhttp.DefaultHTTPPort)) {
			servers[certifiedName] = certified()
		}
	}
	made := object{"servers": servers}
	if sites.HTTPPort != 0 {
		made["http_port"] = sites.HTTPPort
	}
	if sites.HTTPSPort != 0 {
		made["https_port"] = sites.HTTPSPort
	}
	return made, nil
}

// offlineServer keeps of a server what decides where a request goes.
func offlineServer(server object) object {
	made := object{"automatic_https": automaticHTTPS(server)}
	if policies, ok := server["tls_connection_policies"].([]any); ok && len(policies) > 0 {
		made["tls_connection_policies"] = []any{object{}} // that it has TLS, and no more
	}
	for _, name := range []string{"listen", "routes", "errors", "named_routes", "client_ip_headers", "trusted_proxies_strict"} {
		if value, found := server[name]; found {
			made[name] = value
		}
	}
	// Other sources of addresses may ask a network.
	if proxies, ok := server["trusted_proxies"].(object); ok && proxies["source"] == "static" {
		made["trusted_proxies"] = proxies
	}
	replaceHandlers(made)
	return made
}

// replaceHandlers puts stand-ins in the place of handlers, wherever routes are.
func replaceHandlers(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			replaceHandlers(element)
		}
	case object:
		if handlers, ok := value["handle"].([]any); ok {
			for i, handler := range handlers {
				handlers[i] = standInFor(handler)
			}
		}
		for name, member := range value {
			if name != "match" {
				replaceHandlers(member)
			}
		}
	}
}

// standInFor returns the handler itself where it may be executed.
func standInFor(handler any) any {
	config, ok := handler.(object)
	name, named := config["handler"].(string)
	if !ok || !named || slices.Contains(executed, name) {
		return handler
	}
	made := object{"handler": standInName, "name": name, "answers": slices.Contains(answering, name)}
	switch name {
	case "authentication":
		if providers, _ := config["providers"].(object); len(providers) == 1 && providers["http_basic"] != nil {
			made["name"] = "basic_auth" // as a Caddyfile has it
		}
	case "reverse_proxy":
		made["to"] = dials(config)
		if asksFirst(config) {
			made["name"], made["answers"] = "forward_auth", false
		}
	case "static_response":
		made["status"], made["aborts"] = statusOf(config, ""), config["abort"] == true
	case "error":
		made["status"] = statusOf(config, "500")
	case "file_server":
		made["answers"] = config["pass_thru"] != true
	}
	return made
}

// statusOf is the status of a handler's answer, a number or a placeholder.
func statusOf(handler object, usual string) string {
	switch status := handler["status_code"].(type) {
	case json.Number:
		return status.String()
	case string:
		return cmp.Or(status, usual)
	}
	return usual
}

// dials are the addresses of a proxy's upstreams.
func dials(proxy object) (addresses []string) {
	upstreams, _ := proxy["upstreams"].([]any)
	for _, one := range upstreams {
		if upstream, ok := one.(object); ok {
			if address, ok := upstream["dial"].(string); ok {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// asksFirst tells whether a proxy is what forward_auth makes: it passes a
// request on where its upstream answers with 2xx.
func asksFirst(proxy object) bool {
	responses, _ := proxy["handle_response"].([]any)
	for _, one := range responses {
		response, _ := one.(object)
		match, _ := response["match"].(object)
		codes, _ := match["status_code"].([]any)
		if slices.Contains(codes, any(json.Number("2"))) {
			return true
		}
	}
	return false
}
