package caddymodule

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// etagOf is the entity tag of a client: another one after each change, so that of
// two operators the later one does not undo what the earlier one did (RFC 9110
// section 13.1.1).
func etagOf(record *client.Record) string { return `"` + strconv.FormatUint(record.Revision, 10) + `"` }

// checkMatch refuses a change that was decided on another state of the client.
// Without If-Match every state will do.
func checkMatch(r *http.Request, record *client.Record) error {
	fields, conditional := r.Header["If-Match"]
	if !conditional {
		return nil
	}
	for _, tag := range strings.Split(strings.Join(fields, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etagOf(record) {
			return nil
		}
	}
	return adminError(http.StatusPreconditionFailed, "client %q has changed since: its ETag is now %s", record.ID, etagOf(record))
}

// unchanged tells whether the one who asks has the client as it is.
func unchanged(r *http.Request, record *client.Record) bool {
	for _, tag := range strings.Split(strings.Join(r.Header["If-None-Match"], ","), ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" || tag == etagOf(record) {
			return true
		}
	}
	return false
}
