package caddymodule

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// question is a request that somebody asks about.
type question struct {
	method, scheme, host, target string
	header                       http.Header
	body                         string
	certificate                  *x509.Certificate
	from                         string // the client's address
}

// parseRequest reads a request line such as "GET https://host/path".
func parseRequest(line string) (question, error) {
	method, address, found := strings.Cut(strings.TrimSpace(line), " ")
	scheme, rest, isURL := strings.Cut(address, "://")
	scheme = strings.ToLower(scheme) // RFC 3986 section 3.1
	if !found || !isURL || scheme != "http" && scheme != "https" {
		return question{}, errors.New(`--request: expected a method and a url, such as "GET https://host/path"`)
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	target, _, _ := strings.Cut(rest[end:], "#")
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	asked := question{method: method, scheme: scheme, host: rest[:end], target: target, header: make(http.Header), from: "127.0.0.1"}
	return asked, checkHost(asked.host)
}

// checkHost refuses what no client asks a server for: the answer would be about
// another request than the one that is meant.
func checkHost(host string) error {
	if host == "" || strings.Contains(host, "@") {
		return errors.New("--request: expected a host in the url, and no user")
	}
	parsed, err := url.Parse("https://" + host)
	if err != nil || parsed.Hostname() == "" || strings.ContainsAny(host, `*\<>"|^{}%`) && !strings.HasPrefix(host, "[") {
		return fmt.Errorf("--request: host %q: expected a name or an IP address, and perhaps a port", host)
	}
	if port := parsed.Port(); port != "" || strings.HasSuffix(host, ":") {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return fmt.Errorf("--request: port %q: expected 1 to 65535", port)
		}
	}
	return nil
}

// request is what net/http makes of the question: it is read as from a client.
func (q *question) request(ctx context.Context) (*http.Request, error) {
	text := q.method + " " + q.target + " HTTP/1.1\r\nHost: " + q.host + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		// It quotes the url, and a query may hold a token.
		return nil, errors.New("--request: a server does not understand the method, the host or the path")
	}
	r.Header = q.header.Clone()
	if q.body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(q.body)), int64(len(q.body))
	}
	r.RemoteAddr = net.JoinHostPort(q.from, "1")
	if q.scheme == "https" {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13, ServerName: r.URL.Hostname()}
		if host, _, err := net.SplitHostPort(q.host); err == nil {
			r.TLS.ServerName = host
		} else {
			r.TLS.ServerName = q.host
		}
		if q.certificate != nil {
			r.TLS.PeerCertificates = []*x509.Certificate{q.certificate}
		}
	}
	return r.WithContext(ctx), nil
}

func (q *question) port() uint {
	if parsed, err := url.Parse(q.scheme + "://" + q.host); err == nil {
		if port, err := strconv.ParseUint(parsed.Port(), 10, 16); err == nil {
			return uint(port)
		}
	}
	return map[string]uint{"http": 80, "https": 443}[q.scheme]
}

// url is what was asked for, without the query, which may hold a token.
func (q *question) url() string {
	path, _, _ := strings.Cut(q.target, "?")
	return q.scheme + "://" + q.host + path
}

// explain tells what becomes of the request.
func (l *looked) explain(ctx context.Context, q *question) (*explanation, error) {
	if len(l.http.Servers) == 0 {
		return nil, errors.New("the configuration has no sites")
	}
	names, exact := l.serversFor(q)
	first := q.unheard()
	for i, name := range names {
		found, err := l.ask(ctx, name, q)
		if err != nil {
			return nil, err
		}
		if !exact {
			found.note(fmt.Sprintf("no server listens at port %d: this is the server %s", q.port(), name))
		}
		if len(found.Gates) > 0 || found.Upstream != nil || found.Answer.By == byRedirect {
			return found, nil
		}
		if i == 0 {
			first = found
		}
	}
	return first, nil
}

// serversFor are the servers at the port of a request, or those that it may have been
// meant for.
func (l *looked) serversFor(q *question) (names []string, exact bool) {
	all := slices.Sorted(maps.Keys(l.http.Servers))
	for _, port := range []uint{q.port(), l.inside(q.port())} {
		if names = l.serversAt(all, port, q.scheme); len(names) > 0 {
			return names, true
		}
	}
	return l.meant(q, all), false
}

// serversAt are the servers that listen at a port for a scheme.
func (l *looked) serversAt(all []string, port uint, scheme string) (names []string) {
	for _, name := range all {
		server := l.http.Servers[name]
		if scheme == "http" && len(server.TLSConnPolicies) > 0 && port != l.inside(caddyhttp.DefaultHTTPPort) {
			continue // it expects TLS
		}
		for _, listener := range server.Listen {
			address, err := caddy.ParseNetworkAddress(listener)
			if err == nil && address.StartPort <= port && port <= address.EndPort {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// ask sends the request through the routes of a server.
func (l *looked) ask(ctx context.Context, name string, q *question) (*explanation, error) {
	server := l.http.Servers[name]
	found := &explanation{
		Method: q.method, URL: q.url(), Server: name,
		Gates: []explainedGate{}, Notes: []string{}, Result: resultAnswered,
	}
	r, err := q.request(context.WithValue(ctx, explanationKey{}, found))
	if err != nil {
		return nil, err
	}
	listen(allRoutes(server))
	w := &unsent{header: make(http.Header)}
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, server)
	nobody := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	if err := server.Routes.Compile(nobody).ServeHTTP(w, r); err != nil {
		found.failed(w, r, err, server)
	}
	found.conclude(w)
	found.doubt()
	return found, nil
}

// conclude tells who answers where neither a gate nor a handler behind one did.
func (e *explanation) conclude(w *unsent) {
	if e.Result != resultAnswered || e.Answer != nil {
		return
	}
	switch {
	case w.status == http.StatusPermanentRedirect:
		e.redirected(w.header)
	case w.status != 0:
		e.answered("oauth2_gate", w.status) // its metadata
	default:
		e.answered(byNobody, http.StatusOK)
		e.note("no handler answers: no site is for this host and path, or none of its handlers is")
	}
}

// unsent is an answer that nobody gets.
type unsent struct {
	header http.Header
	status int
}

func (u *unsent) Header() http.Header { return u.header }

func (u *unsent) WriteHeader(status int) {
	if u.status == 0 {
		u.status = status
	}
}

func (u *unsent) Write(p []byte) (int, error) {
	u.WriteHeader(http.StatusOK)
	return len(p), nil
}
