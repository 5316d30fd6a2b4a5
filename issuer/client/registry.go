package client

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// Registry is a set of clients. It is safe for concurrent use; what requests
// read takes no lock. A client that was found is as it was at that moment, also
// where it changes.
type Registry struct {
	current  atomic.Pointer[registrySnapshot]
	changing sync.Mutex // one change at a time
}

// NewRegistry returns the set of these clients, which it copies. Secrets
// without an ID get their position as ID. It refuses client_ids that are not
// valid or stand twice, secrets that no constructor made, two secrets of one
// client with the same ID, and one secret of two clients that may use a bridge.
func NewRegistry(clients []Client) (*Registry, error) {
	seen := make(map[string]struct{}, len(clients))
	for i := range clients {
		if _, twice := seen[clients[i].ID]; twice {
			return nil, fmt.Errorf("client %q stands twice", clients[i].ID)
		}
		seen[clients[i].ID] = struct{}{}
	}
	registry := new(Registry)
	registry.current.Store(new(registrySnapshot))
	copies := make([]*Client, len(clients))
	for i := range clients {
		copies[i] = clients[i].clone()
	}
	if err := registry.Update(copies, nil); err != nil {
		return nil, err
	}
	return registry, nil
}

// Update puts these clients in the place of those with the same client_ids, or
// adds them, and removes others. From then on they belong to the registry: nobody
// may change them, nor what they hold. Each client_id stands there once. It refuses what [NewRegistry] refuses; then
// no client of the registry has changed. Its cost grows with what changes, and
// hardly with what does not.
func (r *Registry) Update(changed []*Client, removed []string) error {
	for _, c := range changed {
		if err := c.complete(); err != nil {
			return err
		}
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	next, err := r.current.Load().with(changed, removed)
	if err == nil {
		r.current.Store(next)
	}
	return err
}

// Version is a number that no other state of a registry of this process has.
func (r *Registry) Version() uint32 { return r.current.Load().number }

// Len is the number of clients.
func (r *Registry) Len() int { return r.current.Load().accounts.len() }

// All returns the clients as they are at this moment, in no order. They must not
// be changed.
func (r *Registry) All() iter.Seq[*Client] {
	accounts := &r.current.Load().accounts
	return func(yield func(*Client) bool) {
		for _, found := range accounts.all() {
			if !yield(found.client) {
				return
			}
		}
	}
}

// account finds a client and what it is compared with.
func (r *Registry) account(id string) (*account, bool) { return r.current.Load().accounts.get(id) }

// complete checks the client and fills in what has a default.
func (c *Client) complete() error {
	if !ValidID(c.ID) {
		return fmt.Errorf("client_id %q: expected 1 to %d printable ASCII characters, not beginning or ending with a space", c.ID, MaxID)
	}
	if c.Subject == "" {
		c.Subject = c.ID
	}
	if c.AllowBridge && c.Require != "" {
		return fmt.Errorf("client %q: its tokens must be bound, and what it brings to a bridge is not: expected one or the other", c.ID)
	}
	ids := make([]string, 0, len(c.Secrets))
	for i := range c.Secrets {
		secret := &c.Secrets[i]
		if secret.ID == "" {
			secret.ID = strconv.Itoa(i + 1)
		}
		if secret.hash.class.kind == 0 {
			return fmt.Errorf("client %q: secret %q: expected a text or a hash", c.ID, secret.ID)
		}
		if slices.Contains(ids, secret.ID) {
			return fmt.Errorf("client %q: two secrets have the id %q", c.ID, secret.ID)
		}
		ids = append(ids, secret.ID)
	}
	return nil
}

// Lookup finds a client by its client_id, compared byte for byte. The client
// belongs to the registry: it must not be changed.
func (r *Registry) Lookup(id string) (*Client, bool) {
	found, ok := r.account(id)
	if !ok {
		return nil, false
	}
	return found.client, true
}

// SlowHashes tells how many slow hashes each attempt costs that fails, and how
// many different sets of parameters these have.
func (r *Registry) SlowHashes() (hashes, parameters int) {
	distinct := make(map[class]struct{})
	slow := r.current.Load().nobody.candidates.slow
	for _, dummy := range slow {
		distinct[dummy.hash.class] = struct{}{}
	}
	return len(slow), len(distinct)
}

// Methods lists the methods by which at least one of the clients may prove who
// it is. Without clients these are the methods with a secret.
func (r *Registry) Methods() []Method {
	found := make(map[Method]bool)
	for _, known := range r.current.Load().accounts.all() {
		for _, method := range known.client.methods() {
			found[method] = true
		}
	}
	if len(found) == 0 {
		return []Method{SecretBasic, SecretPost}
	}
	all := []Method{SecretBasic, SecretPost, PrivateKeyJWT, TLSClientAuth, SelfSignedTLSClientAuth}
	return slices.DeleteFunc(all, func(method Method) bool { return !found[method] })
}

// Requires tells whether the tokens of one of the clients that are enabled must
// be bound so.
func (r *Registry) Requires(binding Binding) bool {
	for _, known := range r.current.Load().accounts.all() {
		if known.client.Require == binding && !known.client.Disabled {
			return true
		}
	}
	return false
}
