package caddymodule

// Bridge lets callers in that cannot ask for tokens yet.
type Bridge struct {
	// What the caller sends: `basic`, the client_id and a secret as HTTP Basic
	// (RFC 7617), or `api_key`, a secret alone in a header.
	Kind string `json:"kind"`

	// The name of that header, which never reaches the upstream. Needed for
	// `api_key`, and for nothing else.
	Header string `json:"header,omitempty"`

	// The moment from which there is no such bridge (RFC 3339), or a date, which
	// is its first moment in UTC. Default: it has no end, of which the log warns.
	Until string `json:"until,omitempty"`
}
