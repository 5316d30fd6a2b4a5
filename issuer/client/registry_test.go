package client

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func newRegistry(t testing.TB, clients ...Client) *Registry {
	t.Helper()
	registry, err := NewRegistry(clients)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// A client_id goes into headers and logs as it is.
func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a": true, "nightly-batch": true, "a b": true, "a:b%+\"\\~": true, "https://c.example/x": true,
		strings.Repeat("x", 128): true, strings.Repeat("x", 129): false,
		"": false, " ": false, " a": false, "a ": false, "a\tb": false, "a\n": false, "a\x00": false,
		"a\x7f": false, "ä": false, "\xff": false,
	} {
		if got := ValidID(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}

func TestNewRegistryRefuses(t *testing.T) {
	t.Parallel()
	named := func(id string) Secret {
		secret := plainSecret(t, phrase, time.Time{})
		secret.ID = id
		return secret
	}
	for name, test := range map[string]struct {
		clients  []Client
		expected string
	}{
		"no id":            {[]Client{{}}, `client_id "": expected`},
		"bad id":           {[]Client{{ID: "a"}, {ID: "b\n"}}, `client_id "b\n": expected`},
		"id twice":         {[]Client{{ID: "a"}, {ID: "b"}, {ID: "a"}}, `client "a" stands twice`},
		"unmade secret":    {[]Client{{ID: "a", Secrets: []Secret{{ID: "x"}}}}, `client "a": secret "x": expected a text or a hash`},
		"secret id twice":  {[]Client{{ID: "a", Secrets: []Secret{named("x"), named("x")}}}, `two secrets have the id "x"`},
		"default id taken": {[]Client{{ID: "a", Secrets: []Secret{named("2"), named("")}}}, `two secrets have the id "2"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry, err := NewRegistry(test.clients)
			if registry != nil || err == nil || !strings.Contains(err.Error(), test.expected) {
				t.Errorf("%v, %v", registry, err)
			}
		})
	}
}

// A registry is a copy: what its maker does to the clients later has no effect.
func TestRegistryIsACopyWithDefaults(t *testing.T) {
	t.Parallel()
	made := []Client{{
		ID: "batch", Scopes: token.Scopes{"read"}, Roles: []string{"reader"}, Resources: []string{"https://api.example"},
		Claims:  map[string]any{"team": "a"},
		Secrets: []Secret{plainSecret(t, phrase, time.Time{}), plainSecret(t, phrase+"2", time.Time{})},
	}}
	registry := newRegistry(t, made...)
	made[0].Scopes[0], made[0].Roles[0], made[0].Resources[0], made[0].Claims["team"] = "admin", "root", "*", "b"
	made[0].Disabled, made[0].Secrets[0] = true, Secret{}

	found, ok := registry.Lookup("batch")
	if !ok || found.Disabled || found.Scopes[0] != "read" || found.Roles[0] != "reader" ||
		found.Resources[0] != "https://api.example" || found.Claims["team"] != "a" {
		t.Errorf("%v, %v", found, ok)
	}
	if found.Subject != "batch" || found.Secrets[0].ID != "1" || found.Secrets[1].ID != "2" {
		t.Errorf("defaults: %v", found)
	}
	for _, id := range []string{"", "Batch", "batch ", "batch\x00"} {
		if found, ok := registry.Lookup(id); ok || found != nil {
			t.Errorf("%q found", id)
		}
	}
}

// What metadata and configuration are told of the clients' methods is of those
// that are enabled: a method that only a disabled one has lets nobody in.
func TestMethodsOfDisabledClients(t *testing.T) {
	t.Parallel()
	name, err := ParseCertificateName("san_dns", "batch.example")
	if err != nil {
		t.Fatal(err)
	}
	clients := []Client{
		{ID: "named", Certificate: &name, Require: BoundByCertificate, Disabled: true},
		{ID: "batch", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}},
	}
	off := newRegistry(t, clients...)
	if methods := off.Methods(); !slices.Equal(methods, []Method{SecretBasic, SecretPost}) || off.Requires(BoundByCertificate) {
		t.Errorf("got %v", methods)
	}
	clients[0].Disabled = false
	on := newRegistry(t, clients...)
	if methods := on.Methods(); !slices.Equal(methods, []Method{SecretBasic, SecretPost, TLSClientAuth}) || !on.Requires(BoundByCertificate) {
		t.Errorf("enabled: got %v", methods)
	}
}
