package caddymodule

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
)

// text is the coverage for people.
func (c *coverage) text() string {
	var text strings.Builder
	for i := range c.Gates {
		c.Gates[i].text(&text)
		text.WriteByte('\n')
	}
	list := func(title string, remarks []remark) {
		if len(remarks) == 0 {
			return
		}
		fmt.Fprintf(&text, "%s:\n", title)
		for _, one := range remarks {
			fmt.Fprintf(&text, "- %s\n", one.Text)
		}
		text.WriteByte('\n')
	}
	list("Findings", c.Findings)
	list("Warnings", c.Warnings)
	fmt.Fprintf(&text, "Gates: %d, findings: %d, warnings: %d\n", len(c.Gates), len(c.Findings), len(c.Warnings))
	return text.String()
}

func (g *coveredGate) text(text *strings.Builder) {
	mode := ""
	if g.ReportOnly {
		mode = ", report_only: it refuses nothing"
	}
	fmt.Fprintf(text, "%s (server %s): oauth2_gate for %s, tokens of %s%s\n",
		cmp.Or(g.Where, "every site"), g.Server, g.Resource, strings.Join(g.Issuers, ", "), mode)
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  METHODS\tPATTERN\tNEEDS\tCLIENTS\tFROM")
	for _, rule := range g.Rules {
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", cmp.Or(strings.Join(rule.Methods, ","), "*"),
			rule.Pattern, rule.needs(), cmp.Or(strings.Join(rule.Clients, ", "), "-"), rule.Origin)
	}
	_ = table.Flush() // to memory
	for _, bridge := range g.Bridges {
		text.WriteString("  " + bridge.text() + "\n")
	}
}

// text says how a secret passes in place of a token, and until when.
func (b *coveredBridge) text() string {
	what := strings.TrimSpace("bridge " + b.Kind + " " + b.Header)
	switch {
	case b.Until == "":
		return what + " without an end"
	case b.Ended:
		return what + ", which ended at " + b.Until
	}
	return what + " until " + b.Until
}

// needs says what a rule asks for.
func (r *coveredRule) needs() string {
	if r.Public {
		return "nothing: open to everyone"
	}
	sets := make([]string, len(r.Needs))
	for i, set := range r.Needs {
		sets[i] = set.String()
	}
	return cmp.Or(strings.Join(sets, ", or "), "any token")
}
