// Package revocation keeps which tokens were revoked before they expired
// (RFC 7009), by `jti`: the text of a token would not do, since an ECDSA
// signature can be rewritten without losing its validity.
//
//   - list.go: what is known, and what is stored of it
//   - digest.go: what stands for a `jti`
//   - shard.go: a part of what is known
//   - begin.go: that there is a list, and what of it was lost
//   - former.go: the document in which earlier versions kept it
package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Name is that of the [store.Collection] in which a [List] is kept: one record per
// token, its `exp` by a digest of its `jti`.
const Name = "revoked"

// DocumentName is the collection's index.
const DocumentName = Name + ".json"

// sweepEvery is how often tokens that have expired are forgotten.
const sweepEvery = 30 * time.Second

// List is the revoked tokens that could still be presented. There is one for
// an issuer in a process, so that a reload forgets nothing. It is safe for
// concurrent use; what requests read takes no lock. A token costs about 30 bytes.
type List struct {
	documents store.Documents
	records   *store.Collection
	now       func() time.Time

	shards [store.Shards]atomic.Pointer[shard] // never nil in it
	loaded atomic.Bool                         // everything that is stored was read once
	number atomic.Uint64
	count  atomic.Int64

	changing sync.Mutex // one Load, Revoke or Restore at a time
	former   former     // guarded by changing
	swept    time.Time  // likewise
}

// NewList returns a list that takes every token for revoked until [List.Load]
// succeeds. now is the clock.
func NewList(documents store.Documents, now func() time.Time) *List {
	l := &List{documents: documents, now: now}
	l.records = store.NewLastingCollection(documents, Name, l.take, store.Lasting{Held: l.held, Lapsed: l.lapsed})
	for i := range l.shards {
		l.shards[i].Store(new(shard))
	}
	return l
}

// Load reads what has changed since the last call, and writes nothing. What was
// never stored is an empty list; what was there before and is gone is
// [store.ErrGone]. What cannot be read is an error too. Errors name the document,
// and what was known before stays in force.
func (l *List) Load(ctx context.Context) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	return l.load(ctx)
}

func (l *List) load(ctx context.Context) error {
	l.forgetExpired()
	err := l.loadFormer(ctx)
	if err == nil {
		err = l.records.Load(ctx)
	}
	if err == nil && !l.loaded.Load() {
		err = l.records.Search(ctx) // a list that lacks some must not bring them back to life
	}
	switch {
	case err == nil:
		l.loaded.Store(true)
		return nil
	case errors.Is(err, store.ErrGone) && l.loaded.Load():
		return fmt.Errorf("loading the revoked tokens: %w; the next reload or revocation writes it again", err)
	case errors.Is(err, store.ErrGone): // nobody here knows what it held
		return fmt.Errorf("loading the revoked tokens: %v; restore it from a backup", err) //nolint:errorlint // it is not what ErrGone promises
	}
	return fmt.Errorf("loading the revoked tokens: %w", err)
}

// Revoke makes the token with the `jti` refused from now on, and until it
// expires (Unix seconds). It is in force and stored when Revoke returns nil.
func (l *List) Revoke(ctx context.Context, jti string, expires int64) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	wanted := seconds(expires)
	err := l.records.Change(ctx, []string{digestOf(jti).key()}, func(key string, old json.RawMessage) (json.RawMessage, error) {
		if old == nil {
			return writeSeconds(wanted), nil
		}
		known, err := readSeconds(old)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s-%02x.json: %w; it is left as it is: repair it or restore it from a backup", Name, store.ShardOf(key), err)
		case known >= wanted:
			return nil, nil
		}
		return writeSeconds(wanted), nil
	})
	if err != nil {
		return fmt.Errorf("recording a revocation: %w", err)
	}
	l.forgetExpired()
	return nil
}

// Revoked tells whether a token was revoked. Before the list was ever read,
// every token was.
func (l *List) Revoked(jti string) bool {
	if !l.loaded.Load() {
		return true
	}
	if l.count.Load() == 0 {
		return false
	}
	digest := digestOf(jti)
	_, found := l.shards[digest.shard()].Load().until[digest]
	return found
}

// Len returns how many revoked tokens are known. Some of them may have expired
// within the last half minute.
func (l *List) Len() int { return int(l.count.Load()) }

// Generation is a number that grows with each change of the list.
func (l *List) Generation() uint64 {
	if !l.loaded.Load() {
		return 0
	}
	return l.number.Load() + 1
}

// horizon is the `exp` below which a token is refused everywhere in any case: gates
// grant a leeway, and other instances have clocks of their own.
func (l *List) horizon() uint32 { return seconds(l.now().Add(-2 * token.Leeway).Unix()) }

// take is told what is stored of a shard. What is known stays: a replica that lags
// behind must not bring a token back to life.
func (l *List) take(number int, records map[string]json.RawMessage) error {
	stored := make(map[digest]uint32, len(records))
	horizon := l.horizon()
	for key, record := range records {
		digest, err := readKey(key)
		if err != nil {
			return err
		}
		until, err := readSeconds(record)
		if err != nil {
			return err
		}
		if until >= horizon {
			stored[digest] = until
		}
	}
	l.add(number, stored)
	return nil
}

// add makes what it is given known, as the new state of a shard.
func (l *List) add(number int, until map[digest]uint32) {
	known := l.shards[number].Load()
	if fresh := known.with(until); fresh != known {
		l.publish(number, fresh)
	}
}

// publish makes a new state of a shard known before it tells of that: who asked for
// the number earlier asks again.
func (l *List) publish(number int, fresh *shard) {
	former := l.shards[number].Swap(fresh)
	l.count.Add(int64(len(fresh.until) - len(former.until)))
	l.number.Add(1)
}

// forgetExpired drops tokens that have expired, now and then: to look at a million
// takes some milliseconds.
func (l *List) forgetExpired() {
	now := l.now()
	if since := now.Sub(l.swept); since >= 0 && since < sweepEvery {
		return
	}
	l.swept = now
	horizon := l.horizon()
	for number := range l.shards {
		known := l.shards[number].Load()
		if fresh := known.since(horizon); fresh != known {
			l.publish(number, fresh)
		}
	}
}

// held is what is to be stored of a shard.
func (l *List) held(number int) map[string]json.RawMessage {
	known := l.shards[number].Load()
	records := make(map[string]json.RawMessage, len(known.until))
	for digest, until := range known.until {
		records[digest.key()] = writeSeconds(until)
	}
	return records
}

func (l *List) lapsed(record json.RawMessage) bool {
	until, err := readSeconds(record)
	return err == nil && until < l.horizon()
}

// writeSeconds is a record.
func writeSeconds(until uint32) json.RawMessage {
	return strconv.AppendUint(nil, uint64(until), 10)
}

func readSeconds(record json.RawMessage) (uint32, error) {
	until, err := strconv.ParseUint(string(record), 10, 32)
	if err != nil || record[0] == '+' {
		return 0, errors.New("expected seconds as every record")
	}
	return uint32(until), nil
}
