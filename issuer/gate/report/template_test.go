package report

import (
	"net/url"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/":                                     "/",
		"":                                      "",
		"*":                                     "%2A",
		"/orders":                               "/orders",
		"/orders/":                              "/orders/",
		"/orders/17":                            "/orders/{}",
		"/orders/17/lines/3-4":                  "/orders/{}/lines/{}",
		"/v1/orders":                            "/v1/orders",
		"/oauth2/token":                         "/oauth2/token",
		"/2026-03-01/x":                         "/{}/x",
		"/order-12345":                          "/{}",
		"/f47ac10b-58cc-4372-a567-0e02b2c3d479": "/{}",
		"/facade/decade":                        "/facade/decade",
		"/deadbee7":                             "/{}",
		"/dQw4w9WgXcQ":                          "/{}",
		"/AuditLogEntries":                      "/AuditLogEntries",
		"/people/jane@example.com":              "/people/{}",
		"/%6Frders/%31%37":                      "/orders/{}",
		"/Gr%C3%BC%C3%9Fe":                      "/Gr%C3%BC%C3%9Fe",
		"/a%2fb":                                "/a%2Fb",
		"/a%zz":                                 "/a%25zz",
		"/a%":                                   "/a%25",
		"//a":                                   "//a",
		"/../a":                                 "/../a",
		"/{}":                                   "/{}",
		"/%7B%7D":                               "/%7B%7D",
		"/{...}/a":                              "/%7B...%7D/a",
		"/x*":                                   "/x%2A",
		"/" + strings.Repeat("a", 33):           "/{}",
		"/" + strings.Repeat("a", 32):           "/" + strings.Repeat("a", 32),
		"/a/b/c/d/e/f/g/h":                      "/a/b/c/d/e/f/g/h",
		"/a/b/c/d/e/f/g/h/":                     "/a/b/c/d/e/f/g/h/{...}",
		"/a/b/c/d/e/f/g/h/i/j":                  "/a/b/c/d/e/f/g/h/{...}",
		"/a" + strings.Repeat("/"+strings.Repeat("b", 30), 5):             "/a" + strings.Repeat("/"+strings.Repeat("b", 30), 4) + "/{...}",
		"/" + strings.Repeat("%01", 32) + "/" + strings.Repeat("%01", 32): "/" + strings.Repeat("%01", 32) + "/{...}",
	} {
		if got := Template(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"/": "/{$}", "/a": "/a", "/a/": "/a/{$}", "/a/{}/b": "/a/{id}/b", "/a/{}/{}/": "/a/{id}/{id}/{$}", "/a/{...}": "/a/{rest...}",
	} {
		if got := pattern(template); got != want {
			t.Errorf("%q: got %q, want %q", template, got, want)
		}
	}
}

// A template is short, printable and the template of itself; and where the path
// is one that a gate accepts, its pattern is a rule for that path.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"/", "", "*", "/orders/17", "/a%2Fb", "/%zz", "/a/b/c/d/e/f/g/h/i", "/{}/{...}", "/{...}/", "//", "/Gr%C3%BC%C3%9Fe/",
		"/" + strings.Repeat("%01", 50), strings.Repeat("/abcdefghijklmnop", 12), "/\x1b[31m", "/a*/b?c#d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		template := Template(escaped)
		printable(t, template)
		if len(template) > 150 || strings.Count(template, "/") > maxSegments+1 {
			t.Fatalf("%q: %d octets: %q", escaped, len(template), template)
		}
		if again := Template(template); again != template {
			t.Fatalf("%q: %q, and of that %q", escaped, template, again)
		}
		decoded, err := url.PathUnescape(escaped)
		if err != nil || gate.CheckPath(escaped, decoded) != nil {
			return
		}
		rules, err := gate.NewRules([]gate.Rule{{Pattern: pattern(template)}})
		if err != nil {
			t.Fatalf("%q: %v", escaped, err)
		}
		if _, ok := rules.Match("GET", decoded); !ok {
			t.Fatalf("%q is not covered by %q", escaped, pattern(template))
		}
	})
}
