package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest"
)

// longest is the longest life of a statement in these tests.
const longest = time.Hour

func TestJournalIsMarks(t *testing.T) {
	t.Parallel()
	storetest.RunMarks(t, func(t *testing.T) storetest.Place {
		c := newClock()
		journal := store.NewJournal(store.NewMemory(), 400, c.Now)
		if err := journal.Resume(t.Context(), longest); err != nil {
			t.Fatal(err)
		}
		return storetest.Place{Marks: journal, Now: c.Now, Pass: c.Pass}
	})
}

// story is what happens to instances (capital letters) on one storage:
//
//	start A, stop A, crash A    Resume, Suspend, or neither
//	check A, affirm A           the methods of these names, of a new one where it has not started
//	pass 5s                     the clock goes on
//	make x [10h]                a statement with that life, or an hour; made now, or where it
//	                            begins with '-', without saying when
//	ok A x                      it is used, and passes
//	used, stale, closed A x     it is refused
type story struct {
	t          *testing.T
	clock      *clock
	documents  store.Documents
	instances  map[string]*store.Journal
	statements map[string]store.Mark
}

func (s *story) instance(name string) *store.Journal {
	if s.instances[name] == nil {
		s.instances[name] = store.NewJournal(s.documents, 100, s.clock.Now)
	}
	return s.instances[name]
}

func (s *story) tell(text string) {
	s.t.Helper()
	for step := range strings.SplitSeq(text, ";") {
		if words := strings.Fields(step); len(words) > 0 {
			if err := s.step(words); err != nil {
				s.t.Errorf("%s: %v", strings.Join(words, " "), err)
			}
		}
	}
}

func (s *story) step(words []string) error {
	ctx, subject := s.t.Context(), words[1]
	switch words[0] {
	case "start":
		return s.instance(subject).Resume(ctx, longest)
	case "stop":
		return s.instance(subject).Suspend(ctx)
	case "crash", "gone":
		delete(s.instances, subject)
	case "check":
		return s.instance(subject).Check(ctx)
	case "affirm":
		return s.instance(subject).Affirm(ctx)
	case "pass":
		s.clock.Pass(duration(s.t, subject))
	case "make":
		s.make(subject, append(words, "1h")[2])
	default:
		expectMark(s.t, s.instance(subject), s.statements[words[2]], outcomes[words[0]])
	}
	return nil
}

var outcomes = map[string]error{"ok": nil, "used": store.ErrUsed, "stale": store.ErrStale, "closed": store.ErrClosed}

