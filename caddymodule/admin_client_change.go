package caddymodule

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// clientChange is what somebody at the admin endpoint does to a client, for the
// answer, the audit log and the events.
type clientChange struct {
	action   string // one of the actions
	clientID string
	secretID string   // empty: of no secret
	members  []string // that became different
	events   []string // what became of the client, in the words of the events

	status int // of the answer; 0: 200
	header http.Header
}

// The actions, as the audit log has them.
const (
	actionAdd          = "add"
	actionChange       = "change"
	actionRemove       = "remove"
	actionAddSecret    = "add_secret"    //nolint:gosec // a name, not a credential
	actionRemoveSecret = "remove_secret" //nolint:gosec // likewise
)

// clientChanger does it, and returns the answer.
type clientChanger func(app *App, w http.ResponseWriter, r *http.Request, change *clientChange) (answer any, err error)

// audited makes the handler of an action: whatever comes of it, the audit log tells
// before the client hears of it.
func audited(action string, do clientChanger) adminHandler {
	return func(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
		if err := app.mayAdminister(r); err != nil {
			return err
		}
		change := &clientChange{action: action, header: w.Header()}
		if len(names) > 0 {
			change.clientID = names[0]
		}
		if len(names) > 1 {
			change.secretID = names[1]
		}
		answer, err := do(app, w, r, change)
		if err != nil {
			refusal := changeError(err)
			app.audit.changeRefused(operatorOf(r), action, app.clients.LoggableID(change.clientID), refusal)
			return refusal
		}
		app.audit.clientChanged(operatorOf(r), change)
		for _, event := range change.events {
			app.emitClientChanged(change.clientID, event, byOperator)
		}
		return answerJSON(w, max(change.status, http.StatusOK), answer)
	}
}

// changeError is an error as the admin endpoint answers it. What is not the fault of
// who asks is that of the store.
func changeError(err error) caddy.APIError {
	var answered caddy.APIError
	switch {
	case errors.As(err, &answered):
		return answered
	case errors.Is(err, client.ErrNoClient):
		return caddy.APIError{HTTPStatus: http.StatusNotFound, Err: errors.New("there is no such client: `caddy oauth2 client list` shows all")}
	case errors.Is(err, client.ErrClientExists):
		return caddy.APIError{HTTPStatus: http.StatusConflict, Err: errors.New("client_id: there is such a client already: expected another one; PATCH changes it")}
	}
	return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: err}
}

// notConfigured refuses what would change a client of the configuration.
func (a *App) notConfigured(id string) error {
	if _, configured := a.configuredClient(id); configured {
		return adminError(http.StatusConflict, "the client stands in the configuration: change it there")
	}
	return nil
}

// changeRecord changes a client that was made at run time, if the request's
// conditions hold. apply alters its own copy; nil in place of a result removes it.
func (a *App) changeRecord(r *http.Request, change *clientChange, apply func(record *client.Record) (*client.Record, error)) (*client.Record, error) {
	if err := a.notConfigured(change.clientID); err != nil {
		return nil, err
	}
	record, err := a.shared.directory.Change(r.Context(), change.clientID, func(old *client.Record) (*client.Record, error) {
		if old == nil {
			return nil, client.ErrNoClient
		}
		if err := checkConditions(r.Header, old.Revision); err != nil {
			return nil, err
		}
		return apply(old)
	})
	if err == nil && !record.Removed {
		change.header.Set("ETag", etagOf(record.Revision))
	}
	return record, err
}

// longerLife has the keys kept for as long as the tokens of a client that now live
// longer: before, one could have been forgotten while they are good.
func (a *App) longerLife(r *http.Request) {
	if a.longestLifetime() <= a.shared.ring.LongestLifetime() {
		return
	}
	if err := a.maintainKeys(r.Context()); err != nil {
		a.logger.Error(err.Error()) // the upkeep tries it again
	}
}
