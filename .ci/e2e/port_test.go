package e2e

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/.ci/harness"
)

// freePort returns a loopback port that nobody listens at, each once.
func freePort(t testing.TB) int {
	t.Helper()
	return harness.FreePort(t)
}
