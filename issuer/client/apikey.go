package client

import (
	"fmt"
	"slices"
)

// keyHolder is the client of a secret that comes without a client_id, and the
// secret: more than one where the client has the same text twice. A registry finds
// it by a digest under a key of this process: nobody can choose which other one an
// attempt is compared with, so that time tells nothing of them.
type keyHolder struct {
	client  *Client
	secrets []*Secret
}

// keyDigest is where a secret is found that may come without a client_id: one of a
// fast kind, of a client that may use a bridge. Nothing slow is ever computed to
// find out whose a secret is.
func keyDigest(c *Client, secret *Secret) (index digest, ok bool) {
	switch {
	case !c.AllowBridge:
	case secret.hash.class.kind == plain:
		return digest(secret.hash.sum), true
	case secret.hash.class.kind == plainSHA256:
		return keyed(secret.hash.sum), true
	}
	return digest{}, false
}

// addKeys takes the secrets of clients up. The error names the first two that have
// one in common.
func addKeys(keys *shardsEdit[digest, *keyHolder], clients []*Client) error {
	for _, c := range clients {
		if err := addKeysOf(keys, c); err != nil {
			return err
		}
	}
	return nil
}

func addKeysOf(keys *shardsEdit[digest, *keyHolder], c *Client) error {
	for i := range c.Secrets {
		index, ok := keyDigest(c, &c.Secrets[i])
		if !ok {
			continue
		}
		holder := &keyHolder{client: c, secrets: []*Secret{&c.Secrets[i]}}
		if found, taken := keys.get(index); taken && found.client != c {
			return fmt.Errorf("clients %q and %q have a secret in common: expected different ones, since both may use a bridge, where a secret alone says who calls",
				found.client.ID, c.ID)
		} else if taken {
			holder.secrets = append(slices.Clip(found.secrets), &c.Secrets[i])
		}
		keys.set(index, holder)
	}
	return nil
}

func removeKeys(keys *shardsEdit[digest, *keyHolder], c *Client) {
	for i := range c.Secrets {
		if index, ok := keyDigest(c, &c.Secrets[i]); ok {
			keys.remove(index)
		}
	}
}

// apiKey judges a secret that comes without a client_id. It costs the same
// whatever the reason, and next to nothing: it takes no turn of the queue.
func (a *Authenticator) apiKey(c Credentials) (Authenticated, error) {
	holder, known := a.Registry.current.Load().keys.get(digestsOf(c.Secret).plain)
	switch {
	case !known:
		return Authenticated{}, &Failure{Reason: ReasonUnknownKey}
	case holder.client.Disabled:
		return Authenticated{}, &Failure{Reason: ReasonDisabled}
	}
	for _, secret := range holder.secrets {
		if secret.live(a.Now()) {
			return Authenticated{client: holder.client, secretID: secret.ID, method: c.Method}, nil
		}
	}
	return Authenticated{}, &Failure{Reason: ReasonExpiredSecret}
}

// BridgeClients tells how many clients may use a bridge, and which of these have
// no secret that could be an API key: a slow hash does not tell whose it is.
func (r *Registry) BridgeClients() (count int, without []string) {
	able := make(map[string]bool)
	now := r.current.Load()
	for _, holder := range now.keys.all() {
		able[holder.client.ID] = true
	}
	for id, known := range now.accounts.all() {
		if !known.client.AllowBridge {
			continue
		}
		count++
		if !able[id] {
			without = append(without, id)
		}
	}
	slices.Sort(without)
	return count, without
}
