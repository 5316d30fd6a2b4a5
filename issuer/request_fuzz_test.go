package issuer

import (
	"net/url"
	"testing"
)

// FuzzCheckQuery: no credentials pass that somebody else would find in the
// query, whatever stands beside them.
func FuzzCheckQuery(f *testing.F) {
	for _, seed := range []string{"", "client_secret=p%q", "x=1;client_id=a", "a=%zz&client%5fsecret", "client_secret%", "%", "&&;=", "+%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		for _, name := range credentialParameters {
			if values.Has(name) && checkQuery(query) == nil {
				t.Fatalf("%q: %s passes", query, name)
			}
			for _, added := range []string{query + "&" + name, name + ";" + query, query + "&" + name + "=%zz&" + query} {
				if checkQuery(added) == nil {
					t.Fatalf("%q passes", added)
				}
			}
		}
	})
}

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
