package store_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

type exact struct {
	Name  string                     `json:"name"`
	Count uint64                     `json:"count,omitempty"`
	Made  time.Time                  `json:"made,omitzero"`
	Parts map[string]json.RawMessage `json:"parts,omitempty"`
}

// What a person's tools do to a document leaves it good.
func TestDecodeExactly(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"as written":  `{"name":"a\u0026b","count":1,"made":"2026-01-01T00:00:00Z","parts":{"x":{"y":[1]},"z":null}}`,
		"indented":    "{\n\t\"name\" : \"a\u0026b\",\n\t\"parts\": { \"x\": { \"y\": [ 1 ] } }\n}\n",
		"unescaped":   `{"name":"a&b"}`,
		"escaped":     `{"name":"\u0061\/b"}`,
		"not escaped": `{"name":"a` + "\u2028" + `b"}`,
	} {
		var read exact
		if err := store.DecodeExactly([]byte(text), &read); err != nil || read.Name == "" {
			t.Errorf("%s: %+v %v", name, read, err)
		}
	}
}

// What two readers could understand in two ways is refused, and not quoted.
func TestDecodeExactlyRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":            ``,
		"null":             `null`,
		"array":            `[]`,
		"no object":        `"hush"`,
		"lacks a member":   `{}`,
		"cut off":          `{"name":"hush`,
		"data behind":      `{"name":"hush"}{}`,
		"NUL behind":       "{\"name\":\"hush\"}\x00",
		"unknown":          `{"name":"hush","hush":1}`,
		"twice":            `{"name":"hush","name":"b"}`,
		"twice, escaped":   `{"name":"hush","n\u0061me":"b"}`,
		"other capitals":   `{"Name":"hush"}`,
		"other order":      `{"count":1,"name":"hush"}`,
		"needless":         `{"name":"hush","count":0}`,
		"null member":      `{"name":"hush","count":null}`,
		"number otherwise": `{"name":"hush","count":1.0}`,
		"key twice":        `{"name":"hush","parts":{"a":1,"a":2}}`,
		"keys unsorted":    `{"name":"hush","parts":{"b":1,"a":2}}`,
		"half a pair":      `{"name":"hush\ud800"}`,
		"null, needed":     `{"name":null}`,
		"negative":         `{"name":"hush","count":-1}`,
		"time otherwise":   `{"name":"hush","made":"2026-01-01 00:00:00Z"}`,
		"value cut off":    `{"name":"hush","parts":{"a":}}`,
		"twice, within":    `{"name":"hush","parts":{"a":{"b":1,"b":2}}}`,
		"comma behind":     `{"name":"hush",}`,
		"not UTF-8":        "{\"name\":\"hush\xff\"}",
		"wrong type":       `{"name":{"hush":1}}`,
		"byte order mark":  "\ufeff{\"name\":\"hush\"}",
	} {
		err := store.DecodeExactly([]byte(text), new(exact))
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is read is written the same, and read again the same.
func FuzzDecodeExactly(f *testing.F) {
	for _, seed := range []string{`{"name":"a"}`, `{"name":"a&b","parts":{"a":[1,{}]}}`, `{"name":"a","name":"b"}`, "{\"name\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read, again exact
		if store.DecodeExactly(data, &read) != nil {
			return
		}
		written, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.DecodeExactly(written, &again); err != nil || again.Name != read.Name || len(again.Parts) != len(read.Parts) {
			t.Errorf("%q became %q: %v", data, written, err)
		}
	})
}
