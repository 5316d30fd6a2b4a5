package store_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

func TestPrefix(t *testing.T) {
	t.Parallel()
	tests := []struct{ issuer, host string }{
		{"https://api.example.com", "api.example.com"},
		{"https://API.example.com", "api.example.com"},
		{"https://api.example.com:8443/tenant/1", "api.example.com-8443"},
		{"http://[::1]:8080", "1--8080"},
		{"http://localhost:8080", "localhost-8080"},
		{"https://müller.example", "m-ller.example"},
		{"https://../..", "issuer"},
		{"https://a..b.example", "a-b.example"},
		{"https://" + strings.Repeat("a", 300) + ".example", strings.Repeat("a", 64)},
		{"", "issuer"},
		{"not a url\x7f", "issuer"},
	}
	for _, test := range tests {
		prefix := store.Prefix(test.issuer)
		if host := prefix[len("oauth2/") : len(prefix)-17]; host != test.host {
			t.Errorf("Prefix(%q) = %q, expected the host to read %q", test.issuer, prefix, test.host)
		}
	}
}

// Issuers that differ in any byte never share state.
func TestPrefixKeepsIssuersApart(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, issuer := range []string{
		"https://a.example", "https://a.example/", "http://a.example", "https://A.example", "https://a.example:443",
		"https://a.example/t1", "https://a.example/t2", "https://a-example", "https://a%2Eexample", "",
	} {
		prefix := strings.ToLower(store.Prefix(issuer))
		if other, taken := seen[prefix]; taken {
			t.Errorf("%q and %q share %q", issuer, other, prefix)
		}
		seen[prefix] = issuer
	}
}

// Whatever the url holds, the prefix is one harmless folder below "oauth2".
func FuzzPrefix(f *testing.F) {
	for _, issuer := range []string{"https://api.example.com:8443/x", "http://[::1]", "https://../..", "https://.a.", "\xff", "https://K"} {
		f.Add(issuer)
	}
	harmless := regexp.MustCompile(`^oauth2/[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?-[0-9a-f]{16}$`)
	f.Fuzz(func(t *testing.T, issuer string) {
		if prefix := store.Prefix(issuer); !harmless.MatchString(prefix) || strings.Contains(prefix, "..") {
			t.Errorf("Prefix(%q) = %q", issuer, prefix)
		}
	})
}
