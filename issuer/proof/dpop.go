package proof

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Defaults and bounds of the time in which a proof is good.
const (
	DefaultMaxAge = time.Minute      // since it was made
	Skew          = 30 * time.Second // how far ahead of ours the client's clock may be
)

// Config is what a [Checker] judges by. Fields without a default are needed.
type Config struct {
	MaxAge time.Duration // how old a proof may be; default [DefaultMaxAge]
	Marks  store.Marks   // remembers which proofs were used
	Nonces *Nonces       // default: nobody needs one

	// Horizon bounds the age of proofs that may have been noted for a shorter time
	// than MaxAge. Default: none were.
	Horizon *Horizon

	Now func() time.Time // default: time.Now
}

// Checker judges DPoP proofs (RFC 9449 section 4.3). It is safe for concurrent use.
type Checker struct {
	config Config
	keys   publicKeys
}

// NewChecker makes a checker. The error says which part of the configuration
// is missing.
func NewChecker(config Config) (*Checker, error) {
	if config.Marks == nil {
		return nil, errors.New("proof: marks are needed")
	}
	if config.MaxAge <= 0 {
		config.MaxAge = DefaultMaxAge
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Checker{config: config, keys: newPublicKeys()}, nil
}

// Request is what a proof must be for.
type Request struct {
	Method string
	// URLs are the spellings of the request's url as [NormalURL] returns them:
	// the proof must be for one of them.
	URLs []string
	// AccessToken is the token that comes with the proof; empty at the token
	// endpoint, where there is none yet.
	AccessToken string
	// Thumbprint is the key that the token is bound to; empty: any key will do.
	Thumbprint string
	// Owner is the client that sends the proof, by its client_id: what it uses up
	// is counted against it, whatever keys it makes.
	Owner string
}

// Proven is what a good proof has shown.
type Proven struct {
	Thumbprint string // RFC 7638, of the key: the `jkt` to bind to
	Nonce      string // for DPoP-Nonce, where the client should take a newer one; else empty
}

// NewNonce is the nonce for a client that needs one; empty where none is asked for.
func (c *Checker) NewNonce() string {
	if c.config.Nonces == nil {
		return ""
	}
	return c.config.Nonces.Current()
}

// LacksNonce tells whether a proof that can be read lacks a good nonce, before
// anything else is judged of it or of who sends it: a client that learns of the
// nonce only after an assertion was used up would have to make another one.
func (c *Checker) LacksNonce(fields []string) bool {
	if c.config.Nonces == nil || len(fields) != 1 {
		return false
	}
	proof, err := token.ReadProof(fields[0])
	if err != nil {
		return false // told later what is wrong with it
	}
	good, _ := c.config.Nonces.Check(proof.Nonce)
	return !good
}

// Check judges the DPoP fields of a request. A proof that is refused is not
// used up. Errors are [*Error], or those of the marks: then nothing is known
// of the proof and the request must be refused as one that could be good.
func (c *Checker) Check(ctx context.Context, fields []string, want *Request) (Proven, error) {
	switch len(fields) {
	case 0:
		return Proven{}, refuse(CheckMissing, nil)
	case 1:
	default: // check 1
		return Proven{}, refuse(CheckDuplicate, nil)
	}
	proof, err := token.ReadProof(fields[0])
	if err != nil {
		return Proven{}, ofMessage(err)
	}
	// What costs little comes first; the order tells a stranger nothing.
	if err := c.claims(proof, want); err != nil {
		return Proven{}, err
	}
	key, err := c.keys.verify(proof, want.Thumbprint)
	if err != nil {
		return Proven{}, err
	}
	renewed, err := c.nonce(proof.Nonce)
	if err != nil {
		return Proven{}, err
	}
	if err := c.use(ctx, proof, key.thumbprint, want.Owner); err != nil {
		return Proven{}, err
	}
	return Proven{Thumbprint: key.thumbprint, Nonce: renewed}, nil
}

// claims judges what the proof says of the request and the time (checks 8, 9,
// 11 and 12).
func (c *Checker) claims(proof *token.Proof, want *Request) error {
	if proof.Method != want.Method {
		return refuse(CheckMethod, nil)
	}
	if !isFor(proof.URL, want.URLs) {
		return refuse(CheckURL, nil)
	}
	made, now := time.Unix(proof.IssuedAt, 0), c.config.Now()
	if made.After(now.Add(Skew)) || !now.Before(c.end(made)) {
		return refuse(CheckTime, nil)
	}
	if proof.ID == "" {
		return refuse(CheckID, nil)
	}
	if want.AccessToken == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(want.AccessToken))
	if proof.AccessTokenHash != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return refuse(CheckToken, nil)
	}
	return nil
}

// end is the first moment at which a proof made then is too old. `iat` has
// whole seconds: the one in which it was made counts as its whole.
func (c *Checker) end(made time.Time) time.Time {
	return made.Add(c.config.Horizon.ageOf(made, c.config.MaxAge) + time.Second)
}

func isFor(raw string, urls []string) bool {
	normal, err := NormalURL(raw)
	if err != nil {
		return false
	}
	for _, one := range urls {
		if one == normal {
			return true
		}
	}
	return false
}

// nonce judges the nonce (check 10), and returns a newer one if it is about to
// end (section 8.2).
func (c *Checker) nonce(nonce string) (renewed string, err error) {
	if c.config.Nonces == nil {
		return "", nil
	}
	good, current := c.config.Nonces.Check(nonce)
	switch {
	case !good:
		return "", refuse(CheckNonce, nil)
	case !current:
		return c.config.Nonces.Current(), nil
	}
	return "", nil
}

// use notes that the proof was used (section 11.1). It is the last check: a
// proof that is refused for something else can be sent again.
func (c *Checker) use(ctx context.Context, proof *token.Proof, thumbprint, owner string) error {
	made := time.Unix(proof.IssuedAt, 0)
	err := c.config.Marks.Mark(ctx, store.Mark{
		Kind: store.KindProof, Owner: owner, ID: thumbprint + " " + proof.ID, Made: made, Until: c.end(made),
	})
	if errors.Is(err, store.ErrUsed) || errors.Is(err, store.ErrStale) {
		return refuse(CheckReplay, err)
	}
	return err
}
