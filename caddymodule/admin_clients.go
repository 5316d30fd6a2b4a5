package caddymodule

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// How many clients a list has.
const (
	usualClients = 100
	mostClients  = 1000
)

// clientsAnswer is a part of all clients, by client_id.
type clientsAnswer struct {
	Clients []clientAnswer `json:"clients"`
	Next    string         `json:"next,omitempty"` // what to ask for with `after`; left out: these were the last
}

// listClients answers GET /oauth2/clients.
func listClients(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	query, err := adminQuery(r, "limit", "after")
	if err != nil {
		return err
	}
	if err := app.hasIssuer(); err != nil {
		return err
	}
	limit := usualClients
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostClients {
			return adminError(http.StatusBadRequest, "limit %q: expected a number from 1 to %d", text, mostClients)
		}
	}
	ids, after, now := app.clientIDs(), query.Get("after"), time.Now()
	first, found := slices.BinarySearch(ids, after)
	if found {
		first++
	}
	ids = ids[first:]
	answer := clientsAnswer{Clients: []clientAnswer{}}
	if len(ids) > limit {
		ids, answer.Next = ids[:limit], ids[limit-1]
	}
	for _, id := range ids {
		if one, _, found := app.describeClient(id, now); found {
			answer.Clients = append(answer.Clients, one)
		}
	}
	return writeJSON(w, answer)
}

// clientIDs are those of all clients, in their order.
func (a *App) clientIDs() []string {
	var ids []string
	for i := range a.Clients {
		ids = append(ids, a.Clients[i].ID)
	}
	for record := range a.shared.directory.All() {
		ids = append(ids, record.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids) // the configuration may have the namesake of one
}

// configuredClient finds a client of the configuration.
func (a *App) configuredClient(id string) (*Client, bool) {
	i := slices.IndexFunc(a.Clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return nil, false
	}
	return &a.Clients[i], true
}

// describeClient describes a client, wherever it is from. record is nil for one of
// the configuration.
func (a *App) describeClient(id string, now time.Time) (answer clientAnswer, record *client.Record, found bool) {
	if configured, ok := a.configuredClient(id); ok {
		return a.describeConfigured(configured, now), nil, true
	}
	if record, found = a.shared.directory.Get(id); !found {
		return clientAnswer{}, nil, false
	}
	return a.describe(record, now), record, true
}

// showClient answers GET /oauth2/clients/<id>.
func showClient(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	answer, record, found := app.describeClient(names[0], time.Now())
	if !found {
		return errUnknownClient(names[0])
	}
	if record != nil {
		w.Header().Set("ETag", etagOf(record))
		if unchanged(r, record) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return writeJSON(w, answer)
}

// addClient answers POST /oauth2/clients.
func addClient(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	var asked newClient
	if err := readMembers(w, r, &asked); err != nil {
		return err
	}
	if err := asked.judge(app, asked.ID); err != nil {
		return adminError(http.StatusBadRequest, "%w", err)
	}
	if _, taken := app.configuredClient(asked.ID); taken {
		return errConfigured(asked.ID)
	}
	var made madeClient
	record, err := app.shared.directory.Create(r.Context(), asked.ID, func(fresh *client.Record) (err error) {
		asked.put(fresh)
		if !asked.NoSecret {
			made.Secret, made.SecretID, err = fresh.AddSecret(time.Now(), nil)
		}
		return err
	})
	if err != nil {
		return changeError(err)
	}
	app.clientChanged(r, record, clientChange{what: clientAdded, secret: made.SecretID})
	made.clientAnswer = app.describe(record, time.Now())
	w.Header().Set("ETag", etagOf(record))
	w.Header().Set("Location", adminPrefix+"clients/"+url.PathEscape(record.ID))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return writeJSON(w, made)
}

// replaceClient answers PUT /oauth2/clients/<id>: what it does not name is as if it
// had never been said. Secrets stay.
func replaceClient(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	var asked clientSettings
	if err := readMembers(w, r, &asked); err != nil {
		return err
	}
	return app.changeSettings(w, r, names[0], func(clientSettings) (clientSettings, error) { return asked, nil })
}

// patchClient answers PATCH /oauth2/clients/<id> with a merge patch (RFC 7396).
func patchClient(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	var patch json.RawMessage
	if err := readAdminBody(w, r, &patch); err != nil {
		return err
	}
	if !strings.HasPrefix(strings.TrimSpace(string(patch)), "{") {
		return adminError(http.StatusBadRequest, "body: expected a JSON object")
	}
	return app.changeSettings(w, r, names[0], func(now clientSettings) (clientSettings, error) { return now.merge(patch) })
}

// changeSettings changes a client and answers with it.
func (a *App) changeSettings(w http.ResponseWriter, r *http.Request, id string, change func(clientSettings) (clientSettings, error)) error {
	if err := a.mayAdminister(r); err != nil {
		return err
	}
	done := clientChange{}
	record, err := a.changeClient(r, id, func(old *client.Record) (*client.Record, error) {
		c := toClient(old)
		before := settingsOf(&c)
		after, err := change(before)
		if err != nil {
			return nil, err
		}
		if err := after.judge(a, id); err != nil {
			return nil, adminError(http.StatusBadRequest, "%w", err)
		}
		done = changeOf(&before, &after)
		after.put(old)
		return old, nil
	})
	if err != nil {
		return changeError(err)
	}
	a.clientChanged(r, record, done)
	w.Header().Set("ETag", etagOf(record))
	return writeJSON(w, a.describe(record, time.Now()))
}

// removeClient answers DELETE /oauth2/clients/<id>.
func removeClient(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	record, err := app.changeClient(r, names[0], func(*client.Record) (*client.Record, error) { return nil, nil })
	if err != nil {
		return changeError(err)
	}
	app.clientChanged(r, record, clientChange{what: clientRemoved})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// changeClient changes a client that is there, if it is as the one who asks knows it.
func (a *App) changeClient(r *http.Request, id string, change func(*client.Record) (*client.Record, error)) (*client.Record, error) {
	if _, configured := a.configuredClient(id); configured {
		return nil, errConfigured(id)
	}
	return a.shared.directory.Change(r.Context(), id, func(old *client.Record) (*client.Record, error) {
		if old == nil {
			return nil, errUnknownClient(id)
		}
		if err := checkMatch(r, old); err != nil {
			return nil, err
		}
		return change(old)
	})
}
