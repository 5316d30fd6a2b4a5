package harness

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
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
	taken *os.File // empty; each octet's lock is a port
}

// FreePort returns a loopback port that nobody listens at, each once. Whoever gets it
// listens a moment later, so other runs of these tests on this machine are told.
func FreePort(t testing.TB) int {
	t.Helper()
	ports.mutex.Lock()
	defer ports.mutex.Unlock()
	if ports.next == 0 {
		ports.next = firstPort + rand.IntN(lastPort-firstPort)
		// Not in os.TempDir(): each run may have one of its own.
		name := fmt.Sprintf("/tmp/caddy-e2e-ports-%d", os.Getuid())
		var err error
		if ports.taken, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range lastPort - firstPort {
		port := ports.next
		if ports.next++; ports.next >= lastPort {
			ports.next = firstPort
		}
		if claim(port) && IsFree(port) {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// claim takes the lock of a port, which ends with the process.
func claim(port int) bool {
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: int64(port), Len: 1}
	return syscall.FcntlFlock(ports.taken.Fd(), syscall.F_SETLK, &lock) == nil
}

// IsFree tells whether nobody listens at the loopback port.
func IsFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
