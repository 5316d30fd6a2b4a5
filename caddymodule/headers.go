package caddymodule

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Default names of the headers that tell the upstream who calls.
const (
	defaultClientHeader = "X-Client-Id"
	defaultScopeHeader  = "X-Client-Scope"
	defaultIssuerHeader = "X-Client-Issuer"
)

// methodOverrides are headers by which some frameworks take another method
// than the one that the rules saw.
var methodOverrides = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// pathOverrides are headers by which some frameworks take another path than the
// one that the rules and Caddy's matchers saw: those of IIS (CVE-2018-14773 and its like).
var pathOverrides = []string{"X-Original-Url", "X-Rewrite-Url"}

// headerPolicy is what a gate does to the headers of requests that pass.
type headerPolicy struct {
	client, scope, issuer string   // canonical names; all empty: left alone
	removed               []string // folded names that no client may bring
	named                 []string // folded names that Connection must not name
	key                   string   // canonical name of the one with API keys; empty: none has
}

// newHeaderPolicy makes the policy of a gate. namesMethod: a rule names a
// method, so nothing may override it.
func newHeaderPolicy(g *Gate, namesMethod bool) *headerPolicy {
	policy := &headerPolicy{removed: []string{fold("DPoP")}, named: []string{fold("Authorization"), fold("DPoP")}}
	if !g.ForwardToken {
		policy.removed = append(policy.removed, fold("Authorization"))
	}
	if policy.key = g.keyHeader(); policy.key != "" {
		policy.removed = append(policy.removed, fold(policy.key))
		policy.named = append(policy.named, fold(policy.key))
	}
	overrides := pathOverrides
	if namesMethod {
		overrides = slices.Concat(pathOverrides, methodOverrides)
	}
	for _, name := range overrides {
		policy.removed = append(policy.removed, fold(name))
	}
	if g.IdentityHeaders.Off {
		return policy
	}
	policy.client = headerName(g.IdentityHeaders.Client, defaultClientHeader)
	policy.scope = headerName(g.IdentityHeaders.Scope, defaultScopeHeader)
	policy.issuer = headerName(g.IdentityHeaders.Issuer, defaultIssuerHeader)
	for _, name := range []string{policy.client, policy.scope, policy.issuer} {
		policy.removed = append(policy.removed, fold(name))
		policy.named = append(policy.named, fold(name))
	}
	return policy
}

func headerName(name, byDefault string) string {
	if name == "" {
		name = byDefault
	}
	return http.CanonicalHeaderKey(name)
}

// fold spells a header name as the most careless upstream reads it: without
// case, and with all but letters and digits alike. CGI and its heirs make
// X-Client-Id, X_Client_Id and x.client.id the same variable.
func fold(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'A' <= c && c <= 'Z':
			return c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		}
		return '-'
	}, name)
}

// foldsTo tells whether fold(name) is folded, without making it.
func foldsTo(name, folded string) bool {
	if len(name) != len(folded) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			c = '-'
		}
		if c != folded[i] {
			return false
		}
	}
	return true
}

func anyFoldsTo(name string, folded []string) bool {
	return slices.ContainsFunc(folded, func(one string) bool { return foldsTo(name, one) })
}

// scrub takes out of a request what a client must not tell the upstream. It
// runs before anything is set, whatever the verdict will be.
func (p *headerPolicy) scrub(r *http.Request) {
	p.scrubFields(r.Header)
	p.scrubConnection(r.Header)
	if r.Trailer == nil {
		return
	}
	// Trailers arrive with the end of the body, and reverse_proxy forwards them.
	p.scrubFields(r.Trailer)
	if r.Body != nil {
		r.Body = &trailerScrubber{ReadCloser: r.Body, request: r, policy: p}
	}
}

func (p *headerPolicy) scrubFields(header http.Header) {
	for name := range header {
		if anyFoldsTo(name, p.removed) {
			delete(header, name)
		}
	}
}

// scrubConnection keeps a client from naming our headers as hop-by-hop, which
// would make reverse_proxy drop them (RFC 9110 section 7.6.1), and from
// upgrading to anything but a WebSocket: in another protocol the requests that
// follow pass no gate (h2c).
func (p *headerPolicy) scrubConnection(header http.Header) {
	upgrade := header["Upgrade"]
	websocket := len(upgrade) == 1 && strings.EqualFold(upgrade[0], "websocket")
	if len(upgrade) > 0 && !websocket {
		delete(header, "Upgrade")
	}
	fields, found := header["Connection"]
	if !found {
		return
	}
	var kept []string
	for _, field := range fields {
		for option := range strings.SplitSeq(field, ",") {
			option = strings.TrimSpace(option)
			ours := anyFoldsTo(option, p.named) || strings.EqualFold(option, "Upgrade") && !websocket
			if option != "" && !ours {
				kept = append(kept, option)
			}
		}
	}
	if len(kept) == 0 {
		delete(header, "Connection")
		return
	}
	header["Connection"] = []string{strings.Join(kept, ", ")}
}

// identity has room for the fields that identify sets.
type identity [3]string

// identify tells the upstream who calls. The values come from a token whose
// client_id and scope the gate found fit for a header. They are kept in values,
// which must be of this request alone.
func (p *headerPolicy) identify(header http.Header, claims *token.Claims, values *identity) {
	if p.client == "" || claims == nil {
		return
	}
	*values = identity{claims.ClientID, claims.Issuer, claims.Scope.String()}
	header[p.client], header[p.issuer] = values[0:1:1], values[1:2:2]
	if len(claims.Scope) > 0 {
		header[p.scope] = values[2:3:3]
	}
}

// trailerScrubber removes our names from the trailers as soon as they are
// there: in the very Read that ends the body, before whoever reads it copies them.
type trailerScrubber struct {
	io.ReadCloser
	request *http.Request
	policy  *headerPolicy
}

func (s *trailerScrubber) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil {
		s.policy.scrubFields(s.request.Trailer)
	}
	return n, err
}
