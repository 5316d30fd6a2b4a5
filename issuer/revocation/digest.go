package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// digest stands for a `jti`: the first half of its SHA-256. All have one size, and
// nobody finds two of one digest: that takes 2^64 attempts, and would only have a
// token refused of those that the issuer makes itself.
type digest [16]byte

func digestOf(jti string) (d digest) {
	sum := sha256.Sum256([]byte(jti))
	copy(d[:], sum[:])
	return d
}

// encoding is that of the keys of records.
var encoding = base64.RawURLEncoding.Strict()

// key is the key of the record.
func (d digest) key() string { return encoding.EncodeToString(d[:]) }

// shard is in which part of the list it is.
func (d digest) shard() int {
	var key [22]byte
	encoding.Encode(key[:], d[:])
	return store.ShardOf(string(key[:]))
}

func readKey(key string) (d digest, err error) {
	decoded, err := encoding.DecodeString(key)
	if err != nil || len(decoded) != len(d) || len(key) != 22 {
		return d, errors.New("expected digests of 22 characters as keys of records")
	}
	copy(d[:], decoded)
	return d, nil
}

// seconds is a Unix time as it is kept. Nothing that is alive has one that does not fit.
func seconds(unix int64) uint32 { return uint32(min(max(unix, 0), math.MaxUint32)) } //nolint:gosec // bounded here
