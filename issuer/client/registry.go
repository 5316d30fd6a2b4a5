package client

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
)

// registries counts those made, so that each has a number of its own.
var registries atomic.Uint32

// Registry is a set of clients that does not change. It is safe for concurrent
// use. A changed configuration makes a new one.
type Registry struct {
	number   uint32
	accounts map[string]*account
	nobody   *account            // stands in for clients that cannot authenticate; dummies alone
	fast     map[string]struct{} // the digests of all secrets of fast kinds
	keys     apiKeys
}

// account is a client and what its attempts to authenticate are compared with.
type account struct {
	client     Client
	candidates candidates
}

// NewRegistry returns the set of these clients, which it copies. Secrets
// without an ID get their position as ID. It refuses client_ids that are not
// valid or stand twice, secrets that no constructor made, two secrets of one
// client with the same ID, and one secret of two clients that may use a bridge.
func NewRegistry(clients []Client) (*Registry, error) {
	registry := &Registry{
		number:   registries.Add(1),
		accounts: make(map[string]*account, len(clients)),
		fast:     make(map[string]struct{}),
		keys:     make(apiKeys),
	}
	total := newEffort(clients)
	registry.nobody = &account{candidates: total.candidates(nil)}
	for i := range clients {
		added := &account{client: clients[i].clone()}
		if err := added.client.complete(); err != nil {
			return nil, err
		}
		if _, twice := registry.accounts[added.client.ID]; twice {
			return nil, fmt.Errorf("client %q stands twice", added.client.ID)
		}
		added.candidates = total.candidates(added.client.Secrets)
		registry.accounts[added.client.ID] = added
		for _, secret := range added.client.Secrets {
			if !secret.hash.class.slow() {
				registry.fast[string(secret.hash.sum)] = struct{}{}
			}
		}
		if err := registry.keys.add(&added.client); err != nil {
			return nil, err
		}
	}
	return registry, nil
}

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
	found, ok := r.accounts[id]
	if !ok {
		return nil, false
	}
	return &found.client, true
}

// SlowHashes tells how many slow hashes each attempt costs that fails, and how
// many different sets of parameters these have.
func (r *Registry) SlowHashes() (hashes, parameters int) {
	distinct := make(map[class]struct{})
	for _, dummy := range r.nobody.candidates.slow {
		distinct[dummy.hash.class] = struct{}{}
	}
	return len(r.nobody.candidates.slow), len(distinct)
}

// Methods lists the methods by which at least one of the clients may prove who
// it is. Without clients these are the methods with a secret.
func (r *Registry) Methods() []Method {
	found := make(map[Method]bool)
	for _, known := range r.accounts {
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
	for _, known := range r.accounts {
		if known.client.Require == binding && !known.client.Disabled {
			return true
		}
	}
	return false
}
