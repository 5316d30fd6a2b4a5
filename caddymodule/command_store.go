package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// storeCommand makes `caddy oauth2 store`.
func storeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "store <command>", Short: "Copies what is stored of an issuer", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(storeCopyCommand())
	return cmd
}

func storeCopyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "copy --from <path> --to <path> [--adapter <name>] [--json]",
		Short: "Copies what is stored of an issuer from one store to another",
		Long: `
Copies the signing keys, the clients made at run time, the revoked tokens, which
clients were disabled and when secrets were last used: from the store of one
configuration to the store of another one with the same issuer. So an issuer moves
from Caddy's storage to Redis or back, or a store in Redis is backed up in files.

Stop every Caddy that runs on either store before: what changes meanwhile is not
copied as a whole. No running Caddy is asked, and nothing is removed. What is in the
other store already must be the same: nothing is replaced. After an error the command
may be run again.

Used assertions and DPoP proofs are copied between Caddy's storages alone. Moved to
Redis or from it, what was made before the next start is refused.`,
		Args: cobra.NoArgs,
		RunE: runStoreCopy,
	}
	cmd.Flags().String("from", "", "Configuration file whose store is read")
	cmd.Flags().String("to", "", "Configuration file whose store is written to")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter for both files")
	cmd.Flags().Bool("json", false, "Print the answer as JSON")
	return cmd
}

// copiedAnswer is what `store copy` tells.
type copiedAnswer struct {
	Issuer    string   `json:"issuer"`
	Documents []string `json:"documents"` // in the order in which they were copied
}

func (a *copiedAnswer) text() string {
	return fmt.Sprintf("Copied %d documents of %s.\n", len(a.Documents), a.Issuer)
}

func runStoreCopy(cmd *cobra.Command, _ []string) (err error) {
	var states []*storedState
	for _, flag := range []string{"from", "to"} {
		state, err := stateOfFile(cmd, flag)
		if err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
		defer func() { _ = state.end() }()
		states = append(states, state)
	}
	from, to := states[0], states[1]
	if err := tellNotes(cmd, to); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	copied, err := copyState(cmd.Context(), from, to)
	if err != nil {
		return err
	}
	answer := &copiedAnswer{Issuer: from.issuer, Documents: copied}
	return printAnswer(cmd, answer, answer.text)
}

func stateOfFile(cmd *cobra.Command, flag string) (*storedState, error) {
	path := flagText(cmd, flag)
	if path == "" {
		return nil, errors.New("expected a configuration file")
	}
	config, err := readConfig(path, flagText(cmd, "adapter"))
	if err != nil {
		return nil, err
	}
	return stateOf(config)
}

// tellNotes makes the store ready and shows what is to be said of it.
func tellNotes(cmd *cobra.Command, to *storedState) error {
	if to.remote == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), startPatience)
	defer cancel()
	notes, err := to.remote.prepare(ctx)
	if err != nil {
		return err
	}
	if len(notes) > 0 {
		cmd.PrintErrln(strings.Join(notes, "\n"))
	}
	return nil
}
