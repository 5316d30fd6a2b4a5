package keys

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// fetchTimeout is how long one fetch may take, the answer's body included.
const fetchTimeout = 5 * time.Second

// plainClient returns a copy of the client that asks one url and nothing else:
// a redirect could lead anywhere, also into the operator's own network.
func plainClient(client *http.Client) *http.Client {
	plain := http.Client{}
	if client != nil {
		plain = *client
	}
	plain.Jar = nil
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &plain
}

// fetch asks for the set once. It depends on no request: the one that was first
// may go away while others wait. Errors name the url, without its query, and hold
// nothing of the answer but its status.
func (r *Remote) fetch() (*Set, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	from, err := r.location(ctx)
	if err != nil {
		return nil, err
	}
	body, err := r.get(ctx, from)
	if err != nil {
		r.found = "" // it may have moved
		return nil, fmt.Errorf("fetching keys from %s: %w", withoutQuery(from), err)
	}
	set, err := ParseSet(body)
	if err != nil {
		return nil, fmt.Errorf("keys from %s: %w", withoutQuery(from), err)
	}
	return set, nil
}

// get asks for a JSON document.
func (r *Remote) get(ctx context.Context, from string) ([]byte, error) {
	body, err := r.ask(ctx, from)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("no whole answer within %v", r.timeout)
	}
	return body, err
}

func (r *Remote) ask(ctx context.Context, from string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, errors.New("not a url that can be asked")
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, describeTransport(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: expected 200 (redirects are not followed)", response.StatusCode)
	}
	// One byte more than a set may have, so that it is known to be too long.
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxSetLength+1))
	if err != nil {
		return nil, describeTransport(err)
	}
	return body, nil
}

// describeTransport keeps the errors that are known to hold nothing of the
// answer. net/http quotes what it cannot read as HTTP.
func describeTransport(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // the url is named without its query
	}
	if broken, ok := errors.AsType[*net.OpError](err); ok {
		return broken
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection was closed before the end of the answer")
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errors.New("no whole answer in time")
	}
	return fmt.Errorf("no HTTP response that can be read (%T)", err)
}

func withoutQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the configured url"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}
