package client

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Errors of [Directory.Change], to be told apart with errors.Is.
var (
	ErrNoClient     = errors.New("there is no such client")
	ErrClientExists = errors.New("there is such a client already")
)

// Create makes a client. fill says what it is, and may be called again; ids of secrets
// that an earlier client of this name had are not given again. Where there is such a
// client it is [ErrClientExists]. When Create returns nil it is stored and in force.
func (d *Directory) Create(ctx context.Context, id string, fill func(fresh *Record) error) (made *Record, err error) {
	return d.update(ctx, id, func(before *Record) (*Record, error) {
		if before.exists() {
			return nil, ErrClientExists
		}
		fresh := &Record{LastSecret: before.LastSecret}
		return fresh, fill(fresh)
	})
}

// Change changes a client. change is called with the record as it is stored, nil
// where there is none or it was removed, and alters a copy of its own; it may be
// called again. A nil result removes the client; then, and where the result is disabled and the
// client was not, its tokens are void for ever. When Change returns nil it is
// stored and in force; an error of change is returned as it is.
func (d *Directory) Change(ctx context.Context, id string, change func(old *Record) (*Record, error)) (changed *Record, err error) {
	return d.update(ctx, id, func(before *Record) (*Record, error) {
		if !before.exists() {
			before = nil
		}
		return change(before.clone())
	})
}

// update does it. before is what is stored: empty where there never was a client.
func (d *Directory) update(ctx context.Context, id string, change func(before *Record) (*Record, error)) (changed *Record, err error) {
	defer d.tell()
	err = d.collection.Change(ctx, []string{id}, func(_ string, stored json.RawMessage) (json.RawMessage, error) {
		before, err := d.before(id, stored)
		if err != nil {
			return nil, err
		}
		if changed, err = d.next(id, before, change); err != nil {
			return nil, err
		}
		if err := changed.check(); err != nil {
			return nil, err
		}
		return json.Marshal(changed)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// before is the record as it is stored, or as it is known where the store went back to
// an earlier state: what is in force must be there to be disabled. It is empty
// where there never was such a client.
func (d *Directory) before(id string, stored json.RawMessage) (*Record, error) {
	before := new(Record)
	if stored != nil {
		var err error
		if before, err = decodeRecord(id, stored, make(sharedTexts)); err != nil {
			return nil, d.damaged(id, err)
		}
	}
	if known, ok := d.find(store.ShardOf(id), id); ok {
		if known.record.Revision > before.Revision {
			return known.record.clone(), nil
		}
		before.Epoch = max(before.Epoch, known.record.Epoch)
	}
	return before, nil
}

// next is the record that follows before, which is empty for a new client.
func (d *Directory) next(id string, before *Record, change func(*Record) (*Record, error)) (*Record, error) {
	next, err := change(before)
	if err != nil {
		return nil, err
	}
	existed, now := before.exists(), d.now().UTC().Truncate(time.Second)
	if next == nil {
		if !existed {
			return nil, ErrNoClient
		}
		next = &Record{Made: before.Made, Removed: true}
	}
	next.ID, next.Epoch, next.Revision, next.Changed = id, before.Epoch, before.Revision+1, now
	next.LastSecret = max(next.LastSecret, before.LastSecret)
	if !existed {
		next.Made = now
	}
	if existed && !before.Disabled && (next.Removed || next.Disabled) {
		next.Epoch++
	}
	return next, nil
}
