package redis

import (
	"bytes"
	"strings"
	"testing"
)

var oldKey, newKey = strings.Repeat("old!", 8), strings.Repeat("new!", 8)

func mustSealer(t testing.TB, keys ...string) *sealer {
	t.Helper()
	s, err := newSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The first key seals, all open: so a key can be changed without a moment in
// which something cannot be read.
func TestSealRotation(t *testing.T) {
	t.Parallel()
	before, during, after := mustSealer(t, oldKey), mustSealer(t, newKey, oldKey), mustSealer(t, newKey)
	document := []byte(`{"keys":[]}`)
	for name, test := range map[string]struct {
		sealed  []byte
		opener  *sealer
		current bool
		fails   bool
	}{
		"the same":            {before.seal("keys.json", document), before, true, false},
		"old one, both known": {before.seal("keys.json", document), during, false, false},
		"new one, both known": {during.seal("keys.json", document), during, true, false},
		"new one, old known":  {during.seal("keys.json", document), before, false, true},
		"old one, new known":  {before.seal("keys.json", document), after, false, true},
		"another name":        {before.seal("nonce.json", document), before, false, true},
		"nothing":             {nil, before, false, true},
		"not sealed":          {document, before, false, true},
		"cut":                 {before.seal("keys.json", document)[:40], before, false, true},
	} {
		opened, current, err := test.opener.open("keys.json", test.sealed)
		if (err != nil) != test.fails || current != test.current {
			t.Errorf("%s: current %v, error %v", name, current, err)
		}
		if err == nil != bytes.Equal(opened, document) || err != nil && opened != nil {
			t.Errorf("%s: opened %q", name, opened)
		}
	}
}

// An empty document is not a missing one.
func TestSealEmpty(t *testing.T) {
	t.Parallel()
	s := mustSealer(t, oldKey)
	opened, _, err := s.open("a", s.seal("a", nil))
	if err != nil || opened == nil || len(opened) > 0 {
		t.Errorf("got %v, %v", opened, err)
	}
}

// What is sealed shows nothing of the document, and never looks the same twice:
// its beginning tells one version from another.
func TestSealShowsNothing(t *testing.T) {
	t.Parallel()
	s, document := mustSealer(t, oldKey), []byte("-----BEGIN PRIVATE KEY-----")
	one, other := s.seal("keys.json", document), s.seal("keys.json", document)
	if bytes.Equal(one[:tagLength], other[:tagLength]) {
		t.Error("two sealed documents begin alike")
	}
	if bytes.Contains(one, document) || bytes.Contains(one, []byte(oldKey)) {
		t.Error("the document or the key shows")
	}
}

// Each bit counts.
func FuzzOpen(f *testing.F) {
	s := mustSealer(f, oldKey)
	f.Add(s.seal("keys.json", []byte("{}")))
	f.Add([]byte{sealForm})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		document, _, err := s.open("keys.json", sealed)
		if err != nil && document != nil {
			t.Error("an error and a document")
		}
		if err != nil {
			return
		}
		for i := range sealed {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1
			if _, _, err := s.open("keys.json", changed); err == nil {
				t.Errorf("byte %d does not count", i)
			}
		}
	})
}
