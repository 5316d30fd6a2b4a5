// Package e2e runs the real Caddy binary with the plugin and looks at it from
// outside: what clients get, what the API behind the gate hears, what lies in
// the storage and in the logs.
//
// CADDY_BIN names the binary; without it one is built from this checkout. The
// folder's leading dot keeps it out of `go test ./...`.
package e2e

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/.ci/harness"
)

// caddyBinary is the absolute path of the binary under test.
var caddyBinary string

// checkout is the absolute path of the repository.
var checkout string

func TestMain(m *testing.M) { harness.Main(m, &caddyBinary, &checkout) }