func (s *story) make(id, life string) {
	now := s.clock.Now()
	mark := store.Mark{Kind: store.KindAssertion, Owner: "client", ID: id, Made: now, Until: now.Add(duration(s.t, life))}
	if id[0] == '-' {
		mark.Made = time.Time{}
	}
	s.statements[id] = mark
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var stories = []struct{ name, text string }{
	{"the very first start restricts nothing",
		`make x; make -n; pass 1m; start A; ok A x; ok A -n; used A x; used A -n`},
	{"marks outlive a clean restart",
		`start A; make x; make -n; ok A x; ok A -n; make unused; stop A; gone A; pass 1s; start A; used A x; used A -n; ok A unused; used A unused`},
	{"and several of them",
		`start A; make x; ok A x; stop A; gone A; start A; stop A; gone A; start A; used A x; stop A; gone A; pass 59m; start A; used A x`},
	{"but not their time",
		`start A; make x; ok A x; stop A; gone A; pass 1h; start A; stale A x; make x; ok A x; used A x`},
	{"a crash: what was made by the second of the start is refused",
		`start A; make x; ok A x; make unused; crash A; pass 2s; make before; pass 500ms; start A;
		 stale A x; stale A unused; stale A before; pass 400ms; make same; stale A same;
		 pass 100ms; make after; ok A after; used A after`},
	{"a crash: what does not say when it was made is refused until the longest life has passed",
		`start A; make -x; ok A -x; crash A; pass 1s; start A; stale A -x; make -a; stale A -a; pass 59m59s; make -b; stale A -b;
		 pass 1s; ok A -b; make -c; ok A -c; used A -c`},
	{"a crash before anything was used counts",
		`start A; crash A; make x; start A; stale A x`},
	{"a crash before Resume does not",
		`start A; stop A; gone A; check A; crash A; make x; start A; ok A x`},
	{"the restriction outlives a clean restart",
		`start A; make x 10h; make -n 10h; ok A x; ok A -n; crash A; pass 1s; start A; pass 1s; make y; ok A y; stop A; gone A;
		 pass 1s; make z; start A; stale A x; stale A -n; used A y; ok A z; make -m 10h; stale A -m;
		 stop A; gone A; pass 1h; start A; ok A -m`},
	{"its end is that of the first start",
		`start A; crash A; start A; pass 30m; stop A; gone A; start A; make -n; stale A -n; pass 30m; ok A -n`},
	{"it ends when nothing of before can be alive",
		`start A; make x 10h; crash A; start A; pass 1h; stop A; gone A; start A; ok A x`},
	{"while a run goes on, what was made before its start stays refused",
		`start A; make x 10h; crash A; start A; pass 2h; stale A x`},
	{"a second crash counts anew",
		`start A; crash A; start A; pass 10m; make y; ok A y; make -n; crash A; pass 1s; start A; stale A y; stale A -n; pass 50m; stale A -n; make z; ok A z`},
	{"a clean stop in the second of the start",
		`start A; make x; ok A x; stop A; gone A; start A; used A x; stop A; gone A; start A; used A x`},
	{"validating a configuration changes nothing",
		`start A; make x; ok A x; check V; stop V; gone V; affirm A; stop A; gone A; check V; stop V; gone V; start A; used A x; make y; ok A y`},
	{"before the start and after the stop nothing passes",
		`make x; closed A x; affirm A; start A; start A; ok A x; stop A; closed A x; stop A; affirm A; gone A; start A; used A x`},
	{"another instance: what either let pass before its start is refused by the other",
		`start A; make x; ok A x; make -n; pass 1s; start B; stale B x; stale B -n; used A x; make y; stale B y`},
	{"another instance that stops leaves its marks and no restriction",
		`start A; start B; pass 1s; make x; ok A x; make y; ok B y; stop A; gone A; stop B; gone B; pass 1s; start A; used A x; used A y; make z; ok A z`},
	{"another instance that runs on restricts the next start",
		`start A; start B; affirm A; pass 1s; make x; ok A x; stop B; gone B; pass 1s; start B; stale B x`},
	{"another instance that crashes after it was put back restricts the next start",
		`start A; start B; affirm A; crash A; stop B; gone B; pass 1s; make x; start B; stale B x`},
	{"a clock that was set back does not bring forgotten marks back",
		`start A; make x; ok A x; pass 2h; stop A; gone A; pass -2h; start A; stale A x; pass 1s; make y; ok A y`},
}

func TestJournal(t *testing.T) {
	t.Parallel()
	places := map[string]func(t *testing.T) store.Documents{
		"memory": func(*testing.T) store.Documents { return store.NewMemory() },
		"files": func(t *testing.T) store.Documents {
			return store.OverStorage(&certmagic.FileStorage{Path: t.TempDir()}, prefix)
		},
	}
	for place, open := range places {
		for _, test := range stories {
			t.Run(place+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				newStory(t, open(t)).tell(test.text)
			})
		}
	}
}

func newStory(t *testing.T, documents store.Documents) *story {
	return &story{
		t: t, clock: newClock(), documents: documents,
		instances: make(map[string]*store.Journal), statements: make(map[string]store.Mark),
	}
}

func TestRestriction(t *testing.T) {
	t.Parallel()
	s := newStory(t, store.NewMemory())
	expect := func(since, until time.Duration) {
		t.Helper()
		gotSince, gotUntil := s.instance("A").Restriction()
		began := newClock().Now()
		if since == 0 && (!gotSince.IsZero() || !gotUntil.IsZero()) ||
			since != 0 && (!gotSince.Equal(began.Add(since)) || !gotUntil.Equal(began.Add(until))) {
			t.Errorf("from %v to %v, expected %v and %v after the beginning", gotSince, gotUntil, since, until)
		}
	}
	expect(0, 0)
	s.tell("start A")
	expect(0, 0)
	s.tell("crash A; pass 1500ms; start A")
	expect(time.Second, longest+2*time.Second)
}

// An operator who lowers the number of places does not open replays.
func TestResumeTakesMoreThanThereArePlaces(t *testing.T) {
	t.Parallel()
	s := newStory(t, store.NewMemory())
	s.tell("start A")
	for number := range 20 {
		s.tell(fmt.Sprintf("make %d; ok A %d", number, number))
	}
	s.tell("stop A; gone A")
	s.instances["A"] = store.NewJournal(s.documents, 10, s.clock.Now)
	s.tell("start A; make x; used A 0; used A 19")
	expectMark(t, s.instance("A"), markOf(s.clock, "other", "x", time.Minute), store.ErrFull)
	if number := s.instance("A").Len(); number != 20 {
		t.Errorf("%d marks are held, expected 20", number)
	}
}

