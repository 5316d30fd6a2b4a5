package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// `caddy validate` looks, and touches nothing.
func TestValidateWritesNothing(t *testing.T) {
	t.Parallel()
	c := prepare(t, reloadable("", ""), "BATCH_SECRET="+batchSecret)
	if got := c.command(t, "validate", "--config", c.caddyfile()); got.code != 0 {
		t.Fatal(got.all())
	}
	_ = filepath.WalkDir(filepath.Join(c.folder, "data"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".json") || strings.Contains(path, "oauth2")) {
			t.Errorf("it wrote %s", path)
		}
		return nil
	})

	c.start(t)
	before, token := c.files(t), c.token(t, "batch", batchSecret)
	c.configure(t, reloadable("signing ES384", otherClient))
	if got := c.command(t, "validate", "--config", c.caddyfile()); got.code != 0 {
		t.Fatal(got.all())
	}
	after := c.files(t)
	if len(after) != len(before) {
		t.Errorf("files: %v, before: %v", after, before)
	}
	for path, text := range before {
		if after[path] != text {
			t.Errorf("%s changed", path)
		}
	}
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
}

// The example is as `caddy fmt` would write it, adapts, and is valid.
func TestExampleCaddyfile(t *testing.T) {
	t.Parallel()
	c := prepare(t, readFile(t, filepath.Join(checkout, "Caddyfile.example")))
	for _, arguments := range [][]string{
		{"fmt", "--diff", c.caddyfile()},
		{"adapt", "--config", c.caddyfile(), "--validate"},
		{"validate", "--config", c.caddyfile()},
	} {
		got := c.command(t, arguments...)
		if got.code != 0 || strings.Contains(got.all(), "not formatted") {
			t.Errorf("caddy %v: %s", arguments, got.all())
		}
	}
	if got := c.command(t, "fmt", c.caddyfile()); got.stdout != readFile(t, c.caddyfile()) {
		t.Errorf("caddy fmt would change it to:\n%s", got.stdout)
	}
}

// The JSON that a Caddyfile adapts to loads, and does the same.
func TestAdaptedJSONRuns(t *testing.T) {
	t.Parallel()
	c := prepare(t, gateCaddyfile, "BATCH_SECRET="+batchSecret)
	adapted := c.command(t, "adapt", "--config", c.caddyfile())
	if adapted.code != 0 {
		t.Fatal(adapted.all())
	}
	c.configure(t, "{\n admin {$ADMIN}\n}\n")
	c.start(t)
	path := filepath.Join(c.folder, "caddy.json")
	writeFile(t, path, adapted.stdout)
	if got := c.command(t, "reload", "--config", path, "--address", c.admin); got.code != 0 {
		t.Fatal(got.all())
	}
	token := c.token(t, "reader", batchSecret)
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	c.send(t, "POST", "/orders", "", bearer(token)).wantError(t, 403, "insufficient_scope")
	c.get(t, "/orders").wantError(t, 401, "unauthorized")
}

