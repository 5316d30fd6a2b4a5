// Package cluster runs several Caddy processes as one issuer and one gate, on a
// Redis or on one storage folder, and takes parts of it away: what clients see
// must stay right, and what was acknowledged must stay.
//
// CADDY_BIN names the binary; without it one is built from this checkout. The
// folder's leading dot keeps it out of `go test ./...`.
package cluster

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/.ci/harness"
)

// caddyBinary and checkout are absolute paths.
var caddyBinary, checkout string

func TestMain(m *testing.M) { harness.Main(m, &caddyBinary, &checkout) }
