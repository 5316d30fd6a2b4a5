package caddymodule

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// clientSettings is what an operator may say of a client at run time, in the words
// of the configuration.
type clientSettings struct {
	Name          string            `json:"name,omitempty"`
	Subject       string            `json:"subject,omitempty"`
	Scopes        []string          `json:"scopes,omitempty"`
	Roles         []string          `json:"roles,omitempty"`
	Resources     []string          `json:"resources,omitempty"`
	TokenLifetime Duration          `json:"token_lifetime,omitempty"`
	Claims        map[string]string `json:"claims,omitempty"`
	Require       string            `json:"require,omitempty"`
	Introspect    string            `json:"introspect,omitempty"`
	AllowBridge   bool              `json:"allow_bridge,omitempty"`
	Disabled      bool              `json:"disabled,omitempty"`
}

// newClient is what POST /oauth2/clients takes.
type newClient struct {
	ID string `json:"client_id"`
	clientSettings
	NoSecret bool `json:"no_secret"` // it is made without a secret
}

// clientAnswer describes a client. It never has a secret, nor a hash of one.
type clientAnswer struct {
	ID string `json:"client_id"`
	clientSettings
	TokenLifetime string         `json:"token_lifetime,omitempty"` // in place of that of the settings
	Origin        string         `json:"origin"`
	Secrets       []secretAnswer `json:"secrets"`
	Undeclared    []string       `json:"undeclared,omitempty"` // roles and resources that the configuration does not know
	Made          *time.Time     `json:"made,omitempty"`
	Changed       *time.Time     `json:"changed,omitempty"`
}

// Where a client is from.
const (
	fromConfiguration = "configuration"
	fromAdmin         = "admin"
)

// madeClient is the answer to a client that was made, with its secret, for the only
// time.
type madeClient struct {
	clientAnswer
	Secret   string `json:"client_secret,omitempty"`
	SecretID string `json:"secret_id,omitempty"`
}

// secretAnswer describes a secret.
type secretAnswer struct {
	ID      string     `json:"id"`
	Made    *time.Time `json:"made,omitempty"` // left out: it is from the configuration
	Expires *time.Time `json:"expires,omitempty"`
	Expired bool       `json:"expired,omitempty"`
}

// settingsOf are those of a client.
func settingsOf(c *Client) clientSettings {
	return clientSettings{
		Name: c.Name, Subject: c.Subject, Scopes: c.Scopes, Roles: c.Roles, Resources: c.Resources,
		TokenLifetime: c.TokenLifetime, Claims: c.Claims, Require: c.Require, Introspect: c.Introspect,
		AllowBridge: c.AllowBridge, Disabled: c.Disabled,
	}
}

// put makes the settings those of a record.
func (s *clientSettings) put(into *client.Record) {
	into.Name, into.Subject, into.Scopes, into.Roles, into.Resources = s.Name, s.Subject, s.Scopes, s.Roles, s.Resources
	into.TokenLifetime, into.Claims = int64(time.Duration(s.TokenLifetime)/time.Second), s.Claims
	into.Require, into.Introspect = s.Require, s.Introspect
	into.AllowBridge, into.Disabled = s.AllowBridge, s.Disabled
}

// merge changes the settings by a merge patch (RFC 7396). What it does not name
// stays, and null takes away.
func (s *clientSettings) merge(patch json.RawMessage) (clientSettings, error) {
	document := struct {
		clientSettings
		TokenLifetime string `json:"token_lifetime,omitempty"`
	}{clientSettings: *s, TokenLifetime: lifetimeText(s.TokenLifetime)}
	before, err := json.Marshal(document)
	if err != nil {
		return clientSettings{}, err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return clientSettings{}, err
	}
	var merged clientSettings
	return merged, decodeMembers(after, &merged)
}

// readMembers reads a JSON object whose members are no secret: an error names the
// one that is wrong.
func readMembers(w http.ResponseWriter, r *http.Request, into any) error {
	var document json.RawMessage
	if err := readAdminBody(w, r, &document); err != nil {
		return err
	}
	return decodeMembers(document, into)
}

func decodeMembers(document []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil || !bytes.HasPrefix(bytes.TrimSpace(document), []byte("{")) {
		return adminError(http.StatusBadRequest, "body: %s: expected a JSON object with members that docs/admin-api.md has", faultOf(err))
	}
	return nil
}

// faultOf is what encoding/json found, without its prefix.
func faultOf(err error) string {
	if err == nil {
		return "no object"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func lifetimeText(lifetime Duration) string {
	if lifetime == 0 {
		return ""
	}
	return time.Duration(lifetime).String()
}

// judge holds the client against the configuration, as a Caddyfile is.
func (s *clientSettings) judge(app *App, id string) error {
	record := client.Record{ID: id}
	s.put(&record)
	c := toClient(&record)
	c.TokenLifetime = s.TokenLifetime // also where it is none, which a record cannot hold
	return (checker{}).client(place{label: "client"}, c, app)
}

// describe describes a client of the directory.
func (a *App) describe(record *client.Record, now time.Time) clientAnswer {
	c := toClient(record)
	answer := clientAnswer{
		ID: record.ID, clientSettings: settingsOf(&c), TokenLifetime: lifetimeText(c.TokenLifetime),
		Origin: fromAdmin, Secrets: []secretAnswer{}, Made: &record.Made, Changed: &record.Changed,
	}
	for i := range record.Secrets {
		one := &record.Secrets[i]
		answer.Secrets = append(answer.Secrets, secretAnswer{
			ID: one.ID, Made: &one.Made, Expires: one.Expires, Expired: one.Expires != nil && !now.Before(*one.Expires),
		})
	}
	roles, resources := a.declared()
	for _, role := range record.Roles {
		if _, declared := roles[role]; !declared {
			answer.Undeclared = append(answer.Undeclared, role)
		}
	}
	for _, resource := range record.Resources {
		if !slices.Contains(resources, resource) {
			answer.Undeclared = append(answer.Undeclared, resource)
		}
	}
	return answer
}

// describeConfigured describes a client of the configuration.
func (a *App) describeConfigured(c *Client, now time.Time) clientAnswer {
	answer := clientAnswer{
		ID: c.ID, clientSettings: settingsOf(c), TokenLifetime: lifetimeText(c.TokenLifetime),
		Origin: fromConfiguration, Secrets: []secretAnswer{},
	}
	known, ok := a.clients.Lookup(c.ID)
	if !ok {
		return answer
	}
	for i := range known.Secrets {
		one := secretAnswer{ID: known.Secrets[i].ID}
		if expires := known.Secrets[i].Expires; !expires.IsZero() {
			one.Expires, one.Expired = &expires, !now.Before(expires)
		}
		answer.Secrets = append(answer.Secrets, one)
	}
	return answer
}
