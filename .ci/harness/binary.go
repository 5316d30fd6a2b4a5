package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Main runs the tests of a package that lies two folders below the checkout, with
// the absolute paths of the Caddy binary and of the checkout in the variables.
// CADDY_BIN names the binary; without it one is built.
func Main(m *testing.M, binary, checkout *string) {
	code, err := run(m, binary, checkout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, binary, checkout *string) (code int, err error) {
	if *checkout, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	if named := os.Getenv("CADDY_BIN"); named != "" {
		if *binary, err = filepath.Abs(named); err != nil {
			return 1, err
		}
		if _, err = os.Stat(*binary); err != nil {
			return 1, fmt.Errorf("CADDY_BIN: %w", err)
		}
		return m.Run(), nil
	}
	folder, err := os.MkdirTemp("", "caddy-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	*binary = filepath.Join(folder, "caddy")
	build := exec.Command(filepath.Join(*checkout, "xcaddy.sh"), "build", "--output", *binary)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return 1, fmt.Errorf("building Caddy: %w", err)
	}
	return m.Run(), nil
}
