package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// JournalName is the document that a [Journal] is kept in.
const JournalName = "replay.json"

// Journal is [MemoryMarks] that outlive a restart. Between [Journal.Resume] and
// [Journal.Suspend] it takes marks, in memory alone; before and after, Mark
// answers [ErrClosed]. The document has the marks of those who stopped in order,
// and names those who run: one that is still named at the next start has not
// stopped in order, or is running elsewhere, and what it let pass is unknown.
//
// After such a start, Mark answers [ErrStale] for all that was made at or before
// the second of the start, and, until the longest life has passed, for what does
// not say when it was made. That stays so over further restarts.
//
// One who signs with a clock that is ahead can have used, before a crash, what
// claims to be made after it. That is not noticed: to refuse it would refuse
// everybody for as long as clocks may differ.
//
// There is one for an issuer in a process, so that a reload forgets nothing. It
// is safe for concurrent use.
type Journal struct {
	documents Documents
	memory    *MemoryMarks
	now       func() time.Time
	run       string // names this life in the document

	mu     sync.Mutex // one step from stage to stage at a time
	stage  stage
	lost   bool                       // a missing document was there before
	strict atomic.Pointer[Strictness] // nil: not resumed
}

type stage int

const (
	fresh stage = iota
	running
	ended
)

// NewJournal returns a journal for that many marks at most (see
// [NewMemoryMarks]), which takes none before [Journal.Resume]. It reads and
// writes nothing. now is the clock.
func NewJournal(documents Documents, places int, now func() time.Time) *Journal {
	return &Journal{documents: documents, memory: NewMemoryMarks(places, now), now: now, run: rand.Text()}
}

// Mark implements [Marks].
func (j *Journal) Mark(ctx context.Context, m Mark) error {
	strict := j.strict.Load()
	if strict == nil {
		return ErrClosed
	}
	if *strict != (Strictness{}) && strict.Refuses(m.Made, j.now()) {
		return ErrStale
	}
	return j.memory.Mark(ctx, m)
}

// Len returns how many marks are held. Some of them may have lapsed.
func (j *Journal) Len() int { return j.memory.Len() }

// Restriction tells what is refused since some uses are unknown: what was made
// at or before since, and, before until, what does not say when it was made. Both
// are zero where every use is known, and before Resume.
func (j *Journal) Restriction() (since, until time.Time) {
	strict := j.strict.Load()
	if strict == nil {
		return time.Time{}, time.Time{}
	}
	return strict.Times()
}

// Check reads the document, and writes nothing. A missing one is right; one that
// cannot be read is an error that names it.
func (j *Journal) Check(ctx context.Context) error {
	_, err := j.load(ctx)
	return err
}

// Expect says that there was a document before: where [Journal.Resume] finds none, all
// uses before are unknown, as after a crash.
func (j *Journal) Expect() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lost = true
}

// Resume begins to take marks. It takes over those that were left by whoever
// stopped in order, and names this run in the document. longest is the longest
// time for which a statement can be used, leeway included: from the first
// moment at which it passes to the last.
//
// A missing document means that this is the very first start, unless
// [Journal.Expect] says otherwise. One that cannot
// be read is an error that names it and says what to do, and is left as it is;
// after any error, no marks are taken, and Resume may be called again. Once it
// has succeeded, it does nothing more; after Suspend, it is [ErrClosed].
func (j *Journal) Resume(ctx context.Context, longest time.Duration) error {
	if longest <= 0 {
		return fmt.Errorf("resuming %s: longest life %v: expected a positive duration", JournalName, longest)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch j.stage {
	case running:
		return nil
	case ended:
		return ErrClosed
	}
	start := j.now() // before the wait for the lock: until Resume returns, nothing passes
	var stored, next journal
	err := j.documents.Update(ctx, JournalName, func(old []byte) (_ []byte, err error) {
		if stored, err = decodeJournal(old); err != nil {
			return nil, err
		}
		if old == nil && j.lost {
			stored.runs = []string{lostRun}
		}
		// The marks need not stay: should this run not stop in order, all that
		// they stand for was made before.
		next = journal{runs: []string{j.run}, strict: stored.strict.alive(start)}
		if stored.unclean(start) {
			next.strict = next.strict.and(StrictFrom(start, longest))
		}
		return next.encode()
	})
	if err != nil {
		return fmt.Errorf("resuming %s: %w", JournalName, err)
	}
	j.memory.restore(stored.marks)
	j.strict.Store(&next.strict)
	j.stage = running
	return nil
}

// Affirm names this run in the document again, where another instance, which
// took it for one that has crashed, removed it. It is to be called now and then
// between Resume and Suspend, does nothing outside of it, and writes only where
// the name is missing.
func (j *Journal) Affirm(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stage != running {
		return nil
	}
	if stored, err := j.load(ctx); err != nil || slices.Contains(stored.runs, j.run) {
		return err
	}
	return j.update(ctx, "affirming", func(stored journal) journal {
		if !slices.Contains(stored.runs, j.run) {
			stored.runs = append(stored.runs, j.run)
		}
		return stored
	})
}

// Suspend ends the taking of marks and writes those that are live. Without
// Resume before, it writes nothing. After an error the run stays named in the
// document, as after a crash; Suspend may be called again.
func (j *Journal) Suspend(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stage != running {
		j.stage = ended
		return nil
	}
	live, forgotten := j.memory.close()
	err := j.update(ctx, "suspending", func(stored journal) journal {
		stored.runs = slices.DeleteFunc(stored.runs, func(run string) bool { return run == j.run })
		stored.strict = stored.strict.and(*j.strict.Load())
		stored.forgotten = max(stored.forgotten, forgotten)
		stored.marks = merge(stored.alive(j.now()), live)
		return stored
	})
	if err == nil {
		j.stage = ended
	}
	return err
}

func (j *Journal) load(ctx context.Context) (journal, error) {
	data, err := j.documents.Load(ctx, JournalName)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = nil, nil
	}
	if err != nil {
		return journal{}, fmt.Errorf("loading %s: %w", JournalName, err)
	}
	stored, err := decodeJournal(data)
	if err != nil {
		return journal{}, fmt.Errorf("loading %s: %w", JournalName, err)
	}
	return stored, nil
}

func (j *Journal) update(ctx context.Context, doing string, change func(journal) journal) error {
	err := j.documents.Update(ctx, JournalName, func(old []byte) ([]byte, error) {
		stored, err := decodeJournal(old)
		if err != nil {
			return nil, err
		}
		return change(stored).encode()
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", doing, JournalName, err)
	}
	return nil
}

// Interface guard.
var _ Marks = (*Journal)(nil)
