package caddymodule

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// maxSecrets is how many secrets a client may have that was made at run time. Each
// attempt to authenticate that fails is compared with as many.
const maxSecrets = 10

// secretAnswer is a secret of a client: never its text or hash.
type secretAnswer struct {
	ID      string     `json:"secret_id"`
	Made    *time.Time `json:"made,omitempty"`    // left out: it stands in the configuration
	Expires *time.Time `json:"expires,omitempty"` // left out: never
	secretUse
}

// secretsAnswer is the answer at /oauth2/clients/<id>/secrets.
type secretsAnswer struct {
	ClientID string         `json:"client_id"`
	Secrets  []secretAnswer `json:"secrets"`
}

// madeSecretAnswer is the answer to who makes a secret.
type madeSecretAnswer struct {
	ClientID string     `json:"client_id"`
	Secret   string     `json:"client_secret"` // shown this once
	ID       string     `json:"secret_id"`
	Expires  *time.Time `json:"expires,omitempty"`
}

// removedSecretAnswer is the answer to who removes a secret.
type removedSecretAnswer struct {
	ClientID string `json:"client_id"`
	ID       string `json:"secret_id"`
	Removed  bool   `json:"removed"`
}

// listSecrets answers GET /oauth2/clients/<id>/secrets.
func listSecrets(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	found, ok := app.describeClient(names[0])
	if !ok {
		return changeError(client.ErrNoClient)
	}
	return writeJSON(w, secretsAnswer{ClientID: found.ID, Secrets: found.Secrets})
}

// addSecret answers POST /oauth2/clients/<id>/secrets.
func addSecret(app *App, w http.ResponseWriter, r *http.Request, change *clientChange) (any, error) {
	var expires string
	if r.ContentLength != 0 { // there is nothing that must be said
		sent, err := readAdminBody(w, r, "expires")
		if err == nil {
			err = sent.take("expires", "a text", &expires)
		}
		if err != nil {
			return nil, err
		}
	}
	secret, err := newSecretOf("expires", expires, false)
	if err != nil {
		return nil, err
	}
	_, err = app.changeRecord(r, change, func(record *client.Record) (*client.Record, error) {
		if len(record.Secrets) >= maxSecrets {
			return nil, adminError(http.StatusConflict, "the client has %d secrets: expected less: remove one first", maxSecrets)
		}
		return record, secret.addTo(record)
	})
	if err != nil {
		return nil, err
	}
	app.shared.usage.Expect(change.clientID, secret.id)
	change.secretID, change.status, change.events = secret.id, http.StatusCreated, []string{secretAdded}
	return madeSecretAnswer{ClientID: change.clientID, Secret: secret.text, ID: secret.id, Expires: secret.expires}, nil
}

// removeSecret answers DELETE /oauth2/clients/<id>/secrets/<secret-id>.
func removeSecret(app *App, _ http.ResponseWriter, r *http.Request, change *clientChange) (any, error) {
	_, err := app.changeRecord(r, change, func(record *client.Record) (*client.Record, error) {
		if !record.RemoveSecret(change.secretID) {
			return nil, adminError(http.StatusNotFound, "the client has no such secret: `caddy oauth2 secret list` shows all")
		}
		return record, nil
	})
	if err != nil {
		return nil, err
	}
	app.forgetUse(r.Context(), change.clientID, change.secretID)
	change.events = []string{secretRemoved}
	return removedSecretAnswer{ClientID: change.clientID, ID: change.secretID, Removed: true}, nil
}

func describeSecret(stored *client.StoredSecret) secretAnswer {
	shown := secretAnswer{ID: stored.ID, Made: inUTC(stored.Made)}
	if stored.Expires != nil {
		shown.Expires = inUTC(*stored.Expires)
	}
	return shown
}

// newSecret is a secret that is being made; nil: there is to be none.
type newSecret struct {
	expires  *time.Time // nil: never
	text, id string     // once it is made
}

// newSecretOf judges one. member is where the end stands in the request.
func newSecretOf(member, expires string, none bool) (*newSecret, error) {
	if none {
		if expires != "" {
			return nil, adminError(http.StatusBadRequest, "%s: expected none beside no_secret", member)
		}
		return nil, nil
	}
	made := new(newSecret)
	if expires == "" {
		return made, nil
	}
	end, err := readSecretEnd(expires, time.Now())
	if err != nil {
		return nil, adminError(http.StatusBadRequest, "%s: expected %s", member, expectedExpires)
	}
	made.expires = inUTC(end.Truncate(time.Second))
	return made, nil
}

const expectedExpires = "a time to come, within 20 years, like 2030-01-31T00:00:00Z or as a duration like 90d"

// readSecretEnd reads a time, or a duration from now.
func readSecretEnd(text string, now time.Time) (end time.Time, err error) {
	if end, err = time.Parse(time.RFC3339, text); err != nil {
		var life time.Duration
		if life, err = caddy.ParseDuration(text); err != nil {
			return time.Time{}, err
		}
		end = now.Add(life)
	}
	if !end.After(now) || end.After(now.Add(keys.MaxDuration)) {
		return time.Time{}, errors.New("it is past, or too far ahead")
	}
	return end, nil
}

// addTo makes it for a client.
func (s *newSecret) addTo(record *client.Record) (err error) {
	if s != nil {
		s.text, s.id, err = record.AddSecret(time.Now(), s.expires)
	}
	return err
}

func (s *newSecret) count() int {
	if s == nil {
		return 0
	}
	return 1
}
