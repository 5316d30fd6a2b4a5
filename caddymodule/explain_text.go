package caddymodule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// text is the explanation for people.
func (e *explanation) text() string {
	var text strings.Builder
	at := "the server " + e.Server
	if e.Server == "" {
		at = "no server"
	}
	fmt.Fprintf(&text, "%s %s, at %s\n", e.Method, e.URL, at)
	for i := range e.Gates {
		text.WriteByte('\n')
		e.Gates[i].text(&text)
	}
	if len(e.Notes) > 0 {
		text.WriteByte('\n')
	}
	for _, note := range e.Notes {
		text.WriteString("! " + note + "\n")
	}
	text.WriteByte('\n')
	if e.Result == resultUnknown {
		text.WriteString("It cannot be told here what the client gets.\n")
		if len(e.unsure) > 0 {
			text.WriteString("That is up to " + strings.Join(e.unsure, " and ") + ". Where the request is let through:\n")
		}
	}
	switch {
	case e.Answer != nil:
		text.WriteString("The client gets ")
		e.Answer.text(&text)
	case e.Upstream != nil:
		e.Upstream.text(&text)
	}
	return text.String()
}

func (g *explainedGate) text(text *strings.Builder) {
	mode := ""
	if g.ReportOnly {
		mode = " (report_only)"
	}
	fmt.Fprintf(text, "oauth2_gate for %s%s: %s %s\n", g.Resource, mode, g.Method, g.Path)
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  CHECK\tRESULT\tEXPECTED\tFOUND")
	for _, step := range g.Steps {
		found := step.Found
		if found == "" {
			found = "-"
		}
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", step.Check, strings.ReplaceAll(string(step.Result), "_", " "), step.Expected, found)
	}
	_ = table.Flush() // to memory
	if g.ReportOnly && g.Answer != nil {
		text.WriteString("  With report_only the request goes on. Without, the client would get ")
		g.Answer.text(text)
	}
}

func (a *explainedAnswer) text(text *strings.Builder) {
	switch {
	case a.By == byNothing:
		text.WriteString("no answer: nothing listens for it\n")
	case a.By == byAbort:
		text.WriteString("no answer: the connection is closed\n")
	case a.Error != "":
		fmt.Fprintf(text, "%d %s: %s\n", a.Status, a.Error, a.Description)
	case a.Status != 0:
		fmt.Fprintf(text, "%d from %s\n", a.Status, a.By)
	default:
		fmt.Fprintf(text, "an answer of %s\n", a.By)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		for _, value := range a.Header[name] {
			fmt.Fprintf(text, "  %s: %s\n", name, value)
		}
	}
}

func (u *explainedUpstream) text(text *strings.Builder) {
	to := u.Handler
	if len(u.To) > 0 {
		to += " " + strings.Join(u.To, " ")
	}
	fmt.Fprintf(text, "Passed on to %s as %s %s\n", to, u.Method, u.Path)
	for _, name := range slices.Sorted(maps.Keys(u.Header)) {
		fmt.Fprintf(text, "  %s: %s\n", name, u.Header[name])
	}
}
