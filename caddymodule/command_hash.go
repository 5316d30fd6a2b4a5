package caddymodule

import (
	"github.com/spf13/cobra"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// hashSecretCommand makes `caddy oauth2 hash-secret`.
func hashSecretCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hash-secret [@FILE|@-] [--json]",
		Short: "Makes the hash of a client's secret, for secret_hash",
		Long: `
Makes the hash of a client's secret, to be written as secret_hash in place of the
secret.

The secret is read from a file (@FILE), from the standard input (@-), or, without
either, from a prompt that does not show it; from the standard input too where
that is no terminal. One line end behind it does not belong to it. It has at least
16 bytes.

A secret that this plugin has generated (cc_...) gets a $sha256$ hash, which costs
nothing to check, since nobody can guess such a secret. Any other gets an
$argon2id$ hash.`,
		Args: cobra.MaximumNArgs(1),
		RunE: runHashSecret,
	}
	cmd.Flags().Bool("json", false, "Print the answer as JSON")
	return cmd
}

// hashAnswer is what the command prints as JSON.
type hashAnswer struct {
	Hash string `json:"secret_hash"`
}

func (a *hashAnswer) text() string { return a.Hash + "\n" }

func runHashSecret(cmd *cobra.Command, args []string) error {
	input := secretInput{prompt: "Secret", twice: true}
	if len(args) == 1 {
		if args[0] == "" { // a variable that is not set: no reason to wait at a prompt
			return errPlainSecret
		}
		input.argument = args[0]
	}
	secret, err := input.read(cmd)
	if err != nil {
		return err
	}
	hash, err := client.HashSecret(secret)
	if err != nil {
		return err
	}
	answer := &hashAnswer{Hash: hash}
	return printAnswer(cmd, answer, answer.text)
}
