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
	cmd := &cobra.Command{Use: "client <command>", Short: "Adds, shows, enables, disables and removes clients", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(clientAddCommand(), clientListCommand(), clientShowCommand(),
		clientSwitchCommand("enable", false), clientSwitchCommand("disable", true), clientRemoveCommand())
	return cmd
}

func clientAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   `add <id> [--name T] [--scopes "a b"] [--roles "r"] [--resources "u"] [--no-secret] ` + adminUsage,
		Short: "Adds a client, and shows its secret for the only time",
		Long: `
Adds a client to the running Caddy, and shows its secret: this once, since a hash of
it alone is kept. Scopes, roles and resources must be declared in the configuration,
where it declares some. Without --resources, the client may use all of them.`,
		Args: cobra.ExactArgs(1),
		RunE: runClientAdd,
	}
	adminFlags(cmd)
	cmd.Flags().String("name", "", "A name for people")
	cmd.Flags().String("scopes", "", "The scopes that it may have, with spaces between them")
	cmd.Flags().String("roles", "", "Its roles, with spaces between them")
	cmd.Flags().String("resources", "", "The resources that it may use, with spaces between them")
	cmd.Flags().Bool("no-secret", false, "Make no secret")
	return cmd
}

func runClientAdd(cmd *cobra.Command, args []string) error {
	asked := newClient{ID: args[0], NoSecret: flagSet(cmd, "no-secret")}
	asked.Name = flagText(cmd, "name")
	asked.Scopes = strings.Fields(flagText(cmd, "scopes"))
	asked.Roles = strings.Fields(flagText(cmd, "roles"))
	asked.Resources = strings.Fields(flagText(cmd, "resources"))
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	answered, err := askAdmin(cmd, http.MethodPost, adminPrefix+"clients", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return printSecret(cmd, answered, "Added client")
}

// printSecret prints the secret that was made: alone to the standard output, so that
// it can go into a file, and what it is to the standard error.
func printSecret(cmd *cobra.Command, answered []byte, done string) error {
	var made madeSecret
	if err := json.Unmarshal(answered, &made); err != nil {
		return fmt.Errorf("reading what Caddy answered: %w", err)
	}
	if flagSet(cmd, "json") {
		return printJSON(cmd, made)
	}
	if made.Secret == "" {
		cmd.PrintErrf("%s %q, without a secret.\n", done, made.ID)
		return nil
	}
	until := ""
	if made.Expires != nil {
		until = ", good until " + moment(made.Expires)
	}
	cmd.PrintErrf("%s %q. Its secret %q%s, which is shown this once:\n", done, made.ID, made.SecretID, until)
	_, err := fmt.Fprintln(cmd.OutOrStdout(), made.Secret)
	return err
}

func printJSON(cmd *cobra.Command, document any) error {
	encoded, err := json.Marshal(document)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", encoded)
	return err
}

func clientListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list " + adminUsage, Short: "Shows all clients: those of the configuration, and those made at run time", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := clientsAnswer{Clients: []clientAnswer{}}
			for after := ""; ; {
				part, err := askAdmin(cmd, http.MethodGet, adminPrefix+"clients?"+url.Values{"limit": {fmt.Sprint(mostClients)}, "after": {after}}.Encode(), nil)
				if err != nil {
					return err
				}
				var answer clientsAnswer
				if err := json.Unmarshal(part, &answer); err != nil {
					return fmt.Errorf("reading what Caddy answered: %w", err)
				}
				all.Clients = append(all.Clients, answer.Clients...)
				if after = answer.Next; after == "" {
					break
				}
			}
			if flagSet(cmd, "json") {
				return printJSON(cmd, all)
			}
			_, err := io.WriteString(cmd.OutOrStdout(), clientTable(all.Clients))
			return err
		},
	}
	adminFlags(cmd)
	return cmd
}

