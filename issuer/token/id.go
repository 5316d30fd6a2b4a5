package token

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"
)

// NewID returns a fresh `jti`: 128 random bits and, behind a dot, the epoch of
// the client that the token is made for. Epoch 0 is left out.
//
// A client's epoch grows whenever its earlier tokens must be refused. A number
// orders tokens and changes exactly; `iat`, in whole seconds, would refuse
// some that were made right after the change or let some from before pass.
func NewID(epoch uint64) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	id := base64.RawURLEncoding.EncodeToString(random[:])
	if epoch == 0 {
		return id
	}
	return id + "." + strconv.FormatUint(epoch, 10)
}

// Epoch returns the epoch that [NewID] wrote into a `jti`; 0 where there is none.
func Epoch(id string) uint64 {
	_, number, found := strings.Cut(id, ".")
	if !found {
		return 0
	}
	epoch, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0
	}
	return epoch
}

// IsID tells whether a text has the form of what [NewID] returns.
func IsID(text string) bool {
	random, number, found := strings.Cut(text, ".")
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(random)
	if err != nil || len(decoded) != 16 || len(random) != base64.RawURLEncoding.EncodedLen(16) {
		return false
	}
	epoch, err := strconv.ParseUint(number, 10, 64)
	return !found || err == nil && epoch > 0 && strconv.FormatUint(epoch, 10) == number
}
