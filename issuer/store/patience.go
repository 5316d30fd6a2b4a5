package store

import (
	"context"
	"time"
)

// patience returns the context to wait for a lock with: it ends with ctx, and
// with [ErrLocked] as its cause once [LockTimeout] has passed without a call of
// acquired.
//
// The context of a lock lives on until done: a place may tie the lock to the
// context that it was taken with, so a deadline on it would take the lock away
// from under a change that takes its time.
func patience(ctx context.Context) (waiting context.Context, acquired func(), done func()) {
	waiting, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(LockTimeout, func() { cancel(ErrLocked) })
	acquired = func() { timer.Stop() }
	done = func() {
		timer.Stop()
		cancel(nil)
	}
	return waiting, acquired, done
}
