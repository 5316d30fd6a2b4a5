package caddymodule_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Who tries to revoke or rotate something in vain is in the audit log, with what, and
// neither what was sent nor a key's name by which a secret could go is.
func TestAuditOfRefusedOperations(t *testing.T) {
	s := newAdminSite(t)
	path := filepath.Join(t.TempDir(), "all.log")
	s.log = "log all {\noutput file " + path + "\nformat json\nlevel DEBUG\nexclude admin.api\n}"
	s.mustReload(batchClient, "oauth2_gate read")
	token := s.token("read")
	s.askJSON("POST", "/oauth2/revocations", `{"jti":"`+token+`"}`, new(any))
	s.ask("POST", "/oauth2/keys/"+strings.ReplaceAll(secret, " ", "%20")+"/revoke")
	s.ask("POST", "/oauth2/keys/rotate?x=1")
	var lines []string
	for _, line := range logged(t, path) {
		if text := fmt.Sprint(line); strings.Contains(text, token[:60]) || strings.Contains(text, secret) {
			t.Errorf("a secret: %s", text)
		}
		if line["logger"] == "oauth2.audit" && line["msg"] == "change refused" {
			lines = append(lines, fmt.Sprint(line["action"], " ", line["status"], " ", line["address"], line["client_id"], line["cause"]))
		}
	}
	want := []string{"revoke_token 400 127.0.0.1<nil> <nil>", "revoke_key 404 127.0.0.1<nil> <nil>", "rotate_key 400 127.0.0.1<nil> <nil>"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, expected %q", lines, want)
	}
}
