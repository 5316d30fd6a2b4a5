package gate

import (
	"context"
	"sync/atomic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Issuer is an authorization server whose tokens may pass. *Own and *Trusted
// are; the same one may stand in several gates.
type Issuer interface {
	// URL is the `iss` of its tokens, compared byte for byte.
	URL() string
	// Foreign tells whether it is another server than ours.
	Foreign() bool
	// Verify returns the claims of a token that the issuer has signed, or a
	// [*token.Error]. Time, audience and the client's state are not judged.
	Verify(ctx context.Context, raw string) (*token.Claims, error)
	// Generation changes whenever what Verify said may be worth nothing any more.
	Generation() uint64
	// Clients knows whether the client of a token may still use it; nil: nobody does.
	Clients() Clients
}

// Own is our own issuer.
type Own struct {
	url     string
	keys    Keys
	clients Clients
	gated   atomic.Bool // a gate takes its tokens
}

// NewOwn makes our own issuer. All of it is needed.
func NewOwn(url string, keys Keys, clients Clients) *Own {
	return &Own{url: url, keys: keys, clients: clients}
}

// URL implements [Issuer].
func (o *Own) URL() string { return o.url }

// Foreign implements [Issuer].
func (*Own) Foreign() bool { return false }

// Clients implements [Issuer].
func (o *Own) Clients() Clients { return o.clients }

// Generation implements [Issuer].
func (o *Own) Generation() uint64 { return o.keys.Generation() }

// Verify implements [Issuer] (RFC 9068 section 4).
func (o *Own) Verify(_ context.Context, raw string) (*token.Claims, error) {
	return token.Parse(raw, o.keys)
}

// Trusted is another authorization server.
type Trusted struct {
	url  string
	read token.Foreign
	keys TrustedKeys
}

// TrustedKeys finds the keys of another authorization server. *keys.Held and
// *keys.Remote do.
type TrustedKeys interface {
	// Find returns the keys by which a token with a `kid` (empty: none) and an
	// algorithm may have been signed. It may wait for them.
	Find(ctx context.Context, kid string, alg token.Algorithm) ([]token.VerificationKey, error)
	// Generation changes whenever the keys did.
	Generation() uint64
}

// NewTrusted makes another authorization server: how its tokens are read, and
// its keys. All of it is needed.
func NewTrusted(url string, read token.Foreign, keys TrustedKeys) *Trusted {
	return &Trusted{url: url, read: read, keys: keys}
}

// URL implements [Issuer].
func (t *Trusted) URL() string { return t.url }

// Foreign implements [Issuer].
func (*Trusted) Foreign() bool { return true }

// Clients implements [Issuer]: of the clients of others nothing is known here.
func (*Trusted) Clients() Clients { return nil }

// Generation implements [Issuer].
func (t *Trusted) Generation() uint64 { return t.keys.Generation() }

// Verify implements [Issuer]. The keys are asked for by `kid` and `alg`: those of
// one server never judge a token of another, whatever their kids are.
func (t *Trusted) Verify(ctx context.Context, raw string) (*token.Claims, error) {
	unverified, err := t.read.Read(raw)
	if err != nil {
		return nil, err
	}
	keys, err := t.keys.Find(ctx, unverified.KeyID, unverified.Algorithm)
	if err != nil {
		return nil, &token.Error{Check: token.CheckKey, Cause: err}
	}
	return unverified.Verify(keys)
}
