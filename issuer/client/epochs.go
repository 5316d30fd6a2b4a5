package client

import "sync/atomic"

// Epochs are those that clients have reached at one moment. They do not change, and
// are safe for concurrent use. Of nil, as long as nothing was loaded, no client has
// reached any.
type Epochs struct {
	of     map[string]uint64 // those above 0
	number uint32
}

// snapshots counts those made in this process, so that each has a number of its own.
var snapshots atomic.Uint32

// Of returns the epoch that new tokens of the client carry.
func (e *Epochs) Of(c *Client) uint64 {
	if e == nil {
		return c.Epoch
	}
	return e.of[c.ID] + c.Epoch
}
