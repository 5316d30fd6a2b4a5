package e2e

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// legacy is the page on what the API gets.
const legacy = "legacy-api.md"

// legacyPage is the page, its second API, and how to get to its Caddy.
type legacyPage struct {
	*page
	second   *upstream
	preamble string // all of the first Caddyfile before the content of its site
	client   *http.Client
}

// Each recipe does what the page says of it.
func TestLegacyAPI(t *testing.T) {
	t.Parallel()
	l := &legacyPage{page: newPage(t, "ORDERS_BASIC=dXNlcjpwYXNzd29yZA==", "ORDERS_KEY=key-of-orders", "BATCH_KEY=key-of-batch", "SHOP_KEY=key-of-shop")}
	l.second = newUpstream(t)
	for _, client := range []string{"nightly-batch", "shop", "newcomer"} {
		writeSecret(t, filepath.Join(l.etc, "secrets"), client)
	}
	l.words = [][2]string{{"127.0.0.1:9001", l.second.address}}
	checks := map[string]func(*testing.T){
		"What does my API get?":                     l.plainRequest,
		"A user and a password":                     l.password,
		"An API key":                                l.apiKey,
		"A key for each client":                     l.keyPerClient,
		"A client certificate":                      nil,
		"How do I put several APIs on one host?":    l.severalAPIs,
		"What does the gate see with handle_path?":  l.handlePath,
		"How do I answer CORS preflights?":          l.preflightAtAPI,
		"With Caddy":                                l.preflightAtCaddy,
		"Do WebSockets pass?":                       l.webSocket,
		"Does gRPC pass?":                           nil,
		"Do server-sent events pass?":               nil,
		"How do I ask another service too?":         nil,
		"How do I route by caller?":                 l.routing,
		"What if it reads requests in its own way?": l.furtherHeaders,
	}
	special := map[string]func(*testing.T, string){
		"A client certificate": l.clientCertificate, "Does gRPC pass?": l.grpc,
		"Do server-sent events pass?": l.events, "How do I ask another service too?": l.forwardAuth,
	}
	for _, one := range sectionsOf(t, filepath.Join(checkout, "docs", legacy)) {
		for _, block := range one.blocks {
			check, known := checks[one.title]
			if block.language != "caddyfile" || !known {
				t.Errorf("%s:%d: no test for this block", legacy, block.line)
				continue
			}
			delete(checks, one.title)
			t.Run(one.title, func(t *testing.T) {
				if check == nil {
					special[one.title](t, block.text)
					return
				}
				l.site(t, block.text)
				check(t)
			})
		}
	}
	for title := range checks {
		t.Errorf("%s has no section %q", legacy, title)
	}
}

func writeSecret(t *testing.T, folder, client string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, client), batchSecret+"\n")
}

// site serves a Caddyfile, or the content of the first one's site.
func (l *legacyPage) site(t *testing.T, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "{\n") {
		text = l.around(text)
	} else if l.preamble == "" {
		before, _, found := strings.Cut(text, "api.example.com {\n")
		if !found {
			t.Fatal("the first Caddyfile has no such site")
		}
		l.preamble = before + "api.example.com {\n"
	}
	l.serve(t, text)
	l.client = l.newClient(t)
	l.upstream.drain()
	l.second.drain()
}

// around makes a Caddyfile of the content of its site.
func (l *legacyPage) around(text string) string {
	return l.preamble + "\t" + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n\t") + "\n}\n"
}

// newClient connects to the page's Caddy, whatever the host, with HTTP/2.
func (l *legacyPage) newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: l.pool, ServerName: "api.example.com"}, ForceAttemptHTTP2: true,
	}
	transport.DialContext = (&net.Dialer{}).DialContext
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func (l *legacyPage) request(t *testing.T, method, path string, body io.Reader, fields ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(method, fmt.Sprintf("https://127.0.0.1:%d%s", l.port, path), body)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "api.example.com"
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	return request
}

