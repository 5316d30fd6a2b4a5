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

	// Public: no token is needed. Excludes Scopes. Default: false.
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
	for _, scope := range r.Scopes {
		if !token.ValidScope(scope) {
			return fmt.Errorf("scope %q: expected printable ASCII without space, quote and backslash (RFC 6749 section 3.3)", scope)
		}
	}
	switch {
	case r.Public && (len(r.Scopes) > 0 || r.Any):
		return errors.New("a public rule has scopes: expected none, or a rule that is not public")
	case r.Any && len(r.Scopes) == 0:
		return errors.New("one of no scopes is needed: expected at least one scope")
	}
	return nil
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
