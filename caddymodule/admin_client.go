package caddymodule

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// removedClientAnswer is the answer to who removes a client.
type removedClientAnswer struct {
	ID      string `json:"client_id"`
	Removed bool   `json:"removed"`
}

// showClient answers GET /oauth2/clients/<id>.
func showClient(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	found, ok := app.describeClient(names[0])
	if !ok {
		return changeError(client.ErrNoClient)
	}
	if found.revision > 0 {
		w.Header().Set("ETag", etagOf(found.revision))
		if notModified(r.Header, found.revision) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return writeJSON(w, found)
}

// newClient is what POST /oauth2/clients takes.
type newClient struct {
	id       string
	settings *clientSettings
	secret   *newSecret // nil: "no_secret" is true
}

func (a *App) readNewClient(w http.ResponseWriter, r *http.Request) (*newClient, error) {
	sent, err := readMembers(w, r, "client_id", "no_secret", "secret_expires")
	if err != nil {
		return nil, err
	}
	made, noSecret, expires := new(newClient), false, ""
	for _, one := range []struct {
		name, expected string
		into           any
	}{
		{"client_id", "a text", &made.id},
		{"no_secret", "true or false", &noSecret},
		{"secret_expires", expectedExpires, &expires},
	} {
		if err := sent.take(one.name, one.expected, one.into); err != nil {
			return nil, err
		}
	}
	if err := judgeClientID(made.id); err != nil {
		return nil, adminError(http.StatusBadRequest, "%w", err)
	}
	if made.secret, err = newSecretOf("secret_expires", expires, noSecret); err != nil {
		return nil, err
	}
	if made.settings, err = sent.settings(); err != nil {
		return nil, err
	}
	return made, a.judgeSettings(made.id, made.settings, made.secret.count())
}

// addClient answers POST /oauth2/clients: a client, with a secret unless "no_secret"
// is true.
func addClient(app *App, w http.ResponseWriter, r *http.Request, change *clientChange) (any, error) {
	made, err := app.readNewClient(w, r)
	if err != nil {
		return nil, err
	}
	change.clientID = made.id
	if err := app.notConfigured(made.id); err != nil {
		return nil, err
	}
	record, err := app.shared.directory.Create(r.Context(), made.id, func(fresh *client.Record) error {
		made.settings.apply(fresh)
		return made.secret.addTo(fresh)
	})
	if err != nil {
		return nil, err
	}
	app.longerLife(r)
	change.status, change.events = http.StatusCreated, []string{clientAdded}
	change.header.Set("Location", clientPath(record.ID))
	change.header.Set("ETag", etagOf(record.Revision))
	if made.secret == nil {
		return madeClientAnswer{clientAnswer: app.describeRecord(record)}, nil
	}
	change.secretID = made.secret.id
	app.shared.usage.Expect(record.ID, made.secret.id)
	return madeClientAnswer{clientAnswer: app.describeRecord(record), SecretID: made.secret.id, Secret: made.secret.text}, nil
}

// replaceClient answers PUT: settings that are left out become the default.
func replaceClient(app *App, w http.ResponseWriter, r *http.Request, change *clientChange) (any, error) {
	sent, err := readMembers(w, r, "client_id")
	if err != nil {
		return nil, err
	}
	named := change.clientID
	if err := sent.take("client_id", "a text", &named); err != nil {
		return nil, err
	}
	if named != change.clientID {
		return nil, adminError(http.StatusBadRequest, "client_id: expected that of the path, or none: it cannot be changed")
	}
	settings, err := sent.settings()
	if err != nil {
		return nil, err
	}
	return app.resettle(r, change, func(*clientSettings) (*clientSettings, error) { return settings, nil })
}

// patchClient answers PATCH, a JSON merge patch (RFC 7396) of the settings.
func patchClient(app *App, w http.ResponseWriter, r *http.Request, change *clientChange) (any, error) {
	sent, err := readMembers(w, r)
	if err != nil {
		return nil, err
	}
	return app.resettle(r, change, func(old *clientSettings) (*clientSettings, error) { return old.patched(sent) })
}

// resettle gives a client other settings.
func (a *App) resettle(r *http.Request, change *clientChange, next func(old *clientSettings) (*clientSettings, error)) (any, error) {
	record, err := a.changeRecord(r, change, func(record *client.Record) (*client.Record, error) {
		configured := toClient(record)
		before := settingsOf(&configured)
		after, err := next(&before)
		if err != nil {
			return nil, err
		}
		if err := a.judgeChange(record.ID, &before, after, len(record.Secrets)); err != nil {
			return nil, err
		}
		after.apply(record)
		change.members = differences(&before, after)
		change.events = nil
		switch {
		case after.Disabled && !before.Disabled:
			change.events = []string{clientDisabled}
		case before.Disabled && !after.Disabled:
			change.events = []string{clientEnabled}
		}
		if len(change.members) > len(change.events) {
			change.events = append(change.events, clientChanged)
		}
		return record, nil
	})
	if err != nil {
		return nil, err
	}
	a.longerLife(r)
	return a.describeRecord(record), nil
}

// removeClient answers DELETE. Its tokens are void from then on.
func removeClient(app *App, _ http.ResponseWriter, r *http.Request, change *clientChange) (any, error) {
	if _, err := app.changeRecord(r, change, func(*client.Record) (*client.Record, error) { return nil, nil }); err != nil {
		return nil, err
	}
	app.forgetUse(r.Context(), change.clientID)
	change.events = []string{clientRemoved}
	return removedClientAnswer{ID: change.clientID, Removed: true}, nil
}

// clientPath is where a client is at the admin endpoint.
func clientPath(id string) string { return adminPrefix + "clients/" + pathSegment(id) }

// pathSegment is a text as one segment of a path. Dots alone would lead elsewhere:
// who removes the secret ".." must not remove the client.
func pathSegment(text string) string {
	if strings.Trim(text, ".") == "" {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}
