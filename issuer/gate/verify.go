package gate

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// verify returns what is known of a token that is valid at this gate and at
// this moment, and whether its signature had to be checked; errors are
// *token.Error. Beside an error, nil means that nobody knows whose token it is;
// else it is one that its issuer signed for the client.
func (g *Gate) verify(ctx context.Context, raw string) (known *entry, fresh bool, err error) {
	if len(raw) > token.MaxLength { // before it is hashed
		return nil, false, &token.Error{Check: token.CheckFormat}
	}
	key := digestOf(raw)
	known, hit := g.config.Cache.find(key)
	if !hit || !g.takes(known.issuer) || known.keys != known.issuer.Generation() {
		fresh = true
		if known, err = g.authenticate(ctx, raw); err != nil {
			return nil, fresh, err
		}
		g.config.Cache.entries.Set(key, known)
	}
	if err := g.judge(known); err != nil {
		if check, _ := token.Failed(err); check == token.CheckExpired {
			g.config.Cache.forget(key)
		}
		return known, fresh, err
	}
	return known, fresh, nil
}

// digestOf is the hash of a token. One of a usual length is not copied to the heap.
func digestOf(raw string) digest {
	var buffer [1536]byte
	return sha256.Sum256(append(buffer[:0], raw...))
}

// takes tells whether tokens of the issuer may pass here: the cache has those of
// other gates too.
func (g *Gate) takes(issuer Issuer) bool {
	for _, one := range g.config.Issuers {
		if one == issuer {
			return true
		}
	}
	return false
}

// issuerOf finds out who is to judge a token. With several, its `iss` chooses
// among those that the configuration trusts: nothing else is ever asked.
func (g *Gate) issuerOf(raw string) (Issuer, error) {
	if len(g.config.Issuers) == 1 {
		return g.config.Issuers[0], nil
	}
	claimed, err := token.Issuer(raw)
	if err != nil {
		return nil, err
	}
	for _, issuer := range g.config.Issuers {
		if issuer.URL() == claimed {
			return issuer, nil
		}
	}
	return nil, &token.Error{Check: token.CheckIssuer}
}

// authenticate judges what can never change about a token as long as its key
// is there: who made it, and that it is an access token (RFC 9068 section 4).
func (g *Gate) authenticate(ctx context.Context, raw string) (*entry, error) {
	issuer, err := g.issuerOf(raw)
	if err != nil {
		return nil, err
	}
	// Read before the keys are: a change meanwhile makes the entry stale.
	generation := issuer.Generation()
	claims, err := issuer.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := acceptable(claims, issuer); err != nil {
		return nil, err
	}
	g.share(claims, issuer)
	return &entry{claims: *claims, issuer: issuer, keys: generation, size: entrySize(raw, claims)}, nil
}

// acceptable tells whether what an issuer has signed is a token of its own that names
// a client; the error is a *token.Error.
func acceptable(claims *token.Claims, issuer Issuer) error {
	switch {
	case claims.Issuer != issuer.URL():
		return &token.Error{Check: token.CheckIssuer}
	case claims.Expires == 0:
		return &token.Error{Check: token.CheckExpired, Cause: errors.New("exp is missing")}
	case !issuer.Foreign() && (claims.IssuedAt == 0 || claims.Subject == "" || claims.ID == ""):
		return &token.Error{Check: token.CheckFormat, Cause: errors.New("iat, sub or jti is missing")}
	case !fitsHeader(claims.ClientID):
		return &token.Error{Check: token.CheckIdentity}
	}
	return nil
}

// share has claims use texts that are there anyway in place of copies of their
// own: with 40,000 remembered, those are what the collector of garbage goes through.
func (g *Gate) share(claims *token.Claims, issuer Issuer) {
	claims.Issuer = issuer.URL()
	if claims.Subject == claims.ClientID {
		claims.Subject = claims.ClientID
	}
	if len(claims.Audience) == 1 && claims.Audience[0] == g.config.Resource {
		claims.Audience = g.audience
	}
}

// judge holds a token against the clock, the resource and its client's state.
func (g *Gate) judge(known *entry) error {
	if err := known.claims.CheckTime(g.config.Now()); err != nil {
		return err
	}
	if !known.claims.HasAudience(g.config.Resource) {
		return &token.Error{Check: token.CheckAudience}
	}
	clients := known.issuer.Clients()
	if clients == nil {
		return nil
	}
	generation := clients.Generation()
	if known.clients.Load() == generation {
		return nil
	}
	if err := clients.CheckToken(&known.claims); err != nil {
		return err
	}
	known.clients.Store(generation)
	return nil
}

// fitsHeader tells whether a value can be written into a header as it is:
// printable ASCII, not empty, no space at an end that a parser would trim.
func fitsHeader(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return value != "" && value[0] != ' ' && value[len(value)-1] != ' '
}
