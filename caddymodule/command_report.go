package caddymodule

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
)

// reportCommand makes `caddy oauth2 report`.
func reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report [--gate <resource>] [--site <site>] [--reset] [--json] [--address <listen>] [--config <path> [--adapter <name>]]",
		Short: "Shows which requests gates refuse, or would refuse, and what would let them pass",
		Long: `
Shows which requests gates have refused, and which they would have refused if
they did not stand with report_only: by gate, site, caller, method, rule or path,
and reason. Below that are the lines of Caddyfile with which these requests would
pass; what would open a path to everyone, or contradicts a rule, is commented out.

A section of its own tells which clients still pass by a bridge, with a secret
in place of a token.

Callers are clients where the token was valid, and addresses with user agents
where not. In paths, {} stands for what differs from request to request.
"(other)" is what found no room.

A site is named by the matchers before the gate and the addresses that its server
listens at; --site takes all of that, or one word of it, such as a host.

With --reset, what was shown begins again from zero.`,
		Args: cobra.NoArgs,
		RunE: runReport,
	}
	adminFlags(cmd)
	cmd.Flags().StringArray("gate", nil, "Show the gate for this resource alone (may be repeated)")
	cmd.Flags().StringArray("site", nil, "Show the gates at this site alone (may be repeated)")
	cmd.Flags().Bool("reset", false, "Remove what is shown")
	return cmd
}

func runReport(cmd *cobra.Command, _ []string) error {
	query := make(url.Values)
	for _, name := range []string{"gate", "site"} {
		values, err := cmd.Flags().GetStringArray(name)
		if err != nil {
			return err
		}
		if len(values) > 0 {
			query[name] = values
		}
	}
	path := adminPrefix + "report"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	method := http.MethodGet
	if flagSet(cmd, "reset") {
		method = http.MethodDelete
	}
	body, err := askAdmin(cmd, method, path, nil)
	if err != nil {
		return err
	}
	if flagSet(cmd, "json") {
		_, err = cmd.OutOrStdout().Write(body)
		return err
	}
	var answer reportAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), answer.text())
	return err
}

// text is the report for people.
func (a *reportAnswer) text() string {
	var reported, refused uint64
	var denied, bridged []report.Row
	for _, row := range a.Rows {
		reported += row.Reported
		refused += row.Refused
		if row.Passed > 0 {
			bridged = append(bridged, row)
		} else {
			denied = append(denied, row)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Since %s: %s refused, and %d passed that would have been refused.\n",
		a.Since.Format(time.RFC3339), requests(refused), reported)
	if len(denied) > 0 {
		writeDenied(&text, denied)
	}
	if len(bridged) > 0 {
		writeBridged(&text, bridged)
	}
	if len(denied) > 0 {
		text.WriteString("\n# With these lines they would pass. Review each before you add it.\n\n" + a.Suggestions)
	}
	return text.String()
}

func requests(count uint64) string {
	if count == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", count)
}

func writeDenied(text *strings.Builder, rows []report.Row) {
	cells := [][]string{{"GATE", "SITE", "CALLER", "METHOD", "RULE OR PATH", "REASON", "REFUSED", "WOULD BE", "LAST SEEN"}}
	for i := range rows {
		r := &rows[i]
		cells = append(cells, []string{
			r.Gate, cmp.Or(r.Site, "-"), r.Caller(), cmp.Or(r.Method, "-"), cmp.Or(r.Rule, r.Path, "-"), string(r.Reason),
			fmt.Sprint(r.Refused), fmt.Sprint(r.Reported), r.LastSeen.Format(time.RFC3339),
		})
	}
	writeTable(text, cells)
}

// writeBridged tells who has to change before a bridge can go.
func writeBridged(text *strings.Builder, rows []report.Row) {
	text.WriteString("\nThese passed by a bridge, with a secret in place of a token:\n")
	cells := [][]string{{"GATE", "SITE", "CLIENT", "BRIDGE", "PASSED", "LAST SEEN"}}
	for i := range rows {
		r := &rows[i]
		cells = append(cells, []string{
			r.Gate, cmp.Or(r.Site, "-"), r.Caller(), cmp.Or(string(r.Bridge), "-"), fmt.Sprint(r.Passed), r.LastSeen.Format(time.RFC3339),
		})
	}
	writeTable(text, cells)
}

func writeTable(text *strings.Builder, rows [][]string) {
	text.WriteByte('\n')
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		_, _ = io.WriteString(table, strings.Join(cells, "\t")+"\n")
	}
	_ = table.Flush() // to memory
}
