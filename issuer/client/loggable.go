package client

import (
	"encoding/hex"
	"strings"
)

// What [Registry.LoggableID] returns in place of a client_id.
const (
	WithheldID    = "(withheld)"
	MalformedID   = "(malformed)"
	unknownPrefix = "unknown:"
)

// LoggableID returns what the audit log may show of a client_id that a
// stranger sent: that of a client as it is, and of others what cannot be a
// secret of ours, since people swap id and secret.
//
//   - What looks like a secret, or is one that can be told at no cost, becomes
//     [WithheldID].
//   - What cannot be a client_id becomes [MalformedID], so that nobody writes
//     lines of their own into the log.
//   - What is as long as a secret, or anything where a secret is kept as a slow
//     hash, becomes "unknown:" and a short hash under a key of this process: a
//     mistyped secret is nearly as good as the right one. Lines with one id can
//     be told to belong together.
//
// It takes as long for a client that exists as for one that does not.
func (r *Registry) LoggableID(claimed string) string {
	now := r.current.Load()
	_, known := now.accounts.get(claimed)
	found, short := digestsOf(claimed), shortHash(claimed)
	_, isPlain := now.fast.get(found.plain)
	_, isHashed := now.fast.get(found.sha256)
	switch {
	case known:
		return claimed
	case isPlain || isHashed || strings.HasPrefix(claimed, GeneratedPrefix):
		return WithheldID
	case !ValidID(claimed):
		return MalformedID
	case len(claimed) < MinPlainSecret && len(now.nobody.candidates.slow) == 0:
		return claimed
	}
	return unknownPrefix + short
}

// logMAC makes the hashes in the log. Its key is not that of plain secrets,
// whose hashes the log must tell nothing of.
var logMAC = newMAC()

func shortHash(text string) string {
	sum := logMAC.sum([]byte(text))
	return hex.EncodeToString(sum[:4])
}
