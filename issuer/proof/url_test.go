package proof_test

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
)

// Spellings of one url are one, and of two urls two (RFC 9449 section 4.3, RFC
// 3986 section 6.2).
func TestNormalURL(t *testing.T) {
	t.Parallel()
	for raw, expected := range map[string]string{
		"https://h":               "https://h/",
		"https://H:443/":          "https://h/",
		"HTTP://h:80/a":           "http://h/a",
		"http://h:443/a":          "http://h:443/a",
		"https://h:/a":            "https://h/a",
		"https://h/a?b=c#d":       "https://h/a",
		"https://h/%7Ea%2fb%2Fc":  "https://h/~a%2Fb%2Fc",
		"https://h/a b":           "https://h/a%20b",
		"https://[::1]:8443/a":    "https://[::1]:8443/a",
		"https://h/a/../b":        "https://h/a/../b",
		"https://h//a":            "https://h//a",
		"https://h/%C3%A4":        "https://h/%C3%A4",
		"https://me@h/":           "",
		"ftp://h/":                "",
		"//h/a":                   "",
		"/a":                      "",
		"https:h":                 "",
		"":                        "",
		"https://h/%":             "",
		"https://:":               "",
		"https://:443/":           "",
		"https://h\x00/":          "",
		"javascript:alert(1)":     "",
		"https://h/a;b?token=1;2": "https://h/a;b",
	} {
		got, err := proof.NormalURL(raw)
		if got != expected || (err == nil) != (expected != "") {
			t.Errorf("%q: got %q, %v", raw, got, err)
		}
	}
}

// FuzzNormalURL: the normal spelling is normal.
func FuzzNormalURL(f *testing.F) {
	f.Add("https://H:443/%7e?x#y")
	f.Add("http://[::1]/%2F%2f")
	f.Fuzz(func(t *testing.T, raw string) {
		once, err := proof.NormalURL(raw)
		if err != nil {
			if once != "" {
				t.Fatal("a url and an error")
			}
			return
		}
		if twice, err := proof.NormalURL(once); err != nil || twice != once {
			t.Fatalf("%q became %q and then %q (%v)", raw, once, twice, err)
		}
	})
}
