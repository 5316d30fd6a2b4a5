package caddymodule

import (
	"bytes"
	"io"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
)

// ActiveReport is the report of the configuration in force.
func ActiveReport() *report.Report {
	app, err := activeApp()
	if err != nil {
		panic(err)
	}
	return app.shared.report
}

// Command runs `caddy oauth2` as the binary does, and returns what it printed.
func Command(arguments ...string) (stdout, stderr string, err error) {
	return CommandReading(strings.NewReader(""), arguments...)
}

// CommandReading is [Command] with a standard input.
func CommandReading(stdin io.Reader, arguments ...string) (stdout, stderr string, err error) {
	root := &cobra.Command{Use: "caddy", SilenceUsage: true} // as caddycmd makes it
	oauth2 := &cobra.Command{Use: "oauth2"}
	caddycmd.Commands()["oauth2"].CobraFunc(oauth2)
	root.AddCommand(oauth2)
	root.SetArgs(append([]string{"oauth2"}, arguments...))
	var out, errors bytes.Buffer
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(&errors)
	err = root.Execute()
	return out.String(), errors.String(), err
}
