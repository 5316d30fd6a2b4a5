package caddymodule

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// clientCommand makes `caddy oauth2 client`.
func clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client <command>", Short: "Makes, shows, changes and removes clients, without a reload", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(
		clientAddCommand(), clientListCommand(), clientShowCommand(),
		clientSwitchCommand("enable", false, "Lets a client get tokens again",
			"Lets a client that was disabled get tokens again. Those that it had before stay refused."),
		clientSwitchCommand("disable", true, "Refuses a client, and the tokens it has, from now on",
			"Refuses a client from now on, and for ever the tokens that it has by now."),
		clientRemoveCommand(),
	)
	return cmd
}

func clientAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add <id> [--name <text>] [--scopes <scopes>] [--roles <roles>] [--resources <identifiers>] [--no-secret] [--expires <time>] " +
			adminUsage,
		Short: "Makes a client, and prints its secret",
		Long: `
Makes a client and prints its secret, which is shown this once. Scopes, roles and
resources are separated by spaces, and must be declared in the configuration. A
client without --resources may use all.

With --expires, a time or a duration such as 90d, the secret ceases to be good then.`,
	}
	takeID(cmd, runClientAdd)
	adminFlags(cmd)
	cmd.Flags().String("name", "", "A name for people")
	for _, list := range clientLists {
		cmd.Flags().String(list, "", "The client's "+list+", separated by spaces")
	}
	cmd.Flags().Bool("no-secret", false, "Make no secret")
	cmd.Flags().String("expires", "", "When the secret ceases to be good, as 2030-01-31T00:00:00Z or 90d")
	return cmd
}

// clientLists are the flags with several values.
var clientLists = []string{"scopes", "roles", "resources"}

func runClientAdd(cmd *cobra.Command, id string) error {
	asked := map[string]any{"client_id": id}
	if name := flagText(cmd, "name"); name != "" {
		asked["name"] = name
	}
	for _, list := range clientLists {
		if values := strings.Fields(flagText(cmd, list)); len(values) > 0 {
			asked[list] = values
		}
	}
	if flagSet(cmd, "no-secret") {
		asked["no_secret"] = true
	}
	if err := askedExpires(cmd, asked, "secret_expires"); err != nil {
		return err
	}
	return askAndPrintSecret(cmd, adminPrefix+"clients", asked)
}

// askedExpires puts --expires into what is asked. One that is empty is a variable
// that is not set, and must not mean never.
func askedExpires(cmd *cobra.Command, asked map[string]any, member string) error {
	if !cmd.Flag("expires").Changed {
		return nil
	}
	if flagText(cmd, "expires") == "" {
		return errors.New("--expires: expected " + expectedExpires)
	}
	asked[member] = flagText(cmd, "expires")
	return nil
}

// printedSecret is a secret that was made, as the commands print it.
type printedSecret struct {
	ClientID string `json:"client_id"`
	Secret   string `json:"client_secret,omitempty"`
	ID       string `json:"secret_id,omitempty"`
}

// askAndPrintSecret sends a document and prints the client and the secret that the
// answer holds, and no more of it.
func askAndPrintSecret(cmd *cobra.Command, path string, asked map[string]any) error {
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	answered, err := askAdmin(cmd, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	var made printedSecret
	if err := json.Unmarshal(answered, &made); err != nil {
		return errors.New("reading what Caddy answered: expected JSON") // what cannot be read may hold the secret
	}
	if flagSet(cmd, "json") {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(made) //nolint:gosec // it is what was asked for
	}
	_, err = io.WriteString(cmd.OutOrStdout(), made.text())
	return err
}

func (s *printedSecret) text() string {
	text := "client_id:     " + s.ClientID + "\n"
	if s.Secret != "" {
		text += "client_secret: " + s.Secret + "\nsecret_id:     " + s.ID + "\n"
	}
	return text
}

func clientListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list " + adminUsage,
		Short: "Shows all clients, those of the configuration among them",
		Args:  cobra.NoArgs,
		RunE:  runClientList,
	}
	adminFlags(cmd)
	return cmd
}

func runClientList(cmd *cobra.Command, _ []string) error {
	all := clientsAnswer{Clients: []clientAnswer{}}
	for after := ""; ; {
		query := url.Values{"limit": {fmt.Sprint(maxClientLimit)}, "after": {after}}
		answered, err := askAdmin(cmd, http.MethodGet, adminPrefix+"clients?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		var page clientsAnswer
		if err := json.Unmarshal(answered, &page); err != nil {
			return fmt.Errorf("reading what Caddy answered: %w", err)
		}
		all.Clients = append(all.Clients, page.Clients...)
		if after = page.Next; after == "" {
			break
		}
	}
	if flagSet(cmd, "json") {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), all.text())
	return err
}

func (a *clientsAnswer) text() string {
	cells := [][]string{{"CLIENT", "NAME", "STATE", "ORIGIN", "SECRETS", "SCOPES", "ROLES"}}
	for i := range a.Clients {
		one := &a.Clients[i]
		cells = append(cells, []string{
			one.ID, cmp.Or(one.Name, "-"), one.state(), one.Origin, fmt.Sprint(len(one.Secrets)),
			cmp.Or(strings.Join(one.Scopes, " "), "-"), cmp.Or(strings.Join(one.Roles, " "), "-"),
		})
	}
	var text strings.Builder
	writeTable(&text, cells)
	return strings.TrimPrefix(text.String(), "\n")
}

func (a *clientAnswer) state() string {
	if a.Disabled {
		return "disabled"
	}
	return "enabled"
}

func clientShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show <id> " + adminUsage,
		Short: "Shows a client",
	}
	takeID(cmd, func(cmd *cobra.Command, id string) error {
		path, err := namedClient(id)
		if err != nil {
			return err
		}
		return askAndPrint(cmd, http.MethodGet, path, nil, (*clientAnswer).text)
	})
	adminFlags(cmd)
	return cmd
}

// namedClient is where a client is that an argument names.
func namedClient(id string) (path string, err error) {
	if id == "" { // a variable that is not set
		return "", errors.New("expected a client_id: see caddy oauth2 client list")
	}
	return clientPath(id), nil
}

func clientSwitchCommand(name string, disabled bool, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name + " <id> " + adminUsage,
		Short: short,
		Long:  "\n" + long,
	}
	takeID(cmd, func(cmd *cobra.Command, id string) error {
		path, err := namedClient(id)
		if err != nil {
			return err
		}
		body := strings.NewReader(fmt.Sprintf(`{"disabled":%t}`, disabled))
		return askAndPrint(cmd, http.MethodPatch, path, body, func(answer *clientAnswer) string {
			return fmt.Sprintf("Client %s is %s.\n", answer.ID, answer.state())
		})
	})
	adminFlags(cmd)
	return cmd
}

func clientRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove <id> " + adminUsage,
		Short: "Removes a client, and refuses the tokens it has, from now on",
		Long: `
Removes a client with its secrets. The tokens that it has are refused from now on and
for ever, also where a client of this name is made again.`,
	}
	takeID(cmd, func(cmd *cobra.Command, id string) error {
		path, err := namedClient(id)
		if err != nil {
			return err
		}
		return askAndPrint(cmd, http.MethodDelete, path, nil, func(answer *removedClientAnswer) string {
			return fmt.Sprintf("Removed client %s: its tokens are refused.\n", answer.ID)
		})
	})
	adminFlags(cmd)
	return cmd
}
