package caddymodule

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// etagOf is the entity tag of a client (RFC 9110 section 8.8.3): its revision. It
// grows with each change, also of a client that was removed and made again.
func etagOf(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// checkConditions tells whether a change may be made to a client of this revision
// (RFC 9110 section 13.1).
func checkConditions(header http.Header, revision uint64) error {
	if sent := header.Values("If-Match"); len(sent) > 0 && !listsTag(sent, revision, false) {
		return adminError(http.StatusPreconditionFailed, "If-Match: the client has changed: its ETag is %s", etagOf(revision))
	}
	if sent := header.Values("If-None-Match"); len(sent) > 0 && listsTag(sent, revision, true) {
		return adminError(http.StatusPreconditionFailed, "If-None-Match: there is such a client: its ETag is %s", etagOf(revision))
	}
	return nil
}

// notModified tells whether who reads a client has it already.
func notModified(header http.Header, revision uint64) bool {
	sent := header.Values("If-None-Match")
	return len(sent) > 0 && listsTag(sent, revision, true)
}

// listsTag tells whether a field names the entity tag of a revision, or any. A weak
// one is equal only in the weak comparison (RFC 9110 section 8.8.3.2).
func listsTag(fields []string, revision uint64, weak bool) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(fields, ","), ","), func(tag string) bool {
		tag = strings.TrimSpace(tag)
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		return tag == "*" || tag == etagOf(revision)
	})
}
