package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const adminUsage = "[--json] [--address <listen>] [--config <path> [--adapter <name>]]"

// keyCommand makes `caddy oauth2 key`.
func keyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "key <command>", Short: "Shows, rotates and revokes signing keys", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(keyListCommand(), keyRotateCommand(), keyRevokeCommand())
	return cmd
}

func keyListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list " + adminUsage,
		Short: "Shows the signing keys, in the order in which they sign",
		Long: `
Shows the signing keys of the running Caddy, in the order in which they sign: the
retired ones, the active one, and the next one where it is there. A key is forgotten
when the last token that it signed has expired.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return askAndPrint(cmd, http.MethodGet, adminPrefix+"keys", nil, (*keysAnswer).text)
		},
	}
	adminFlags(cmd)
	return cmd
}

func keyRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate " + adminUsage,
		Short: "Makes the next signing key now",
		Long: `
Makes the next signing key now. It is published at once, and signs when it has been
published for publish_ahead, so that every verifier knows it by then: no token is
refused. Where a next key waits already, none is made, and that one is shown.

A key that was stolen is removed with "key revoke" instead.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return askAndPrint(cmd, http.MethodPost, adminPrefix+"keys/rotate", nil, (*rotatedAnswer).text)
		},
	}
	adminFlags(cmd)
	return cmd
}

func keyRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke <kid> " + adminUsage,
		Short: "Removes a signing key that was stolen: its tokens are refused at once",
		Long: `
Removes a signing key that others may have come to know. Every token that it signed
is refused from now on, also by other instances as soon as they look at the store:
clients have to get new ones. Where it is the key that signs, the next one takes
over at once, or one that is made for that.

Other verifiers go on taking its tokens until they fetch the key set again.`,
	}
	takeID(cmd, func(cmd *cobra.Command, kid string) error {
		if kid == "" { // a variable that is not set
			return errors.New("expected a kid: see caddy oauth2 key list")
		}
		return askAndPrint(cmd, http.MethodPost, adminPrefix+"keys/"+pathSegment(kid)+"/revoke", nil, (*revokedKeyAnswer).text)
	})
	adminFlags(cmd)
	return cmd
}

// askAndPrint prints what the admin endpoint answers: as it is with --json, and else
// as text makes it readable.
func askAndPrint[Answer any](cmd *cobra.Command, method, path string, body io.Reader, text func(*Answer) string) error {
	answered, err := askAdmin(cmd, method, path, body)
	if err != nil {
		return err
	}
	if flagSet(cmd, "json") {
		_, err = cmd.OutOrStdout().Write(answered)
		return err
	}
	var answer Answer
	if err := json.Unmarshal(answered, &answer); err != nil {
		return fmt.Errorf("reading what Caddy answered: %w", err)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), text(&answer))
	return err
}

func (a *keysAnswer) text() string { return strings.TrimPrefix(keyTable(a.Keys), "\n") }

func (a *rotatedAnswer) text() string {
	what := "Made key"
	if !a.New {
		what = "None was made: there is key"
	}
	return fmt.Sprintf("%s %s (%s), %s, which signs from %s.\n", what, a.Key.ID, a.Key.Algorithm, a.Key.State, moment(&a.Key.SignsFrom))
}

func (a *revokedKeyAnswer) text() string {
	return fmt.Sprintf("Revoked key %s: its tokens are refused.\n%s", a.Revoked, keyTable(a.Keys))
}

func keyTable(keys []keyAnswer) string {
	cells := [][]string{{"KID", "ALG", "STATE", "MADE", "SIGNS FROM", "SIGNS UNTIL", "FORGOTTEN"}}
	for i := range keys {
		key := &keys[i]
		cells = append(cells, []string{
			key.ID, key.Algorithm, string(key.State), moment(&key.Made), moment(&key.SignsFrom), moment(key.SignsUntil), moment(key.Forgotten),
		})
	}
	var text strings.Builder
	writeTable(&text, cells)
	return text.String()
}

func moment(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Format(time.RFC3339)
}
