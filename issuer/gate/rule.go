package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Rule says what requests of some methods to some paths need.
type Rule struct {
	// Methods are compared case-sensitively (RFC 9110 section 9.1); none means
	// every method. GET stands for HEAD too, unless a rule for the same path
	// names HEAD.
	Methods []string

	// Pattern is a path pattern of [http.ServeMux] without method and host:
	// "/orders/{id}", "/files/{rest...}", "/orders/" for a subtree, "/x/{$}".
	// The names of wildcards mean nothing, and may repeat.
	Pattern string

	// Scopes are needed, all of them. Default: any valid token will do.
	Scopes token.Scopes

	// Any: one of Scopes is enough. Default: all are needed.
	Any bool

	// Alternatives are sets of scopes of which one is enough, all of it. None of
	// them is empty. Excludes Scopes and Any. Default: Scopes decide.
	Alternatives []token.Scopes

	// Public: no token is needed. Excludes all scopes. Default: false.
	Public bool

	// Origin is where the rule was configured, for messages. Default: unknown.
	Origin string
}

// String is the rule's methods and pattern, such as "GET,POST /orders/" or
// "* /orders/".
func (r *Rule) String() string {
	methods := "*"
	if len(r.Methods) > 0 {
		methods = strings.Join(r.Methods, ",")
	}
	return methods + " " + r.Pattern
}

// label names the rule in messages.
func (r *Rule) label() string {
	if r.Origin == "" {
		return fmt.Sprintf("rule %q", r.String())
	}
	return fmt.Sprintf("rule %q (%s)", r.String(), r.Origin)
}

// covers tells whether the rule is for a method; "" stands for the methods
// that no rule names.
func (r *Rule) covers(method string) bool {
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method) ||
		method == "HEAD" && slices.Contains(r.Methods, "GET")
}

// validate judges all but the pattern.
func (r *Rule) validate() error {
	for i, method := range r.Methods {
		if err := checkMethod(method); err != nil {
			return err
		}
		if slices.Contains(r.Methods[:i], method) {
			return fmt.Errorf("method %q stands twice", method)
		}
	}
	for _, scopes := range append([]token.Scopes{r.Scopes}, r.Alternatives...) {
		for _, scope := range scopes {
			if !token.ValidScope(scope) {
				return fmt.Errorf("scope %q: expected printable ASCII without space, quote and backslash (RFC 6749 section 3.3)", scope)
			}
		}
	}
	empty := func(scopes token.Scopes) bool { return len(scopes) == 0 }
	switch {
	case r.Public && (len(r.Scopes) > 0 || r.Any || len(r.Alternatives) > 0):
		return errors.New("a public rule has scopes: expected none, or a rule that is not public")
	case len(r.Alternatives) > 0 && (len(r.Scopes) > 0 || r.Any):
		return errors.New("the rule has both scopes and alternatives: expected one of them")
	case r.Any && len(r.Scopes) == 0:
		return errors.New("one of no scopes is needed: expected at least one scope")
	case slices.ContainsFunc(r.Alternatives, empty):
		return errors.New("an alternative has no scopes, and any token would do: expected no alternatives, or scopes in each")
	}
	return nil
}

// satisfied tells whether scope holds what the rule asks for.
func (r *Rule) satisfied(scope token.Scopes) bool {
	switch {
	case len(r.Alternatives) > 0:
		return slices.ContainsFunc(r.Alternatives, scope.HasAll)
	case r.Any:
		return slices.ContainsFunc(r.Scopes, scope.Has)
	}
	return scope.HasAll(r.Scopes)
}

// needed lists what requests need, beside the scopes that every request does,
// for the challenge to a token with the scope has. Of the alternatives it is
// the one that lacks the fewest scopes, the first of several: RFC 6750 section 3
// has words for a set of scopes, and none for a choice.
func (r *Rule) needed(always, has token.Scopes) token.Scopes {
	if len(r.Alternatives) == 0 {
		return always.Union(r.Scopes)
	}
	var best token.Scopes
	fewest := 0
	for i, alternative := range r.Alternatives {
		all := always.Union(alternative)
		if lacking := len(all) - len(all.Keep(has)); i == 0 || lacking < fewest {
			best, fewest = all, lacking
		}
	}
	return best
}

// standardMethods are those of RFC 9110 section 9.3 and RFC 5789.
var standardMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}

// checkMethod refuses a name that no request has. "get" is a valid one, and
// yet a rule for it would leave GET to a weaker rule.
func checkMethod(method string) error {
	if upper := strings.ToUpper(method); upper != method && slices.Contains(standardMethods, upper) {
		return fmt.Errorf("method %q: expected %q", method, upper)
	}
	if method == "*" {
		return errors.New(`method "*" means every method: expected it alone, as a rule without methods`)
	}
	if method == "" || strings.ContainsFunc(method, notInToken) {
		return fmt.Errorf("method %q: expected a name such as GET (RFC 9110 section 9.1)", method)
	}
	return nil
}

// notInToken tells whether c is no tchar (RFC 9110 section 5.6.2).
func notInToken(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}