// The share of an owner outlives a restart too.
func TestResumeKeepsOwners(t *testing.T) {
	t.Parallel()
	s := newStory(t, store.NewMemory())
	s.tell("start A")
	for number := range 25 {
		s.tell(fmt.Sprintf("make %d; ok A %d", number, number))
	}
	s.tell("stop A; gone A; start A; make x")
	expectMark(t, s.instance("A"), s.statements["x"], store.ErrFull)
}

// What passes while the journal is being suspended is in the document.
func TestSuspendLosesNothing(t *testing.T) {
	t.Parallel()
	for round := range 20 {
		documents, c := store.NewMemory(), newClock()
		journal := store.NewJournal(documents, 0, c.Now)
		if err := journal.Resume(t.Context(), longest); err != nil {
			t.Fatal(err)
		}
		suspended := make(chan error)
		passed := atOnce(32, func(number int) []store.Mark {
			if number == 0 {
				go func() { suspended <- journal.Suspend(t.Context()) }()
			}
			return useUntilClosed(journal, c, number)
		})
		if err := <-suspended; err != nil {
			t.Fatal(err)
		}
		next := store.NewJournal(documents, 0, c.Now)
		if err := next.Resume(t.Context(), longest); err != nil {
			t.Fatal(err)
		}
		for _, marks := range passed {
			for _, mark := range marks {
				expectMark(t, next, mark, store.ErrUsed)
			}
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

func useUntilClosed(journal *store.Journal, c *clock, number int) (passed []store.Mark) {
	for count := 0; ; count++ {
		mark := markOf(c, fmt.Sprint(number), fmt.Sprint(count), time.Minute)
		if journal.Mark(context.Background(), mark) != nil {
			return passed
		}
		passed = append(passed, mark)
	}
}

func atOnce[T any](number int, call func(int) T) []T {
	results := make([]T, number)
	done := make(chan struct{})
	for i := range number {
		go func() {
			results[i] = call(i)
			done <- struct{}{}
		}()
	}
	for range number {
		<-done
	}
	return results
}

// What stopped elsewhere and has lapsed does not stay for ever.
func TestLapsedMarksLeaveTheDocument(t *testing.T) {
	t.Parallel()
	s := newStory(t, store.NewMemory())
	s.tell("start A; start B; pass 1s; make x; ok A x; stop A")
	expect := func(marks bool) {
		t.Helper()
		document, err := s.documents.Load(t.Context(), store.JournalName)
		if err != nil || strings.Contains(string(document), "marks") != marks {
			t.Errorf("%s, %v; expected marks in it: %v", document, err, marks)
		}
	}
	expect(true)
	s.tell("pass 1h; stop B")
	expect(false)
}

// Nor does a setting that is lowered cut a restriction short.
func TestSecondCrashDoesNotShorten(t *testing.T) {
	t.Parallel()
	s := newStory(t, store.NewMemory())
	s.tell("start A; make -n; ok A -n; crash A; start A; crash A")
	if err := s.instance("A").Resume(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	s.tell("pass 59m; stale A -n")
}

// An instance whose clock is ahead forgets early. Another one that stops after
// it does not make that undone.
func TestClockOfAnotherInstanceAhead(t *testing.T) {
	t.Parallel()
	s := newStory(t, store.NewMemory())
	s.tell("start A")
	ahead := newClock()
	other := store.NewJournal(s.documents, 100, ahead.Now)
	if err := other.Resume(t.Context(), longest); err != nil {
		t.Fatal(err)
	}
	s.tell("pass 1s; make x")
	expectMark(t, other, s.statements["x"], nil)
	ahead.Pass(2 * time.Hour)
	if err := other.Suspend(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.tell("stop A; gone A; start A; stale A x; pass 1s; make y; ok A y")
}

func TestResumeAfterSuspend(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"stop A", "start A; stop A"} {
		s := newStory(t, store.NewMemory())
		s.tell(before)
		if err := s.instance("A").Resume(t.Context(), longest); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v, expected store.ErrClosed", before, err)
		}
	}
}

func TestResumeNeedsALongestLife(t *testing.T) {
	t.Parallel()
	journal := store.NewJournal(store.NewMemory(), 0, time.Now)
	if err := journal.Resume(t.Context(), 0); err == nil {
		t.Error("no error")
	}
}
