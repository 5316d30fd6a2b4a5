package caddymodule

// Client is a machine that may ask for tokens.
type Client struct {
	// The client_id: 1 to 128 printable ASCII characters, not beginning or
	// ending with a space.
	ID string `json:"id"`

	// A name for people, in lists and logs. Default: none.
	Name string `json:"name,omitempty"`

	// The client's secrets. Any of them that has not expired is good, so that
	// rotation interrupts nobody.
	Secrets []Secret `json:"secrets,omitempty"`

	// The client's public keys (RFC 7517), by which it may prove who it is with
	// `private_key_jwt` (RFC 7523): the path of a file, which is read again when
	// it changes, or the JSON itself. Excludes `jwks_uri`. Default: none.
	JWKS string `json:"jwks,omitempty"`

	// Instead of `jwks`: the url where the client publishes its keys, https or on
	// loopback. It is asked when the keys are first needed, and at most once in
	// five seconds for a key that is not known. Default: none.
	JWKSURI string `json:"jwks_uri,omitempty"`

	// What a certificate must be called with which the client may prove who it is
	// (`tls_client_auth`, RFC 8705 section 2.1). Caddy's `client_auth` must have
	// verified its chain. Default: no certificate will do.
	TLSClientAuth CertificateName `json:"tls_client_auth,omitzero"`

	// The path of a PEM file with the client's own certificates, with each of
	// which it may prove who it is (`self_signed_tls_client_auth`, RFC 8705 section
	// 2.2). It is read again when it changes. Default: none.
	SelfSigned string `json:"self_signed_tls_client_auth,omitempty"`

	// The scopes that the client may have, besides those of its roles.
	Scopes []string `json:"scopes,omitempty"`

	// The names of the client's roles.
	Roles []string `json:"roles,omitempty"`

	// The resources that the client may ask tokens for. The first is used where
	// it asks for none. Default: all that are declared.
	Resources []string `json:"resources,omitempty"`

	// The `sub` of the client's tokens. Default: the client_id.
	Subject string `json:"subject,omitempty"`

	// How long the client's tokens live. Default: the resource's
	// `token_lifetime`, else the app's.
	TokenLifetime Duration `json:"token_lifetime,omitempty"`

	// Claims to add to the client's tokens. Names that RFC 9068 or RFC 7519
	// registers are refused.
	Claims map[string]string `json:"claims,omitempty"`

	// What the client's tokens must be bound to: `dpop`, the key of a DPoP proof
	// (RFC 9449), or `mtls`, the certificate of the connection (RFC 8705 section
	// 3). Without it the client gets none, and those that are not bound are
	// refused. Default: to the key of a proof if one comes.
	Require string `json:"require,omitempty"`

	// Lets the client in at a gate's bridge with a secret in place of a token.
	// Excludes `require`. Default: false.
	AllowBridge bool `json:"allow_bridge,omitempty"`

	// About whose tokens the client may ask at the introspection endpoint: `any`
	// client's, its `own`, or `none`. Default: `own`.
	Introspect string `json:"introspect,omitempty"`

	// A disabled client gets no token, and those it has are refused, also after
	// it was enabled again. Default: false.
	Disabled bool `json:"disabled,omitempty"`
}

// Secret is one of a client's secrets: either the text or a hash of it.
type Secret struct {
	// A name for this secret in lists and logs. Default: its position among
	// the client's secrets, beginning with 1.
	ID string `json:"id,omitempty"`

	// The secret itself, at least 16 bytes, any UTF-8. Better a placeholder
	// (`{env.BATCH_SECRET}`, `{file./run/secrets/batch}`) than the text: it is
	// resolved when the configuration is loaded and shows nowhere.
	Secret string `json:"secret,omitempty"`

	// Instead of `secret`: a hash in PHC form, `$argon2id$`, `$2a$`, `$2b$`,
	// `$2y$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$` or `$sha256$`.
	Hash string `json:"hash,omitempty"`

	// The moment from which the secret is refused (RFC 3339). Default: never.
	Expires string `json:"expires,omitempty"`
}

// CertificateName is what a certificate must be called.
type CertificateName struct {
	// Where the name stands: `subject_dn`, or a subject alternative name:
	// `san_dns`, `san_uri`, `san_ip` or `san_email`.
	Kind string `json:"kind,omitempty"`

	// The name itself. A `subject_dn` is written as RFC 4514 has it and compared
	// as a name, not as text; the others must be in the certificate as they are.
	Value string `json:"value,omitempty"`
}
