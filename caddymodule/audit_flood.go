package caddymodule

import (
	"sync"
	"time"
)

// What a flood of refusals can make the audit log grow by. Who looks for the
// reason of a refusal finds it in the lines that came first: the others would
// say the same of the same address.
const (
	floodWindow = time.Second
	floodEach   = 100  // lines of one kind in a window
	floodAll    = 500  // lines of all kinds in a window
	floodNamed  = 100  // kinds whose count has a line of its own
	floodKinds  = 1000 // kinds told apart in a window; those behind them count together
)

// refusalKind is what the lines of one kind have in common.
type refusalKind struct {
	message string
	reason  string
	address string // empty: of many
}

// restraint decides which refusals get a line of their own, and counts the
// others. The zero value is ready for use.
type restraint struct {
	mu       sync.Mutex
	began    time.Time           // of the window
	lines    int                 // in it
	asked    map[refusalKind]int // lines that were asked for
	withheld map[refusalKind]int // lines that there are none of
	end      *time.Timer         // closes a window in which some were withheld
}

// allow tells whether a refusal gets a line. report is called with what was
// withheld when the window is over, from a goroutine of its own.
func (r *restraint) allow(kind refusalKind, report func(map[refusalKind]int)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); r.end == nil && now.Sub(r.began) >= floodWindow {
		r.began, r.lines, r.asked, r.withheld = now, 0, make(map[refusalKind]int), make(map[refusalKind]int)
	}
	if _, known := r.asked[kind]; !known && len(r.asked) >= floodKinds {
		kind.address = ""
	}
	r.asked[kind]++
	if r.asked[kind] <= floodEach && r.lines < floodAll {
		r.lines++
		return true
	}
	r.withheld[kind]++
	if r.end == nil {
		r.end = time.AfterFunc(floodWindow-time.Since(r.began), func() { report(r.take()) })
	}
	return false
}

// take closes the window, and returns how many lines of each kind it had none
// for. Some kinds are named; the others count without their addresses.
func (r *restraint) take() map[refusalKind]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		return nil
	}
	r.end.Stop()
	r.end, r.began = nil, time.Time{}
	counts, named := make(map[refusalKind]int), 0
	for kind, count := range r.withheld {
		if kind.address != "" {
			named++
		}
		if named > floodNamed {
			kind.address = ""
		}
		counts[kind] += count
	}
	return counts
}
