package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(adminAPI)) }

// adminPrefix is where all of ours is on Caddy's admin endpoint.
const adminPrefix = "/oauth2/"

// adminAPI answers on Caddy's admin endpoint. Caddy provisions it before the
// apps, also for a configuration that then fails: it knows none.
type adminAPI struct{}

// adminEndpoints is all that it answers.
var adminEndpoints = []adminEndpoint{
	{"keys", map[string]adminHandler{http.MethodGet: showKeys}},
	{"keys/rotate", map[string]adminHandler{http.MethodPost: told(actionRotateKey, rotateKey)}},
	{"keys/{}/revoke", map[string]adminHandler{http.MethodPost: told(actionRevokeKey, revokeKey)}},
	{"revocations", map[string]adminHandler{http.MethodPost: told(actionRevokeToken, revokeToken)}},
	{"clients", map[string]adminHandler{http.MethodGet: listClients, http.MethodPost: audited(actionAdd, addClient)}},
	{"clients/{}", map[string]adminHandler{
		http.MethodGet: showClient, http.MethodPut: audited(actionChange, replaceClient),
		http.MethodPatch: audited(actionChange, patchClient), http.MethodDelete: audited(actionRemove, removeClient),
	}},
	{"clients/{}/secrets", map[string]adminHandler{http.MethodGet: listSecrets, http.MethodPost: audited(actionAddSecret, addSecret)}},
	{"clients/{}/secrets/{}", map[string]adminHandler{http.MethodDelete: audited(actionRemoveSecret, removeSecret)}},
	{"report", map[string]adminHandler{http.MethodGet: showReport, http.MethodDelete: resetReport}},
}

// adminEndpoint is one path below [adminPrefix], in which "{}" is for any one
// segment, with what to do for each method.
type adminEndpoint struct {
	path    string
	methods map[string]adminHandler
}

// adminHandler answers for the app of the configuration in force. names is what
// the path has in place of each "{}", decoded. Errors are a [caddy.APIError], see
// [adminError].
type adminHandler func(app *App, w http.ResponseWriter, r *http.Request, names []string) error

// CaddyModule returns the Caddy module information.
func (*adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.oauth2", New: func() caddy.Module { return new(adminAPI) }}
}

// Routes returns the one route: the endpoints are told apart here, so that each
// error is JSON.
func (*adminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: adminPrefix, Handler: caddy.AdminHandlerFunc(serveAdmin)}}
}

func serveAdmin(w http.ResponseWriter, r *http.Request) error {
	// Whatever the answer, it is about now.
	w.Header().Set("Cache-Control", "no-store")
	path, _ := strings.CutPrefix(r.URL.EscapedPath(), adminPrefix)
	for _, endpoint := range adminEndpoints {
		names, ok := endpoint.match(path)
		if !ok {
			continue
		}
		handle, ok := endpoint.handler(r.Method)
		if !ok {
			allowed := strings.Join(endpoint.allowed(), ", ")
			w.Header().Set("Allow", allowed)
			return adminError(http.StatusMethodNotAllowed, "method %q: expected one of %s", r.Method, allowed)
		}
		app, err := activeApp()
		if err != nil {
			return err
		}
		return handle(app, w, r, names)
	}
	return adminError(http.StatusNotFound, "there is no %q", r.URL.Path)
}

// handler is what answers a method. HEAD is GET without the body, which net/http leaves
// out (RFC 9110 section 9.3.2).
func (e *adminEndpoint) handler(method string) (handle adminHandler, ok bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle, ok = e.methods[method]
	return handle, ok
}

func (e *adminEndpoint) allowed() []string {
	methods := slices.Collect(maps.Keys(e.methods))
	if e.methods[http.MethodGet] != nil {
		methods = append(methods, http.MethodHead)
	}
	return slices.Sorted(slices.Values(methods))
}

// match compares segments as they were sent: a name may hold an encoded slash.
func (e *adminEndpoint) match(path string) (names []string, ok bool) {
	want, got := strings.Split(e.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i, segment := range want {
		decoded, err := url.PathUnescape(got[i])
		switch {
		case err != nil || decoded == "":
			return nil, false
		case segment == "{}":
			names = append(names, decoded)
		case segment != decoded:
			return nil, false
		}
	}
	return names, true
}

// activeApp is the app of the configuration in force. Where loading another one
// failed, the handlers of that one may still be there, and its app is gone.
func activeApp() (*App, error) {
	module, err := caddy.ActiveContext().AppIfConfigured("oauth2")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, adminError(http.StatusNotFound, "the running configuration has no global option `oauth2`")
	}
	if err != nil {
		return nil, adminError(http.StatusInternalServerError, "%w", err)
	}
	return module.(*App), nil
}

// adminError is an error that Caddy answers as {"error": "..."}.
func adminError(status int, format string, arguments ...any) error {
	return caddy.APIError{HTTPStatus: status, Err: fmt.Errorf(format, arguments...)}
}

// adminQuery reads the query, in which nothing but the given names may stand:
// of a misspelled filter, all would be shown or removed.
func adminQuery(r *http.Request, names ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, adminError(http.StatusBadRequest, "query: %w", err)
	}
	for name := range values {
		if !slices.Contains(names, name) {
			return nil, adminError(http.StatusBadRequest, "query: unknown parameter %q: expected %s", name, strings.Join(names, ", "))
		}
	}
	return values, nil
}

// writeJSON answers 200 with a document.
func writeJSON(w http.ResponseWriter, document any) error {
	return answerJSON(w, http.StatusOK, document)
}

func answerJSON(w http.ResponseWriter, status int, document any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // it is for people and programs, not for browsers
	if err := encoder.Encode(document); err != nil {
		return adminError(http.StatusInternalServerError, "%w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client has gone: nothing to be done
	return nil
}

// Interface guard.
var _ caddy.AdminRouter = (*adminAPI)(nil)
