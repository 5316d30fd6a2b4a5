// Package e2e runs the real Caddy binary with the plugin and looks at it from
// outside: what clients get, what the API behind the gate hears, what lies in
// the storage and in the logs.
//
// CADDY_BIN names the binary; without it one is built from this checkout. The
// folder's leading dot keeps it out of `go test ./...`.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// caddyBinary is the absolute path of the binary under test.
var caddyBinary string

// checkout is the absolute path of the repository.
var checkout string

func TestMain(m *testing.M) {
	code, err := runWithBinary(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runWithBinary(m *testing.M) (code int, err error) {
	if checkout, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	if caddyBinary = os.Getenv("CADDY_BIN"); caddyBinary != "" {
		if caddyBinary, err = filepath.Abs(caddyBinary); err != nil {
			return 1, err
		}
		if _, err = os.Stat(caddyBinary); err != nil {
			return 1, fmt.Errorf("CADDY_BIN: %w", err)
		}
		return m.Run(), nil
	}
	folder, err := os.MkdirTemp("", "caddy-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	caddyBinary = filepath.Join(folder, "caddy")
	build := exec.Command(filepath.Join(checkout, "xcaddy.sh"), "build", "--output", caddyBinary)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return 1, fmt.Errorf("building Caddy: %w", err)
	}
	return m.Run(), nil
}
