package issuer

import (
	"net/url"
	"testing"
)

// FuzzParseForm: an error means no form; a form has each parameter once and
// reads back the same.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{
		"", "grant_type=client_credentials", "a=1&a=2", "resource=a&resource=b", "x=%zz", "a;b", "=&=", "%00=%ff", "scope=a+b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		parsed, err := parseForm(body)
		if err != nil {
			if parsed != nil {
				t.Fatal("a form and an error")
			}
			return
		}
		for name, values := range parsed {
			if len(values) != 1 && name != "resource" {
				t.Fatalf("%q stands %d times", name, len(values))
			}
		}
		again, err := parseForm(url.Values(parsed).Encode())
		if err != nil || len(again) != len(parsed) {
			t.Fatalf("does not read back: %v", err)
		}
	})
}
