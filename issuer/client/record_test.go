package client

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// goodRecord is a record as it is stored.
const goodRecord = `{"client_id":"x","scopes":["read"],"secrets":[{"id":"1","hash":"$sha256$OOPoKsfFQuOtM2phjNyxt1N7PTE1q4d0D7ryj4Dw0LI","made":"2026-01-01T00:00:00Z"}],` +
	`"last_secret":1,"epoch":2,"revision":3,"made":"2026-01-01T00:00:00Z","changed":"2026-01-01T00:00:00Z"}`

// A record that two readers could understand in two ways is refused: a client could be
// enabled, or its tokens be good, that is not for the other one. No error has a hash.
func TestDecodeRecordRefuses(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) string { return strings.Replace(goodRecord, old, with, 1) }
	for _, data := range []string{goodRecord, replace(`"secrets"`, `"token_lifetime":630720000,"secrets"`)} {
		if _, err := decodeRecord("x", []byte(data), make(sharedTexts)); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range map[string]string{
		"another's":                        replace(`"x"`, `"y"`),
		"epoch twice":                      replace(`"epoch":2`, `"epoch":2,"epoch":0`),
		"epoch in capitals too":            replace(`"epoch":2`, `"epoch":2,"Epoch":0`),
		"other capitals":                   replace(`"revision"`, `"REVISION"`),
		"scopes twice":                     replace(`"scopes":["read"]`, `"scopes":["read"],"scopes":["admin"]`),
		"disabled twice":                   replace(`"secrets"`, `"disabled":true,"disabled":false,"secrets"`),
		"not disabled":                     replace(`"secrets"`, `"disabled":false,"secrets"`),
		"hash twice":                       replace(`"hash":`, `"hash":"$sha256$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","hash":`),
		"secret's capitals":                replace(`"hash":`, `"Hash":`),
		"id twice":                         replace(`"id":"1"`, `"id":"1","id":"2"`),
		"unknown":                          replace(`"epoch"`, `"later":1,"epoch"`),
		"lives too long":                   replace(`"secrets"`, `"token_lifetime":630720001,"secrets"`),
		"lives for an overflow":            replace(`"secrets"`, `"token_lifetime":18446744674,"secrets"`), // of nanoseconds, which would be ten minutes
		"may introspect nobody knows what": replace(`"secrets"`, `"introspect":"None","secrets"`),
		"two scopes in one":                replace(`"read"`, `"read write"`),
		"an empty scope":                   replace(`"read"`, `""`),
		"a claim of the issuer's own":      replace(`"secrets"`, `"claims":{"act":"other"},"secrets"`),
		"must bring nobody knows what":     replace(`"secrets"`, `"require":"DPoP","secrets"`),
		"expires at no time":               replace(`"}]`, `","expires":"0001-01-01T00:00:00Z"}]`),
		"no epoch":                         replace(`"epoch":2,`, ``),
		"data behind":                      goodRecord + `{}`,
		"cut off":                          goodRecord[:100],
		"array":                            `[` + goodRecord + `]`,
		"null":                             `null`,
		"empty":                            ``,
	} {
		found, err := decodeRecord("x", []byte(data), make(sharedTexts))
		if err == nil || found != nil || strings.Contains(err.Error(), "OOPoK") {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

// What is read is written the same; whatever is not has no record.
func FuzzDecodeRecord(f *testing.F) {
	for _, seed := range []string{goodRecord, `{"client_id":"x"}`, `null`, strings.ToUpper(goodRecord)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := decodeRecord("x", data, make(sharedTexts))
		if err != nil {
			if found != nil {
				t.Error("an error came with a record")
			}
			return
		}
		written, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeRecord("x", written, make(sharedTexts))
		if err != nil || again.Epoch != found.Epoch || again.Disabled != found.Disabled || len(again.Secrets) != len(found.Secrets) {
			t.Errorf("%s became %s: %v", data, written, err)
		}
	})
}

// Times keep what they say, whatever their zone.
func TestRecordKeepsTimes(t *testing.T) {
	t.Parallel()
	expires := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	record, err := decodeRecord("x", []byte(goodRecord), make(sharedTexts))
	if err != nil {
		t.Fatal(err)
	}
	record.Secrets[0].Expires = &expires
	written, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeRecord("x", written, make(sharedTexts))
	if err != nil || !again.Secrets[0].Expires.Equal(expires) {
		t.Errorf("%v, %v", again, err)
	}
}
