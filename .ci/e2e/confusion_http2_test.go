package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawHTTP2 sends one request on a connection of its own, with a `:path` of which
// no client library approves, and returns status and body; empty where the
// server ends the stream or the connection without an answer.
func rawHTTP2(t testing.TB, address, method, path string, fields ...string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	put := func(name, value string) {
		if err := encoder.WriteField(hpack.HeaderField{Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range [][2]string{{":method", method}, {":scheme", "http"}, {":authority", "localhost"}, {":path", path}} {
		put(pair[0], pair[1])
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		put(strings.ToLower(name), value)
	}
	framer := http2.NewFramer(connection, connection)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, err = io.WriteString(connection, http2.ClientPreface)
	if err == nil {
		err = framer.WriteSettings()
	}
	if err == nil {
		err = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	return readHTTP2(t, framer)
}

func readHTTP2(t testing.TB, framer *http2.Framer) string {
	t.Helper()
	var answer strings.Builder
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("no answer, and the connection stays open")
			}
			return answer.String()
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range frame.Fields {
				_, _ = fmt.Fprintf(&answer, "%s: %s\r\n", field.Name, field.Value)
			}
		case *http2.DataFrame:
			_, _ = answer.Write(frame.Data())
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return answer.String()
		}
		if frame.Header().Type != http2.FrameSettings && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return answer.String()
		}
	}
}

// HTTP/2 carries paths that no line of HTTP/1 could hold: they get nobody
// further.
func TestPathConfusionOverHTTP2(t *testing.T) {
	t.Parallel()
	c := launchConfused(t)
	reader, admin := bearer(c.token(t, "reader", batchSecret)), bearer(c.token(t, "admin", batchSecret))
	further := []string{"/public/ /../admin/secret.txt", "/admin/secret.txt HTTP/1.1\r\nX: y", "/public/x\r\n\r\nGET /admin/secret.txt HTTP/1.1", " /admin/secret.txt", "/admin/secret.txt ", "//localhost/../admin/secret.txt"}
	for name, port := range c.ports {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		for _, target := range append(further, hostileTargets...) {
			c.upstream.drain()
			got := rawHTTP2(t, address, "GET", target, reader)
			if strings.Contains(got, adminContent[:40]) || strings.Contains(got, `<a href="secret.txt">`) || c.opened.admin() {
				t.Errorf("%s: %q gets to it: %.200q", name, target, got)
			}
			for _, request := range c.upstream.drain() {
				if request.readsAsAdmin() {
					t.Errorf("%q: the API heard %q", target, request)
				}
			}
			if strings.Contains(got, ":status: 5") {
				t.Errorf("%s: %q: %.200q", name, target, got)
			}
		}
		if got := rawHTTP2(t, address, "GET", "/public/hello.txt"); !strings.HasPrefix(got, ":status: 200") {
			t.Errorf("%s: a public path: %.200q", name, got)
		}
		if got := rawHTTP2(t, address, "GET", "/admin/secret.txt", admin); !strings.HasPrefix(got, ":status: 200") {
			t.Errorf("%s: with the scope: %.200q", name, got)
		}
		c.opened.admin()
	}
}
