package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	oauth "golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

const (
	tokenTimeout = 30 * time.Second // for the metadata and the token together: a slow hash may have to wait
	maxMetadata  = 1 << 20          // bytes
)

// tokenQuestion is a request for a token by the client credentials grant, as a
// client anywhere would make it.
type tokenQuestion struct {
	issuer    string // its url, which has been judged
	clientID  string
	secret    string
	scopes    []string
	resources []string
}

// directClient follows no redirect: it could lead a secret anywhere.
var directClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// get asks the issuer's metadata for the token endpoint and that for a token.
func (q *tokenQuestion) get(ctx context.Context) (*oauth.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	endpoint, err := q.endpoint(ctx)
	if err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID: q.clientID, ClientSecret: q.secret, TokenURL: endpoint, Scopes: q.scopes,
		AuthStyle: oauth.AuthStyleInHeader, // form-encoded (RFC 6749 section 2.3.1)
	}
	if len(q.resources) > 0 { // RFC 8707 section 2
		config.EndpointParams = url.Values{"resource": q.resources}
	}
	granted, err := config.Token(context.WithValue(ctx, oauth.HTTPClient, directClient))
	if err != nil {
		return nil, describeTokenError(endpoint, err)
	}
	if strings.ContainsFunc(granted.AccessToken, func(r rune) bool { return r < 0x20 || r > 0x7E }) { // RFC 6749 appendix A.12
		return nil, fmt.Errorf("token endpoint %s: expected an access token of printable ASCII", endpoint)
	}
	return granted, nil
}

// endpoint reads where tokens are issued. The metadata must be that of this very
// issuer (RFC 8414 section 3.3).
func (q *tokenQuestion) endpoint(ctx context.Context) (string, error) {
	place, err := metadataURL(q.issuer)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	body, err := askMetadata(ctx, place)
	if err != nil {
		return "", fmt.Errorf("metadata at %s: %w", place, err)
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return "", fmt.Errorf("metadata at %s: expected a JSON object", place)
	}
	if metadata.Issuer != q.issuer {
		return "", fmt.Errorf("metadata at %s: issuer: expected %s, found %q", place, q.issuer, printable(metadata.Issuer))
	}
	endpoint, err := parseURI(metadata.TokenEndpoint)
	if err != nil || endpoint.User != nil || endpoint.Hostname() == "" || endpoint.Fragment != "" ||
		endpoint.Scheme != "https" && (endpoint.Scheme != "http" || !keys.Loopback(endpoint.Hostname())) {
		return "", fmt.Errorf("metadata at %s: token_endpoint: expected an https url, or an http one on this machine", place)
	}
	// The secret must not leave the way on which the issuer vouches for itself.
	if strings.HasPrefix(q.issuer, "https:") && endpoint.Scheme != "https" {
		return "", fmt.Errorf("metadata at %s: token_endpoint: expected https, as the issuer has it", place)
	}
	return metadata.TokenEndpoint, nil
}

// metadataURL inserts the well-known path before the issuer's own (RFC 8414
// section 3.1).
func metadataURL(issuer string) (string, error) {
	u, err := parseURI(issuer)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host + "/.well-known/oauth-authorization-server" + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

func askMetadata(ctx context.Context, place string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, errors.New("not a url that can be asked")
	}
	request.Header.Set("Accept", "application/json")
	response, err := directClient.Do(request)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err // the url is named already
		}
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: expected 200 (redirects are not followed)", response.StatusCode)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxMetadata))
}
