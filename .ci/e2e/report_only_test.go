package e2e

import (
	"strings"
	"testing"
)

// From open to enforced: first nothing is refused and everything is said, then
// the same is refused. The error_id of a refusal finds its line in the log.
func TestReportOnly(t *testing.T) {
	t.Parallel()
	enforced := reloadable("", otherClient)
	c := launch(t, strings.Replace(enforced, "oauth2_gate orders:read", "oauth2_gate orders:write {\n\t\treport_only\n\t}", 1), "BATCH_SECRET="+batchSecret)
	c.get(t, "/orders", "X-Client-Id: admin").wantStatus(t, 200)
	c.upstream.only(t).none(t, "X-Client-Id")
	c.get(t, "/orders", bearer(c.token(t, "batch", batchSecret)), "X-Client-Id: admin").wantStatus(t, 200)
	c.upstream.only(t).one(t, "X-Client-Id", "batch")
	for _, text := range []string{"request would be refused", `"reason":"no_token"`, `"reason":"insufficient_scope"`, `"needed_scope":["orders:write"]`} {
		if err := c.await(text, patience); err != nil {
			t.Error(err)
		}
	}
	if metrics := c.adminGet(t, "/metrics"); !contains(metrics, `caddy_oauth2_requests_reported_total{reason="no_token"} 1`) {
		t.Error("no metric")
	}
	c.mustReload(t, enforced)
	id, _ := c.get(t, "/orders").members(t)["error_id"].(string)
	if len(id) != 36 {
		t.Fatalf("error_id %q", id)
	}
	if err := c.await(`"error_id":"`+id+`"`, patience); err != nil {
		t.Error(err)
	}
	c.upstream.silent(t)
}
