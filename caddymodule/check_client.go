package caddymodule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func (c checker) clients(a *App) error {
	ids := make(map[string]bool, len(a.Clients)) // there may be very many
	for i, cl := range a.Clients {
		p := place{path: fmt.Sprintf("clients[%d]", i), label: fmt.Sprintf("client %q", cl.ID)}
		if ids[cl.ID] {
			return p.errorf("stands twice: expected each client_id once")
		}
		ids[cl.ID] = true
		if err := c.client(p, cl, a); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) client(p place, cl Client, a *App) error {
	if err := c.text(p, cl.ID, judgeClientID); err != nil {
		return err
	}
	if err := c.secrets(p, cl.Secrets); err != nil {
		return err
	}
	if err := c.credentials(p, cl); err != nil {
		return err
	}
	if err := c.bridgeClient(p, cl); err != nil {
		return err
	}
	if err := c.grants(p, cl, a); err != nil {
		return err
	}
	for _, value := range []struct{ word, text string }{{"name", cl.Name}, {"subject", cl.Subject}} {
		if value.text == "" {
			continue
		}
		if err := c.text(p.sub(value.word, value.word), value.text, judgeText); err != nil {
			return err
		}
	}
	if err := c.text(p.sub("introspect", "introspect"), cmp.Or(cl.Introspect, "own"), oneOf("any", "own", "none")); err != nil {
		return err
	}
	if err := c.claims(p, cl.Claims); err != nil {
		return err
	}
	return p.sub("token_lifetime", "token_lifetime").duration(cl.TokenLifetime, judgeLifetime)
}

// grants judges what the client may ask for.
func (c checker) grants(p place, cl Client, a *App) error {
	var roles []string
	for _, role := range a.Roles {
		roles = append(roles, role.Name)
	}
	if err := c.list(p.sub("roles", "roles"), cl.Roles, c.among("role", roles)); err != nil {
		return err
	}
	var identifiers []string
	for _, resource := range a.resources() {
		identifiers = append(identifiers, resource.Identifier)
	}
	if err := c.list(p.sub("resources", "resources"), cl.Resources, c.among("resource", identifiers)); err != nil {
		return err
	}
	return c.list(p.sub("scopes", "scopes"), cl.Scopes, c.scope(a, c.resourcesOf(cl, a)))
}

// resourcesOf are the resources of the client; none while one of them is not
// known yet.
func (c checker) resourcesOf(cl Client, a *App) []Resource {
	if len(cl.Resources) == 0 {
		return a.resources()
	}
	var granted []Resource
	for _, identifier := range cl.Resources {
		resource, ok := c.find(identifier, a)
		if !ok {
			return nil
		}
		granted = append(granted, resource)
	}
	return granted
}

// find returns the declared resource; false where there is none or where that
// is not known yet.
func (c checker) find(identifier string, a *App) (Resource, bool) {
	wanted, ok := c.read(identifier)
	for _, resource := range a.resources() {
		value, known := c.read(resource.Identifier)
		if ok && known && value == wanted {
			return resource, true
		}
	}
	return Resource{}, false
}

func judgeClientID(id string) error {
	outside := func(r rune) bool { return r < 0x20 || r > 0x7E }
	if id == "" || len(id) > 128 || id != strings.Trim(id, " ") || strings.ContainsFunc(id, outside) {
		return fmt.Errorf("client_id %q: expected 1 to 128 printable ASCII characters, no space at an end", id)
	}
	return nil
}

func (c checker) claims(p place, claims map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if err := c.text(p.sub("claims."+name, "claims"), name, judgeClaim); err != nil {
			return err
		}
		if err := c.text(p.sub("claims."+name, "claims "+name), claims[name], judgeText); err != nil {
			return err
		}
	}
	return nil
}

func judgeClaim(name string) error {
	if token.Registered(name) {
		return fmt.Errorf("claim %q is registered: expected a name that the issuer does not write itself", name)
	}
	return judgeText(name)
}

// secrets judges a client's secrets. No message holds a secret or a hash.
func (c checker) secrets(p place, secrets []Secret) error {
	var ids []string
	for i, secret := range secrets {
		id := secret.id(i)
		word := "secret"
		if secret.Hash != "" {
			word = "secret_hash"
		}
		at := p.sub(fmt.Sprintf("secrets[%d]", i), fmt.Sprintf("%s %q", word, id))
		if slices.Contains(ids, id) {
			return at.errorf("id %q stands twice: expected each id once (the default is the position)", id)
		}
		ids = append(ids, id)
		if err := c.secret(at, secret, id); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) secret(p place, secret Secret, id string) error {
	if (secret.Secret == "") == (secret.Hash == "") {
		return p.errorf("expected either the secret or a hash of it")
	}
	if err := c.text(p.sub("id", "id"), id, judgeText); err != nil {
		return err
	}
	if secret.Expires != "" {
		if err := c.text(p.sub("expires", "expires"), secret.Expires, judgeTime); err != nil {
			return err
		}
	}
	text, judge := secret.Secret, client.NewPlainSecret
	if secret.Hash != "" {
		text, judge = secret.Hash, client.NewHashedSecret
	}
	return c.text(p, text, func(text string) error {
		_, err := judge(id, text, time.Time{})
		return err
	})
}

// id is the name of the secret that stands at position i, beginning with 0.
func (s Secret) id(i int) string {
	if s.ID != "" {
		return s.ID
	}
	return strconv.Itoa(i + 1)
}

func judgeTime(text string) error {
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return fmt.Errorf("%q: expected an RFC 3339 time, such as 2027-01-31T00:00:00Z", text)
	}
	return nil
}
