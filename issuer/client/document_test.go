package client

import (
	"bytes"
	"strings"
	"testing"
)

// Two readings of one document could differ in an epoch: only what this
// program writes is read.
func TestDecodeDocumentRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"empty":             ``,
		"null":              `null`,
		"array":             `[]`,
		"no clients":        `{}`,
		"null clients":      `{"clients":null}`,
		"null client":       `{"clients":{"a":null}}`,
		"cut off":           `{"clients":{"a":{"epoch":1,"alive":tr`,
		"data behind":       `{"clients":{}}{}`,
		"NUL behind":        "{\"clients\":{}}\x00",
		"unknown member":    `{"clients":{},"version":2}`,
		"unknown in entry":  `{"clients":{"a":{"epoch":1,"alive":true,"x":1}}}`,
		"no epoch":          `{"clients":{"a":{"alive":true}}}`,
		"no alive":          `{"clients":{"a":{"epoch":1}}}`,
		"other capitals":    `{"clients":{"a":{"Epoch":1,"alive":true}}}`,
		"client twice":      `{"clients":{"a":{"epoch":5,"alive":false},"a":{"epoch":0,"alive":true}}}`,
		"epoch twice":       `{"clients":{"a":{"epoch":5,"epoch":0,"alive":true}}}`,
		"clients twice":     `{"clients":{"a":{"epoch":5,"alive":false}},"clients":{"b":{"epoch":0,"alive":true}}}`,
		"negative":          `{"clients":{"a":{"epoch":-1,"alive":true}}}`,
		"fraction":          `{"clients":{"a":{"epoch":1.0,"alive":true}}}`,
		"exponent":          `{"clients":{"a":{"epoch":1e3,"alive":true}}}`,
		"text":              `{"clients":{"a":{"epoch":"1","alive":true}}}`,
		"too great":         `{"clients":{"a":{"epoch":9007199254740992,"alive":true}}}`,
		"wraps around":      `{"clients":{"a":{"epoch":18446744073709551615,"alive":true}}}`,
		"id empty":          `{"clients":{"":{"epoch":1,"alive":true}}}`,
		"id not ASCII":      `{"clients":{"ä":{"epoch":1,"alive":true}}}`,
		"id with a control": `{"clients":{"a\n":{"epoch":1,"alive":true}}}`,
		"not UTF-8":         "{\"clients\":{\"\xff\":{\"epoch\":1,\"alive\":true}}}",
		"beside is null":    `{"clients":{},"beside":null}`,
		"beside is empty":   `{"clients":{},"beside":[]}`,
		"beside in front":   `{"beside":["a.json"],"clients":{}}`,
		"beside twice":      `{"clients":{},"beside":["a.json","b.json"],"beside":["a.json"]}`,
		"beside unsorted":   `{"clients":{},"beside":["b.json","a.json"]}`,
		"beside one twice":  `{"clients":{},"beside":["a.json","a.json"]}`,
		"beside no name":    `{"clients":{},"beside":["../a.json"]}`,
		"beside alone":      `{"beside":["a.json"]}`,
		"byte order mark":   "\ufeff{\"clients\":{}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := decodeDocument([]byte(data))
			if err == nil || !found.equal(document{}) || !strings.Contains(err.Error(), DocumentName) {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
}

// Operators look at the document through tools that indent it.
func TestDecodeDocumentIndented(t *testing.T) {
	t.Parallel()
	found, err := decodeDocument([]byte("{\n\t\"clients\": {\n\t\t\"a<&>\\\"\": {\"epoch\": 2, \"alive\": true}\n\t}\n}\n"))
	if err != nil || !found.equal(document{Clients: map[string]entry{`a<&>"`: {Epoch: 2, Alive: true}}}) {
		t.Errorf("%v, %v", found, err)
	}
}

// What is read is written the same, and read again the same.
func FuzzDecodeDocument(f *testing.F) {
	for _, seed := range []string{`{"clients":{}}`, `{"clients":{"a":{"epoch":1,"alive":true},"b<":{"epoch":0,"alive":false}}}`, `{"clients":{"a":{"epoch":1}}}`, `null`, `{"clients":{},"beside":["a.json","b.json"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := decodeDocument(data)
		if err != nil {
			if !found.equal(document{}) {
				t.Error("an error came with clients")
			}
			return
		}
		written, err := encodeDocument(found)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeDocument(written)
		if err != nil || !found.equal(again) {
			t.Errorf("%v became %v, %v", found, again, err)
		}
		if rewritten, err := encodeDocument(again); err != nil || !bytes.Equal(written, rewritten) {
			t.Errorf("%s became %s, %v", written, rewritten, err)
		}
	})
}
