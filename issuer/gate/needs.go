package gate

import "github.com/dd99cb49/caddy-client-credentials/issuer/token"

// Enough lists sets of scopes each of which is enough for requests that a rule
// covers; with nil, for those of a gate without rules. It is what a client
// would have to be given, where [Verdict.Needed] is what a challenge may list.
// There is no set where no scope is needed. None may be changed.
func (g *Gate) Enough(rule *Rule) []token.Scopes {
	all := g.config.Scopes
	switch {
	case rule == nil:
	case rule.Public:
		return nil
	case rule.Any:
		sets := make([]token.Scopes, len(rule.Scopes))
		for i := range rule.Scopes {
			sets[i] = all.Union(rule.Scopes[i : i+1])
		}
		return sets
	default:
		all = all.Union(rule.Scopes)
	}
	if len(all) == 0 {
		return nil
	}
	return []token.Scopes{all}
}
