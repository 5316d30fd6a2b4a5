package gate

import "github.com/dd99cb49/caddy-client-credentials/issuer/token"

// Issued remembers a token that this very process has signed with the key keyID a
// moment ago: at its first request the gate need not find out what the issuer
// knows. Nothing else is spared: time, audience, client, revocation and proof are
// judged as those of any token. The claims are those that were signed, in the
// form in which [token.Parse] returns them, and are not changed any more.
//
// Where no gate takes tokens of the issuer, where the key is no longer one to
// verify with, or where a gate would refuse such a token, nothing is remembered.
func (c *Cache) Issued(own *Own, keyID, raw string, claims *token.Claims) {
	if !own.gated.Load() || len(raw) > token.MaxLength || acceptable(claims, own) != nil {
		return
	}
	// Read before the key is looked up: where it goes meanwhile, the entry is stale.
	generation := own.Generation()
	if _, found := own.keys.Key(keyID); !found {
		return
	}
	c.add(digestOf(raw), &entry{claims: *claims, issuer: own, keys: generation, size: entrySize(raw, claims)})
}