func (l *legacyPage) call(t *testing.T, method, path string, fields ...string) answer {
	t.Helper()
	got, err := finish(l.client.Do(l.request(t, method, path, nil, fields...)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// as is the field with a fresh token of a client.
func (l *legacyPage) as(t *testing.T, client string, pairs ...string) string {
	t.Helper()
	body := form(append([]string{"grant_type", "client_credentials"}, pairs...)...)
	got, err := finish(l.client.Do(l.request(t, "POST", "/oauth2/token", strings.NewReader(body), formType, basic(client, batchSecret))))
	if err != nil {
		t.Fatal(err)
	}
	return bearer(tokenOf(t, got))
}

func (l *legacyPage) plainRequest(t *testing.T) {
	l.call(t, "GET", "/orders").wantStatus(t, 401)
	l.upstream.silent(t)
	l.call(t, "GET", "/orders?a=b%2Fc", l.as(t, "shop"), "X-Client-Id: admin", "X-Mine: 1").wantStatus(t, 200)
	got := l.upstream.only(t)
	if got.line != "GET /orders?a=b%2Fc HTTP/1.1" {
		t.Errorf("the API heard %q", got.line)
	}
	got.none(t, "Authorization")
	for name, value := range map[string]string{
		"X-Client-Id": "shop", "X-Client-Scope": "orders:read stock:read", "X-Client-Issuer": "https://api.example.com", "X-Mine": "1",
	} {
		got.one(t, name, value)
	}
}

func (l *legacyPage) password(t *testing.T) {
	l.call(t, "GET", "/orders", "Authorization: Basic dXNlcjpwYXNzd29yZA==").wantStatus(t, 401)
	l.upstream.silent(t)
	l.call(t, "GET", "/orders", l.as(t, "shop")).wantStatus(t, 200)
	l.upstream.only(t).one(t, "Authorization", "Basic dXNlcjpwYXNzd29yZA==")
}

func (l *legacyPage) apiKey(t *testing.T) {
	l.call(t, "GET", "/orders", "X-Api-Key: key-of-orders").wantStatus(t, 401)
	l.upstream.silent(t)
	for _, field := range []string{"X-Other: 1", "X-Api-Key: mine", "x-api-key: key-of-shop"} {
		l.call(t, "GET", "/orders", l.as(t, "shop"), field).wantStatus(t, 200)
		l.upstream.only(t).one(t, "X-Api-Key", "key-of-orders")
	}
}

func (l *legacyPage) keyPerClient(t *testing.T) {
	for client, key := range map[string]string{"nightly-batch": "key-of-batch", "shop": "key-of-shop", "newcomer": "none"} {
		for _, field := range []string{"X-Other: 1", "X-Api-Key: key-of-batch", "X-Client-Id: shop"} {
			l.call(t, "GET", "/orders", l.as(t, client), field).wantStatus(t, 200)
			l.upstream.only(t).one(t, "X-Api-Key", key)
		}
	}
}

// clientCertificate has an API that takes Caddy's certificate alone.
func (l *legacyPage) clientCertificate(t *testing.T, text string) {
	folder := filepath.Join(l.etc, "orders")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	ca, signer := (&mtls{folder: l.etc}).ca(t)
	issue := func(name string, usage x509.ExtKeyUsage) tls.Certificate {
		key := newKey(t)
		der := certify(t, &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		}, ca, key, signer)
		writePEM(t, filepath.Join(folder, name+".crt"), "CERTIFICATE", der)
		writeKey(t, filepath.Join(folder, name+".key"), key)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	writeFile(t, filepath.Join(folder, "ca.crt"), readFile(t, filepath.Join(l.etc, "ca.crt")))
	issue("caddy", x509.ExtKeyUsageClientAuth)
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName+" for "+r.Header.Get("X-Client-Id"))
	}))
	api.TLS = &tls.Config{
		Certificates: []tls.Certificate{issue("orders.internal", x509.ExtKeyUsageServerAuth)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: l.pool,
	}
	api.Config.ErrorLog = log.New(io.Discard, "", 0) // who comes without a certificate
	api.StartTLS()
	t.Cleanup(api.Close)
	text = strings.Replace(text, "https://orders.internal:9443", api.URL, 1)
	l.site(t, text)
	if got := l.call(t, "GET", "/orders", l.as(t, "shop")); got.status != 200 || got.body != "caddy for shop" {
		t.Errorf("%s", got)
	}
	l.call(t, "GET", "/orders").wantStatus(t, 401)
	var without []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "tls_client_auth") {
			without = append(without, line)
		}
	}
	l.site(t, strings.Join(without, ""))
	l.call(t, "GET", "/orders", l.as(t, "shop")).wantStatus(t, 502)
}

