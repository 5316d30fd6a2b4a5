package caddymodule_test

import (
	"strings"
	"testing"
)

// A line that was added since a request was refused is not suggested again, and for a
// client that was made at run time none is.
func TestSuggestionsOfWhatIsMissingNow(t *testing.T) {
	s := newAdminSite(t)
	const gate = `
	oauth2_gate {
		allow_clients made%
		require GET /a admin
		require GET /b read
	}`
	before := strings.Replace(batchClient, "read write", "read write %", 1)
	s.mustReload(strings.Replace(before, "%", "", 1), strings.Replace(gate, "%", "", 1))
	made := s.mustClient(201, "POST", "", `{"client_id":"made","scopes":["read"]}`)
	s.expect("/a", s.tokenFor("made", made.Secret), 403)
	s.expect("/b", s.token("read"), 403)
	suggests := func(lines, notes string) {
		t.Helper()
		_, _, text := s.ask("GET", "/oauth2/report?format=caddyfile")
		var uncommented string
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "#") {
				uncommented += line
			}
		}
		if strings.TrimSpace(uncommented) != lines {
			t.Errorf("expected the lines %q:\n%s", lines, text)
		}
		for note := range strings.SplitSeq(notes, " & ") {
			if !strings.Contains(text, note) {
				t.Errorf("no %q in\n%s", note, text)
			}
		}
	}
	suggests("allow_clients batch", "the client was made at run time, and is changed there: it lacks admin")
	s.mustReload(strings.Replace(before, "%", "", 1), strings.Replace(gate, "%", " batch", 1))
	suggests("", "client_not_allowed: the gate lets the client in by now & it lacks admin")

	s.expect("/a", s.token("read"), 403)
	suggests("scopes admin", "")
	s.mustReload(strings.Replace(before, "%", "admin", 1), strings.Replace(gate, "%", " batch", 1))
	suggests("", "batch GET /a (insufficient_scope: by now the client may have all that is needed")
	s.mustClient(200, "PATCH", "/made", `{"scopes":["read","admin"]}`)
	suggests("", "made GET /a (insufficient_scope: by now the client may have all that is needed")
	s.mustClient(200, "DELETE", "/made", "")
	suggests("", "there is no such client by now")
	// The rule asks for less than it did.
	s.mustReload(strings.Replace(before, "%", "", 1), strings.NewReplacer("%", " batch", "/a admin", "/a read").Replace(gate))
	suggests("", "batch GET /a; made GET /a (insufficient_scope: the last token had all that is needed by now)")
}
