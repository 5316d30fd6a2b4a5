// Package revocation keeps which tokens were revoked before they expired
// (RFC 7009), by `jti`: the text of a token would not do, since an ECDSA
// signature can be rewritten without losing its validity.
package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// DocumentName is the document that a [List] is kept in.
const DocumentName = "revocations.json"

// List is the revoked tokens that could still be presented. There is one for
// an issuer in a process, so that a reload forgets nothing. It is safe for
// concurrent use; what requests read takes no lock.
type List struct {
	documents store.Documents
	now       func() time.Time
	current   atomic.Pointer[revoked]

	writing sync.Mutex // one Load or Revoke at a time: what was read earlier must not replace what was read later
	stored  bool       // there was a document when it was last looked for; guarded by writing
}

// revoked is what is known at one moment. It does not change.
type revoked struct {
	until  map[string]int64 // jti to the token's exp
	number uint64
}

// document is how a list is stored.
type document struct {
	Revoked map[string]int64 `json:"revoked"` // jti to exp
}

// NewList returns a list that takes every token for revoked until [List.Load]
// or [List.Revoke] succeeds. now is the clock.
func NewList(documents store.Documents, now func() time.Time) *List {
	return &List{documents: documents, now: now}
}

// Load reads the list, and writes nothing. A missing document is an empty one,
// unless it was there before: that is [store.ErrGone]. One that cannot be read
// is an error too. Errors name the document, and what was known before stays in
// force.
func (l *List) Load(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	data, err := l.documents.Load(ctx, DocumentName)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = nil, nil
	}
	if err == nil && data == nil && l.stored {
		err = fmt.Errorf("%w; what was known stays in force, and the next reload or revocation writes it again", store.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("loading %s: %w", DocumentName, err)
	}
	stored, err := decode(data)
	if err != nil {
		return fmt.Errorf("loading the revoked tokens: %w", err)
	}
	l.publish(l.merge(stored))
	l.stored = data != nil
	return nil
}

// Revoke makes the token with the `jti` refused from now on, and until it
// expires (Unix seconds). It is in force and stored when Revoke returns nil.
func (l *List) Revoke(ctx context.Context, jti string, expires int64) error {
	return l.change(ctx, func(until map[string]int64) { until[jti] = expires })
}

// Restore writes the list again where there was a document and it is gone.
func (l *List) Restore(ctx context.Context) error {
	if err := l.Load(ctx); !errors.Is(err, store.ErrGone) {
		return err
	}
	return l.change(ctx, func(map[string]int64) {})
}

func (l *List) change(ctx context.Context, add func(until map[string]int64)) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	var recorded map[string]int64
	err := l.documents.Update(ctx, DocumentName, func(old []byte) ([]byte, error) {
		stored, err := decode(old)
		if err != nil {
			return nil, err
		}
		recorded = l.merge(stored)
		add(recorded)
		if old != nil && maps.Equal(recorded, stored) {
			return nil, nil
		}
		return json.Marshal(document{Revoked: recorded})
	})
	if err != nil {
		return fmt.Errorf("recording a revocation in %s: %w", DocumentName, err)
	}
	l.publish(recorded)
	l.stored = true
	return nil
}

// Revoked tells whether a token was revoked. Before the list was ever read,
// every token was.
func (l *List) Revoked(jti string) bool {
	known := l.current.Load()
	if known == nil {
		return true
	}
	_, found := known.until[jti]
	return found
}

// Len returns how many revoked tokens are known. Some of them may have expired
// since the list last changed.
func (l *List) Len() int {
	if known := l.current.Load(); known != nil {
		return len(known.until)
	}
	return 0
}

// Generation is a number that grows with each change of the list.
func (l *List) Generation() uint64 {
	if known := l.current.Load(); known != nil {
		return known.number
	}
	return 0
}

// merge joins what is stored and what this process knows, without tokens that
// have expired: a replica that lags behind must not bring one back to life.
func (l *List) merge(stored map[string]int64) map[string]int64 {
	merged := make(map[string]int64, len(stored)+1)
	maps.Copy(merged, stored)
	if known := l.current.Load(); known != nil {
		maps.Copy(merged, known.until)
	}
	// Gates grant a leeway, and other instances have clocks of their own.
	horizon := l.now().Add(-2 * token.Leeway).Unix()
	maps.DeleteFunc(merged, func(_ string, expires int64) bool { return expires < horizon })
	return merged
}

func (l *List) publish(until map[string]int64) {
	next := &revoked{until: until, number: 1}
	if known := l.current.Load(); known != nil {
		if maps.Equal(known.until, until) {
			return
		}
		next.number = known.number + 1
	}
	l.current.Store(next)
}

// decode reads the document strictly; a missing one, nil, is empty.
func decode(data []byte) (map[string]int64, error) {
	if data == nil {
		return nil, nil
	}
	var decoded document
	if err := json.Unmarshal(data, &decoded); err != nil || decoded.Revoked == nil {
		return nil, errors.New(DocumentName + `: expected {"revoked":{"<jti>":<exp>}}; it is left as it is`)
	}
	return decoded.Revoked, nil
}
