package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// secretCommand makes `caddy oauth2 secret`.
func secretCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "secret <command>", Short: "Makes, shows and removes secrets of clients", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(secretAddCommand(), secretListCommand(), secretRemoveCommand())
	return cmd
}

func secretAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add <id> [--expires <time>] " + adminUsage,
		Short: "Gives a client one more secret, and prints it",
		Long: `
Gives a client one more secret and prints it, this once. The secrets that it has stay
good, so that nothing is interrupted: remove the former one when no job uses it any
more.

With --expires, a time or a duration such as 90d, it ceases to be good then.`,
	}
	takeID(cmd, func(cmd *cobra.Command, id string) error {
		path, err := namedClient(id)
		if err != nil {
			return err
		}
		asked := make(map[string]any)
		if err := askedExpires(cmd, asked, "expires"); err != nil {
			return err
		}
		return askAndPrintSecret(cmd, path+"/secrets", asked)
	})
	adminFlags(cmd)
	cmd.Flags().String("expires", "", "When the secret ceases to be good, as 2030-01-31T00:00:00Z or 90d")
	return cmd
}

func secretListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list <id> " + adminUsage,
		Short: "Shows the secrets of a client: when each was made, expires and was last used",
	}
	takeID(cmd, func(cmd *cobra.Command, id string) error {
		path, err := namedClient(id)
		if err != nil {
			return err
		}
		return askAndPrint(cmd, http.MethodGet, path+"/secrets", nil, (*secretsAnswer).text)
	})
	adminFlags(cmd)
	return cmd
}

func secretRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove <id> <secret-id> " + adminUsage,
		Short: "Removes a secret of a client: it is refused from now on",
		Long: `
Removes a secret of a client: it is refused from now on. Tokens that the client got
with it live on until they expire; after a leak, disable the client for a moment, which
voids them.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := namedClient(args[0])
			if err != nil {
				return err
			}
			if args[1] == "" {
				return errors.New("expected a secret_id: see caddy oauth2 secret list")
			}
			path += "/secrets/" + pathSegment(args[1])
			return askAndPrint(cmd, http.MethodDelete, path, nil, func(answer *removedSecretAnswer) string {
				return fmt.Sprintf("Removed secret %s of client %s.\n", answer.ID, answer.ClientID)
			})
		},
	}
	adminFlags(cmd)
	return cmd
}

func (a *secretsAnswer) text() string { return strings.TrimPrefix(secretTable(a.Secrets), "\n") }