// mistakes are what adapting finds: the message names the place, the word and
// what was expected.
var mistakes = []struct {
	name   string
	option string // within the global option
	gate   string // within the directive
	says   []string
}{
	{"unknown subdirective", "isuer x", "", []string{"Caddyfile:5", `"isuer"`, "issuer"}},
	{"twice", "token_lifetime 1h\ntoken_lifetime 2h", "", []string{"Caddyfile:6", "token_lifetime", "twice"}},
	{"negative duration", "token_lifetime -1h", "", []string{"Caddyfile:5", "token_lifetime", "-1h"}},
	{"no duration", "token_lifetime soon", "", []string{"Caddyfile:5", "token_lifetime", "soon"}},
	{"unknown algorithm", "signing HS256", "", []string{"Caddyfile:5", "HS256", "ES256"}},
	{"client twice", "client a\nclient a", "", []string{"Caddyfile:6", `"a"`, "twice"}},
	{"bad client_id", "client \" a\"", "", []string{"Caddyfile:5", "client_id", "128"}},
	{"short secret", "client a {\nsecret short\n}", "", []string{"Caddyfile:6", `client "a"`, "16"}},
	{"empty secret", "client a {\nsecret \"\"\n}", "", []string{"Caddyfile:6", `client "a"`, "secret"}},
	{"unusable hash", "client a {\nsecret_hash $md5$x\n}", "", []string{"Caddyfile:6", `client "a"`, "secret_hash"}},
	{"past format", "client a {\nsecret {env.X} {\nexpires tomorrow\n}\n}", "", []string{"Caddyfile:7", `client "a"`, "expires", "tomorrow"}},
	{"unknown role", "client a {\nroles boss\n}", "", []string{"Caddyfile:6", `client "a"`, "boss"}},
	{"unknown resource", "client a {\nresources https://x.example\n}", "", []string{"Caddyfile:6", `client "a"`, "https://x.example"}},
	{"unknown scope", "resource https://r.example {\nscopes a b\n}\nclient a {\nscopes c\n}", "", []string{"Caddyfile:9", `client "a"`, `"c"`}},
	{"registered claim", "client a {\nclaims iss x\n}", "", []string{"Caddyfile:6", `client "a"`, `"iss"`}},
	{"resource with a fragment", "resource https://r.example#x", "", []string{"Caddyfile:5", "https://r.example#x"}},
	{"surplus word", "scope_alias a b", "", []string{"Caddyfile:5", "scope_alias", `"b"`}},
	{"unknown subdirective of a gate", "", "requires GET /a b", []string{"Caddyfile:12", `"requires"`, "require"}},
	{"star segment", "", "require GET /a/* b", []string{"Caddyfile:12", "/a/*", "/a/"}},
	{"relative pattern", "", "require GET a b", []string{"Caddyfile:12", "GET a", "/"}},
	{"method in lower case", "", "require get /a b", []string{"Caddyfile:12", `"get"`, "GET"}},
	{"rule without scope", "", "require GET /a", []string{"Caddyfile:12", "require", "<scope>"}},
	{"conflict", "", "require GET /{a}/x b\nrequire GET /y/{b} c", []string{"Caddyfile:13", "/{a}/x", "/y/{b}"}},
	{"rule twice", "", "require GET /a b\npublic GET /a", []string{"Caddyfile:13", "/a"}},
	{"unknown resource of a gate", "", "resource https://x.example", []string{"Caddyfile:12", "https://x.example"}},
	{"header that is taken", "", "identity_headers Authorization X-A X-B", []string{"Caddyfile:12", "Authorization"}},
	{"header twice", "", "identity_headers X-A x_a X-B", []string{"Caddyfile:12", "x_a"}},
	{"placeholder of requests", "", "allow_clients {http.request.host}", []string{"Caddyfile:12", "{http.request.host}"}},
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	c := prepare(t, "")
	for _, row := range mistakes {
		t.Run(row.name, func(t *testing.T) {
			option := row.option
			if row.gate != "" {
				option = "token_lifetime 1h" // so that line numbers are those above
			}
			c.configure(t, "{\n\tadmin off\n\toauth2 {\n\t\tissuer http://localhost\n"+option+"\n\t}\n}\nhttp://:{$PORT} {\n"+
				"\toauth2_issuer\n\trespond ok\n\toauth2_gate {\n"+row.gate+"\n\t}\n}\n")
			for _, command := range []string{"adapt", "validate"} {
				c.wantFailure(t, c.command(t, command, "--config", c.caddyfile()), row.says...)
			}
		})
	}
}

// What shows only on loading names the client and the subdirective; the start
// fails, and nothing is made.
func TestUnsetVariable(t *testing.T) {
	t.Parallel()
	c := prepare(t, reloadable("", otherClient)) // without BATCH_SECRET
	for _, command := range []string{"validate", "run"} {
		c.wantFailure(t, c.command(t, command, "--config", c.caddyfile()), `client "batch"`, "secret", "BATCH_SECRET")
	}
	if _, err := os.Stat(filepath.Join(c.storage(), "oauth2")); err == nil {
		t.Error("something was stored")
	}
}

func TestIssuerURL(t *testing.T) {
	t.Parallel()
	c := prepare(t, "")
	for url, good := range map[string]bool{
		"https://api.example.com": true, "https://api.example.com/tenant": true, "http://localhost:8080": true,
		"http://a.localhost": true, "http://127.0.0.2:1": true, "http://[::1]:8080": true,
		"http://api.example.com": false, "https://api.example.com?x=1": false, "https://api.example.com#x": false,
		"https://user@api.example.com": false, "api.example.com": false, "http://10.0.0.1": false, "ftp://localhost": false,
		"http://localhost.example.com": false, "https://": false, "http://notlocalhost": false,
	} {
		c.configure(t, "{\n\toauth2 {\n\t\tissuer "+url+"\n\t}\n}\n:{$PORT} {\n\toauth2_issuer\n}\n")
		got := c.command(t, "adapt", "--config", c.caddyfile())
		if (got.code == 0) != good {
			t.Errorf("%s: %s", url, got.all())
		}
		if !good && !strings.Contains(got.all(), "Caddyfile:3") {
			t.Errorf("%s: no file and line: %s", url, got.all())
		}
	}
}
