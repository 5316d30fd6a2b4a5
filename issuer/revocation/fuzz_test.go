package revocation_test

import (
	"fmt"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// FuzzStored: whatever is stored is refused, or is in force and still is after the
// next revocation has written it again.
func FuzzStored(f *testing.F) {
	number := store.ShardOf(keyOf("a"))
	index := fmt.Sprintf(`{"shards":{"%02x":1}}`, number)
	f.Add([]byte(`{"version":1,"records":{"`+keyOf("a")+`":1800000060}}`), []byte(`{"revoked":{"old":1800000060}}`))
	f.Add([]byte(`{"version":1,"records":{"`+keyOf("a")+`":1}}`), []byte(`{"revoked":{}}`))
	f.Add([]byte(`{"version":1,"records":{"`+keyOf("a")+`":1800000060.0}}`), []byte(`{"revoked":{"":-1}}`))
	f.Fuzz(func(t *testing.T, shard, former []byte) {
		documents := store.NewMemory()
		set(t, documents, revocation.DocumentName, index)
		set(t, documents, shardDocument("a"), string(shard))
		set(t, documents, revocation.FormerDocumentName, string(former))
		list, c := newList(t, documents)
		if list.Load(t.Context()) != nil {
			if !list.Revoked("b") {
				t.Error("vouches for a token without having read all")
			}
			return
		}
		before := list.Len()
		known := list.Revoked("a")
		if err := list.Revoke(t.Context(), "a", c.now.Unix()+60); err != nil {
			t.Fatal(err)
		}
		want := before
		if !known {
			want++
		}
		other, _ := newList(t, documents)
		if err := other.Load(t.Context()); err != nil || list.Len() != want || other.Len() != want || !other.Revoked("a") {
			t.Errorf("%v: %d became %d and %d", err, before, list.Len(), other.Len())
		}
	})
}
