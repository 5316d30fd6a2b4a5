// Package redistest runs redis-server processes for tests: single ones, with
// replicas and Sentinels, and Clusters. Each has a free port on loopback and a
// folder of its own, and ends with the test.
package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take to do what is asked of it.
const patience = time.Minute

// Server is a redis-server process. Its methods are for the test's goroutine.
type Server struct {
	Address string // host:port

	arguments []string
	process   *exec.Cmd
	exited    chan struct{}
}

// Start runs a server that writes each change to a file (appendonly). arguments
// are further ones, such as "--requirepass", "word". Where redis-server is not
// installed the test fails.
func Start(t testing.TB, arguments ...string) *Server {
	t.Helper()
	s := &Server{Address: FreeAddress(t)}
	_, port, _ := strings.Cut(s.Address, ":")
	s.arguments = append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(),
		"--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0",
	}, arguments...)
	s.run(t)
	t.Cleanup(s.Kill)
	return s
}

func (s *Server) run(t testing.TB) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not installed: `bash .ci/install-tools` installs it from Debian")
	}
	s.process = exec.Command(binary, s.arguments...) //nolint:gosec,noctx // what tests say; Kill ends it
	printed := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(printed) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	s.process.Stdout, s.process.Stderr = file, file
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	process, exited := s.process, make(chan struct{})
	s.exited = exited
	go func() {
		defer close(exited)
		_ = process.Wait() // how it ended does not matter
	}()
	s.await(t, printed)
}

// await waits until the server listens.
func (s *Server) await(t testing.TB, printed string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-s.exited:
			text, _ := os.ReadFile(printed) //nolint:gosec // a file of the test
			t.Fatalf("redis-server %s ended: %s", strings.Join(s.arguments, " "), text)
		default:
		}
		if connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", s.Address); err == nil {
			_ = connection.Close()
			return
		}
	}
	t.Fatalf("redis-server does not listen at %s", s.Address)
}

// Kill ends the process at once, as a crash does (SIGKILL).
func (s *Server) Kill() {
	_ = s.process.Process.Kill()
	<-s.exited
}

// Restart runs the server again, with its folder and port. It must have ended.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.run(t)
}

// Freeze makes the server fall silent without closing a connection, as a network
// that is cut does; Thaw ends it.
func (s *Server) Freeze(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Thaw ends a [Server.Freeze].
func (s *Server) Thaw(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Do runs a command at the server, which must be one without password and TLS.
func (s *Server) Do(t testing.TB, command ...any) any {
	t.Helper()
	result, err := s.try(t, command...)
	if err != nil {
		t.Fatalf("%v: %v", command, err)
	}
	return result
}

func (s *Server) try(t testing.TB, command ...any) (any, error) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Address, Protocol: 2})
	result, err := client.Do(t.Context(), command...).Result()
	return result, errors.Join(err, client.Close())
}

// until waits for an answer that holds text.
func (s *Server) until(t testing.TB, text string, command ...any) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		result, err := s.try(t, command...)
		if last = fmt.Sprint(result, err); strings.Contains(last, text) {
			return
		}
	}
	t.Fatalf("%v at %s: no %q in %s", command, s.Address, text, last)
}

// hostAndPort are those of the address.
func (s *Server) hostAndPort() (host string, port int) {
	host, text, _ := strings.Cut(s.Address, ":")
	port, _ = strconv.Atoi(text) // made by FreeAddress
	return host, port
}
