package store

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

func sampleRecords(number int) []record {
	records := make([]record, number)
	for i := range records {
		records[i] = record{key: markKey{byte(i >> 8), byte(i), 7}, owner: uint64(i % 3), due: 1_800_000_000 + uint32(i)}
	}
	return records
}

func mustEncode(tb testing.TB, d journal) []byte {
	tb.Helper()
	data, err := d.encode()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// The form that earlier versions wrote must stay readable.
func TestJournalForm(t *testing.T) {
	t.Parallel()
	stored := `{"version":1,"runs":["RUN1"],"strict_since":1800000000,"strict_until":1800003600,"forgotten":1800000001,` +
		`"marks":"AAAHAAAAAAAAAAAAAAAAAAAAAAAAAAAAa0nSAAABBwAAAAAAAAAAAAAAAAAAAAAAAAAAAWtJ0gE="}`
	expected := journal{
		runs: []string{"RUN1"}, strict: Strictness{Since: 1_800_000_000, Until: 1_800_003_600},
		forgotten: 1_800_000_001, marks: sampleRecords(2),
	}
	if written := mustEncode(t, expected); string(written) != stored {
		t.Errorf("written %s", written)
	}
	found, err := decodeJournal([]byte(stored))
	if err != nil || !reflect.DeepEqual(found, expected) {
		t.Errorf("read %+v, %v", found, err)
	}
	if missing, err := decodeJournal(nil); err != nil || !reflect.DeepEqual(missing, journal{}) {
		t.Errorf("a missing document is %+v, %v", missing, err)
	}
}

// Two readings of one document could differ in a mark or a run: only what this
// program writes is read.
func TestDecodeJournalRefuses(t *testing.T) {
	t.Parallel()
	marks := func(records ...record) string {
		written := mustEncode(t, journal{marks: records})
		return string(written)
	}
	two := sampleRecords(2)
	first := base64.StdEncoding.EncodeToString(make([]byte, recordSize))
	for name, data := range map[string]string{
		"empty":             ``,
		"null":              `null`,
		"array":             `[]`,
		"nothing":           `{}`,
		"no runs":           `{"version":1}`,
		"null runs":         `{"version":1,"runs":null}`,
		"no version":        `{"runs":[]}`,
		"later version":     `{"version":2,"runs":[]}`,
		"version as text":   `{"version":"1","runs":[]}`,
		"cut off":           `{"version":1,"runs":["a"],"marks":"AAAA`,
		"data behind":       `{"version":1,"runs":[]}{}`,
		"NUL behind":        "{\"version\":1,\"runs\":[]}\x00",
		"byte order mark":   "\ufeff{\"version\":1,\"runs\":[]}",
		"unknown member":    `{"version":1,"runs":[],"x":1}`,
		"other capitals":    `{"version":1,"Runs":[]}`,
		"other order":       `{"runs":[],"version":1}`,
		"runs twice":        `{"version":1,"runs":["a"],"runs":[]}`,
		"a run twice":       `{"version":1,"runs":["a","a"]}`,
		"an empty run":      `{"version":1,"runs":[""]}`,
		"a long run":        `{"version":1,"runs":["` + strings.Repeat("a", 65) + `"]}`,
		"a run of signs":    `{"version":1,"runs":["<b>"]}`,
		"since alone":       `{"version":1,"runs":[],"strict_since":1}`,
		"until alone":       `{"version":1,"runs":[],"strict_until":1}`,
		"until not later":   `{"version":1,"runs":[],"strict_since":1,"strict_until":1}`,
		"negative":          `{"version":1,"runs":[],"forgotten":-1}`,
		"zero":              `{"version":1,"runs":[],"forgotten":0}`,
		"fraction":          `{"version":1,"runs":[],"forgotten":1.0}`,
		"too great":         `{"version":1,"runs":[],"forgotten":4294967296}`,
		"empty marks":       `{"version":1,"runs":[],"marks":""}`,
		"no base64":         `{"version":1,"runs":[],"marks":"!"}`,
		"half a mark":       `{"version":1,"runs":[],"marks":"AAAA"}`,
		"line break inside": `{"version":1,"runs":[],"marks":"` + first[:4] + `\n` + first[4:] + `"}`,
		"loose bits":        `{"version":1,"runs":[],"marks":"` + strings.Replace(first, "A=", "B=", 1) + `"}`,
		"a mark twice":      marks(two[0], two[0]),
		"out of order":      marks(two[1], two[0]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := decodeJournal([]byte(data))
			if err == nil || !reflect.DeepEqual(found, journal{}) || !strings.HasPrefix(err.Error(), JournalName+": ") ||
				!strings.Contains(err.Error(), journalHelp) {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
	if _, err := decodeJournal([]byte(`{"version":1,"runs":[],"marks":"` + first + `"}`)); err != nil {
		t.Errorf("what the rows are made of is not right itself: %v", err)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	all := sampleRecords(6)
	later := all[2]
	later.due++
	for name, test := range map[string]struct{ a, b, expected []record }{
		"nothing":         {nil, nil, []record{}},
		"one side":        {all, nil, all},
		"the other side":  {nil, all, all},
		"in turn":         {[]record{all[0], all[2], all[4]}, []record{all[1], all[3], all[5]}, all},
		"one after other": {all[:3], all[3:], all},
		"in both":         {all[:4], all[2:], all},
		"later in first":  {[]record{later}, all[1:4], []record{all[1], later, all[3]}},
		"later in second": {all[1:4], []record{later}, []record{all[1], later, all[3]}},
	} {
		a, b := append([]record{}, test.a...), append([]record{}, test.b...)
		if merged := merge(a, b); !reflect.DeepEqual(merged, test.expected) {
			t.Errorf("%s: %v, expected %v", name, merged, test.expected)
		}
	}
}

// What is read is written the same, and read again the same.
func FuzzDecodeJournal(f *testing.F) {
	for _, seed := range []journal{
		{}, {runs: []string{"a", "B2"}}, {strict: Strictness{Since: 1, Until: 2}}, {forgotten: 1}, {marks: sampleRecords(3)},
	} {
		f.Add(mustEncode(f, seed))
	}
	f.Add([]byte("{\n\t\"version\": 1,\n\t\"runs\": [\"lost\"]\n}\n"))
	f.Add([]byte(`{"version":1,"runs":[],"marks":"AAAA"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := decodeJournal(data)
		if err != nil {
			if !reflect.DeepEqual(found, journal{}) {
				t.Error("an error came with a document")
			}
			return
		}
		written := mustEncode(t, found)
		again, err := decodeJournal(written)
		if err != nil || !reflect.DeepEqual(found, again) {
			t.Errorf("%+v became %+v, %v", found, again, err)
		}
		if rewritten := mustEncode(t, again); !bytes.Equal(written, rewritten) {
			t.Errorf("%s became %s", written, rewritten)
		}
	})
}
