package caddymodule

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"strings"
	"testing"
)

// Who changes something is named by address, and by the certificate with which it
// came to the remote admin endpoint.
func TestOperatorOf(t *testing.T) {
	t.Parallel()
	certificate := func(name string) *tls.ConnectionState {
		return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{
			{Subject: pkix.Name{CommonName: name, Organization: []string{"Ops"}}}, {Subject: pkix.Name{CommonName: "a CA"}},
		}}
	}
	for _, c := range []struct {
		remote string
		tls    *tls.ConnectionState
		want   operator
	}{
		{"192.0.2.7:1234", nil, operator{"192.0.2.7", ""}},
		{"[2001:db8::1]:1234", new(tls.ConnectionState), operator{"2001:db8::1", ""}},
		{"@", nil, operator{"@", ""}}, // a Unix socket
		{"192.0.2.7:1", certificate("alice"), operator{"192.0.2.7", "CN=alice,O=Ops"}},
		{"192.0.2.7:1", certificate(strings.Repeat("a", 600)), operator{"192.0.2.7", "CN=" + strings.Repeat("a", 509) + "..."}},
	} {
		if got := operatorOf(&http.Request{RemoteAddr: c.remote, TLS: c.tls}); got != c.want {
			t.Errorf("%s: %+v", c.remote, got)
		}
	}
}
