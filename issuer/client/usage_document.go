package client

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// UsageName is that of the collection that a [Usage] is kept in.
const UsageName = "usage"

// Used is how a secret was used. Times are whole seconds.
type Used struct {
	Last    time.Time `json:"last,omitzero"`     // zero: never
	Address string    `json:"address,omitempty"` // the IP address that the last use came from; empty: not known
	Count   uint64    `json:"count"`             // uses since Since
	Since   time.Time `json:"since"`             // from when on uses are known
}

// plus adds uses that were noted elsewhere. Of two last ones the later counts.
func (u Used) plus(add Used) Used {
	sum := u
	sum.Count = min(u.Count+add.Count, maxEpoch) // neither is greater than that: no overflow
	if u.Since.IsZero() || add.Since.Before(u.Since) {
		sum.Since = add.Since
	}
	if add.Last.After(u.Last) {
		sum.Last, sum.Address = add.Last, add.Address
	}
	return sum
}

// usageDocument is the record of a client.
type usageDocument struct {
	Secrets map[string]Used `json:"secrets"` // by ID
}

// errUsage says what was expected, and leaves out what was found.
var errUsage = errors.New(`expected exactly {"secrets":{"<id>":{"last":<time>,"address":"<IP>","count":<number>,"since":<time>}}}`)

// decodeUsage reads a record strictly: what a later version wrote there must not
// get lost when this one stores it again.
func decodeUsage(data []byte) (map[string]Used, error) {
	var decoded usageDocument
	if err := store.DecodeExactly(data, &decoded); err != nil || len(decoded.Secrets) == 0 {
		return nil, errUsage
	}
	for id, used := range decoded.Secrets {
		if id == "" || !used.plausible() {
			return nil, errUsage
		}
		used.Last, used.Since = used.Last.UTC(), used.Since.UTC()
		decoded.Secrets[id] = used
	}
	return decoded.Secrets, nil
}

func (u *Used) plausible() bool {
	return !u.Since.IsZero() && u.Count <= maxEpoch &&
		(u.Count > 0) == !u.Last.IsZero() &&
		u.Last.Nanosecond() == 0 && u.Since.Nanosecond() == 0 &&
		u.Address == plainAddress(u.Address)
}

func encodeUsage(secrets map[string]Used) (json.RawMessage, error) {
	return json.Marshal(usageDocument{Secrets: secrets})
}
