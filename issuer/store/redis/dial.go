package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialTLS connects with what config says at that moment.
func dialTLS(config func() *tls.Config, host string, timeout time.Duration) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: timeout}, Config: named(config(), host)}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return dialer.DialContext(ctx, network, address)
	}
}

// named has a certificate be for host, that of the URL, unless a name is set.
func named(config *tls.Config, host string) *tls.Config {
	config = config.Clone()
	config.ServerName = cmp.Or(config.ServerName, host)
	return config
}
