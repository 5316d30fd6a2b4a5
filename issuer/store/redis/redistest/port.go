package redistest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// Ports are below the range that systems use for outgoing connections and for
// listeners at port 0: there, a port that is free now may be in use a moment later,
// or while a server that a test has killed is away. Other tests use those from
// 10,000 on, and Caddyfiles those from 8,000 to 9,000.
const (
	firstPort = 2_000
	ports     = 6_000
)

var nextPort atomic.Int64

func init() { nextPort.Store(rand.Int64N(ports)) }

// FreeAddress is one on loopback at which nobody listens, another one each time.
// The bus of a Cluster node listens 10,000 higher: nobody does there either.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range ports {
		port := firstPort + nextPort.Add(1)%ports
		if isFree(t, port) && isFree(t, port+10_000) {
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	t.Fatal("no free port")
	return ""
}

func isFree(t testing.TB, port int64) bool {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	return err == nil && listener.Close() == nil
}
