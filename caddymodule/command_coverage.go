package caddymodule

import (
	"errors"

	"github.com/spf13/cobra"
)

// coverageCommand makes `caddy oauth2 coverage`.
func coverageCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "coverage --config <path> [--adapter <name>] [--strict] [--json]",
		Short: "Shows what the routes of a configuration need, and what does not fit together",
		Long: `
Shows what each gate of a configuration asks for, by methods and path, which
clients can pass, and which bridges there are until when. Below that stand
findings: rules that no client can satisfy and clients that can do nothing; and
warnings: routes to an upstream that no gate stands before, or for some requests
alone, proxies that answer errors, declared scopes that no rule asks for, and
trusted issuers whose tokens no gate takes.

Nothing is started, sent, or written.

The exit status is 0 where there is no finding (with --strict no warning either),
2 where there is, and 1 after an error.`,
		Args: cobra.NoArgs,
		RunE: runCoverage,
	}
	cmd.Flags().StringP("config", "c", "", "Configuration file")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter for the file")
	cmd.Flags().Bool("strict", false, "Take warnings for findings in the exit status")
	cmd.Flags().Bool("json", false, "Print the answer as JSON")
	return cmd
}

func runCoverage(cmd *cobra.Command, _ []string) (err error) {
	config, err := readConfig(flagText(cmd, "config"), flagText(cmd, "adapter"))
	if err != nil {
		return err
	}
	made, err := lookAtConfig(config, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, made.close()) }()
	found := made.coverage()
	if err := printAnswer(cmd, found, found.text); err != nil {
		return err
	}
	if len(found.Findings) > 0 || flagSet(cmd, "strict") && len(found.Warnings) > 0 {
		return exitWith(cmd, exitFindings)
	}
	return nil
}
