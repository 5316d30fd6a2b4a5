package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// failureTopic is what instances tell each other failures under.
const failureTopic = "failures"

// Bounds of what is told at once: whoever floods one instance does not flood all.
const (
	failureBatch     = 1024 // keys
	failureBatchEach = 1024 // failures of one
	failureEvery     = 100 * time.Millisecond
)

// Channel carries messages between instances, this one included. They must reach
// nobody else, and come from nobody else.
type Channel interface {
	Say(ctx context.Context, topic string, message []byte) error
	Hear(ctx context.Context, topic string, heard func(message []byte)) // until ctx ends
}

// FailureExchange tells other instances of failures, and is told. It implements
// [Peers]. Whoever guesses is counted by all of them some 100 ms later. Listen and
// Send are to run once for each exchange.
type FailureExchange struct {
	channel Channel
	from    string        // tells own messages from those of others
	wake    chan struct{} // there is something to tell

	mu      sync.Mutex
	pending map[FailureKey]*failureCharge
}

type failureMessage struct {
	From    string          `json:"from"`
	Charges []failureCharge `json:"charges"`
}

type failureCharge struct {
	Key    []byte        `json:"key"`
	Count  int           `json:"count"` // of the limit
	Per    time.Duration `json:"per"`
	Number int           `json:"number"`
}

// NewFailureExchange returns one that tells nobody before [FailureExchange.Send].
func NewFailureExchange(channel Channel) *FailureExchange {
	return &FailureExchange{channel: channel, from: rand.Text(), wake: make(chan struct{}, 1), pending: make(map[FailureKey]*failureCharge)}
}

// Tell implements [Peers].
func (e *FailureExchange) Tell(key FailureKey, limit FailureLimit) {
	e.mu.Lock()
	charge := e.pending[key]
	if charge == nil && len(e.pending) < failureBatch {
		charge = &failureCharge{Key: key[:], Count: limit.Count, Per: limit.Per}
		e.pending[key] = charge
	}
	if charge != nil && charge.Number < failureBatchEach {
		charge.Number++
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default: // somebody told it so
	}
}

// Listen charges what others count, until ctx ends.
func (e *FailureExchange) Listen(ctx context.Context, failures *Failures) {
	e.channel.Hear(ctx, failureTopic, func(message []byte) { e.heard(message, failures) })
}

// Send tells others what is to be told, until ctx ends. What cannot be told is
// dropped: later it would hit those who fail no longer.
func (e *FailureExchange) Send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(failureEvery):
		}
		if message := e.take(); message != nil {
			_ = e.channel.Say(ctx, failureTopic, message)
		}
	}
}

// take returns what is to be told, nil where there is nothing.
func (e *FailureExchange) take() []byte {
	e.mu.Lock()
	told := e.pending
	e.pending = make(map[FailureKey]*failureCharge)
	e.mu.Unlock()
	if len(told) == 0 {
		return nil
	}
	message := failureMessage{From: e.from}
	for _, charge := range told {
		message.Charges = append(message.Charges, *charge)
	}
	encoded, err := json.Marshal(message)
	if err != nil {
		panic(fmt.Sprintf("encoding failures: %v", err)) // text and numbers
	}
	return encoded
}

// heard charges what others count. What makes no sense is passed over: another
// version may say it otherwise.
func (e *FailureExchange) heard(encoded []byte, failures *Failures) {
	var message failureMessage
	if err := json.Unmarshal(encoded, &message); err != nil || message.From == e.from {
		return
	}
	for _, charge := range message.Charges[:min(len(message.Charges), failureBatch)] {
		if len(charge.Key) != len(FailureKey{}) || charge.Count < 1 || charge.Per < time.Duration(charge.Count) {
			continue
		}
		for range min(charge.Number, failureBatchEach) {
			failures.charge(FailureLimit{Count: charge.Count, Per: charge.Per}, FailureKey(charge.Key))
		}
	}
}

// Interface guard.
var _ Peers = (*FailureExchange)(nil)
