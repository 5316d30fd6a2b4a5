package caddymodule_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An operator hears of a secret that expires soon when Caddy starts, and not
// again with each reload.
func TestExpiryIsLoggedAtStart(t *testing.T) {
	s := newSite(t)
	path := filepath.Join(t.TempDir(), "caddy.log")
	soon := time.Now().Add(10 * 24 * time.Hour).UTC().Format(time.RFC3339)
	load := func(lifetime string) {
		t.Helper()
		text := s.config("token_lifetime "+lifetime+"\nclient batch {\nsecret \""+secret+"\" {\nid old\nexpires 2031-01-01T00:00:00Z\n}\n"+
			"secret \""+secret+" of today\" {\nid soon\nexpires SOON\n}\n}", "oauth2_gate")
		s.loadText(strings.NewReplacer("output discard", "output file "+path+"\nformat json", "SOON", soon).Replace(text))
	}
	load("1h")
	load("30m")
	var warned []string
	for _, line := range logged(t, path) {
		if strings.Contains(line["msg"].(string), "expires soon") {
			warned = append(warned, line["level"].(string)+" "+line["logger"].(string)+" "+line["client_id"].(string)+" "+line["secret_id"].(string))
		}
	}
	if len(warned) != 1 || warned[0] != "warn oauth2 batch soon" {
		t.Errorf("warned %v", warned)
	}
}
