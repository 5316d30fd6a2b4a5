package caddymodule

import (
	"runtime"
	"slices"
	"sync"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// leastPart is how many clients are worth a goroutine of their own.
const leastPart = 500

// buildAll makes the clients as the directory has them now, on all processors where
// there are many. Whoever is not there, or cannot be, is among those to be removed.
func (r *runtimeClients) buildAll(ids []string) (changed []client.Client, removed []string) {
	changed = make([]client.Client, len(ids))
	size := max(leastPart, len(ids)/runtime.GOMAXPROCS(0)+1)
	var all sync.WaitGroup
	for from := 0; from < len(ids); from += size {
		to := min(from+size, len(ids))
		all.Go(func() { r.buildPart(ids[from:to], changed[from:to]) })
	}
	all.Wait()
	for i, id := range ids {
		if changed[i].ID == "" {
			removed = append(removed, id)
		}
	}
	return slices.DeleteFunc(changed, func(one client.Client) bool { return one.ID == "" }), removed
}

// buildPart leaves those empty that are not there or cannot be: after a panic, which
// would end the process, all that are left.
func (r *runtimeClients) buildPart(ids []string, into []client.Client) {
	defer r.app.recovered("making clients")
	for i, id := range ids {
		if record, found := r.app.shared.directory.Get(id); found {
			if built, ok := r.build(record); ok {
				into[i] = built
			}
		}
	}
}
