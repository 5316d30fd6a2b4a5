package client

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// tracked is one secret. Requests change the first three without a lock: they only
// grow, and what of them is not stored yet is the difference to what is.
type tracked struct {
	last    atomic.Int64 // Unix seconds; 0: not used since the process began
	address atomic.Pointer[string]
	noted   atomic.Uint64 // uses since the process began

	since  atomic.Int64 // Unix seconds: from when on its uses are known
	stored atomic.Pointer[storedUse]
}

// storedUse is what the store says of a secret. It does not change.
type storedUse struct {
	known bool // there is a record
	used  Used
	noted uint64 // how many of the uses that this process noted need not be stored any more
}

// pendingUse is what is to be added to what is stored of a secret.
type pendingUse struct {
	add   Used
	noted uint64 // [storedUse.noted] when it is stored
}

// pendingUses are those of clients, by client_id and the secret's ID.
type pendingUses map[string]map[string]pendingUse

// notStored is what the store says of secrets of which it says nothing.
var notStored = new(storedUse)

func newTracked(since int64) *tracked {
	t := new(tracked)
	t.since.Store(since)
	t.stored.Store(notStored)
	return t
}

// use notes a use. The time goes before the count: who sees that sees a time that
// is no earlier. Of the uses in one second the first leaves its address.
func (t *tracked) use(now int64, address string) {
	for last := t.last.Load(); now > last; last = t.last.Load() {
		if t.last.CompareAndSwap(last, now) {
			t.from(address)
			break
		}
	}
	t.noted.Add(1)
}

func (t *tracked) from(address string) {
	if known := t.address.Load(); known == nil || *known != address {
		plain := plainAddress(address)
		t.address.Store(&plain)
	}
}

// used joins what is stored with what is not yet.
func (t *tracked) used() Used {
	stored := t.stored.Load() // first: the count only grows
	return stored.used.plus(t.unstored(stored.noted, t.noted.Load()))
}

// pending returns what is to be stored, and whether there is something.
func (t *tracked) pending() (pendingUse, bool) {
	stored := t.stored.Load()
	noted := t.noted.Load()
	return pendingUse{add: t.unstored(stored.noted, noted), noted: noted}, noted > stored.noted || !stored.known
}

func (t *tracked) unstored(stored, noted uint64) Used {
	found := Used{Count: noted - stored, Since: time.Unix(t.since.Load(), 0).UTC()}
	if last := t.last.Load(); last > 0 && noted > stored {
		found.Last = time.Unix(last, 0).UTC()
		if address := t.address.Load(); address != nil {
			found.Address = *address
		}
	}
	return found
}

// settle notes what the store says, and how much of what was noted is in that.
func (t *tracked) settle(used Used, noted uint64) {
	t.stored.Store(&storedUse{known: true, used: used, noted: noted})
}

// unsettle notes that the store says nothing any more. What it has said is lost:
// nothing is known of the time before now.
func (t *tracked) unsettle(now int64) {
	t.since.Store(now)
	t.stored.Store(&storedUse{noted: t.stored.Load().noted})
}

// plainAddress returns an IP address as it is stored, and nothing for what is
// none, such as that of a Unix socket.
func plainAddress(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	return parsed.Unmap().WithZone("").String()
}
