package caddymodule

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

var update = flag.Bool("update", false, "write what the adapter says into testdata/adapt")

// secretMark is in every secret and hash of the golden files.
const secretMark = "hush"

// adapt is what `caddy adapt` does.
func adapt(text []byte) (string, error) {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return "", err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, adapted, "", "\t"); err != nil {
		return "", err
	}
	return indented.String(), nil
}

// golden is a file of testdata/adapt: a Caddyfile, a line of ten dashes, and
// the JSON or the error that comes of it.
type golden struct {
	path, name, caddyfile, expected string
}

func (g golden) wrong() bool { return strings.HasPrefix(g.name, "wrong_") }

func goldens(t testing.TB) []golden {
	t.Helper()
	paths, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	all := make([]golden, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, expected, ok := strings.Cut(string(data), "\n----------\n")
		if !ok {
			t.Fatalf("%s: no line of ten dashes", path)
		}
		all = append(all, golden{
			path: path, name: strings.TrimSuffix(filepath.Base(path), ".caddyfiletest"),
			caddyfile: text + "\n", expected: strings.TrimSpace(expected),
		})
	}
	return all
}

// What a Caddyfile becomes, and what is said of one with a mistake: the whole
// text, so that a message that loses its line, its word or what was expected
// is seen.
func TestAdaptGolden(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			got, err := adapt([]byte(g.caddyfile))
			if err != nil {
				got = err.Error()
			}
			if g.wrong() != (err != nil) {
				t.Fatalf("error %v: the name of the file says otherwise", err)
			}
			if *update {
				data := strings.TrimSuffix(g.caddyfile, "\n") + "\n----------\n" + got + "\n"
				if err := os.WriteFile(g.path, []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != g.expected {
				t.Errorf("got:\n%s\n\nexpected:\n%s", got, g.expected)
			}
		})
	}
}

// Errors go to terminals and logs: a secret or a hash must not go with them,
// and each error says in which line of which file the mistake is.
func TestAdaptErrors(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		if !g.wrong() {
			continue
		}
		_, err := adapt([]byte(g.caddyfile))
		switch {
		case err == nil:
			t.Errorf("%s: no error", g.name)
		case strings.Contains(err.Error(), secretMark):
			t.Errorf("%s: the error holds a secret: %v", g.name, err)
		case !strings.Contains(err.Error(), ", at Caddyfile:"):
			t.Errorf("%s: no file and line in: %v", g.name, err)
		}
	}
}

// `caddy fmt` must not change what a Caddyfile means, nor make a wrong one right.
func TestAdaptFormatted(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		before, beforeErr := adapt([]byte(g.caddyfile))
		after, afterErr := adapt(caddyfile.Format([]byte(g.caddyfile)))
		if before != after || (beforeErr == nil) != (afterErr == nil) {
			t.Errorf("%s: formatted it adapts to another configuration (%v, %v)", g.name, beforeErr, afterErr)
		}
	}
}

// handlersOf collects, in order and from all depths, the handlers of a
// configuration with their JSON.
func handlersOf(t testing.TB, adapted string) (names []string, raw []json.RawMessage) {
	t.Helper()
	var walk func(data json.RawMessage)
	walk = func(data json.RawMessage) {
		var list []json.RawMessage
		if json.Unmarshal(data, &list) == nil {
			for _, element := range list {
				walk(element)
			}
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil {
			return
		}
		var name string
		if json.Unmarshal(object["handler"], &name) == nil {
			delete(object, "handler")
			own, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			names, raw = append(names, name), append(raw, own)
		}
		for _, key := range []string{"apps", "http", "servers", "srv0", "named_routes", "routes", "handle", "api"} {
			walk(object[key])
		}
	}
	walk(json.RawMessage(adapted))
	return names, raw
}

// What the adapter writes is what the modules read: no field is lost, none is
// unknown, and what passed as a Caddyfile passes as JSON.
func TestAdaptedDecodes(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		if g.wrong() {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			var config struct {
				Apps struct{ OAuth2 json.RawMessage }
			}
			if err := json.Unmarshal([]byte(g.expected), &config); err != nil {
				t.Fatal(err)
			}
			app := new(App)
			again(t, config.Apps.OAuth2, app)
			adapting := checker{adapting: true}
			if err := adapting.app(app); err != nil {
				t.Error(err)
			}
			names, raw := handlersOf(t, g.expected)
			for i, name := range names {
				switch name {
				case "oauth2_gate":
					gate := new(Gate)
					again(t, raw[i], gate)
					if err := adapting.gate(gate, app); err != nil {
						t.Error(err)
					}
				case "oauth2_issuer":
					issuer := new(Issuer)
					again(t, raw[i], issuer)
					if err := adapting.issuer(issuer, app); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// again decodes strictly and compares what encoding makes of it.
func again(t *testing.T, data json.RawMessage, into any) {
	t.Helper()
	if err := caddy.StrictUnmarshalJSON(data, into); err != nil {
		t.Fatalf("%T: %v", into, err)
	}
	encoded, err := json.Marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	var before, after any
	if err := json.Unmarshal(data, &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(encoded, &after); err != nil {
		t.Fatal(err)
	}
	a, errA := json.Marshal(before)
	b, errB := json.Marshal(after)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("%T: decoded and encoded again:\n%s\nexpected:\n%s", into, b, a)
	}
}

// The order of handlers is what keeps the upstream closed and the token
// endpoint open.
func TestDirectiveOrder(t *testing.T) {
	t.Parallel()
	for name, expected := range map[string][]string{
		"shortest":                      {"subroute", "oauth2_issuer", "oauth2_gate", "reverse_proxy"},
		"order_site_wide":               {"subroute", "authentication", "oauth2_issuer", "oauth2_gate", "subroute", "reverse_proxy", "reverse_proxy"},
		"order_literal_in_route":        {"subroute", "subroute", "oauth2_gate", "oauth2_issuer", "reverse_proxy"},
		"gate_matcher_path":             {"subroute", "oauth2_gate", "oauth2_gate", "reverse_proxy"},
		"gate_matcher_beside_site_wide": {"subroute", "oauth2_gate", "oauth2_gate", "oauth2_gate"},
		"gate_matcher_in_handle":        {"subroute", "subroute", "oauth2_gate", "oauth2_gate", "reverse_proxy"},
		"gate_matcher_in_route":         {"subroute", "subroute", "oauth2_gate", "oauth2_gate", "reverse_proxy"},
	} {
		i := slices.IndexFunc(goldens(t), func(g golden) bool { return g.name == name })
		if i < 0 {
			t.Fatalf("no golden file %s", name)
		}
		if got, _ := handlersOf(t, goldens(t)[i].expected); !slices.Equal(got, expected) {
			t.Errorf("%s: handlers %v, expected %v", name, got, expected)
		}
	}
}
