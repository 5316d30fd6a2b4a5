package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// clientSettings are what an operator may say of a client at the admin endpoint, in
// the words of the configuration.
type clientSettings struct {
	Name          string            `json:"name,omitempty"`
	Subject       string            `json:"subject,omitempty"`
	Scopes        []string          `json:"scopes,omitempty"`
	Roles         []string          `json:"roles,omitempty"`
	Resources     []string          `json:"resources,omitempty"`
	TokenLifetime shownDuration     `json:"token_lifetime,omitempty"`
	Claims        map[string]string `json:"claims,omitempty"`
	Require       string            `json:"require,omitempty"`
	Introspect    string            `json:"introspect,omitempty"`
	AllowBridge   bool              `json:"allow_bridge,omitempty"`
	Disabled      bool              `json:"disabled"`
}

// settingMembers are the names of its members, with what each must be.
var settingMembers = map[string]string{
	"name": "a text", "subject": "a text",
	"scopes": "a list of texts", "roles": "a list of texts", "resources": "a list of texts",
	"token_lifetime": `a duration, such as "10m"`,
	"claims":         "an object of texts",
	"require":        "a text", "introspect": "a text",
	"allow_bridge": "true or false", "disabled": "true or false",
}

// shownDuration is a [Duration] that JSON has as people write it.
type shownDuration Duration

// MarshalJSON writes the duration as [Duration.UnmarshalJSON] reads it.
func (d shownDuration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads it.
func (d *shownDuration) UnmarshalJSON(data []byte) error { return (*Duration)(d).UnmarshalJSON(data) }

func settingsOf(c *Client) clientSettings {
	return clientSettings{
		Name: c.Name, Subject: c.Subject, Scopes: c.Scopes, Roles: c.Roles, Resources: c.Resources,
		TokenLifetime: shownDuration(c.TokenLifetime), Claims: c.Claims, Require: c.Require, Introspect: c.Introspect,
		AllowBridge: c.AllowBridge, Disabled: c.Disabled,
	}
}

// apply puts the settings into a record.
func (s *clientSettings) apply(record *client.Record) {
	record.Name, record.Subject = s.Name, s.Subject
	record.Scopes, record.Roles, record.Resources = s.Scopes, s.Roles, s.Resources
	record.TokenLifetime = int64(time.Duration(s.TokenLifetime) / time.Second)
	record.Claims, record.Require, record.Introspect = s.Claims, s.Require, s.Introspect
	record.AllowBridge, record.Disabled = s.AllowBridge, s.Disabled
}

// readMembers reads an object with members of these names, and with settings.
func readMembers(w http.ResponseWriter, r *http.Request, names ...string) (members, error) {
	return readAdminBody(w, r, append(slices.Sorted(maps.Keys(settingMembers)), names...)...)
}

// settings reads what is left.
func (m members) settings() (*clientSettings, error) {
	settings := new(clientSettings)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		one, err := json.Marshal(members{name: m[name]})
		if err == nil {
			err = json.Unmarshal(one, settings)
		}
		if err != nil {
			return nil, adminError(http.StatusBadRequest, "%s: expected %s", name, settingMembers[name])
		}
	}
	return settings, nil
}

// judgeSettings judges a client as the configuration's own are judged. secrets is
// how many it has.
func (a *App) judgeSettings(id string, settings *clientSettings, secrets int) error {
	c := Client{
		ID: id, Name: settings.Name, Subject: settings.Subject,
		Scopes: settings.Scopes, Roles: settings.Roles, Resources: settings.Resources,
		TokenLifetime: Duration(settings.TokenLifetime), Claims: settings.Claims,
		Require: settings.Require, Introspect: settings.Introspect, AllowBridge: settings.AllowBridge, Disabled: settings.Disabled,
	}
	if c.AllowBridge && secrets == 0 && c.Require == "" {
		return adminError(http.StatusBadRequest, "allow_bridge: the client has no secret: expected one, since that is what it brings")
	}
	c.AllowBridge = c.AllowBridge && c.Require != "" // the rest of it is judged
	err := checker{}.client(place{}, c, a)
	var wrong *mistake
	if errors.As(err, &wrong) && wrong.place.path != "" {
		err = fmt.Errorf("%s: %w", wrong.place.path, wrong.problem)
	}
	if err != nil {
		return adminError(http.StatusBadRequest, "%w", err)
	}
	return nil
}

// judgeChange judges what a change brings. What the client had already and the
// configuration no longer declares gives nothing, and must not keep anybody from
// disabling or narrowing the client.
func (a *App) judgeChange(id string, before, after *clientSettings, secrets int) error {
	fresh := func(values, had []string, keep func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(values), func(one string) bool { return slices.Contains(had, one) && !keep(one) })
	}
	never := func(string) bool { return false }
	_, resources := a.declared()
	brought := *after
	brought.Roles, brought.Scopes = fresh(after.Roles, before.Roles, never), fresh(after.Scopes, before.Scopes, never)
	brought.Resources = fresh(after.Resources, before.Resources, func(one string) bool { return slices.Contains(resources, one) })
	if before.AllowBridge && before.Require == after.Require {
		brought.AllowBridge = false // as it was
	}
	return a.judgeSettings(id, &brought, secrets)
}

// differences are the names of the members in which two settings differ, in order.
func differences(before, after *clientSettings) (names []string) {
	was, is := membersOf(before), membersOf(after)
	for _, name := range slices.Sorted(maps.Keys(settingMembers)) {
		if string(was[name]) != string(is[name]) {
			names = append(names, name)
		}
	}
	return names
}

func membersOf(settings *clientSettings) members {
	found := make(members)
	if encoded, err := json.Marshal(settings); err == nil { // texts, numbers and switches: cannot fail
		_ = json.Unmarshal(encoded, &found)
	}
	return found
}

// patched are settings after a JSON merge patch (RFC 7396 section 2).
func (s *clientSettings) patched(patch members) (*clientSettings, error) {
	target := membersOf(s)
	for name, value := range patch {
		if string(value) == "null" {
			delete(target, name)
		} else {
			target[name] = mergePatch(target[name], value)
		}
	}
	return target.settings()
}

// mergePatch is the function of that name in RFC 7396.
func mergePatch(target, patch json.RawMessage) json.RawMessage {
	var changes members
	if json.Unmarshal(patch, &changes) != nil || changes == nil {
		return patch // no object: it takes the place of whatever was there
	}
	var merged members
	if json.Unmarshal(target, &merged) != nil || merged == nil {
		merged = make(members)
	}
	for name, value := range changes {
		if string(value) == "null" {
			delete(merged, name)
		} else {
			merged[name] = mergePatch(merged[name], value)
		}
	}
	encoded, err := json.Marshal(merged)
	if err != nil { // it was read from JSON: cannot be
		return patch
	}
	return encoded
}
