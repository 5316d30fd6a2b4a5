package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

func newDirectory(t testing.TB, documents store.Documents) *Directory {
	t.Helper()
	d := NewDirectory(documents, func() time.Time { return start })
	if err := d.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// alter changes a client in a way that cannot fail.
func alter(t testing.TB, d *Directory, id string, change func(r *Record)) *Record {
	t.Helper()
	changed, err := d.Change(t.Context(), id, func(old *Record) (*Record, error) {
		if old == nil {
			old = new(Record)
		}
		change(old)
		return old, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func removeClient(t testing.TB, d *Directory, id string) {
	t.Helper()
	if _, err := d.Change(t.Context(), id, func(*Record) (*Record, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
}

// What voids the tokens of a client raises its epoch, once and for ever: nothing
// that follows brings them back.
func TestDirectoryEpochs(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	d := newDirectory(t, documents)
	rename := func(r *Record) { r.Name = "renamed" }
	disable := func(r *Record) { r.Disabled = true }
	enable := func(r *Record) { r.Disabled = false }
	for i, step := range []struct {
		do    func()
		epoch uint64
		known bool
	}{
		{func() { alter(t, d, "a", rename) }, 0, true},
		{func() { alter(t, d, "a", rename) }, 0, true},
		{func() { alter(t, d, "a", disable) }, 1, true},
		{func() { alter(t, d, "a", disable) }, 1, true},
		{func() { alter(t, d, "a", enable) }, 1, true},
		{func() { alter(t, d, "a", func(r *Record) { r.Epoch = 0 }) }, 1, true}, // nobody sets it
		{func() { removeClient(t, d, "a") }, 2, false},
		{func() { alter(t, d, "a", rename) }, 2, true}, // made again
		{func() { alter(t, d, "a", disable) }, 3, true},
		{func() { removeClient(t, d, "a") }, 3, false}, // its tokens were void already
		{func() { alter(t, d, "a", disable) }, 3, true},
	} {
		step.do()
		for name, one := range map[string]*Directory{"known": d, "read again": newDirectory(t, documents)} {
			record, known := one.Get("a")
			if one.Epoch("a") != step.epoch || known != step.known {
				t.Errorf("step %d, %s: epoch %d, %v, expected %d, %v", i, name, one.Epoch("a"), known, step.epoch, step.known)
			}
			if known && record.Revision != uint64(i+1) {
				t.Errorf("step %d, %s: revision %d", i, name, record.Revision)
			}
		}
	}
}

// Of two processes, each sees what the other does, and neither loses it.
func TestDirectoryIsShared(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	one, other := newDirectory(t, documents), newDirectory(t, documents)
	var told []string
	stop := other.Follow(func(ids []string) { told = append(told, ids...) })
	alter(t, one, "a", func(r *Record) { r.Scopes = []string{"read"} })
	alter(t, one, "b", func(*Record) {})
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(told); !slices.Equal(told, []string{"a", "b"}) {
		t.Errorf("told of %v", told)
	}
	alter(t, other, "a", func(r *Record) { r.Roles = []string{"clerk"} })
	if record, _ := other.Get("a"); !slices.Equal(record.Scopes, []string{"read"}) || len(record.Roles) != 1 {
		t.Errorf("%+v", record)
	}
	stop()
	told = nil
	removeClient(t, other, "b")
	if len(told) > 0 || len(slices.Collect(other.All())) != 1 {
		t.Errorf("told of %v after the end", told)
	}
}

// A change that is refused changes nothing and tells nobody.
func TestDirectoryRefusals(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, store.NewMemory())
	alter(t, d, "a", func(r *Record) { r.Name = "kept" })
	d.Follow(func(ids []string) { t.Errorf("told of %v", ids) })
	refusal := errors.New("not like this")
	for name, change := range map[string]func(*Record) (*Record, error){
		"an error": func(r *Record) (*Record, error) { r.Name = "lost"; return r, refusal },
		"a bad hash": func(r *Record) (*Record, error) {
			r.Secrets = []StoredSecret{{ID: "1", Hash: "$sha256$"}}
			return r, nil
		},
		"no id":          func(r *Record) (*Record, error) { r.Secrets = []StoredSecret{{}}; return r, nil },
		"a bad lifetime": func(r *Record) (*Record, error) { r.TokenLifetime = -1; return r, nil },
	} {
		if _, err := d.Change(t.Context(), "a", change); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := d.Change(t.Context(), "nobody", func(*Record) (*Record, error) { return nil, nil }); !errors.Is(err, ErrNoClient) {
		t.Errorf("removing nobody: %v", err)
	}
	if record, _ := d.Get("a"); record.Name != "kept" || record.Revision != 1 {
		t.Errorf("%+v", record)
	}
}

// A record that cannot be understood stops the load, names its client, shows no
// hash, and stays as it is.
func TestDirectoryDamage(t *testing.T) {
	t.Parallel()
	const good = `{"client_id":"a","last_secret":1,"epoch":0,"revision":1,"made":"2026-01-01T00:00:00Z","changed":"2026-01-01T00:00:00Z"}`
	hash := `"$sha256$` + strings.Repeat("A", 43) + `"`
	with := func(members string) string { return strings.TrimSuffix(good, "}") + "," + members + "}" }
	for name, record := range map[string]string{
		"text":            `"hello"`,
		"null":            `null`,
		"another client":  strings.Replace(good, `"a"`, `"b"`, 1),
		"no revision":     strings.Replace(good, `"revision":1`, `"revision":0`, 1),
		"unknown member":  with(`"admin":true`),
		"negative epoch":  strings.Replace(good, `"epoch":0`, `"epoch":-1`, 1),
		"huge epoch":      strings.Replace(good, `"epoch":0`, `"epoch":9007199254740992`, 1),
		"no time":         strings.Replace(good, `"made":"2026-01-01T00:00:00Z",`, ``, 1),
		"not a hash":      with(`"secrets":[{"id":"1","hash":"hunter2hunter2hunter2","made":"2026-01-01T00:00:00Z"}]`),
		"two secrets":     with(`"secrets":[{"id":"1","hash":` + hash + `},{"id":"1","hash":` + hash + `}]`),
		"nameless secret": with(`"secrets":[{"id":"","hash":` + hash + `}]`),
	} {
		documents := store.NewMemory()
		fill(t, documents, "a", record)
		d := NewDirectory(documents, time.Now)
		err := d.Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), DirectoryName) || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the hash: %v", name, err)
		}
		if _, err := d.Change(t.Context(), "a", func(*Record) (*Record, error) { return new(Record), nil }); err == nil {
			t.Errorf("%s: it was replaced", name)
		}
	}
}

// fill stores a record as it is.
func fill(t *testing.T, documents store.Documents, id, record string) {
	t.Helper()
	raw := store.NewCollection(documents, DirectoryName, func(int, map[string]json.RawMessage) error { return nil })
	err := raw.Change(t.Context(), []string{id}, func(string, json.RawMessage) (json.RawMessage, error) {
		return json.RawMessage(record), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Many who change the same client at the same time lose nothing.
func TestDirectoryConcurrently(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	var running sync.WaitGroup
	for i := range 4 {
		running.Go(func() {
			d := newDirectory(t, documents)
			for n := range 10 {
				alter(t, d, "a", func(r *Record) { r.Scopes = append(r.Scopes, fmt.Sprintf("s%d-%d", i, n)) })
			}
		})
	}
	running.Wait()
	if record, _ := newDirectory(t, documents).Get("a"); len(record.Scopes) != 40 || record.Revision != 40 {
		t.Errorf("%d scopes, revision %d", len(record.Scopes), record.Revision)
	}
}

// Whoever is told that a change is done finds it in force, also where another call
// was the one to bring it there.
func TestDirectoryIsInForceWhenToldSo(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, store.NewMemory())
	var mu sync.Mutex
	inForce := make(map[string]uint64) // the revision by client_id
	d.Follow(func(ids []string) {
		for _, id := range ids {
			record, _ := d.Get(id)
			runtime.Gosched()
			mu.Lock()
			inForce[id] = record.Revision
			mu.Unlock()
		}
	})
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			id := fmt.Sprint("client", i)
			for range 50 {
				changed := alter(t, d, id, func(*Record) {})
				mu.Lock()
				if inForce[id] < changed.Revision {
					t.Errorf("%s: revision %d is in force, %d was acknowledged", id, inForce[id], changed.Revision)
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
}

// The id of a secret stands for one secret for ever: logs and lists name it so.
func TestSecretIDsAreNotGivenAgain(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, store.NewMemory())
	var id string
	add := func(r *Record) {
		var err error
		if _, id, err = r.AddSecret(start, nil); err != nil {
			t.Error(err)
		}
	}
	for i, step := range []struct {
		do   func()
		want string
	}{
		{func() { create(t, d, "a", add) }, "1"},
		{func() { alter(t, d, "a", add) }, "2"},
		{func() { alter(t, d, "a", func(r *Record) { r.RemoveSecret("2"); add(r) }) }, "3"},
		{func() { removeClient(t, d, "a"); create(t, d, "a", add) }, "4"},
	} {
		if step.do(); id != step.want {
			t.Errorf("step %d: got %s", i, id)
		}
	}
	record, _ := d.Get("a")
	if len(record.Secrets) != 1 || record.RemoveSecret("3") || !record.clone().RemoveSecret("4") {
		t.Errorf("%+v", record)
	}
	if _, err := d.Create(t.Context(), "a", func(*Record) error { return nil }); !errors.Is(err, ErrClientExists) {
		t.Errorf("made twice: %v", err)
	}
}

func create(t testing.TB, d *Directory, id string, fill func(*Record)) {
	t.Helper()
	if _, err := d.Create(t.Context(), id, func(r *Record) error { fill(r); return nil }); err != nil {
		t.Fatal(err)
	}
}
