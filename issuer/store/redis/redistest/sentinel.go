package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Master is what Sentinels call the servers that they watch.
const Master = "main"

// Sentinels are a master with two replicas, and three Sentinels that agree on a
// new one within seconds.
type Sentinels struct {
	Master    *Server // at first
	Replicas  []*Server
	Addresses []string // of the Sentinels
}

// StartSentinels runs them all. The replicas are in step.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{Master: Start(t)}
	host, port := s.Master.hostAndPort()
	for range 2 {
		s.Replicas = append(s.Replicas, Start(t, "--replicaof", fmt.Sprint(host, " ", port)))
	}
	for _, replica := range s.Replicas {
		replica.until(t, "master_link_status:up", "INFO", "replication")
	}
	var sentinels []*Server
	for range 3 {
		sentinels = append(sentinels, startSentinel(t, host, port))
	}
	for _, sentinel := range sentinels {
		s.Addresses = append(s.Addresses, sentinel.Address)
		sentinel.until(t, "slaves=2,sentinels=3", "INFO", "sentinel")
	}
	return s
}

func startSentinel(t testing.TB, host string, port int) *Server {
	t.Helper()
	s := &Server{Address: FreeAddress(t)}
	_, own, _ := strings.Cut(s.Address, ":")
	path := filepath.Join(t.TempDir(), "sentinel.conf") // which it writes to
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor %s %s %d 2\n"+
		"sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 5000\n", own, Master, host, port, Master, Master)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.arguments = []string{path, "--sentinel"}
	s.run(t)
	t.Cleanup(s.Kill)
	return s
}
