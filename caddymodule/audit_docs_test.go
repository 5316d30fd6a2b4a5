package caddymodule

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// auditLine is what the page says of a message.
type auditLine struct {
	level             string
	always, sometimes []string
}

var (
	auditRow = regexp.MustCompile("(?m)^\\| `([a-z ]+)` \\| (info|debug) \\|[^|]*\\|([^|]*)\\|([^|]*)\\|$")
	quoted   = regexp.MustCompile("`([a-z_]+)`")
)

func documentedLines(t *testing.T) map[string]auditLine {
	t.Helper()
	names := func(cell string) (found []string) {
		for _, one := range quoted.FindAllStringSubmatch(cell, -1) {
			found = append(found, one[1])
		}
		return found
	}
	lines := make(map[string]auditLine)
	for _, row := range auditRow.FindAllStringSubmatch(readPage(t, "audit-log.md"), -1) {
		lines[row[1]] = auditLine{row[2], names(row[3]), names(row[4])}
	}
	return lines
}

// Lines have the fields that the page says, and no others: who reads them with a
// program relies on it.
func TestAuditLines(t *testing.T) {
	t.Parallel()
	documented, seen := documentedLines(t), make(map[string]bool)
	for _, line := range linesOfAllKinds(t) {
		want, known := documented[line.Message]
		if seen[line.Message] = true; !known || want.level != line.Level.String() {
			t.Errorf("%s %q is not documented", line.Level, line.Message)
			continue
		}
		fields := line.ContextMap()
		for _, name := range want.always {
			if _, there := fields[name]; !there {
				t.Errorf("%q has no %s", line.Message, name)
			}
		}
		for name := range fields {
			if !slices.Contains(want.always, name) && !slices.Contains(want.sometimes, name) {
				t.Errorf("%q has %s, which is not documented", line.Message, name)
			}
		}
	}
	for message := range documented {
		if !seen[message] {
			t.Errorf("%q is documented, and nothing here makes it", message)
		}
	}
	if len(documented) < 12 {
		t.Errorf("only %v", slices.Sorted(maps.Keys(documented)))
	}
}

// linesOfAllKinds are audit lines of every message, with as many fields as it can have.
func linesOfAllKinds(t *testing.T) []observer.LoggedEntry {
	t.Helper()
	core, log := observer.New(zapcore.DebugLevel)
	audit := &auditor{logger: zap.New(core)}
	refusal := &issuer.Error{Code: issuer.InvalidClient, Status: 401, Description: "a", Reason: "a", Cause: errors.New("a")}
	for _, endpoint := range []issuer.Endpoint{issuer.TokenEndpoint, issuer.IntrospectionEndpoint, issuer.RevocationEndpoint, issuer.BridgeEndpoint} {
		audit.answered(t.Context(), &issuer.Event{Endpoint: endpoint, TokenID: "a"})
		audit.answered(t.Context(), &issuer.Event{Endpoint: endpoint, Err: refusal})
	}
	audit.withheld(map[refusalKind]int{{}: 1})
	by := operator{address: "a", certificate: "a"}
	audit.keyRotated(by, "a")
	audit.keyRevoked(by, "a")
	audit.tokenRevoked(by, &revocationAnswer{ID: "a", ClientID: "a"})
	for action := range clientChanges {
		secretID := "a"
		if action == actionChange || action == actionRemove {
			secretID = ""
		}
		audit.clientChanged(by, &clientChange{action: action, clientID: "a", secretID: secretID})
	}
	audit.changeRefused(by, "a", "a", changeError(errors.New("a")))
	audit.keysChanged(keys.Changes{Made: []string{"a"}, Signing: "a", Forgotten: []string{"a"}})
	lines := log.All()
	for _, reportOnly := range []bool{false, true} {
		f := newFixture(t, func(config *gate.Config) {
			config.Rules = []gate.Rule{{Pattern: "/", Scopes: []string{"write"}}}
		})
		f.ReportOnly = reportOnly
		f.serve(prepared(t.Context(), http.MethodGet, "/", f.token("read")))
		f.serve(prepared(t.Context(), http.MethodGet, "/", "x"))
		f.serve(prepared(t.Context(), http.MethodGet, "/", ""))
		lines = append(lines, f.log.All()...)
	}
	return lines
}

// Each field is explained.
func TestAuditFields(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(readPage(t, "audit-log.md"), "## Which fields are there?")
	if !found {
		t.Fatal("the page has no such section")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	explained := make(map[string]bool)
	for row := range strings.Lines(table) {
		if cells := strings.Split(row, "|"); len(cells) > 2 {
			for _, one := range quoted.FindAllStringSubmatch(cells[1], -1) {
				explained[one[1]] = true
			}
		}
	}
	used := make(map[string]bool)
	for message, line := range documentedLines(t) {
		for _, name := range slices.Concat(line.always, line.sometimes) {
			if used[name] = true; !explained[name] {
				t.Errorf("%s of %q is not explained", name, message)
			}
		}
	}
	for name := range explained {
		if !used[name] {
			t.Errorf("no line has %s", name)
		}
	}
}

// A message that somebody adds to the audit log is on the page too, also where
// no test comes by.
func TestAuditMessages(t *testing.T) {
	t.Parallel()
	documented := documentedLines(t)
	message, count := regexp.MustCompile(`^[a-z]+( [a-z]+)+$`), 0
	inspect := func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			if _, known := documented[text]; err == nil && message.MatchString(text) {
				if count++; !known {
					t.Errorf("%q is not documented", text)
				}
			}
		}
		return true
	}
	for _, name := range []string{"audit.go", "audit_change.go", "audit_refused.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, inspect)
	}
	if count != len(documented) {
		t.Errorf("%d messages in the source, %d on the page", count, len(documented))
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			source, err := os.ReadFile(name)
			if err != nil || strings.Contains(string(source), "audit.logger.") {
				t.Errorf("%s writes to the audit log past the auditor: %v", name, err)
			}
		}
	}
}
