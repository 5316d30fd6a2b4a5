package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// maxSecretInput is the longest secret that a command reads, in bytes. The token
// endpoint takes no longer form.
const maxSecretInput = 64 << 10

// errPlainSecret refuses a secret in the arguments. It does not quote it.
var errPlainSecret = errors.New("expected @FILE, @- for the standard input, or nothing for a prompt: " +
	"a secret on the command line shows in the list of processes and in the shell's history")

// secretInput says how a command gets a secret.
type secretInput struct {
	argument string // @FILE or @-; empty: from the terminal, or else from the standard input
	prompt   string // what the terminal shows
	twice    bool   // asks again at a terminal: the secret is new, and a typing error would stay unseen
}

// read returns the secret without the line end behind it, as Caddy's {file.}
// placeholder reads one. No error quotes it.
func (in secretInput) read(cmd *cobra.Command) (string, error) {
	path, named := strings.CutPrefix(in.argument, "@")
	switch {
	case in.argument != "" && !named:
		return "", errPlainSecret
	case named && path == "":
		return "", errors.New("expected a file name behind @")
	case named && path != "-":
		return readSecretFile(path)
	}
	if file, ok := cmd.InOrStdin().(*os.File); ok && !named && term.IsTerminal(int(file.Fd())) {
		return in.ask(file, cmd.ErrOrStderr())
	}
	return takeSecret(cmd.InOrStdin())
}

// ask reads the secret from a terminal that does not show it.
func (in secretInput) ask(terminal *os.File, screen io.Writer) (string, error) {
	secret, err := askHidden(terminal, screen, in.prompt+": ")
	if err != nil || !in.twice {
		return secret, err
	}
	again, err := askHidden(terminal, screen, in.prompt+" again: ")
	if err != nil {
		return "", err
	}
	if again != secret {
		return "", errors.New("the two secrets differ")
	}
	return secret, nil
}

func askHidden(terminal *os.File, screen io.Writer, prompt string) (string, error) {
	_, _ = io.WriteString(screen, prompt)
	secret, err := term.ReadPassword(int(terminal.Fd()))
	_, _ = io.WriteString(screen, "\n")
	if err != nil {
		return "", fmt.Errorf("reading the secret from the terminal: %w", err)
	}
	return string(secret), nil
}

func readSecretFile(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return "", unreadable(path, err)
	}
	defer func() { _ = file.Close() }() // was only read
	secret, err := takeSecret(file)
	if err != nil {
		return "", fmt.Errorf("file %s: %w", path, err)
	}
	return secret, nil
}

func takeSecret(from io.Reader) (string, error) {
	content, err := io.ReadAll(io.LimitReader(from, maxSecretInput+1))
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	if len(content) > maxSecretInput {
		return "", fmt.Errorf("secret: expected at most %d bytes", maxSecretInput)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
}
