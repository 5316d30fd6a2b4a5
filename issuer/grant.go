package issuer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// tokenResponse is RFC 6749 section 5.1. `scope` is always there, also where
// it is what was asked for; there is never a refresh token (section 4.4.3).
type tokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

// request is a request of a client whose form has been read.
type request struct {
	form          form
	method        string   // of HTTP
	authorization []string // the Authorization fields
	dpop          []string // the DPoP fields
	peer          Peer

	nonce string // set on the way: what the answer says in DPoP-Nonce
}

// issueAt makes the answer of a token endpoint that has these urls.
func (s *Server) issueAt(urls []string) (answer, error) {
	normal, err := proofURLs(urls)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, req *request, event *Event) (any, error) {
		return s.issue(ctx, req, normal, event)
	}, nil
}

// issue is the client credentials grant (RFC 6749 section 4.4): authenticate,
// authorize resources and scopes, bind, mint. The event is filled in on the way.
func (s *Server) issue(ctx context.Context, req *request, urls []string, event *Event) (any, error) {
	if err := checkGrantType(req.form.get("grant_type")); err != nil {
		return nil, err
	}
	if s.config.Proofs.LacksNonce(req.dpop) {
		return nil, s.needsNonce(req, nil)
	}
	// Before the client is found: where it is disabled or removed on the way, its token
	// is one from before that.
	epochs := s.config.Epochs.Current()
	// Judged before scope and resource, which tell nothing to strangers.
	who, err := s.authenticate(ctx, req, event)
	if err != nil {
		return nil, err
	}
	resources, err := s.authorizeResources(who.Client(), req.form.all("resource"))
	if err != nil {
		return nil, err
	}
	scope, err := s.authorizeScope(who.Client(), resources, req.form.get("scope"))
	if err != nil {
		return nil, err
	}
	confirmation, err := s.bind(ctx, who.Client(), req, urls)
	if err != nil {
		return nil, err
	}
	event.Scope, event.Resources, event.Confirmation = scope, identifiers(resources), confirmation
	return s.mint(who.Client(), resources, epochs.Of(who.Client()), event)
}

func checkGrantType(value string) error {
	switch value {
	case grantType:
		return nil
	case "":
		return invalidRequest("grant_type", "grant_type is missing")
	default: // RFC 6749 section 5.2
		return &Error{
			Code: UnsupportedGrantType, Status: http.StatusBadRequest,
			Reason: "grant_type", Description: "the only grant_type is client_credentials",
		}
	}
}

// authorizeResources finds the resources that the token will be for
// (RFC 8707 section 2): the client's first where none is asked for.
func (s *Server) authorizeResources(c *client.Client, asked []string) ([]*Resource, error) {
	granted := c.Resources
	if len(asked) == 0 {
		asked = granted[:min(1, len(granted))]
	}
	if len(asked) == 0 { // never a token without `aud` (RFC 9068 section 3)
		return nil, invalidTarget("")
	}
	var resources []*Resource
	for _, identifier := range asked {
		resource, known := s.resources[identifier]
		if !known || !slices.Contains(granted, identifier) {
			return nil, invalidTarget(identifier)
		}
		if !slices.Contains(resources, resource) {
			resources = append(resources, resource)
		}
	}
	return resources, nil
}

// invalidTarget says why a resource cannot be had. One that is unknown and one
// that is not granted are told apart by nobody.
func invalidTarget(identifier string) *Error {
	refusal := &Error{
		Code: InvalidTarget, Status: http.StatusBadRequest,
		Reason: "resource", Description: "the resource is unknown or not granted to the client",
	}
	if parsed, err := url.Parse(identifier); err != nil || !parsed.IsAbs() || parsed.Fragment != "" {
		refusal.Reason, refusal.Description = "resource_syntax", "resource must be an absolute URI without fragment"
	}
	return refusal
}

// authorizeScope finds the scope of the token: what is asked for, all of which
// must be granted at the resources; all that is granted where nothing is asked
// for or an alias is (RFC 6749 section 3.3).
func (s *Server) authorizeScope(c *client.Client, resources []*Resource, text string) (token.Scopes, error) {
	granted := grantedAt(c, resources)
	if text == "" {
		return granted, nil
	}
	asked, err := token.ParseScope(text)
	if err != nil {
		return nil, &Error{
			Code: InvalidScope, Status: http.StatusBadRequest,
			Reason: "scope_syntax", Description: "scope is malformed", Cause: err,
		}
	}
	all := false
	asked = slices.DeleteFunc(asked, func(value string) bool {
		alias := slices.Contains(s.config.ScopeAliases, value)
		all = all || alias
		return alias
	})
	// The client's texts: those asked for are parts of the request's body, which would
	// stay in memory for as long as the token is remembered.
	scope, has := granted.Pick(asked)
	if !has {
		return nil, &Error{
			Code: InvalidScope, Status: http.StatusBadRequest,
			Reason: "scope", Description: "a requested scope is not granted to the client at the resource",
		}
	}
	if all {
		scope = scope.Union(granted)
	}
	return scope, nil
}

// grantedAt lists the client's scopes that exist at one of the resources.
func grantedAt(c *client.Client, resources []*Resource) token.Scopes {
	var declared token.Scopes
	for _, resource := range resources {
		if len(resource.Scopes) == 0 {
			return slices.Clone(c.Scopes)
		}
		declared = declared.Union(resource.Scopes)
	}
	return c.Scopes.Keep(declared)
}

// mint makes the access token that the event describes (RFC 9068 section 2.2).
// epoch is that of the client when it was found.
func (s *Server) mint(c *client.Client, resources []*Resource, epoch uint64, event *Event) (*tokenResponse, error) {
	signer, err := s.config.Keys.Signer()
	if err != nil {
		return nil, unavailable("no_key", err)
	}
	lifetime, now := s.lifetime(c, resources), s.config.Now()
	claims := &token.Claims{
		Issuer:   s.config.URL,
		Subject:  c.Subject,
		Audience: event.Resources,
		ClientID: c.ID,
		IssuedAt: now.Unix(),
		Expires:  now.Unix() + int64(lifetime/time.Second),
		ID:       token.NewID(epoch),
		Scope:    event.Scope,
		Roles:    c.Roles,
		Extra:    c.Claims,

		Confirmation: event.Confirmation,
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return nil, unavailable("signing", fmt.Errorf("minting a token: %w", err))
	}
	if s.config.Minted != nil {
		s.config.Minted(signed, signer.KeyID(), claims.AsRead())
	}
	event.TokenID, event.KeyID, event.Lifetime = claims.ID, signer.KeyID(), lifetime
	return &tokenResponse{
		AccessToken: signed, TokenType: claims.TokenType(), ExpiresIn: int64(lifetime / time.Second), Scope: event.Scope.String(),
	}, nil
}

// lifetime is the client's, else the shortest of the resources', else the
// configuration's; in whole seconds, since `expires_in` and `exp` are.
func (s *Server) lifetime(c *client.Client, resources []*Resource) time.Duration {
	if c.TokenLifetime > 0 {
		return c.TokenLifetime.Truncate(time.Second)
	}
	shortest := time.Duration(0)
	for _, resource := range resources {
		own := resource.TokenLifetime
		if own == 0 {
			own = s.config.TokenLifetime
		}
		if shortest == 0 || own < shortest {
			shortest = own
		}
	}
	return shortest.Truncate(time.Second)
}

func identifiers(resources []*Resource) []string {
	list := make([]string, len(resources))
	for i, resource := range resources {
		list[i] = resource.Identifier
	}
	return list
}
