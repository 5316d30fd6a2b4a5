package caddymodule

import (
	"fmt"
	"io"
	"net/http"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:      "oauth2",
		Usage:     "<command>",
		Short:     "Shows and changes what the OAuth 2.0 plugin does",
		CobraFunc: oauth2Command,
	})
}

// oauth2Command makes `caddy oauth2`. Each command below it is in a file of its
// own: the result goes to the standard output, all else to the standard error,
// and after an error the exit status is 1.
func oauth2Command(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command %q for %q: see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
		}
		return cmd.Help()
	}
	cmd.AddCommand(reportCommand(), explainCommand(), coverageCommand(), hashSecretCommand(), tokenCommand(), keyCommand(), clientCommand(), secretCommand(), storeCommand())
}

// adminFlags adds the flags by which a command finds the running Caddy, as
// `caddy reload` has them.
func adminFlags(cmd *cobra.Command) {
	cmd.Flags().String("address", "", "Address of the administration API listener (if --config is not used)")
	cmd.Flags().StringP("config", "c", "", "Configuration file that says where the administration API is (if --address is not used)")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter for the file (if --config is used)")
	cmd.Flags().Bool("json", false, "Print the answer as JSON")
}

// flagText is the value of a flag that the command has.
func flagText(cmd *cobra.Command, name string) string { return cmd.Flag(name).Value.String() }

// flagSet tells whether a switch that the command has is on.
func flagSet(cmd *cobra.Command, name string) bool { return flagText(cmd, name) == "true" }

// askAdmin sends a request to the running Caddy and returns the answer's body.
// Without --address and --config it is where CADDY_ADMIN says, or at Caddy's
// default address.
func askAdmin(cmd *cobra.Command, method, path string, body io.Reader) ([]byte, error) {
	address, err := caddycmd.DetermineAdminAPIAddress(flagText(cmd, "address"), nil, flagText(cmd, "config"), flagText(cmd, "adapter"))
	if err != nil {
		return nil, fmt.Errorf("finding the admin endpoint: %w", err)
	}
	response, err := caddycmd.AdminAPIRequest(address, method, path, make(http.Header), body)
	if err != nil {
		return nil, fmt.Errorf("asking Caddy at %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("asking Caddy at %s: %w", address, err)
	}
	return answer, nil
}
