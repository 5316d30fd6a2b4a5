package caddymodule

import (
	"errors"
	"net/http"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// keyAnswer is a signing key as the admin endpoint shows it: never a private part.
type keyAnswer struct {
	ID        string     `json:"kid"`
	Algorithm string     `json:"alg"`
	State     keys.State `json:"state"`

	Made      time.Time `json:"made"`
	SignsFrom time.Time `json:"signs_from"`
	// SignsUntil is when the next key takes over; left out as long as there is none.
	SignsUntil *time.Time `json:"signs_until,omitempty"`
	// Forgotten is when the key is removed; likewise.
	Forgotten *time.Time `json:"forgotten,omitempty"`
}

// keysAnswer is the answer at /oauth2/keys: all keys, in the order in which they sign.
type keysAnswer struct {
	Keys []keyAnswer `json:"keys"`
}

// rotatedAnswer is the answer at /oauth2/keys/rotate.
type rotatedAnswer struct {
	Key keyAnswer `json:"key"` // the next one
	New bool      `json:"new"` // made for this request; false: it waited already
}

// revokedKeyAnswer is the answer at /oauth2/keys/<kid>/revoke.
type revokedKeyAnswer struct {
	Revoked string      `json:"revoked"`       // kid
	New     string      `json:"new,omitempty"` // kid of the key that was made to sign in its place; left out: none
	Keys    []keyAnswer `json:"keys"`          // that are there now
}

// showKeys answers GET /oauth2/keys.
func showKeys(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	return writeJSON(w, keysAnswer{app.keyAnswers()})
}

// rotateKey answers POST /oauth2/keys/rotate.
func rotateKey(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	next, changes, err := app.shared.ring.Rotate(r.Context(), app.keyConfig())
	if err != nil {
		return adminError(http.StatusServiceUnavailable, "%w", err)
	}
	app.keysChanged(changes)
	made := len(changes.Made) > 0
	if made {
		app.audit.keyRotated(operatorOf(r), next.ID)
	}
	return writeJSON(w, rotatedAnswer{Key: describeKey(next), New: made})
}

// revokeKey answers POST /oauth2/keys/<kid>/revoke.
func revokeKey(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	changes, err := app.shared.ring.Revoke(r.Context(), names[0], app.keyConfig())
	if errors.Is(err, keys.ErrUnknownKey) {
		return adminError(http.StatusNotFound, "there is no key with this kid: `caddy oauth2 key list` shows all")
	}
	if err != nil {
		return adminError(http.StatusServiceUnavailable, "%w", err)
	}
	app.audit.keyRevoked(operatorOf(r), names[0])
	app.keysChanged(changes)
	answer := revokedKeyAnswer{Revoked: names[0], Keys: app.keyAnswers()}
	if len(changes.Made) > 0 {
		answer.New = changes.Made[0]
	}
	return writeJSON(w, answer)
}

// mayAdminister tells that there is an issuer of our own, and that the query is
// empty: no endpoint that asks for this knows a parameter.
func (a *App) mayAdminister(r *http.Request) error {
	if err := a.hasIssuer(); err != nil {
		return err
	}
	if r.URL.RawQuery != "" {
		return adminError(http.StatusBadRequest, "query: expected none")
	}
	return nil
}

// hasIssuer tells that there is an issuer of our own.
func (a *App) hasIssuer() error {
	if a.own == nil {
		return adminError(http.StatusNotFound, "the running configuration has no issuer of its own")
	}
	return nil
}

func (a *App) keyAnswers() []keyAnswer {
	list := a.shared.ring.List()
	answers := make([]keyAnswer, 0, len(list))
	for _, key := range list {
		answers = append(answers, describeKey(key))
	}
	return answers
}

func describeKey(key keys.Info) keyAnswer {
	answer := keyAnswer{
		ID: key.ID, Algorithm: string(key.Algorithm), State: key.State,
		Made: key.Created.UTC(), SignsFrom: key.SignsFrom.UTC(),
	}
	if !key.SignsUntil.IsZero() {
		until, forgotten := key.SignsUntil.UTC(), key.Forgotten.UTC()
		answer.SignsUntil, answer.Forgotten = &until, &forgotten
	}
	return answer
}