func clientTable(clients []clientAnswer) string {
	cells := [][]string{{"CLIENT", "FROM", "STATE", "SCOPES", "ROLES", "SECRETS", "NAME"}}
	for i := range clients {
		c := &clients[i]
		cells = append(cells, []string{
			c.ID, c.Origin, stateOf(c), cmp.Or(strings.Join(c.Scopes, " "), "-"), cmp.Or(strings.Join(c.Roles, " "), "-"),
			fmt.Sprint(len(c.Secrets)), cmp.Or(c.Name, "-"),
		})
	}
	var text strings.Builder
	writeTable(&text, cells)
	return text.String()
}

func stateOf(c *clientAnswer) string {
	if c.Disabled {
		return "disabled"
	}
	return "enabled"
}

func clientShowCommand() *cobra.Command {
	return oneClientCommand("show", "Shows a client", "", http.MethodGet, nil, (*clientAnswer).text)
}

func clientSwitchCommand(name string, disabled bool) *cobra.Command {
	short, long := "Lets a client have tokens again", `
Lets a client have tokens again. Those that it had before it was disabled stay refused.`
	if disabled {
		short, long = "Cuts a client off at once", `
Cuts a client off: it gets no token, and those that it has are refused from the next
request on, also after it was enabled again.`
	}
	body := fmt.Sprintf(`{"disabled":%t}`, disabled)
	return oneClientCommand(name, short, long, http.MethodPatch, []byte(body), func(c *clientAnswer) string {
		return fmt.Sprintf("Client %q is %s.\n", c.ID, stateOf(c))
	})
}

func clientRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove <id> " + adminUsage, Short: "Removes a client that was made at run time", Args: cobra.ExactArgs(1),
		Long: `
Removes a client. Its tokens are refused from the next request on, also if a client of
the same id is added later.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := clientPath(args[0])
			if err != nil {
				return err
			}
			if _, err := askAdmin(cmd, http.MethodDelete, path, nil); err != nil {
				return err
			}
			if flagSet(cmd, "json") {
				return printJSON(cmd, map[string]string{"client_id": args[0], "removed": "client"})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Removed client %q.\n", args[0])
			return err
		},
	}
	adminFlags(cmd)
	return cmd
}

// oneClientCommand makes a command that sends one request about one client.
func oneClientCommand(name, short, long, method string, body []byte, text func(*clientAnswer) string) *cobra.Command {
	cmd := &cobra.Command{
		Use: name + " <id> " + adminUsage, Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := clientPath(args[0])
			if err != nil {
				return err
			}
			var content io.Reader
			if body != nil {
				content = bytes.NewReader(body)
			}
			return askAndPrint(cmd, method, path, content, text)
		},
	}
	adminFlags(cmd)
	return cmd
}

// clientPath is where a client is at the admin endpoint.
func clientPath(id string) (string, error) {
	if id == "" { // a variable that is not set
		return "", errors.New("expected a client_id: see caddy oauth2 client list")
	}
	return adminPrefix + "clients/" + url.PathEscape(id), nil
}

// text is a client for people.
func (c *clientAnswer) text() string {
	var text strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-15s %s\n", name, value)
		}
	}
	line("client_id", c.ID)
	line("name", c.Name)
	line("from", c.Origin)
	line("state", stateOf(c))
	line("scopes", strings.Join(c.Scopes, " "))
	line("roles", strings.Join(c.Roles, " "))
	line("resources", strings.Join(c.Resources, " "))
	line("not declared", strings.Join(c.Undeclared, " "))
	line("subject", c.Subject)
	line("token_lifetime", c.TokenLifetime)
	line("require", c.Require)
	line("introspect", c.Introspect)
	if c.AllowBridge {
		line("allow_bridge", "yes")
	}
	if c.Made != nil {
		line("made", moment(c.Made))
		line("changed", moment(c.Changed))
	}
	return text.String() + secretTable(c.Secrets)
}
