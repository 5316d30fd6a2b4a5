package caddymodule

import (
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// A value that is accepted means the same to everyone who parses it.
func FuzzJudgeIssuerURL(f *testing.F) {
	for _, seed := range []string{
		"https://api.example.com", "http://localhost:8080/t1", "http://[::1]", "https://me@h", "https://h?", "//h", "https://h:0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if judgeIssuerURL(value) != nil {
			return
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
			t.Fatalf("%q was accepted", value)
		}
		if u.Scheme != "https" && (u.Scheme != "http" || !keys.Loopback(u.Hostname())) {
			t.Fatalf("%q was accepted: another machine is asked without TLS", value)
		}
		if judgeIdentifier(value) != nil {
			t.Fatalf("%q is an issuer and cannot be the default resource", value)
		}
	})
}

// An error means no configuration; without one, what comes out passes the same
// judgement again. The sources of the seeds are the golden files.
func FuzzParseOption(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.caddyfile)
	}
	f.Fuzz(func(t *testing.T, text string) {
		blocks, err := caddyfile.Parse("Caddyfile", []byte(text))
		if err != nil || len(blocks) == 0 || strings.Contains(text, "import") {
			return
		}
		for _, segment := range blocks[0].Segments {
			if segment.Directive() != optionName {
				continue
			}
			fuzzOption(t, caddyfile.NewDispenser(segment))
		}
	})
}

func fuzzOption(t *testing.T, d *caddyfile.Dispenser) {
	option, err := parseOption(d, nil)
	if err != nil {
		if option != nil {
			t.Fatalf("both an option and an error: %v", err)
		}
		if !strings.Contains(err.Error(), ", at Caddyfile:") {
			t.Fatalf("no file and line in: %v", err)
		}
		return
	}
	app := new(App)
	if err := caddy.StrictUnmarshalJSON(option.(httpcaddyfile.App).Value, app); err != nil {
		t.Fatal(err)
	}
	if err := (checker{adapting: true}).app(app); err != nil {
		t.Fatalf("what was accepted is refused as JSON: %v", err)
	}
}
