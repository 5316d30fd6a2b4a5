package client

import (
	"maps"
	"slices"
)

type follower struct{ changed func(ids []string) }

// Follow calls changed with the client_ids of those that became different, each once,
// before the call that has found that returns: [Directory.Get] has them as they are then.
// What was there before, [Directory.All] has. After a panic of one that follows, which reaches
// that call, all are told again with the next.
// stop ends it.
func (d *Directory) Follow(changed func(ids []string)) (stop func()) {
	f := &follower{changed: changed}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.followers[f] = struct{}{}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.followers, f)
	}
}

// tell tells followers what became different. Where another call is about to tell
// them of it, tell waits: nobody may be answered before a change is in force.
func (d *Directory) tell() {
	d.telling.Lock()
	defer d.telling.Unlock()
	d.mu.Lock()
	changed := d.untold
	d.untold = nil
	followers := slices.Collect(maps.Keys(d.followers))
	d.mu.Unlock()
	if len(changed) == 0 {
		return
	}
	slices.Sort(changed)
	changed = slices.Compact(changed) // one may have changed twice
	defer func() {                    // what is left after a panic, the next call tells of
		d.mu.Lock()
		defer d.mu.Unlock()
		d.untold = append(d.untold, changed...)
	}()
	for _, f := range followers {
		f.changed(changed)
	}
	changed = nil
}
