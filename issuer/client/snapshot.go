package client

import (
	"cmp"
	"crypto/sha256"
	"sync/atomic"
)

// digest is that of a secret of a fast kind.
type digest [sha256.Size]byte

// snapshots of registries are counted, so that each has a number of its own.
var registrySnapshots atomic.Uint32

// registrySnapshot is the clients of a [Registry] at one moment. It does not
// change.
type registrySnapshot struct {
	number   uint32
	accounts shards[string, *account] // by client_id
	fast     shards[digest, int]      // how many secrets of fast kinds have the digest
	keys     shards[digest, *keyHolder]
	total    effort
	nobody   *account // stands in for clients that cannot authenticate; dummies alone
}

// account is a client and what its attempts to authenticate are compared with.
type account struct {
	client     *Client
	candidates candidates
}

// with returns the clients after a change: others are as they were. Where an
// attempt to authenticate becomes more costly, it does for each of them.
func (s *registrySnapshot) with(changed []*Client, removed []string) (*registrySnapshot, error) {
	next := &registryEdit{
		accounts: s.accounts.edit(len(changed)), fast: s.fast.edit(len(changed)), keys: s.keys.edit(0),
		total: s.total.with(changed),
	}
	for _, id := range removed {
		next.remove(id)
	}
	for _, c := range changed {
		next.remove(c.ID)
	}
	if next.total.size() > s.total.size() { // those that are added below cost as much anyway
		next.equalize()
	}
	if err := next.add(changed); err != nil {
		return nil, err
	}
	return &registrySnapshot{
		number:   registrySnapshots.Add(1),
		accounts: next.accounts.shards, fast: next.fast.shards, keys: next.keys.shards,
		total: next.total, nobody: &account{client: new(Client), candidates: next.total.candidates(nil)},
	}, nil
}

// registryEdit is a snapshot in the making.
type registryEdit struct {
	accounts *shardsEdit[string, *account]
	fast     *shardsEdit[digest, int]
	keys     *shardsEdit[digest, *keyHolder]
	total    effort
}

func (e *registryEdit) remove(id string) {
	known, found := e.accounts.get(id)
	if !found {
		return
	}
	e.accounts.remove(id)
	for i := range known.client.Secrets {
		e.count(&known.client.Secrets[i], -1)
	}
	removeKeys(e.keys, known.client)
}

// add takes clients up, in each of the tables at the same time.
func (e *registryEdit) add(changed []*Client) error {
	accounts := make([]*account, len(changed))
	err := InParts(len(changed), func(from, to int) {
		for i, c := range changed[from:to] {
			accounts[from+i] = &account{client: c, candidates: e.total.candidates(c.Secrets)}
		}
	})
	if err != nil {
		return err
	}
	var inCommon error
	err = together(
		func() {
			for i, c := range changed {
				e.accounts.set(c.ID, accounts[i])
			}
		},
		func() {
			for _, c := range changed {
				for i := range c.Secrets {
					e.count(&c.Secrets[i], 1)
				}
			}
		},
		func() { inCommon = addKeys(e.keys, changed) },
	)
	return cmp.Or(err, inCommon)
}

// count notes the digest of a secret of a fast kind.
func (e *registryEdit) count(secret *Secret, by int) {
	if secret.hash.class.slow() {
		return
	}
	sum := digest(secret.hash.sum)
	count, _ := e.fast.get(sum)
	if count += by; count > 0 {
		e.fast.set(sum, count)
	} else {
		e.fast.remove(sum)
	}
}

// equalize has each attempt cost what the most costly one does.
func (e *registryEdit) equalize() {
	for id, known := range e.accounts.all() {
		e.accounts.set(id, &account{client: known.client, candidates: e.total.candidates(known.client.Secrets)})
	}
}
