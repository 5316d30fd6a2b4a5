package caddymodule_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// nextPort is below the range that systems use for outgoing connections and for
// listeners at port 0: there, a port that is free now may be in use a moment later. It
// is also below the ports of the tests in .ci/e2e.
var nextPort atomic.Int64

func init() { nextPort.Store(10_000 + rand.Int64N(9_000)) }

// freeAddress is an address at which nobody listens, another one each time.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1_000 {
		address := fmt.Sprintf("127.0.0.1:%d", nextPort.Add(1))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no free port")
	return ""
}
