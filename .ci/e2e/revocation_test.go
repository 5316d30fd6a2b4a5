package e2e

import (
	"net/http"
	"testing"
)

// A revoked token is refused by the next request, after a reload, after a
// restart and by other instances on the same storage.
func TestRevocation(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", otherClient)
	token, spared := c.token(t, "other", batchSecret), c.token(t, "other", batchSecret)
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)

	ask := func(path, id, sent string) answer {
		t.Helper()
		return c.send(t, http.MethodPost, path, form("token", sent), formType, basic(id, batchSecret))
	}
	ask("/oauth2/revoke", "batch", token).wantError(t, 400, "unauthorized_client") // somebody else's
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	ask("/oauth2/revoke", "other", "a.b.c").wantStatus(t, 200)
	if got := ask("/oauth2/introspect", "other", token).members(t); got["active"] != true || got["client_id"] != "other" {
		t.Errorf("introspection: %v", got)
	}
	ask("/oauth2/revoke", "other", token).wantStatus(t, 200)
	c.wantRefused(t, token)
	for _, row := range [][2]string{{"other", token}, {"batch", spared}, {"other", "a.b.c"}} {
		if got := ask("/oauth2/introspect", row[0], row[1]); got.status != 200 || got.body != `{"active":false}` {
			t.Errorf("introspection: %s", got)
		}
	}
	c.send(t, http.MethodPost, "/oauth2/revoke", form("token", spared), formType).wantError(t, 401, "invalid_client")
	c.send(t, http.MethodPost, "/oauth2/introspect", form("token", spared), formType).wantError(t, 401, "invalid_client")

	c.mustReload(t, reloadable("", otherClient+"\nclient more {\n scopes x\n}"))
	c.wantRefused(t, token)
	twin := c.sibling(t, "BATCH_SECRET="+batchSecret)
	twin.start(t)
	twin.wantRefused(t, token)
	c.stop(t)
	c.start(t)
	c.wantRefused(t, token)
	c.get(t, "/orders", bearer(spared)).wantStatus(t, 200)
}
