package token_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// FuzzParse: whatever comes, an error comes alone, and claims that were read
// are signed and read again as the same. The first text is parsed as it stands,
// and the other two are signed as header and payload, to get past the signature.
func FuzzParse(f *testing.F) {
	header, payload := goodHeader(token.EdDSA).json(), goodClaims.json()
	f.Add(forge(token.EdDSA, header, payload), header, payload)
	f.Add("..", header, `{}`)
	f.Add("a.b.c", `{"alg":"none","typ":"at+jwt","kid":"EdDSA"}`, payload)
	f.Add("", header, `{"aud":[],"roles":[],"exp":1.5e9,"nbf":0,"scope":"a b a","cnf":{"jkt":"x"},"x":{"y":[null,1e400,"\ud800"]}}`)
	f.Add("", header, `{"iss":"a","ISS":"b","exp":-0.0}`)
	f.Add("", header, "{\"a\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, raw, header, payload string) {
		checkParse(t, raw)
		signed := forge(token.EdDSA, header, payload)
		if claims := checkParse(t, signed); claims != nil {
			// The standard parser is laxer in names, and takes all else that passes.
			if !json.Valid([]byte(header)) || !json.Valid([]byte(payload)) {
				t.Fatal("claims were read from what is not JSON")
			}
			if changed := strings.Replace(signed, ".", ".e", 1); checkParse(t, changed) != nil {
				t.Fatal("a changed token passes")
			}
		}
	})
}

func checkParse(t *testing.T, raw string) *token.Claims {
	claims, err := parse(t, raw, known())
	if err != nil {
		if _, ok := token.Failed(err); claims != nil || !ok {
			t.Fatalf("claims %v with error %v: expected a refusal alone", claims, err)
		}
		return nil
	}
	again, err := newSigner(t, token.EdDSA).Sign(claims)
	if err != nil {
		t.Fatalf("claims that were read cannot be signed: %v", err)
	}
	if len(again) > token.MaxLength { // escapes made it longer
		return claims
	}
	got, err := parse(t, again, known())
	if err != nil || !reflect.DeepEqual(got, claims) {
		t.Fatalf("read %#v\nand after signing it %#v, %v", claims, got, err)
	}
	return claims
}

// FuzzParseScope: an error comes alone; a set holds valid values, each once,
// all of the text and nothing else, and reads back from its own spelling.
func FuzzParseScope(f *testing.F) {
	for _, text := range []string{"", "a", "a b a", " a", "a  b", "a\tb", "a\"", `\`, "é", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := token.ParseScope(text)
		if err != nil {
			if set != nil {
				t.Fatalf("%v with error %v", set, err)
			}
			return
		}
		for i, value := range set {
			if !token.ValidScope(value) || slices.Contains(set[:i], value) {
				t.Fatalf("%q in %q", value, text)
			}
		}
		for value := range strings.FieldsSeq(text) {
			if !set.Has(value) {
				t.Fatalf("%q of %q is missing", value, text)
			}
		}
		again, err := token.ParseScope(set.String())
		if err != nil || !reflect.DeepEqual(again, set) {
			t.Fatalf("%q reads back as %v, %v", set, again, err)
		}
	})
}
