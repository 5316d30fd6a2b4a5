package caddymodule

import (
	"net"
	"net/http"

	"go.uber.org/zap"
)

// maxLoggedSubject bounds the name of a certificate in the log, in bytes.
const maxLoggedSubject = 512

// operator is who asks at the admin endpoint, for the audit log.
type operator struct {
	address     string
	certificate string // its subject; empty: none came
}

func operatorOf(r *http.Request) operator {
	by := operator{address: r.RemoteAddr}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		by.address = host
	}
	// Caddy's remote admin endpoint takes no certificate that it does not know.
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		by.certificate = cut(r.TLS.PeerCertificates[0].Subject.String(), maxLoggedSubject)
	}
	return by
}

func (o operator) fields() []zap.Field {
	fields := []zap.Field{zap.String("address", o.address)}
	if o.certificate != "" {
		fields = append(fields, zap.String("certificate", o.certificate))
	}
	return fields
}
