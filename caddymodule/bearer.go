package caddymodule

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// tokenParameter carries a token in a form or a query (RFC 6750 sections 2.2
// and 2.3).
const tokenParameter = "access_token" //nolint:gosec // a name

// maxTokenForm is the largest form in which a token is looked for, in bytes.
// Whatever is larger is passed on as it is.
const maxTokenForm = 1 << 20

// takeTokens takes the tokens out of body and query, where the gate looks for
// them there, before anything else sees them.
func (g *Gate) takeTokens(r *http.Request, facts *gate.Request) error {
	if slices.Contains(g.BearerMethods, string(gate.BearerQuery)) {
		facts.Query = append(facts.Query, takeQueryTokens(r)...)
	}
	if !slices.Contains(g.BearerMethods, string(gate.BearerBody)) {
		return nil
	}
	tokens, err := takeFormTokens(r)
	facts.Form = append(facts.Form, tokens...)
	return err
}

// takeQueryTokens takes the tokens out of the request's query. All else there
// stays byte for byte, also in RequestURI.
func takeQueryTokens(r *http.Request) []string {
	takeOriginalTokens(r)
	rest, tokens := withoutTokens(r.URL.RawQuery)
	if len(tokens) == 0 {
		return nil
	}
	r.URL.RawQuery = rest
	r.RequestURI = targetWithoutTokens(r.RequestURI)
	return tokens
}

// targetWithoutTokens takes the tokens out of the query of a request target.
func targetWithoutTokens(target string) string {
	path, query, found := strings.Cut(target, "?")
	if !found {
		return target
	}
	if query, _ = withoutTokens(query); query != "" {
		path += "?" + query
	}
	return path
}

// takeOriginalTokens takes them out of what Caddy keeps of the request as it came:
// php_fastcgi makes REQUEST_URI of that, templates and error pages show it.
func takeOriginalTokens(r *http.Request) {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || original.URL == nil {
		return
	}
	rest, tokens := withoutTokens(original.URL.RawQuery)
	if len(tokens) == 0 {
		return
	}
	original.URL.RawQuery = rest // in place: whoever asks the context has the same url
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		// The context's RequestURI is a copy that cannot be changed.
		repl.Set("http.request.orig_uri", targetWithoutTokens(original.RequestURI))
	}
}

// takeFormTokens takes the tokens out of a form in the request's body. All else
// there stays byte for byte, and a body without a token as a whole.
func takeFormTokens(r *http.Request) ([]string, error) {
	if !hasForm(r) {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxTokenForm+1))
	if err != nil {
		return nil, err
	}
	unchanged := io.MultiReader(bytes.NewReader(text), r.Body)
	var rest string
	var tokens []string
	if len(text) <= maxTokenForm {
		rest, tokens = withoutTokens(string(text))
	}
	if len(tokens) == 0 {
		r.Body = readCloser{unchanged, r.Body}
		return nil, nil
	}
	r.Body = readCloser{strings.NewReader(rest), r.Body}
	r.ContentLength, r.TransferEncoding = int64(len(rest)), nil
	r.Header.Set("Content-Length", strconv.Itoa(len(rest)))
	return tokens, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// hasForm tells whether the body may hold a token: a form that comes with a
// method for which bodies are defined, and not with GET (RFC 6750 section 2.2).
func hasForm(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	fields := r.Header["Content-Type"]
	if len(fields) != 1 || r.Header.Get("Content-Encoding") != "" {
		return false
	}
	media, _, err := mime.ParseMediaType(fields[0])
	return err == nil && media == "application/x-www-form-urlencoded"
}

// withoutTokens takes the parameters with tokens out of a form or query.
func withoutTokens(text string) (rest string, tokens []string) {
	if !strings.Contains(text, "%") && !strings.Contains(text, tokenParameter) {
		return text, nil
	}
	var kept []string
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err != nil || name != tokenParameter {
			kept = append(kept, pair)
			continue
		}
		// What cannot be decoded is no token, and is refused as one.
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		tokens = append(tokens, value)
	}
	return strings.Join(kept, "&"), tokens
}
