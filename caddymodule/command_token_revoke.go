package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func tokenRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke <token|@FILE|@-|jti> [--expires <time>] " + adminUsage,
		Short: "Has a token refused from now on",
		Long: `
Has a token refused from now on, at every gate that this issuer's tokens pass. The
token is read from a file (@FILE) or from the standard input (@-). Given as an
argument, it shows in the list of processes and in the shell's history, as long as
it is not revoked.

A token can also be named by its jti, which is in the audit log. It is remembered as
long as the longest-lived token can live, or until --expires where that is known. A
time that is too early lets the token pass again.`,
	}
	takeID(cmd, runTokenRevoke)
	adminFlags(cmd)
	cmd.Flags().String("expires", "", "When the token with this jti expires, as 2030-01-31T00:00:00Z")
	return cmd
}

func runTokenRevoke(cmd *cobra.Command, named string) error {
	if strings.HasPrefix(named, "@") {
		var err error
		if named, err = (secretInput{argument: named}).read(cmd); err != nil {
			return err
		}
		named = strings.TrimSpace(named)
	}
	asked := make(map[string]string)
	switch {
	case token.IsID(named):
		asked["jti"] = named
	case strings.Count(named, ".") == 2:
		asked["token"] = named
	default: // it may be a secret: it is not shown
		return errors.New("expected an access token, or the jti of one: 22 characters, and for some a dot and a number")
	}
	if expires := flagText(cmd, "expires"); expires != "" || cmd.Flag("expires").Changed {
		asked["expires"] = expires
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	return askAndPrint(cmd, http.MethodPost, adminPrefix+"revocations", bytes.NewReader(body), (*revocationAnswer).text)
}

func (a *revocationAnswer) text() string {
	whose := ""
	if a.ClientID != "" {
		whose = " of client " + a.ClientID
	}
	if !a.Revoked {
		return fmt.Sprintf("The token %s%s expired at %s: there is nothing to revoke.\n", a.ID, whose, moment(&a.Expires))
	}
	return fmt.Sprintf("Revoked the token %s%s. It is refused, and remembered until %s.\n", a.ID, whose, moment(&a.Expires))
}
