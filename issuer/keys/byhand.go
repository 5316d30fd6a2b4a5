package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnknownKey says that there is no key with this kid (any more).
var ErrUnknownKey = errors.New("there is no such key")

// Rotate makes the next key now, as a rotation that is due does: it is published
// at once, and signs when it has been published for Config.PublishAhead. Where
// one waits already, also one that another instance has just made, none is made
// and that one is returned. Errors are those of [Ring.Maintain].
func (r *Ring) Rotate(ctx context.Context, config Config) (next Info, changes Changes, err error) {
	if err := config.validate(); err != nil {
		return Info{}, Changes{}, fmt.Errorf("signing keys: %w", err)
	}
	leave, err := r.enter(ctx)
	if err != nil {
		return Info{}, Changes{}, err
	}
	defer leave()
	changes, err = r.change(ctx, func(doc document, now time.Time) (plan, error) {
		todo := decide(doc, now, config)
		if todo.make == nil && !doc.waiting(now) {
			todo.make = &schedule{alg: config.Algorithm, signsFrom: doc.soonest(now, config)}
		}
		return todo, nil
	})
	if err != nil {
		return Info{}, Changes{}, err
	}
	list := r.List()
	return list[len(list)-1], changes, nil
}

// Revoke removes a key that others may have come to know. From when it returns,
// no token of the key is taken here, and none wherever the document is read
// again. Where the key signs, the next one takes over at once, or one that is made
// for that: verifiers that keep the key set for a while may not know it yet, and
// such as still have the revoked key go on taking it.
//
// The error is [ErrUnknownKey], or one of [Ring.Maintain].
func (r *Ring) Revoke(ctx context.Context, kid string, config Config) (Changes, error) {
	if err := config.validate(); err != nil {
		return Changes{}, fmt.Errorf("signing keys: %w", err)
	}
	leave, err := r.enter(ctx)
	if err != nil {
		return Changes{}, err
	}
	defer leave()
	return r.change(ctx, func(doc document, now time.Time) (plan, error) {
		i := doc.position(kid)
		if i < 0 {
			return plan{}, ErrUnknownKey
		}
		todo := plan{revoke: kid, life: config.LongestLifetime}
		if i == doc.active(now) && !doc.waiting(now) {
			todo.make = &schedule{alg: config.Algorithm, signsFrom: now}
		}
		return todo, nil
	})
}

// position is where the key stands; -1: nowhere.
func (d document) position(kid string) int {
	return slices.IndexFunc(d.keys, func(key record) bool { return key.id == kid })
}

// without returns the document without the key; d stays as it is. Where the key
// signs, the one after it does from now on.
//
// The key before it is kept as if it had signed until the next one does: an
// instance whose clock is behind signs with it for a moment.
func (d document) without(kid string, now time.Time) document {
	i := d.position(kid)
	gone, active := d.keys[i], i == d.active(now)
	rest := document{keys: slices.Delete(slices.Clone(d.keys), i, i+1)}
	if active && i < len(rest.keys) {
		rest.keys[i].signsFrom, gone.signsUntil = wall(now), wall(now)
	}
	if i > 0 {
		before := &rest.keys[i-1]
		before.signsUntil, before.lifetime = gone.signsUntil, max(before.lifetime, gone.lifetime)
	}
	return rest
}
