package revocation

import (
	"context"
	"errors"
	"fmt"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Stored tells whether the list was stored, if without a token, when it was last read
// or written.
func (l *List) Stored() bool { return l.records.Stored() }

// Begin stores that there is a list, where that is not stored: from then on, one that is
// missing was lost. It also writes again what was stored and is gone, as far as this
// process knows it.
func (l *List) Begin(ctx context.Context) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	err := l.load(ctx)
	gone := errors.Is(err, store.ErrGone)
	if err != nil && !gone {
		return err
	}
	if gone {
		err = l.restore(ctx)
	}
	if err == nil {
		err = l.records.Begin(ctx)
	}
	if err != nil {
		return fmt.Errorf("recording what was revoked: %w", err)
	}
	return nil
}

func (l *List) restore(ctx context.Context) error {
	if err := l.restoreFormer(ctx); err != nil {
		return err
	}
	return l.records.Restore(ctx)
}
