package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// secretCommand makes `caddy oauth2 secret`.
func secretCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "secret <command>", Short: "Adds, lists and removes secrets of clients", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(secretAddCommand(), secretListCommand(), secretRemoveCommand())
	return cmd
}

func secretAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add <id> [--expires TIME|DURATION] " + adminUsage,
		Short: "Gives a client another secret, and shows it for the only time",
		Long: `
Gives a client that was made at run time another secret, and shows it: this once,
since a hash of it alone is kept. The others stay good, so that nothing is
interrupted: remove the old one when it is no longer in use.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := clientPath(args[0])
			if err != nil {
				return err
			}
			var body io.Reader
			if expires := flagText(cmd, "expires"); expires != "" {
				encoded, err := json.Marshal(newSecret{Expires: expires})
				if err != nil {
					return err
				}
				body = bytes.NewReader(encoded)
			}
			answered, err := askAdmin(cmd, http.MethodPost, path+"/secrets", body)
			if err != nil {
				return err
			}
			return printSecret(cmd, answered, "Added a secret of client")
		},
	}
	adminFlags(cmd)
	cmd.Flags().String("expires", "", "When it ends: a time like 2027-01-31T00:00:00Z, or a duration from now, like 90d")
	return cmd
}

func secretListCommand() *cobra.Command {
	return secretsCommand("list <id> ", "Shows the secrets of a client, but for what they are", func(cmd *cobra.Command, args []string) error {
		path, err := clientPath(args[0])
		if err != nil {
			return err
		}
		return askAndPrint(cmd, http.MethodGet, path+"/secrets", nil, func(answer *secretsAnswer) string { return secretTable(answer.Secrets) })
	}, 1)
}

func secretRemoveCommand() *cobra.Command {
	return secretsCommand("remove <id> <secret-id> ", "Removes a secret: no token can be had with it any more", func(cmd *cobra.Command, args []string) error {
		path, err := clientPath(args[0])
		if err != nil {
			return err
		}
		if args[1] == "" {
			return errors.New("expected the id of a secret: see caddy oauth2 secret list")
		}
		if _, err := askAdmin(cmd, http.MethodDelete, path+"/secrets/"+url.PathEscape(args[1]), nil); err != nil {
			return err
		}
		if flagSet(cmd, "json") {
			return printJSON(cmd, map[string]string{"client_id": args[0], "secret_id": args[1], "removed": "secret"})
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Removed secret %q of client %q.\n", args[1], args[0])
		return err
	}, 2)
}

func secretsCommand(use, short string, run func(*cobra.Command, []string) error, words int) *cobra.Command {
	cmd := &cobra.Command{Use: use + adminUsage, Short: short, Args: cobra.ExactArgs(words), RunE: run}
	adminFlags(cmd)
	return cmd
}

func secretTable(secrets []secretAnswer) string {
	cells := [][]string{{"SECRET", "MADE", "EXPIRES"}}
	for i := range secrets {
		one := &secrets[i]
		expires := moment(one.Expires)
		if one.Expired {
			expires += " (expired)"
		}
		cells = append(cells, []string{one.ID, moment(one.Made), expires})
	}
	var text strings.Builder
	writeTable(&text, cells)
	return text.String()
}
