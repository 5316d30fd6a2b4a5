package client

import (
	"fmt"
	"slices"
)

// apiKeys finds the client of a secret that comes without a client_id. It holds
// secrets of fast kinds alone, of clients that may use a bridge: nothing slow is
// ever computed to find out whose a secret is.
//
// The index is a digest under a key of this process: nobody can choose which
// other one an attempt is compared with, so that time tells nothing of them.
type apiKeys map[string]*keyHolder

// keyHolder is the client of a secret, and the secret: more than one where the
// client has the same text twice.
type keyHolder struct {
	client  *Client
	secrets []*Secret
}

// add takes the secrets of a client up. The error names the two that have one
// in common.
func (k apiKeys) add(c *Client) error {
	if !c.AllowBridge {
		return nil
	}
	for i := range c.Secrets {
		secret := &c.Secrets[i]
		index := string(secret.hash.sum)
		switch secret.hash.class.kind {
		case plain:
		case plainSHA256:
			digest := keyed(secret.hash.sum)
			index = string(digest[:])
		default:
			continue
		}
		found := k[index]
		switch {
		case found == nil:
			k[index] = &keyHolder{client: c, secrets: []*Secret{secret}}
		case found.client == c:
			found.secrets = append(found.secrets, secret)
		default:
			return fmt.Errorf("clients %q and %q have a secret in common: expected different ones, since both may use a bridge, where a secret alone says who calls",
				found.client.ID, c.ID)
		}
	}
	return nil
}

// apiKey judges a secret that comes without a client_id. It costs the same
// whatever the reason, and next to nothing: it takes no turn of the queue.
func (a *Authenticator) apiKey(c Credentials) (Authenticated, error) {
	digest := digestsOf(c.Secret).plain
	holder, known := a.Registry.keys[string(digest[:])]
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
	for _, holder := range r.keys {
		able[holder.client.ID] = true
	}
	for id, known := range r.accounts {
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
