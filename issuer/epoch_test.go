package issuer_test

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// removing are keys that have a client removed by a reload when the signer is asked
// for: the client was found, and its token is not yet made.
type removing struct {
	issuer.Keys
	remove func()
}

func (r removing) Signer() (*token.Signer, error) {
	r.remove()
	return r.Keys.Signer()
}

// A token that is made while a reload removes its client belongs to the client as it
// was: it must not be good when the client is there again.
func TestTokenMadeWhileItsClientIsRemoved(t *testing.T) {
	t.Parallel()
	ledger := client.NewLedger(store.NewMemory())
	record := func(alive bool) {
		if err := ledger.Record(t.Context(), map[string]bool{"batch": alive}); err != nil {
			t.Error(err)
		}
	}
	record(true)
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.Epochs, c.Keys = ledger, removing{c.Keys, func() { record(false) }}
	})
	claims := s.claims(s.token(batch("")))
	record(true)
	if now := ledger.Current().Of(&client.Client{ID: "batch"}); now != 1 || token.Epoch(claims.ID) != 0 {
		t.Errorf("the token is of epoch %d, the client has reached %d", token.Epoch(claims.ID), now)
	}
}