func (l *legacyPage) severalAPIs(t *testing.T) {
	const orders, stock = "https://api.example.com/orders", "https://api.example.com/stock"
	for _, row := range []struct {
		token, path string
		status      int
	}{
		{l.as(t, "shop", "resource", orders), "/orders", 200},
		{l.as(t, "shop", "resource", orders), "/stock/7", 401},
		{l.as(t, "shop", "resource", stock), "/stock/7", 200},
		{l.as(t, "shop", "resource", stock), "/orders/7", 401},
		{l.as(t, "shop", "resource", orders, "resource", stock), "/orders/7", 200},
		{l.as(t, "shop", "resource", orders, "resource", stock), "/stock", 200},
		{l.as(t, "nightly-batch", "resource", orders), "/orders/7", 200},
		{l.as(t, "nightly-batch", "resource", orders), "/ORDERS/7", 403},
		{l.as(t, "nightly-batch", "resource", orders), "/orders/../stock/7", 400},
		{l.as(t, "shop", "resource", orders), "/other", 404},
		{"X-None: 1", "/orders", 401},
		{"X-None: 1", "/stock", 401},
		{"X-None: 1", "/ordersx", 404},
	} {
		got := l.call(t, "GET", row.path, row.token)
		if got.status != row.status && (got.status < 400 || row.status != 400) {
			t.Errorf("%s: %s, expected %d", row.path, got, row.status)
		}
		ordersHeard, stockHeard := len(l.upstream.drain()), len(l.second.drain())
		wantOrders, wantStock := 0, 0
		if row.status == 200 && strings.HasPrefix(row.path, "/orders") {
			wantOrders = 1
		} else if row.status == 200 {
			wantStock = 1
		}
		if ordersHeard != wantOrders || stockHeard != wantStock {
			t.Errorf("%s: the APIs heard %d and %d requests", row.path, ordersHeard, stockHeard)
		}
	}
}

func (l *legacyPage) handlePath(t *testing.T) {
	token := l.as(t, "shop")
	l.call(t, "GET", "/v1/orders/7?x=1", token).wantStatus(t, 200)
	if line := l.upstream.only(t).line; line != "GET /orders/7?x=1 HTTP/1.1" {
		t.Errorf("the API heard %q", line)
	}
	for path, status := range map[string]int{
		"/orders/7": 404, "/v1/stock": 403, "/v1/v1/orders": 403, "/v1/orders;x": 400, "/v1/orders/%2e%2e/stock": 403, "/v1/": 403, "/v1/orders%2f7": 400,
	} {
		if got := l.call(t, "GET", path, token); got.status != status {
			t.Errorf("%s: %s", path, got)
		}
	}
	l.call(t, "GET", "/v1/orders/7").wantStatus(t, 401)
	l.upstream.silent(t)
}

var preflight = []string{"Origin: https://app.example.com", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"}

func (l *legacyPage) preflightAtAPI(t *testing.T) {
	l.call(t, "OPTIONS", "/orders/7", preflight...).wantStatus(t, 200)
	got := l.upstream.only(t)
	if got.line != "OPTIONS /orders/7 HTTP/1.1" || got.value("Access-Control-Request-Method") != "POST" {
		t.Errorf("the API heard %q", got)
	}
	l.call(t, "POST", "/orders/7", preflight...).wantStatus(t, 401)
	l.call(t, "DELETE", "/orders/7", l.as(t, "shop")).wantStatus(t, 403)
	l.upstream.silent(t)
	l.call(t, "POST", "/orders/7", l.as(t, "shop")).wantStatus(t, 200)
}

func (l *legacyPage) preflightAtCaddy(t *testing.T) {
	got := l.call(t, "OPTIONS", "/orders/7", preflight...)
	got.wantStatus(t, 204)
	for name, value := range map[string]string{
		"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Methods": "GET, POST",
		"Access-Control-Allow-Headers": "Authorization, Content-Type", "Vary": "Origin",
	} {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q", name, got.header.Get(name))
		}
	}
	refused := l.call(t, "GET", "/orders/7", "Origin: https://app.example.com")
	refused.wantError(t, 401, "unauthorized")
	if refused.header.Get("Access-Control-Allow-Origin") == "" || refused.header.Get("WWW-Authenticate") == "" {
		t.Errorf("the browser's program cannot read it: %s", refused)
	}
	l.call(t, "OPTIONS", "/orders/7").wantStatus(t, 401) // no preflight
	l.upstream.silent(t)
	allowed := l.call(t, "GET", "/orders/7", "Origin: https://app.example.com", l.as(t, "shop"))
	if allowed.status != 200 || allowed.header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%s", allowed)
	}
}

