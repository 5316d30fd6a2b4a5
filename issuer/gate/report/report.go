package report

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"
)

// Config is how much a [Report] keeps.
type Config struct {
	// Rows is how many rows there are at most, beside those for what finds no
	// room: one for each gate, site and reason. Default: 10,000, which are at most
	// some 20 MB.
	Rows int

	Now func() time.Time // default: time.Now
}

const (
	defaultRows = 10_000
	shards      = 16
	// share is the part of its half that one client or address can have.
	share = 8
)

// Report counts refusals by gate, site, caller, method, rule or path, and reason. It
// is safe for concurrent use, and starts nothing.
//
// Half of the rows are for clients that have proved who they are, so that a
// flood of strangers does not push them out, and nobody has more than an eighth
// of a half. What finds no room is counted by gate, site and reason alone: sums are
// exact at all times. A row stays until [Report.Reset].
type Report struct {
	now    func() time.Time
	seed   maphash.Seed
	since  atomic.Int64 // Unix time in nanoseconds
	shards [shards]shard
	rooms  [2]room // for strangers; for verified clients
}

// room is how many rows there are, and may be, for one kind of callers.
type room struct {
	used       atomic.Int64
	rows, each int64
}

// take takes the place of one row.
func (r *room) take() bool {
	if r.used.Add(1) <= r.rows {
		return true
	}
	r.used.Add(-1)
	return false
}

// New returns an empty report.
func New(config Config) *Report {
	if config.Rows <= 0 {
		config.Rows = defaultRows
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	half := max(1, int64(config.Rows)/2)
	r := &Report{now: config.Now, seed: maphash.MakeSeed()}
	for i := range r.rooms {
		r.rooms[i].rows, r.rooms[i].each = half, max(1, half/share)
	}
	for i := range r.shards {
		r.shards[i].clear()
	}
	r.since.Store(r.now().UnixNano())
	return r
}

// Add counts an entry, whose gate, site and reason must come from bounded sets. For
// one that is not the first of its row it takes well under a microsecond and
// allocates nothing; other callers hardly ever wait for the lock that it holds.
func (r *Report) Add(entry *Entry) {
	from, now := entry.origin(), r.now().UnixNano()
	var space [512]byte // of nearly all keys
	key := entry.appendKey(space[:0])
	room := &r.rooms[0]
	if entry.Verified {
		room = &r.rooms[1]
	}
	// All of one origin is in one shard: there it is known how many rows it has.
	r.shards[from.hash(r.seed)%shards].add(entry, key, from, room, now)
}

// Since is when the report was made, or last reset as a whole.
func (r *Report) Since() time.Time { return time.Unix(0, r.since.Load()).UTC() }

// Snapshot returns the rows that are wanted, those with the highest counts first.
func (r *Report) Snapshot(wanted Filter) []Row {
	return r.collect(&wanted, false)
}

// Reset removes the rows that are wanted and returns them: each entry is in what
// one call returns, or in the report.
func (r *Report) Reset(wanted Filter) []Row {
	if wanted.everything() {
		r.since.Store(r.now().UnixNano())
	}
	return r.collect(&wanted, true)
}

func (r *Report) collect(wanted *Filter, remove bool) []Row {
	all := make(map[string]*Row)
	for i := range r.shards {
		r.shards[i].collect(all, wanted, remove, &r.rooms)
	}
	rows := make([]Row, 0, len(all))
	for _, row := range all {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, Row.compare)
	return rows
}
