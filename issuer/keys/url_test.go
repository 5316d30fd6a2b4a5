package keys

import (
	"strings"
	"testing"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://issuer.example/jwks", "https://issuer.example", "https://issuer.example:8443/a/b?tenant=1",
		"HTTPS://issuer.example/jwks", "https://[2001:db8::1]/jwks", "https://192.0.2.1/jwks", "https://issuer.example/a%20b",
		"http://localhost/jwks", "http://localhost:9000/jwks", "http://LOCALHOST/jwks", "http://keys.localhost/jwks",
		"http://127.0.0.1:9000/jwks", "http://127.8.9.10/jwks", "http://[::1]:9000/jwks",
	} {
		if err := CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	bad := map[string]string{
		"":                                  "absolute https url",
		"jwks.json":                         "expected https://",
		"/etc/jwks.json":                    "expected https://",
		"issuer.example/jwks":               "expected https://",
		"//issuer.example/jwks":             "expected https://",
		"https:issuer.example":              "expected https://",
		"https:///jwks":                     "expected a host",
		"https://:443/jwks":                 "expected a host",
		"https://":                          "expected a host",
		"https://issuer.example/jwks#a":     "no fragment",
		"https://issuer.example/jwks#":      "no fragment",
		"https://user:pass@issuer.example/": "no user info",
		"https://user@issuer.example/":      "no user info",
		"https://@issuer.example/":          "no user info",
		"https://issuer.example:/jwks":      "a port",
		"https://issuer.example:0/jwks":     "a port",
		"https://issuer.example:65536/jwks": "a port",
		"https://issuer.example:https/jwks": "absolute https url",
		"https://issuer.example/a b":        "RFC 3986",
		" https://issuer.example/":          "RFC 3986",
		"https://issuer.example/\n":         "RFC 3986",
		"https://issuer.example/{id}":       "RFC 3986",
		"https://issüer.example/":           "RFC 3986",
		"https://issuer.example/%zz":        "RFC 3986",
		"https://[::1/":                     "RFC 3986",
		"ftp://issuer.example/jwks":         "expected https://",
		"file:///etc/jwks.json":             "expected https://",
		"data:application/json,1":           "expected https://",
		"http://issuer.example/jwks":        "expected https, or http on localhost",
		"http://localhost.example/jwks":     "expected https, or http on localhost",
		"http://.localhost/jwks":            "expected https, or http on localhost",
		"http://127.0.0.1.example/jwks":     "expected https, or http on localhost",
		"http://127.1/jwks":                 "expected https, or http on localhost",
		"http://2130706433/jwks":            "expected https, or http on localhost",
		"http://0.0.0.0/jwks":               "expected https, or http on localhost",
		"http://[::ffff:127.0.0.1]/jwks":    "expected https, or http on localhost",
		"http://[::1%25lo]/jwks":            "expected https, or http on localhost",
		"http://10.0.0.1/jwks":              "expected https, or http on localhost",
		"http://169.254.169.254/latest":     "expected https, or http on localhost",
	}
	for raw, why := range bad {
		if err := CheckURL(raw); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "pass@") {
			t.Errorf("%q: %v; expected an error with %q", raw, err, why)
		}
	}
}