// upgrade opens a WebSocket, as far as HTTP goes.
func (l *legacyPage) upgrade(t *testing.T, field string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", l.port), &tls.Config{
		ServerName: "api.example.com", RootCAs: l.pool, NextProtos: []string{"http/1.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(connection, lines("GET /orders/live HTTP/1.1", "Host: api.example.com", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", field, "", "")); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return connection, reader, response
}

func (l *legacyPage) webSocket(t *testing.T) {
	token := l.as(t, "shop")
	connection, reader, response := l.upgrade(t, token)
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response.Status)
	}
	l.upstream.only(t).one(t, "X-Client-Id", "shop")
	echo := func() {
		t.Helper()
		if _, err := io.WriteString(connection, "ping\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := reader.ReadString('\n'); err != nil || line != "ping\n" {
			t.Fatalf("%q %v", line, err)
		}
	}
	echo()
	// A reload does not close it at once, and its token's end does not either;
	// who connects again with that is refused.
	header, claims := decode(t, strings.TrimPrefix(token, "Authorization: Bearer "))
	expired := l.forger(t).sign(t, header, claims.with(object{"exp": time.Now().Unix() - 40}))
	l.serve(t, l.around(blockOf(t, legacy, "Do WebSockets pass?", "caddyfile")+"\nheader X-Reloaded yes"))
	echo()
	for _, field := range []string{bearer(expired), "X-None: 1"} {
		if _, _, response := l.upgrade(t, field); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%.30s: %s", field, response.Status)
		}
	}
	l.upstream.silent(t)
	if _, _, response := l.upgrade(t, token); response.StatusCode != http.StatusSwitchingProtocols {
		t.Error(response.Status)
	}
}

// grpc has an API that speaks HTTP/2 without TLS and answers as gRPC does: the
// status is a trailer.
func (l *legacyPage) grpc(t *testing.T, text string) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Protocols: protocols, ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc+proto")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		flusher := http.NewResponseController(w)
		message := make([]byte, 4)
		for { // each message is answered before the next one comes
			if _, err := io.ReadFull(r.Body, message); err != nil {
				break
			}
			_, _ = w.Write(message)
			_ = flusher.Flush()
		}
		w.Header().Set("Grpc-Status", "0")
		w.Header().Set("Grpc-Message", r.Proto+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Te")+" "+r.Header.Get("X-Client-Id"))
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	l.site(t, strings.ReplaceAll(text, "127.0.0.1:9000", listener.Addr().String()))
	const list, create = "/orders.v1.Orders/List", "/orders.v1.Orders/Create"
	l.call(t, "POST", create, l.as(t, "shop"), "Content-Type: application/grpc+proto").wantStatus(t, 403)
	l.call(t, "POST", list, "Content-Type: application/grpc+proto").wantStatus(t, 401)
	l.call(t, "POST", "/orders.v1.Other/List", l.as(t, "shop")).wantStatus(t, 403)

	body, send := io.Pipe()
	request := l.request(t, "POST", list, body, l.as(t, "shop"), "Content-Type: application/grpc+proto", "Te: trailers")
	go func() { _, _ = io.WriteString(send, "one.") }()
	response, err := l.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	message := make([]byte, 4)
	for _, next := range []string{"two.", "end."} {
		if _, err := io.ReadFull(response.Body, message); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(send, next); err != nil {
			t.Fatal(err)
		}
	}
	_ = send.Close()
	rest, err := io.ReadAll(response.Body)
	if err != nil || string(rest) != "end." || response.ProtoMajor != 2 || response.Header.Get("Content-Type") != "application/grpc+proto" {
		t.Errorf("%s %v %q %v", response.Proto, response.Header, rest, err)
	}
	if response.Trailer.Get("Grpc-Status") != "0" || response.Trailer.Get("Grpc-Message") != "HTTP/2.0 application/grpc+proto trailers shop" {
		t.Errorf("trailers %v", response.Trailer)
	}
}

