package client

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// fullRecord has all members that a record may have.
func fullRecord(t testing.TB) []byte {
	t.Helper()
	made := time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)
	record := Record{
		ID: "x", Name: "Tür 7", Subject: "batch", Scopes: []string{"a", "b]", "c,d", "a"}, Roles: []string{"clerk"}, Resources: []string{"https://api.example.com"},
		TokenLifetime: 600, Claims: map[string]string{"b": "", "a": "{}"}, Require: "dpop", Introspect: "any", AllowBridge: true, Disabled: true,
		Made: made, Changed: made.Add(time.Hour), Epoch: 3, Revision: 7, Removed: true,
	}
	for i := range 5 {
		expires := made.Add(time.Duration(i) * time.Second)
		if _, _, err := record.AddSecret(made, &expires); err != nil {
			t.Fatal(err)
		}
	}
	for i, fields := 0, reflect.ValueOf(record); i < fields.NumField(); i++ {
		if fields.Field(i).IsZero() {
			t.Errorf("the full record lacks %s", fields.Type().Field(i).Name)
		}
	}
	written, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// What this program writes is read in one pass, all members of it.
func TestReadRecord(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{[]byte(goodRecord), fullRecord(t)} {
		read, ok := readRecord("x", data, make(sharedTexts))
		exact := new(Record)
		if err := store.DecodeExactly(data, exact); err != nil || !ok || !reflect.DeepEqual(read, exact) {
			t.Errorf("%s: %v\n%+v\n%+v", data, err, read, exact)
		}
	}
}

// What is written otherwise is left to store.DecodeExactly: the good as the bad.
func TestReadRecordLeaves(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) string { return strings.Replace(goodRecord, old, with, 1) }
	for name, test := range map[string]struct {
		data string
		good bool
	}{
		"a space":            {replace(`"epoch":2`, `"epoch": 2`), true},
		"a line":             {goodRecord + "\n", true},
		"an escape":          {replace(`"read"`, `"r\u0026d"`), true},
		"an escape for none": {replace(`"read"`, `"re\u0061d"`), true},
		"an escaped name":    {replace(`"epoch"`, `"\u0065poch"`), true},
		"a part of a second": {replace(`"changed":"2026-01-01T00:00:00Z"`, `"changed":"2026-01-01T00:00:00.5Z"`), true},
		"another zone":       {replace(`"changed":"2026-01-01T00:00:00Z"`, `"changed":"2026-01-01T00:00:00+01:00"`), true},
		"an empty list":      {replace(`["read"]`, `[]`), false},
		"an empty member":    {replace(`"scopes"`, `"name":"","scopes"`), false},
		"no lifetime":        {replace(`"secrets"`, `"token_lifetime":0,"secrets"`), false},
		"no claims":          {replace(`"secrets"`, `"claims":{},"secrets"`), false},
		"claims not sorted":  {replace(`"secrets"`, `"claims":{"b":"1","a":"2"},"secrets"`), false},
		"a claim twice":      {replace(`"secrets"`, `"claims":{"a":"1","a":"2"},"secrets"`), false},
		"a zero before":      {replace(`"epoch":2`, `"epoch":02`), false},
		"a point":            {replace(`"epoch":2`, `"epoch":2.0`), false},
		"too great":          {replace(`"epoch":2`, `"epoch":18446744073709551618`), false},
		"no number":          {replace(`"epoch":2`, `"epoch":`), false},
		"no such day":        {replace(`01-01T`, `02-30T`), false},
		"one digit of hours": {replace(`T00:00:00Z`, `T0:00:00.0Z`), false},
		"a comma in time":    {replace(`T00:00:00Z`, `T0:00:00,0Z`), false},
		"no seconds":         {replace(`T00:00:00Z`, `T00:00:0aZ`), false},
		"a line in a text":   {replace(`"read"`, "\"re\nad\""), false},
		"not UTF-8":          {replace(`"read"`, "\"re\xffd\""), false},
		"a comma behind":     {replace(`"read"`, `"read",`), false},
		"an open text":       {replace(`"read"`, `"read`), false},
		"true and more":      {replace(`"secrets"`, `"disabled":true1,"secrets"`), false},
		"another order":      {replace(`"last_secret":1,"epoch":2`, `"epoch":2,"last_secret":1`), false},
		"another's":          {replace(`"x"`, `"y"`), false},
	} {
		if test.data == goodRecord {
			t.Errorf("%s: it is the good one", name)
		}
		if _, ok := readRecord("x", []byte(test.data), make(sharedTexts)); ok {
			t.Errorf("%s: read", name)
		}
		if _, err := decodeRecord("x", []byte(test.data), make(sharedTexts)); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	for end := range goodRecord {
		if _, ok := readRecord("x", []byte(goodRecord[:end]), make(sharedTexts)); ok {
			t.Errorf("read without %q", goodRecord[end:])
		}
	}
}

// sameAsExactly tells that what is read in one pass, if it is, store.DecodeExactly
// would have taken too, and read the same.
func sameAsExactly(t *testing.T, data []byte) {
	t.Helper()
	read, ok := readRecord("x", data, make(sharedTexts))
	if !ok {
		return
	}
	exact := new(Record)
	if err := store.DecodeExactly(data, exact); err != nil || !reflect.DeepEqual(read, exact) {
		t.Errorf("%q was read as %+v, expected %+v, %v", data, read, exact, err)
	}
}

// No byte that is another, is missing or stands twice makes it read what
// store.DecodeExactly would not.
func TestReadRecordWithAnotherByte(t *testing.T) {
	t.Parallel()
	good := string(fullRecord(t))
	for i := range good {
		before, behind := good[:i], good[i+1:]
		sameAsExactly(t, []byte(before+behind))
		sameAsExactly(t, []byte(before+good[i:i+1]+good[i:]))
		for _, other := range []byte("\x00\t\n \"\\{}[]:,+-.059AZaz<&\x7f\x80\xc3\xff") {
			sameAsExactly(t, []byte(before+string([]byte{other})+behind))
		}
	}
}

// The same for whatever can stand there.
func FuzzReadRecord(f *testing.F) {
	for _, seed := range []string{goodRecord, string(fullRecord(f)), `{"client_id":"x"}`, goodRecord + " ", strings.Replace(goodRecord, "read", "<é\u2028\x7f>", 1)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(sameAsExactly)
}
