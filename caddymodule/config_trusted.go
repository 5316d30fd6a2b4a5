package caddymodule

// TrustedIssuer is another authorization server, whose tokens a gate may take.
type TrustedIssuer struct {
	// Its issuer identifier, exactly as it stands in `iss`: an https url, or http
	// on loopback; another one than that of our own.
	Issuer string `json:"issuer"`

	// The url of its key set (RFC 7517), https or on loopback. Default: what its
	// metadata says (RFC 8414, then OpenID Connect Discovery).
	JWKSURI string `json:"jwks_uri,omitempty"`

	// Instead of `jwks_uri`: the path of a file with its key set, which is read
	// again when it changes. Nothing is fetched then. Default: none.
	JWKS string `json:"jwks,omitempty"`

	// The signature algorithms of its tokens. Default: `ES256`, `ES384`, `EdDSA`,
	// `RS256` and `PS256`.
	Algorithms []string `json:"algorithms,omitempty"`

	// The claim with the scopes, as a text with spaces or a list. Default:
	// `scope`, and where a token has none, `scp`.
	ScopeClaim string `json:"scope_claim,omitempty"`

	// The claim that names the client. Default: `client_id`, else `azp`, else
	// `sub`.
	ClientClaim string `json:"client_claim,omitempty"`

	// The `typ` of its access tokens; `any` takes every other and none too, which
	// makes its ID tokens good at the gate if their `aud` is. Default: `at+jwt`.
	Type string `json:"typ,omitempty"`
}