// events has an API that sends the next event when the client has seen the last:
// whatever holds one back stops it for good.
func (l *legacyPage) events(t *testing.T, text string) {
	for _, kind := range []string{"text/event-stream", "application/x-ndjson"} {
		seen := make(chan struct{})
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := range 3 {
				_, _ = fmt.Fprintf(w, "data: %d for %s\n", i, r.Header.Get("X-Client-Id"))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-seen:
				case <-r.Context().Done():
					return
				}
			}
		}))
		t.Cleanup(api.Close)
		used := strings.ReplaceAll(text, "127.0.0.1:9000", strings.TrimPrefix(api.URL, "http://"))
		if kind == "text/event-stream" { // needs no word for it
			used = strings.Replace(used, "flush_interval -1", "", 1)
		}
		l.site(t, used)
		l.call(t, "GET", "/orders/events").wantStatus(t, 401)
		response, err := l.client.Do(l.request(t, "GET", "/orders/events", nil, l.as(t, "shop")))
		if err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(response.Body)
		for i := range 3 {
			if line, err := reader.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d for shop\n", i) {
				t.Fatalf("%s: %q %v", kind, line, err)
			}
			seen <- struct{}{}
		}
		_ = response.Body.Close()
	}
}

// forwardAuth has a service that knows the plans of clients.
func (l *legacyPage) forwardAuth(t *testing.T, text string) {
	asked := make(chan http.Header, 10)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Clone()
		if r.URL.Path != "/check" || r.Header.Get("X-Client-Id") != "shop" {
			w.WriteHeader(http.StatusPaymentRequired)
			return
		}
		w.Header().Set("X-Plan", "gold")
	}))
	t.Cleanup(service.Close)
	l.site(t, strings.Replace(text, "127.0.0.1:9001", strings.TrimPrefix(service.URL, "http://"), 1))
	l.call(t, "GET", "/orders", "X-Client-Id: shop").wantStatus(t, 401)
	if len(asked) > 0 {
		t.Error("the service was asked about a caller that nobody has verified")
	}
	l.call(t, "GET", "/orders", l.as(t, "newcomer"), "X-Client-Id: shop").wantStatus(t, 402)
	l.upstream.silent(t)
	if got := <-asked; got.Get("X-Client-Id") != "newcomer" || got.Get("Authorization") != "" {
		t.Errorf("the service heard %v", got)
	}
	l.call(t, "GET", "/orders?x=1", l.as(t, "shop"), "X-Client-Id: newcomer", "X-Plan: platinum").wantStatus(t, 200)
	got := l.upstream.only(t)
	got.one(t, "X-Plan", "gold")
	got.one(t, "X-Client-Id", "shop")
	if got.line != "GET /orders?x=1 HTTP/1.1" {
		t.Errorf("the API heard %q", got.line)
	}
}

func (l *legacyPage) routing(t *testing.T) {
	l.call(t, "GET", "/orders", l.as(t, "nightly-batch")).wantStatus(t, 200)
	l.second.only(t).one(t, "X-Client-Id", "nightly-batch")
	l.call(t, "GET", "/orders", l.as(t, "shop")).wantStatus(t, 200)
	l.upstream.only(t).one(t, "X-Api-Key", "key-of-shop")
	l.call(t, "GET", "/orders", l.as(t, "newcomer")).wantStatus(t, 200)
	l.upstream.only(t).none(t, "X-Api-Key")
	l.call(t, "GET", "/orders", l.as(t, "nightly-batch", "scope", "orders:read")).wantStatus(t, 200) // not as the token says
	l.upstream.only(t)
	l.call(t, "GET", "/orders", "X-Client-Id: nightly-batch", "X-Client-Scope: orders:write").wantStatus(t, 401)
	// Without a gate before it, it says so, within `not` too.
	for _, matcher := range []string{"@x oauth2 scope orders:write", "@x not oauth2 scope orders:write"} {
		l.site(t, "oauth2_issuer\n"+matcher+"\nhandle @x {\n\treverse_proxy 127.0.0.1:9000\n}\nhandle {\n\treverse_proxy 127.0.0.1:9000\n}\n")
		l.call(t, "GET", "/orders", l.as(t, "nightly-batch")).wantStatus(t, 500)
		l.upstream.silent(t)
	}
}

func (l *legacyPage) furtherHeaders(t *testing.T) {
	l.call(t, "GET", "/orders", l.as(t, "shop"), "X-Forwarded-Uri: /admin", "X-Forwarded-Method: DELETE", "X-Remote-User: root",
		"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: gopher").wantStatus(t, 200)
	got := l.upstream.only(t)
	got.none(t, "X-Forwarded-Uri", "X-Forwarded-Method", "X-Remote-User")
	got.one(t, "X-Forwarded-For", "127.0.0.1")
	got.one(t, "X-Forwarded-Host", "api.example.com")
	got.one(t, "X-Forwarded-Proto", "https")
}
