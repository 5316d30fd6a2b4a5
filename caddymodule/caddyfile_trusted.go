package caddymodule

import "fmt"

// trustedIssuer reads
//
//	trusted_issuer <url> {
//		jwks_uri     <url>
//		jwks         <file>
//		algorithms   <alg>...
//		scope_claim  <name>
//		client_claim <name>
//		typ          <value>|any
//	}
func (r *appReader) trustedIssuer(l line) error {
	path := fmt.Sprintf("trusted_issuers[%d]", len(r.app.TrustedIssuers))
	r.marks[path] = l.words[0]
	trusted := TrustedIssuer{Issuer: l.words[0].Text}
	text := func(grammar, name string, into *string) subdirective {
		return subdirective{grammar: grammar, words: exactly(1), read: r.marks.text(path+"."+name, into)}
	}
	err := readBlock(fmt.Sprintf("trusted_issuer %q", trusted.Issuer), l.block, []subdirective{
		text("jwks_uri <url>", "jwks_uri", &trusted.JWKSURI),
		text("jwks <file>", "jwks", &trusted.JWKS),
		{
			grammar: "algorithms <alg>...", words: atLeast(1), repeats: true,
			read: r.marks.list(path+".algorithms", &trusted.Algorithms),
		},
		text("scope_claim <name>", "scope_claim", &trusted.ScopeClaim),
		text("client_claim <name>", "client_claim", &trusted.ClientClaim),
		text("typ <value>|any", "typ", &trusted.Type),
	})
	r.app.TrustedIssuers = append(r.app.TrustedIssuers, trusted)
	return err
}
