package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports are taken below the range that systems use for outgoing connections,
// where a port that is free now could be in use a moment later.
const (
	firstPort = 20000
	lastPort  = 32000
)

var ports struct {
	mutex sync.Mutex
	next  int
}

// freePort returns a loopback port that nobody listens at, each once.
func freePort(t testing.TB) int {
	t.Helper()
	ports.mutex.Lock()
	defer ports.mutex.Unlock()
	if ports.next == 0 {
		ports.next = firstPort + rand.IntN(lastPort-firstPort)
	}
	for range lastPort - firstPort {
		port := ports.next
		if ports.next++; ports.next >= lastPort {
			ports.next = firstPort
		}
		if isFree(port) {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
