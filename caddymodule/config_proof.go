package caddymodule

// Limits bound what strangers may try.
type Limits struct {
	// Failed client authentications for each client and address; then 429, the
	// right secret included. Default: 10 in 1m.
	TokenFailures FailureLimit `json:"token_failures,omitzero"`
}

// FailureLimit is a number in a time.
type FailureLimit struct {
	// How many. Default: 10.
	Count Count `json:"count,omitempty"`

	// In which time. Default: `1m`.
	Duration Duration `json:"duration,omitempty"`
}

// DPoP says what is asked of DPoP proofs (RFC 9449).
type DPoP struct {
	// Whether a proof must hold a nonce of the server's (sections 8 and 9), at
	// the token endpoint and at the gates. Default: false.
	Nonce bool `json:"nonce,omitempty"`

	// How old a proof may be. Default: `1m`.
	MaxAge Duration `json:"max_age,omitempty"`
}
