package caddymodule

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// revocationRequest is what POST /oauth2/revocations takes: a token, or its `jti`
// with its end where that is known.
type revocationRequest struct {
	Token, ID string
	Expires   json.RawMessage // RFC 3339, or Unix seconds; nil: not sent
}

func readRevocation(w http.ResponseWriter, r *http.Request) (*revocationRequest, error) {
	sent, err := readAdminBody(w, r, "token", "jti", "expires")
	if err != nil {
		return nil, err
	}
	asked := &revocationRequest{Expires: sent["expires"]}
	if err := sent.take("token", "a text", &asked.Token); err != nil {
		return nil, err
	}
	return asked, sent.take("jti", "a text", &asked.ID)
}

// revocationAnswer tells of the token. It does not hold it.
type revocationAnswer struct {
	ID       string    `json:"jti"`
	ClientID string    `json:"client_id,omitempty"` // left out: only its jti was named
	Expires  time.Time `json:"expires"`             // until when it is remembered
	Revoked  bool      `json:"revoked"`             // false: it has expired, and there was nothing to do
}

// revokeToken answers POST /oauth2/revocations.
func revokeToken(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	if err := app.mayAdminister(r); err != nil {
		return err
	}
	asked, err := readRevocation(w, r)
	if err != nil {
		return err
	}
	answer, err := app.toRevoke(asked, time.Now())
	if err != nil {
		return err
	}
	if !answer.Revoked {
		return writeJSON(w, answer)
	}
	if err := app.shared.revoked.Revoke(r.Context(), answer.ID, answer.Expires.Unix()); err != nil {
		return adminError(http.StatusServiceUnavailable, "%w", err)
	}
	app.audit.tokenRevoked(operatorOf(r), answer)
	app.emitTokenRevoked(answer.ClientID, answer.ID, byOperator)
	return writeJSON(w, answer)
}

// toRevoke finds out which token is meant, and until when it must be remembered.
func (a *App) toRevoke(asked *revocationRequest, now time.Time) (*revocationAnswer, error) {
	bad := func(format string, arguments ...any) (*revocationAnswer, error) {
		return nil, adminError(http.StatusBadRequest, format, arguments...)
	}
	switch {
	case (asked.Token == "") == (asked.ID == ""):
		return bad("body: expected a token or a jti")
	case asked.Token != "" && asked.Expires != nil:
		return bad("expires: expected with a jti alone: a token has its own end")
	case asked.Token != "":
		claims, err := a.server.Issued(asked.Token)
		if err != nil {
			return bad("token: expected an access token that a key of this issuer has signed")
		}
		return &revocationAnswer{
			ID: claims.ID, ClientID: claims.ClientID, Expires: time.Unix(claims.Expires, 0).UTC(),
			Revoked: now.Before(time.Unix(claims.Expires, 0).Add(token.Leeway)), // by the clocks of gates, it may live
		}, nil
	case !token.IsID(asked.ID): // a token or a secret, by mistake: it is not shown
		return bad("jti: expected the jti of a token of this issuer: 22 characters of base64url, and where the client has an epoch, a dot and that")
	}
	expires := now.Add(max(a.longestLifetime(), a.shared.ring.LongestLifetime()))
	if asked.Expires != nil {
		var err error
		if expires, err = readExpires(asked.Expires, now); err != nil {
			return nil, err
		}
	}
	return &revocationAnswer{ID: asked.ID, Expires: expires.UTC().Truncate(time.Second), Revoked: true}, nil
}

// readExpires reads an end that is to come.
func readExpires(text json.RawMessage, now time.Time) (expires time.Time, err error) {
	var unix int64
	if err = json.Unmarshal(text, &unix); err == nil {
		expires = time.Unix(unix, 0)
	} else {
		err = json.Unmarshal(text, &expires)
	}
	if err != nil || !expires.After(now) || expires.After(now.Add(keys.MaxDuration)) {
		return time.Time{}, adminError(http.StatusBadRequest,
			"expires: expected a time to come, within 20 years, like 2030-01-31T00:00:00Z or as Unix seconds; left out, the longest life of a token counts")
	}
	return expires, nil
}
