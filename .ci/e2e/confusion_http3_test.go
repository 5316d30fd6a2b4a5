package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// Frames and streams of HTTP/3 (RFC 9114 sections 6.2 and 7.2).
const (
	http3Control  = 0x00
	http3Data     = 0x00
	http3Headers  = 0x01
	http3Settings = 0x04
)

// rawHTTP3 is a connection on which requests go out as no client library makes them.
type rawHTTP3 struct {
	connection *quic.Conn
	control    *quic.SendStream // must stay open
}

func dialHTTP3(t *testing.T, pool *x509.CertPool, port int) *rawHTTP3 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	connection, err := quic.DialAddr(ctx, fmt.Sprintf("127.0.0.1:%d", port),
		&tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.CloseWithError(0, "") })
	control, err := connection.OpenUniStream()
	if err == nil {
		_, err = control.Write([]byte{http3Control, http3Settings, 0})
	}
	if err != nil {
		t.Fatal(err)
	}
	return &rawHTTP3{connection, control}
}

// ask sends one request without a body; pseudo are fields that take the place of
// the usual ones. It returns fields and body of the answer, empty where there is none.
func (h *rawHTTP3) ask(t *testing.T, pseudo [][2]string, fields ...string) string {
	t.Helper()
	var block bytes.Buffer
	encoder := qpack.NewEncoder(&block)
	put := func(name, value string) {
		if err := encoder.WriteField(qpack.HeaderField{Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range pseudo {
		put(pair[0], pair[1])
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		put(strings.ToLower(name), value)
	}
	stream, err := h.connection.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	frame := quicvarint.Append([]byte{http3Headers}, uint64(block.Len()))
	// The server may end the stream as soon as it has seen enough of the request.
	_, _ = stream.Write(append(frame, block.Bytes()...))
	_ = stream.Close()
	return readHTTP3(t, stream)
}

func readHTTP3(t *testing.T, stream io.Reader) string {
	t.Helper()
	var answer strings.Builder
	reader := quicvarint.NewReader(stream)
	for {
		kind, err := quicvarint.Read(reader)
		if err != nil { // the end, or the stream was reset
			return answer.String()
		}
		length, err := quicvarint.Read(reader)
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(reader, payload); err != nil {
			t.Fatal(err)
		}
		switch kind {
		case http3Headers:
			next := qpack.NewDecoder().Decode(payload)
			for {
				field, err := next()
				if errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				_, _ = fmt.Fprintf(&answer, "%s: %s\r\n", field.Name, field.Value)
			}
		case http3Data:
			_, _ = answer.Write(payload)
		}
	}
}

func pseudo(method, path string) [][2]string {
	return [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}}
}

// HTTP/3 has pseudo header fields as HTTP/2 has, and another parser for them: what
// these hold gets nobody further either.
func TestPathConfusionOverHTTP3(t *testing.T) {
	t.Parallel()
	certificates := t.TempDir()
	pool := makeCertificates(t, certificates)
	port := freePort(t)
	c := launch(t, strings.Replace(confusionCaddyfile, "protocols h1 h2c", "protocols h1 h2 h3", 1)+`
https://localhost:{$HTTP3_PORT} {
	tls {$FOLDER}/server.crt {$FOLDER}/server.key
	import gated {$UPSTREAM}
}
`, "BATCH_SECRET="+batchSecret, "FOLDER="+certificates, "FILES=127.0.0.1:1", "NGINX=127.0.0.1:1", fmt.Sprintf("HTTP3_PORT=%d", port),
		fmt.Sprintf("FILES_PORT=%d", freePort(t)), fmt.Sprintf("NGINX_PORT=%d", freePort(t)))
	reader, admin := bearer(c.token(t, "reader", batchSecret)), bearer(c.token(t, "admin", batchSecret))
	over := dialHTTP3(t, pool, port)
	heard := func(what any, got string) {
		t.Helper()
		for _, request := range c.upstream.drain() {
			if request.readsAsAdmin() || strings.HasPrefix(strings.ToUpper(request.line), "DELETE ") {
				t.Errorf("%q: the API heard %q", what, request)
			}
		}
		if strings.Contains(got, ":status: 5") {
			t.Errorf("%q: %.200q", what, got)
		}
	}
	further := []string{"/public/ /../admin/secret.txt", "/admin/secret.txt HTTP/1.1\r\nX: y", " /admin/secret.txt", "/admin/secret.txt ", "//localhost/../admin/secret.txt"}
	for _, target := range append(further, hostileTargets...) {
		heard(target, over.ask(t, pseudo("GET", target), reader))
	}
	for _, fields := range [][][2]string{
		{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/public/x"}, {":path", "/admin/secret.txt"}},
		{{":method", "GET"}, {":method", "DELETE"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/things/1"}},
		{{":method", "CONNECT"}, {":authority", "localhost"}, {":path", "/admin/secret.txt"}},
		{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/admin/secret.txt"}},
		{{":method", "CONNECT"}, {":protocol", "DELETE"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/things/1"}},
		{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost/admin"}, {":path", "/public/../admin/secret.txt"}},
		{{":method", "DELETE /things/1 HTTP/1.1\r\nX:"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/things/1"}},
		{{":method", "delete"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/things/1"}},
	} {
		over = dialHTTP3(t, pool, port) // the server may have ended it
		heard(fields, over.ask(t, fields, reader, "x-http-method-override: DELETE", "x_original_url: /admin/secret.txt"))
	}
	over = dialHTTP3(t, pool, port)
	if got := over.ask(t, pseudo("GET", "/things/1"), reader, "x_client_id: admin", "x-client-scope: admin"); !strings.HasPrefix(got, ":status: 200") {
		t.Errorf("with the scope: %.200q", got)
	}
	request := c.upstream.only(t)
	request.one(t, "X-Client-Id", "reader")
	request.one(t, "X-Client-Scope", "things:read")
	if got := over.ask(t, pseudo("GET", "/admin/secret.txt"), admin); !strings.HasPrefix(got, ":status: 200") || !c.upstream.only(t).readsAsAdmin() {
		t.Errorf("with the scope: %.200q", got)
	}
}
