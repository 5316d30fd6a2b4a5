package gate

import (
	"crypto/sha256"
	"errors"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// verify returns the claims of a token that is valid at this gate and at this
// moment; errors are *token.Error.
func (g *Gate) verify(raw string) (*token.Claims, error) {
	if len(raw) > token.MaxLength { // before it is hashed
		return nil, &token.Error{Check: token.CheckFormat}
	}
	key := digest(sha256.Sum256([]byte(raw)))
	known, hit := g.config.Cache.entries.GetIfPresent(key)
	if !hit || known.keys != g.config.Keys.Generation() {
		fresh, err := g.authenticate(raw)
		if err != nil {
			return nil, err
		}
		known = fresh
		g.config.Cache.entries.Set(key, known)
	}
	if err := g.judge(known); err != nil {
		if check, _ := token.Failed(err); check == token.CheckExpired {
			g.config.Cache.entries.Invalidate(key)
		}
		return nil, err
	}
	return known.claims, nil
}

// authenticate judges what can never change about a token as long as its key
// is there: who made it, and that it is an access token (RFC 9068 section 4).
func (g *Gate) authenticate(raw string) (*entry, error) {
	// Read before the keys are: a change meanwhile makes the entry stale.
	generation := g.config.Keys.Generation()
	claims, err := token.Parse(raw, g.config.Keys, token.Type)
	if err != nil {
		return nil, err
	}
	switch {
	case claims.Issuer != g.config.Issuer:
		return nil, &token.Error{Check: token.CheckIssuer}
	case claims.Expires == 0:
		return nil, &token.Error{Check: token.CheckExpired, Cause: errors.New("exp is missing")}
	case claims.IssuedAt == 0 || claims.Subject == "" || claims.ID == "":
		return nil, &token.Error{Check: token.CheckFormat, Cause: errors.New("iat, sub or jti is missing")}
	case !fitsHeader(claims.ClientID):
		return nil, &token.Error{Check: token.CheckIdentity}
	}
	return &entry{claims: claims, keys: generation, size: entrySize(raw)}, nil
}

// judge holds a token against the clock, the resource and its client's state.
func (g *Gate) judge(known *entry) error {
	if err := known.claims.CheckTime(g.config.Now()); err != nil {
		return err
	}
	if !known.claims.HasAudience(g.config.Resource) {
		return &token.Error{Check: token.CheckAudience}
	}
	generation := g.config.Clients.Generation()
	if known.clients.Load() == generation {
		return nil
	}
	if err := g.config.Clients.CheckToken(known.claims); err != nil {
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
