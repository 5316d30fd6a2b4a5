package e2e

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// In another protocol the requests that follow would pass no gate.
func TestUpgrades(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	for _, head := range [][]string{
		{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"},
		{"Connection: upgrade", "Upgrade: TLS/1.0"},
		{"Connection: Upgrade", "Upgrade: websocket, h2c"},
		{"Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"},
		{"Connection: Upgrade", "Upgrade: websocket/13"},
	} {
		got := c.spoof(t, "/plain/x", head, nil, bearer(token))
		got.none(t, "Upgrade", "HTTP2-Settings")
		if connection := got.value("Connection"); strings.Contains(strings.ToLower(connection), "upgrade") {
			t.Errorf("Connection: %q", connection)
		}
	}
}

func TestWebSocketPasses(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	handshake := []string{
		"GET /plain/socket HTTP/1.1", "Host: localhost", "Connection: Upgrade, X-Client-Id", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X-Client-Id: admin",
	}
	c.raw(t, lines(append(handshake, "", "")...)).wantError(t, 401, "unauthorized")
	c.upstream.silent(t)

	connection := c.dial(t)
	if _, err := io.WriteString(connection, lines(append(handshake, bearer(token), "", "")...)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", response, err)
	}
	if _, err := io.WriteString(connection, "ping\n"); err != nil {
		t.Fatal(err)
	}
	if echo, err := reader.ReadString('\n'); err != nil || echo != "ping\n" {
		t.Errorf("%q %v", echo, err)
	}
	got := c.upstream.only(t)
	got.one(t, "X-Client-Id", "batch")
	got.none(t, "Authorization")
}
