package redistest

import (
	"os"
	"testing"
)

// End sends a signal that ends the process, and waits until it has ended.
func (s *Server) End(t testing.TB, signal os.Signal) {
	t.Helper()
	s.signal(t, signal)
	<-s.exited
}
