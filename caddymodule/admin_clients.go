package caddymodule

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// How many clients one answer holds.
const (
	defaultClientLimit = 100
	maxClientLimit     = 1000
)

// Where a client comes from.
const (
	fromConfiguration = "configuration"
	fromAdmin         = "admin" // made at run time
)

// clientAnswer is a client as the admin endpoint shows it: never a secret or a hash
// of one.
type clientAnswer struct {
	ID     string `json:"client_id"`
	Origin string `json:"origin"`
	clientSettings

	Secrets []secretAnswer `json:"secrets"`
	// Undeclared is what the running configuration does not declare, so that it gives
	// nothing; left out: there is none.
	Undeclared *undeclaredAnswer `json:"undeclared,omitempty"`

	// Left out for those of the configuration.
	Made    *time.Time `json:"made,omitempty"`
	Changed *time.Time `json:"changed,omitempty"`

	revision uint64 // 0: of the configuration
}

type undeclaredAnswer struct {
	Scopes    []string `json:"scopes,omitempty"`
	Roles     []string `json:"roles,omitempty"`
	Resources []string `json:"resources,omitempty"`
}

// clientsAnswer is the answer at /oauth2/clients: clients by client_id, in the order
// of its bytes.
type clientsAnswer struct {
	Clients []clientAnswer `json:"clients"`
	// Next is the `after` of the next page; left out: there is none.
	Next string `json:"next,omitempty"`
}

// madeClientAnswer is the answer to who makes a client.
type madeClientAnswer struct {
	clientAnswer
	SecretID string `json:"secret_id,omitempty"`     // left out with no_secret
	Secret   string `json:"client_secret,omitempty"` // shown this once; likewise
}

// listClients answers GET /oauth2/clients[?limit=<number>][&after=<client_id>].
func listClients(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	if err := app.hasIssuer(); err != nil {
		return err
	}
	query, err := adminQuery(r, "limit", "after")
	if err != nil {
		return err
	}
	limit, err := readLimit(query)
	if err != nil {
		return err
	}
	ids := app.clientIDs(query.Get("after"))
	answer := clientsAnswer{Clients: make([]clientAnswer, 0, min(limit, len(ids)))}
	if len(ids) > limit {
		ids = ids[:limit]
		answer.Next = ids[limit-1]
	}
	for _, id := range ids {
		if found, ok := app.describeClient(id); ok { // or it was removed meanwhile
			answer.Clients = append(answer.Clients, found)
		}
	}
	return writeJSON(w, answer)
}

func readLimit(query url.Values) (int, error) {
	if !query.Has("limit") {
		return defaultClientLimit, nil
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > maxClientLimit {
		return 0, adminError(http.StatusBadRequest, "query: limit: expected a number from 1 to %d", maxClientLimit)
	}
	return limit, nil
}

// clientIDs are those of all clients behind the given one, in order.
func (a *App) clientIDs(after string) []string {
	var ids []string
	for i := range a.Clients {
		if id := a.Clients[i].ID; id > after {
			ids = append(ids, id)
		}
	}
	for record := range a.shared.directory.All() {
		if record.ID > after {
			ids = append(ids, record.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids) // those of the configuration have namesakes
}

// configuredClient finds a client of the configuration.
func (a *App) configuredClient(id string) (*Client, bool) {
	if !a.runtime.configured[id] {
		return nil, false
	}
	at := slices.IndexFunc(a.Clients, func(c Client) bool { return c.ID == id })
	if at < 0 {
		return nil, false
	}
	return &a.Clients[at], true
}

// describeClient shows a client as it is in force; false where there is none.
func (a *App) describeClient(id string) (clientAnswer, bool) {
	if configured, ok := a.configuredClient(id); ok {
		return a.describeConfigured(configured), true
	}
	record, ok := a.shared.directory.Get(id)
	if !ok {
		return clientAnswer{}, false
	}
	return a.describeRecord(record), true
}

func (a *App) describeConfigured(configured *Client) clientAnswer {
	answer := clientAnswer{
		ID: configured.ID, Origin: fromConfiguration, clientSettings: settingsOf(configured), Secrets: []secretAnswer{},
	}
	if known, ok := a.clients.Lookup(configured.ID); ok {
		for _, secret := range known.Secrets {
			shown := secretAnswer{ID: secret.ID}
			if !secret.Expires.IsZero() {
				shown.Expires = inUTC(secret.Expires)
			}
			answer.Secrets = append(answer.Secrets, shown)
		}
	}
	a.addUse(answer.ID, answer.Secrets, positionsOf(configured))
	return answer
}

func (a *App) describeRecord(record *client.Record) clientAnswer {
	configured := toClient(record)
	answer := clientAnswer{
		ID: record.ID, Origin: fromAdmin, clientSettings: settingsOf(&configured), Secrets: []secretAnswer{},
		Undeclared: a.undeclared(&configured), Made: inUTC(record.Made), Changed: inUTC(record.Changed), revision: record.Revision,
	}
	for i := range record.Secrets {
		answer.Secrets = append(answer.Secrets, describeSecret(&record.Secrets[i]))
	}
	a.addUse(answer.ID, answer.Secrets, nil)
	return answer
}

// undeclared is what a client names and the configuration does not, or not any more;
// nil: there is none.
func (a *App) undeclared(c *Client) *undeclaredAnswer {
	roles, resources := a.declared()
	var missing undeclaredAnswer
	for _, role := range c.Roles {
		if _, ok := roles[role]; !ok {
			missing.Roles = append(missing.Roles, role)
		}
	}
	left := *c
	left.Resources = nil
	for _, resource := range c.Resources {
		if slices.Contains(resources, resource) {
			left.Resources = append(left.Resources, resource)
		} else {
			missing.Resources = append(missing.Resources, resource)
		}
	}
	if len(c.Resources) == 0 || len(left.Resources) > 0 { // else no scope is worth anything, which the resources tell
		judge := checker{}.scope(a, checker{}.resourcesOf(left, a))
		for _, scope := range c.Scopes {
			if judge(scope) != nil {
				missing.Scopes = append(missing.Scopes, scope)
			}
		}
	}
	if len(missing.Roles)+len(missing.Resources)+len(missing.Scopes) == 0 {
		return nil
	}
	return &missing
}

func inUTC(moment time.Time) *time.Time {
	moment = moment.UTC()
	return &moment
}
