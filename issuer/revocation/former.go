package revocation

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// FormerDocumentName is the document in which earlier versions kept the whole list,
// by `jti`. What stands in it is in force until it has expired. It is read and never
// written: it can be removed when the longest-lived token of before has expired.
const FormerDocumentName = "revocations.json"

// former is what was last seen of that document.
type former struct {
	source [sha256.Size]byte
	last   uint32 // when its last token ends; 0: there is no document
}

// formerDocument is how it is stored.
type formerDocument struct {
	Revoked map[string]int64 `json:"revoked"` // jti to exp
}

func (l *List) loadFormer(ctx context.Context) error {
	data, err := l.documents.Load(ctx, FormerDocumentName)
	if errors.Is(err, fs.ErrNotExist) {
		if l.former.last >= l.horizon() {
			return fmt.Errorf("%s: %w; what was known stays in force", FormerDocumentName, store.ErrGone)
		}
		l.former = former{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", FormerDocumentName, err)
	}
	seen := former{source: sha256.Sum256(data), last: 1}
	if l.former.last > 0 && seen.source == l.former.source {
		return nil
	}
	var decoded formerDocument
	if err := json.Unmarshal(data, &decoded); err != nil || decoded.Revoked == nil {
		return errors.New(FormerDocumentName + `: expected {"revoked":{"<jti>":<exp>}}; it is left as it is: repair it or restore it from a backup`)
	}
	seen.last = max(seen.last, l.takeFormer(decoded.Revoked))
	l.former = seen
	return nil
}

// takeFormer makes the tokens known, and returns when the last one ends.
func (l *List) takeFormer(revoked map[string]int64) (last uint32) {
	var byShard [store.Shards]map[digest]uint32
	horizon := l.horizon()
	for jti, expires := range revoked {
		until := seconds(expires)
		if last = max(last, until); until < horizon {
			continue
		}
		token := digestOf(jti)
		number := token.shard()
		if byShard[number] == nil {
			byShard[number] = make(map[digest]uint32)
		}
		byShard[number][token] = until
	}
	for number, until := range byShard {
		l.add(number, until)
	}
	return last
}

// restoreFormer stores all that is known in the collection, where the former
// document is gone.
func (l *List) restoreFormer(ctx context.Context) error {
	if err := l.loadFormer(ctx); !errors.Is(err, store.ErrGone) {
		return err
	}
	records := make(map[string]json.RawMessage, l.Len())
	keys := make([]string, 0, l.Len())
	for number := range l.shards {
		for key, record := range l.held(number) {
			records[key], keys = record, append(keys, key)
		}
	}
	err := l.records.Change(ctx, keys, func(key string, old json.RawMessage) (json.RawMessage, error) {
		if old != nil {
			return nil, nil
		}
		return records[key], nil
	})
	if err == nil {
		l.former = former{}
	}
	return err
}
