package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

var errDisk = errors.New("the disk is on fire")

// expectFailure wants an error of the disk that names the document.
func expectFailure(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), store.JournalName) {
		t.Errorf("error %v: expected the backend's, and the document's name", err)
	}
}

// stopped is a storage to which A has written one use, "x", in a clean stop.
func stopped(t *testing.T) (*backend, *story) {
	t.Helper()
	s := newStory(t, store.NewMemory())
	s.tell("start A; make x; ok A x; stop A; gone A; pass 1s")
	content, err := s.documents.Load(t.Context(), store.JournalName)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{content: content}
	s.documents = store.OverStorage(b, prefix)
	return b, s
}

// A start that fails lets nothing pass, and can be repeated.
func TestResumeFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		broken func(*backend, error)
		then   string // after the disk was repaired
	}{
		{"at the lock", func(b *backend, err error) { b.lockErr = err }, "start A; used A x; make y; ok A y"},
		{"at reading", func(b *backend, err error) { b.loadErr = err }, "start A; used A x; make y; ok A y"},
		{"at writing", func(b *backend, err error) { b.storeErr = err }, "start A; used A x; make y; ok A y"},
		// The marks are gone from the document: all that they stand for is refused.
		{"at the end", func(b *backend, err error) { b.unlockErr = err }, "make y; start A; stale A x; stale A y; pass 1s; make z; ok A z"},
		{"at the end, and the program ends", func(b *backend, err error) { b.unlockErr = err }, "gone A; start A; stale A x"},
		{"at writing, and the program ends", func(b *backend, err error) { b.storeErr = err }, "stop A; gone A; start A; used A x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, s := stopped(t)
			test.broken(b, errDisk)
			expectFailure(t, s.instance("A").Resume(t.Context(), longest))
			s.tell("closed A x; make y; closed A y; affirm A")
			test.broken(b, nil)
			s.tell(test.then)
		})
	}
}

// A stop that fails is a crash, unless it is repeated.
func TestSuspendFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		broken func(*backend, error)
		then   string
	}{
		{"at the lock", func(b *backend, err error) { b.lockErr = err }, "gone A; start A; stale A y; stale A u"},
		{"at reading", func(b *backend, err error) { b.loadErr = err }, "gone A; start A; stale A y; stale A u"},
		{"at writing", func(b *backend, err error) { b.storeErr = err }, "gone A; start A; stale A y; stale A u"},
		{"at writing, and again", func(b *backend, err error) { b.storeErr = err }, "stop A; gone A; start A; used A y; ok A u"},
		{"at the end", func(b *backend, err error) { b.unlockErr = err }, "gone A; start A; used A y; ok A u"},
		{"at the end, and again", func(b *backend, err error) { b.unlockErr = err }, "stop A; gone A; start A; used A x; used A y; ok A u"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, s := stopped(t)
			s.tell("start A; make y; ok A y; make u; pass 1s")
			test.broken(b, errDisk)
			expectFailure(t, s.instance("A").Suspend(t.Context()))
			s.tell("closed A u")
			test.broken(b, nil)
			s.tell(test.then)
		})
	}
}

func TestCheckAndAffirmFail(t *testing.T) {
	t.Parallel()
	b, s := stopped(t)
	s.tell("start A; make y; ok A y")
	b.loadErr = errDisk
	expectFailure(t, s.instance("A").Check(t.Context()))
	expectFailure(t, s.instance("A").Affirm(t.Context()))
	s.tell("used A y; make z; ok A z") // what is known stays in force
}

// Affirm runs every few seconds: it must not wear out a disk or hold a lock.
func TestAffirmWritesOnlyWhereNeeded(t *testing.T) {
	t.Parallel()
	b, s := stopped(t)
	s.tell("start A")
	expect := func(steps string) {
		t.Helper()
		b.steps = nil
		s.tell("affirm A")
		if got := strings.Join(b.steps, " "); got != steps {
			t.Errorf("steps %q, expected %q", got, steps)
		}
	}
	expect("load")
	s.tell("start B")
	expect("load lock load store unlock")
	expect("load")
}

func TestCheckWritesNothing(t *testing.T) {
	t.Parallel()
	b, s := stopped(t)
	b.steps = nil
	s.tell("check A; stop A")
	if got := strings.Join(b.steps, " "); got != "load" {
		t.Errorf("steps %q, expected a load alone", got)
	}
}

// What cannot be read is an error that names the document and says what to do;
// it is never replaced.
func TestUnreadableJournal(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", "null", "[]", "{}", `{"version":2,"runs":[]}`, `{"version":1}`} {
		b, s := stopped(t)
		s.tell("start A; make y; ok A y; gone B")
		b.content = []byte(content)
		a, next := s.instance("A"), s.instance("B")
		for name, err := range map[string]error{
			"Affirm": a.Affirm(t.Context()), "Suspend": a.Suspend(t.Context()),
			"Check": next.Check(t.Context()), "Resume": next.Resume(t.Context(), longest),
		} {
			if err == nil || !strings.Contains(err.Error(), store.JournalName) || !strings.Contains(err.Error(), `"lost"`) {
				t.Errorf("%q: %s: error %v", content, name, err)
			}
		}
		if string(b.content) != content {
			t.Errorf("%q was replaced by %q", content, b.content)
		}
		s.tell("closed B y")
	}
}

// The advice of the error is good.
func TestJournalPutInPlaceByHand(t *testing.T) {
	t.Parallel()
	b, s := stopped(t)
	b.content = []byte("{\"version\": 1, \"runs\": [\"lost\"]}\n")
	s.tell("make y; start A; stale A x; stale A y; pass 1s; make z; ok A z")
}

// A document that was removed under a running program is made again, and what
// the program knows is not lost with it.
func TestJournalRemovedByHand(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"affirm A; crash A; start A; stale A x; stale A y",
		"stop A; gone A; start A; stale A x; used A y",
	} {
		b, s := stopped(t)
		s.tell("start A; crash A; start A; pass 1s; make y; ok A y")
		b.missing = true
		s.tell(text)
	}
}

// A document that is known to have been there, and is missing at a start, was lost: that
// start is no very first one.
func TestJournalLost(t *testing.T) {
	t.Parallel()
	for _, expected := range []bool{false, true} {
		b, s := stopped(t)
		b.missing = true
		if expected {
			s.instance("A").Expect()
			s.tell("make y; start A; stale A x; stale A y; pass 1s; make z; ok A z; stop A; gone A; start A; used A z; stale A y")
		} else {
			s.tell("make y; start A; ok A x; ok A y")
		}
	}
}
