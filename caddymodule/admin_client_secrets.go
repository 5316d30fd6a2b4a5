package caddymodule

import (
	"net/http"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// mostSecrets bounds how many secrets a client may have at a time: each makes
// failed attempts a little more costly.
const mostSecrets = 20

// secretsAnswer is all secrets of a client, without what they are.
type secretsAnswer struct {
	ID      string         `json:"client_id"`
	Origin  string         `json:"origin"`
	Secrets []secretAnswer `json:"secrets"`
}

// newSecret is what POST /oauth2/clients/<id>/secrets takes. The body may be empty.
type newSecret struct {
	Expires string `json:"expires"` // RFC 3339, or a duration from now; default never
}

// madeSecret is the answer to a secret that was made. It is shown this once.
type madeSecret struct {
	ID       string     `json:"client_id"`
	Secret   string     `json:"client_secret,omitempty"`
	SecretID string     `json:"secret_id,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
}

// listSecrets answers GET /oauth2/clients/<id>/secrets.
func listSecrets(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	answer, _, found := app.describeClient(names[0], time.Now())
	if !found {
		return errUnknownClient(names[0])
	}
	return writeJSON(w, secretsAnswer{ID: answer.ID, Origin: answer.Origin, Secrets: answer.Secrets})
}

// addSecret answers POST /oauth2/clients/<id>/secrets.
func addSecret(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	var asked newSecret
	if r.ContentLength != 0 {
		if err := readMembers(w, r, &asked); err != nil {
			return err
		}
	}
	now := time.Now()
	expires, err := readExpiry(asked.Expires, now)
	if err != nil {
		return err
	}
	made := madeSecret{ID: names[0], Expires: expires}
	record, err := app.changeClient(r, names[0], func(old *client.Record) (*client.Record, error) {
		if len(old.Secrets) >= mostSecrets {
			return nil, adminError(http.StatusConflict, "client %q has %d secrets: expected that one is removed first", old.ID, len(old.Secrets))
		}
		var err error
		made.Secret, made.SecretID, err = old.AddSecret(now, expires)
		return old, err
	})
	if err != nil {
		return changeError(err)
	}
	app.clientChanged(r, record, clientChange{what: clientSecretAdded, secret: made.SecretID})
	w.Header().Set("ETag", etagOf(record))
	w.Header().Set("Location", adminPrefix+"clients/"+url.PathEscape(record.ID)+"/secrets/"+url.PathEscape(made.SecretID))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return writeJSON(w, made)
}

// removeSecret answers DELETE /oauth2/clients/<id>/secrets/<secret-id>. Tokens that
// the client got with it stay good.
func removeSecret(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	record, err := app.changeClient(r, names[0], func(old *client.Record) (*client.Record, error) {
		if !old.RemoveSecret(names[1]) {
			return nil, adminError(http.StatusNotFound, "client %q has no secret %q", names[0], names[1])
		}
		return old, nil
	})
	if err != nil {
		return changeError(err)
	}
	app.clientChanged(r, record, clientChange{what: clientSecretRemoved, secret: names[1]})
	w.Header().Set("ETag", etagOf(record))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readExpiry reads when a secret is to end: a time, or a duration from now; nil where
// it is not said.
func readExpiry(text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil {
		var after time.Duration
		if after, err = caddy.ParseDuration(text); err == nil {
			expires = now.Add(min(after, keys.MaxDuration+time.Hour))
		}
	}
	if err != nil || !expires.After(now) || expires.After(now.Add(keys.MaxDuration)) {
		return nil, adminError(http.StatusBadRequest,
			"expires %q: expected a time to come, such as 2027-01-31T00:00:00Z, or a duration from now, such as 90d, up to %s", text, longest)
	}
	expires = expires.UTC().Truncate(time.Second)
	return &expires, nil
}
