package client

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Keys finds a client's public keys for an assertion with a `kid` (empty:
// none) and an algorithm. *keys.Held and *keys.Remote do.
type Keys interface {
	Find(ctx context.Context, kid string, alg token.Algorithm) ([]token.VerificationKey, error)
}

// MaxAssertionLifetime is how far ahead the `exp` of an assertion may be: its
// `jti` is remembered for as long.
const MaxAssertionLifetime = time.Hour

// FromAssertion makes credentials of the text of a client assertion. Errors
// mean malformed credentials, to be handed to [Authenticator.Reject], and
// quote nothing.
func FromAssertion(raw string) (Credentials, error) {
	assertion, err := token.ReadAssertion(raw)
	if err != nil {
		return Credentials{}, fmt.Errorf("client_assertion: %w", err)
	}
	return Credentials{Method: PrivateKeyJWT, ClientID: assertion.Subject, Assertion: assertion}, nil
}

// assertion judges a client assertion (RFC 7523 section 3). Its `jti` is used
// up only by one that is good.
func (a *Authenticator) assertion(ctx context.Context, c Credentials) (Authenticated, error) {
	named, barred := a.holder(c.ClientID)
	var found []token.VerificationKey
	var unknown error // why there are no keys
	if barred == "" {
		found, unknown = named.client.Keys.Find(ctx, c.Assertion.KeyID, c.Assertion.Algorithm)
	}
	if ctx.Err() != nil { // the client has gone, and has proved nothing
		return Authenticated{}, fmt.Errorf("looking for the client's keys: %w", ctx.Err())
	}
	err := c.Assertion.Verify(padded(found, c.Assertion))
	switch check, _ := token.Failed(err); {
	case barred != "":
		return Authenticated{}, &Failure{Reason: barred}
	case unknown != nil:
		return Authenticated{}, withoutKeys(unknown)
	case len(found) == 0:
		return Authenticated{}, &Failure{Reason: ofAssertion(token.CheckKey), Cause: errors.New("no key of the client fits kid and alg")}
	case err != nil:
		return Authenticated{}, &Failure{Reason: ofAssertion(check)}
	}
	if reason := a.judgeAssertion(c); reason != "" {
		return Authenticated{}, &Failure{Reason: reason}
	}
	if err := a.use(ctx, c.Assertion); err != nil {
		return Authenticated{}, err
	}
	return Authenticated{client: named.client, method: PrivateKeyJWT}, nil
}

// padded fills up with keys that nobody has, so that a refusal costs as many
// signature checks for a client with few keys, with none, and for one that does
// not exist: one where the assertion names its key, two where it may be signed
// with the former or the next one.
func padded(found []token.VerificationKey, assertion *token.Assertion) []token.VerificationKey {
	wanted := 1
	if assertion.KeyID == "" {
		wanted = 2
	}
	for found = slices.Clone(found); len(found) < wanted; {
		found = append(found, nobodysKey(assertion.Algorithm))
	}
	return found
}

// withoutKeys is the failure of a client whose keys cannot be had. Until they
// are known for the first time, nobody can tell whether it was right.
func withoutKeys(cause error) *Failure {
	if errors.Is(cause, keys.ErrNoSet) {
		return &Failure{Reason: ReasonKeysUnknown, Cause: cause}
	}
	return &Failure{Reason: ofAssertion(token.CheckKey), Cause: cause}
}

// holder returns the account of a client that may use assertions, or why there
// is none.
func (a *Authenticator) holder(id string) (*account, Reason) {
	named, known := a.Registry.account(id)
	switch {
	case !known:
		return nil, ReasonUnknownClient
	case named.client.Disabled:
		return nil, ReasonDisabled
	case named.client.Keys == nil:
		return nil, ReasonNoKeys
	}
	return named, ""
}

// judgeAssertion judges the claims of an assertion that the client signed. The
// empty reason means that they are good.
func (a *Authenticator) judgeAssertion(c Credentials) Reason {
	claims, leeway, seconds := c.Assertion, int64(token.Leeway/time.Second), a.Now().Unix()
	switch {
	case claims.Issuer != c.ClientID: // RFC 7523 section 3, checks 1 and 2
		return ReasonAssertionIssuer
	case claims.Audience == "" || !slices.Contains(a.audience, claims.Audience): // check 3
		return ReasonAssertionAudience
	case seconds >= claims.Expires+leeway: // check 4
		return ReasonAssertionExpired
	case claims.Expires > seconds+int64(MaxAssertionLifetime/time.Second)+leeway:
		return ReasonAssertionLifetime
	case claims.NotBefore > seconds+leeway || claims.IssuedAt > seconds+leeway: // checks 5 and 6
		return ReasonAssertionNotYet
	case claims.ID == "": // check 7
		return ReasonAssertionID
	}
	return ""
}

// use notes that the assertion was used; nil if it is the first time.
func (a *Authenticator) use(ctx context.Context, claims *token.Assertion) error {
	mark := store.Mark{
		Kind: store.KindAssertion, Owner: claims.Subject, ID: claims.ID, Until: time.Unix(claims.Expires, 0).Add(token.Leeway),
	}
	if claims.IssuedAt > 0 {
		mark.Made = time.Unix(claims.IssuedAt, 0)
	}
	switch err := a.Marks.Mark(ctx, mark); {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrUsed):
		return &Failure{Reason: ReasonAssertionReplayed}
	case errors.Is(err, store.ErrStale):
		return &Failure{Reason: ReasonAssertionStale}
	default:
		return fmt.Errorf("%w: %w", ErrUnmarked, err)
	}
}

// nobodysKey is a public key for the algorithm whose private half nobody has.
func nobodysKey(alg token.Algorithm) token.VerificationKey {
	return token.VerificationKey{Algorithm: alg, Public: nobodysKeys()[alg]}
}

var nobodysKeys = sync.OnceValue(func() map[token.Algorithm]crypto.PublicKey {
	return map[token.Algorithm]crypto.PublicKey{
		token.ES256: nobodyOn(elliptic.P256()),
		token.ES384: nobodyOn(elliptic.P384()),
		token.EdDSA: nobodysEd25519(),
		token.RS256: nobodysRSA(),
		token.PS256: nobodysRSA(),
	}
})

func nobodyOn(curve elliptic.Curve) *ecdsa.PublicKey {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err) // a known curve and a random source that never fails
	}
	return &private.PublicKey
}

func nobodysEd25519() ed25519.PublicKey {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // a random source that never fails
	}
	return public
}

// nobodysRSA has a random odd modulus, which costs what one of two primes does
// to verify with and, unlike that, nothing to make.
func nobodysRSA() *rsa.PublicKey {
	modulus := randomBytes(256)
	modulus[0] |= 0x80
	modulus[255] |= 1
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537}
}
