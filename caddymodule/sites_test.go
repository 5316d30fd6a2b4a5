package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

// sitesCaddyfile has gates of one resource at several places: two sites, two parts
// of a site of which one only watches, and a named route that two sites invoke.
const sitesCaddyfile = `{
	admin %[1]s
	persist_config off
	auto_https off
	storage file_system %[2]q
	log {
		output discard
	}
	oauth2 {
		issuer http://issuer.localhost
		client batch {
			secret "the secret of the batch client"
			scopes read
		}
	}
}
&(shared) {
	oauth2_gate {
		require GET /named read
	}
	respond ok
}
http://one.localhost:%[3]s {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		require GET /{page}/edit read
	}
	respond ok
}
http://two.localhost:%[3]s, http://zwei.localhost:%[3]s {
	bind 127.0.0.1
	handle /old/* {
		oauth2_gate {
			report_only
		}
		respond ok
	}
	handle {
		oauth2_gate {
			require GET /kept read
		}
		oauth2_gate admin
		respond ok
	}
}
http://three.localhost:%[3]s {
	bind 127.0.0.1
	invoke shared
}
http://five.localhost:%[3]s {
	bind 127.0.0.1
	error 404
	handle_errors {
		oauth2_gate {
			require GET /named read
		}
		respond ok
	}
}
http://four.localhost:%[3]s {
	bind 127.0.0.1
	invoke shared
}
`

// visit asks a host for a path, without a token or with one.
func (s *adminSite) visit(host, path, token string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Host = host
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	status, _, _ := s.send(r)
	return status
}

// Two gates of one resource do not share rows: an operator sees where something is
// refused, and adds the line there. Names come from the configuration alone.
func TestReportTellsSitesApart(t *testing.T) {
	s := newAdminSite(t)
	port := s.url[strings.LastIndexByte(s.url, ':')+1:]
	s.loadText(fmt.Sprintf(sitesCaddyfile, s.admin, s.storage, port))
	for _, visit := range []string{
		"one.localhost /a/b", "ONE.localhost:" + port + " /a/b", "two.localhost /a/b", "zwei.localhost /old/1", "zwei.localhost /kept",
		"three.localhost /a/b", "four.localhost /a/b", "five.localhost /a/b", "stranger.localhost /a/b",
	} {
		host, path, _ := strings.Cut(visit, " ")
		s.visit(host, path, "")
	}
	at := " 127.0.0.1:" + port
	two := "two.localhost,zwei.localhost"
	want := []string{
		"one.localhost" + at + " /a/b 2 0", two + at + " /a/b 1 0", two + " /old/*" + at + " /old/{} 0 1", two + at + " /kept 1 0",
		"handle_errors five.localhost" + at + " /a/b 1 0",
		"three.localhost *" + at + ", four.localhost *" + at + " /a/b 2 0",
	}
	var got []string
	for _, row := range s.rows("GET", "/oauth2/report") {
		if row["gate"] != "http://issuer.localhost" {
			t.Errorf("gate %v", row["gate"])
		}
		where := row["path"]
		if row["rule"] != nil {
			where = row["rule"]
		}
		got = append(got, fmt.Sprint(row["site"], " ", where, " ", row["refused"], " ", row["reported"]))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for query, count := range map[string]int{"site=zwei.localhost": 3, "site=/old/*": 1, "site=one.localhost&site=four.localhost": 2, "site=ne.localhost": 0, "site=handle_errors": 1, "site=five.localhost": 1} {
		if rows := s.rows("GET", "/oauth2/report?"+query); len(rows) != count {
			t.Errorf("%s: %v", query, rows)
		}
	}
	out, _, err := caddymodule.Command("report", "--address", s.admin, "--site", "one.localhost", "--reset")
	if err != nil || !strings.Contains(out, "  one.localhost"+at+"  ") || strings.Contains(out, "two.localhost") || !strings.Contains(out, "2 requests refused") {
		t.Errorf("%v\n%s", err, out)
	}
	if rows := s.rows("GET", "/oauth2/report"); len(rows) != len(want)-1 {
		t.Errorf("after the reset: %v", rows)
	}
}

// What is suggested for one site is held against the rules of that site.
func TestSuggestionsOfSites(t *testing.T) {
	s := newAdminSite(t)
	port := s.url[strings.LastIndexByte(s.url, ':')+1:]
	s.loadText(fmt.Sprintf(sitesCaddyfile, s.admin, s.storage, port))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "one.localhost"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("batch", strings.ReplaceAll(secret, " ", "+"))
	_, _, body := s.send(r)
	_, rest, _ := strings.Cut(body, `"access_token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	for _, host := range []string{"one.localhost", "two.localhost"} {
		if status := s.visit(host, "/admin/17", token); status != http.StatusForbidden {
			t.Fatalf("%s: %d %s", host, status, body)
		}
	}
	// Of two gates at one place, each has a name.
	second := "two.localhost,zwei.localhost 127.0.0.1:" + port + " (2)"
	s.visit("two.localhost", "/kept", token)
	if rows := s.rows("DELETE", "/oauth2/report?"+url.Values{"site": {second}}.Encode()); len(rows) != 1 || rows[0]["site"] != second {
		t.Errorf("%v", rows)
	}
	_, _, text := s.ask("GET", "/oauth2/report?format=caddyfile")
	sections := strings.Split(text, "\n\n")
	if len(sections) != 2 {
		t.Fatal(text)
	}
	for i, want := range []struct{ heading, line string }{
		{"one.localhost 127.0.0.1:" + port, "(conflicts with a rule that the gate has: `GET /{page}/edit`)\n# require GET /admin/{id} read"},
		{"two.localhost,zwei.localhost 127.0.0.1:" + port, "\nrequire GET /admin/{id} read"},
	} {
		if !strings.HasPrefix(sections[i], "# In the oauth2_gate for http://issuer.localhost at "+want.heading+":\n") || !strings.Contains(sections[i], want.line) {
			t.Errorf("%s", sections[i])
		}
	}
	out, _, err := caddymodule.Command("report", "--address", s.admin)
	if err != nil || !strings.HasSuffix(out, "\n\n"+text) {
		t.Errorf("%v\n%s", err, out)
	}
}
