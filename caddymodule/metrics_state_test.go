package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

// An operator sees how many keys, clients and revoked tokens there are, when the
// key changes, and when secrets end.
func TestMetricsOfState(t *testing.T) {
	s := newSite(t)
	s.load(`
		signing ES256 {
			rotate_every 10d
		}
		client batch {
			secret "`+secret+`"
			secret "`+secret+` of before" {
				id old
				expires 2031-01-31T00:00:00Z
			}
			scopes read
		}
		client off {
			secret "`+secret+` of another"
			disabled
		}
		client twice {
			secret "`+secret+` of a third" {
				expires 2030-01-31T01:00:00+01:00
			}
		}`, "oauth2_gate read")
	const ours = "caddy_oauth2_"
	revoked := s.token("read")
	before := families(t)
	for name, want := range map[string]float64{
		"signing_keys state=next":                                  0,
		"signing_keys state=active":                                1,
		"signing_keys state=retired":                               0,
		"revoked_tokens":                                           0,
		"replay_marks":                                             0,
		"files_unusable":                                           0,
		"clients source=configuration state=enabled":               2,
		"clients source=configuration state=disabled":              1,
		"secret_expires_timestamp_seconds client=batch secret=old": 1927584000,
		"secret_expires_timestamp_seconds client=twice secret=1":   1896048000,
	} {
		if value, ok := before[ours+name]; !ok || value != want {
			t.Errorf("%s is %v, %v", name, value, ok)
		}
	}
	since, next := before[ours+"signing_key_since_timestamp_seconds"], before[ours+"signing_key_rotation_timestamp_seconds"]
	if age := float64(time.Now().Unix()) - since; age < -1 || age > 600 || next-since != 10*24*3600 {
		t.Errorf("since %v, next %v", since, next)
	}
	for name := range before {
		if strings.Contains(name, "secret_expires") && !strings.Contains(name, "secret=old") && !strings.Contains(name, "client=twice") {
			t.Errorf("%s has no end", name)
		}
	}
	if status, _, body := s.post("/oauth2/revoke", "token="+revoked); status != 200 {
		t.Fatal(status, body)
	}
	if got := families(t)[ours+"revoked_tokens"]; got != 1 {
		t.Errorf("%v revoked tokens", got)
	}
	// Another configuration, another registry, and what it does not have is not there.
	s.load("signing ES256 {\nrotate_every never\n}"+batchClient, "oauth2_gate read")
	after := families(t)
	if _, ok := after[ours+"signing_key_rotation_timestamp_seconds"]; ok {
		t.Error("keys that are never rotated have a rotation")
	}
	for name := range after {
		if strings.Contains(name, "secret_expires") {
			t.Errorf("%s is still there", name)
		}
	}
	if after[ours+"revoked_tokens"] != 1 || after[ours+"clients source=configuration state=enabled"] != 1 {
		t.Errorf("after a reload: %v", after)
	}
}

// Without an issuer of our own, there is nothing to tell of keys and clients.
func TestMetricsOfStateWithoutIssuer(t *testing.T) {
	s := newSite(t)
	s.loadText("{\nadmin off\npersist_config off\nauto_https off\nstorage file_system " + s.storage + "\nlog {\noutput discard\n}\noauth2 {\ntrusted_issuer https://other.example\n}\n}\n" + s.url + " {\nrespond ok\n}")
	for name := range families(t) {
		if strings.Contains(name, "signing_key") || strings.Contains(name, "oauth2_clients") || strings.Contains(name, "revoked_tokens") {
			t.Errorf("%s", name)
		}
	}
}

// A file that was broken shows for as long as it is, and each new version is
// counted once.
func TestMetricsOfFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	const document = "openapi: 3.0.3\ninfo: {title: a, version: '1'}\nsecurity: [{o: [read]}]\n" +
		"components: {securitySchemes: {o: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://a/', scopes: {read: a}}}}}}\n" +
		"paths:\n  /orders: {get: {responses: {'200': {description: a}}}}\n"
	write(document)
	s := newSite(t)
	s.load(batchClient, "oauth2_gate {\nopenapi "+path+"\n}")
	const unusable, reloads = "caddy_oauth2_files_unusable", "caddy_oauth2_file_reloads_total outcome="
	before := families(t)
	for _, step := range []struct {
		text                   string
		unusable, failed, used float64
	}{
		{"openapi: [", 1, 1, 0},
		{"openapi: {", 1, 2, 0},
		{document + "# mended\n", 0, 2, 1},
	} {
		write(step.text)
		caddymodule.LookAtFiles()
		caddymodule.LookAtFiles()
		after := families(t)
		if after[unusable] != step.unusable || after[reloads+"failed"]-before[reloads+"failed"] != step.failed ||
			after[reloads+"used"]-before[reloads+"used"] != step.used {
			t.Errorf("%.12q: %v unusable, failed %v, used %v", step.text, after[unusable], after[reloads+"failed"], after[reloads+"used"])
		}
	}
}
