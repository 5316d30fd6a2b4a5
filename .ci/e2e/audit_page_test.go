package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// auditFields are the fields that docs/audit-log.md names for each message.
var auditFields = sync.OnceValue(func() map[string][]string {
	text, err := os.ReadFile(filepath.Join(checkout, "docs", "audit-log.md"))
	if err != nil {
		panic(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z ]+)` \\| (?:info|debug) \\|[^|]*\\|(.*)\\|$")
	name := regexp.MustCompile("`([a-z_]+)`")
	fields := make(map[string][]string)
	for _, found := range row.FindAllStringSubmatch(string(text), -1) {
		for _, one := range name.FindAllStringSubmatch(found[2], -1) {
			fields[found[1]] = append(fields[found[1]], one[1])
		}
	}
	return fields
})

// checkAuditLine looks whether a line of Caddy's log, where it is one of the
// audit log, is as the page says. Every Caddy of every test is looked at.
func checkAuditLine(t testing.TB, line string) {
	t.Helper()
	if !strings.Contains(line, `"logger":"oauth2.audit"`) {
		return
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return // cut off as Caddy was killed
	}
	message, _ := fields["msg"].(string)
	documented, known := auditFields()[message]
	if !known {
		t.Errorf("docs/audit-log.md has no %q", message)
	}
	for name := range fields {
		if !slices.Contains(documented, name) && !slices.Contains([]string{"level", "ts", "logger", "msg"}, name) {
			t.Errorf("docs/audit-log.md: %q has no field %s: %.500s", message, name, line)
		}
	}
}

// The recipe splits the audit log off, the refusal is found in it, and its files
// are rotated without losing a line.
func TestAuditLogPage(t *testing.T) {
	t.Parallel()
	const page = "audit-log.md"
	p := newPage(t)
	logs := t.TempDir()
	p.words = [][2]string{{"/var/log/caddy/", logs + "/"}}
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch.secret"), batchSecret+"\n")
	p.follow(t, page, nil, map[string]func(*testing.T){
		"How do I write it to a file of its own?": func(t *testing.T) {
			before := p.output.String()
			p.says(t, "curl -s https://api.example.com/none -o /dev/null -w '%{http_code}'", "401")
			if strings.Contains(strings.TrimPrefix(p.output.String(), before), "oauth2.audit") {
				t.Error("the default log has the lines too")
			}
		},
	})
	recipe := blockOf(t, page, "How do I write it to a file of its own?", "caddyfile")
	const requests = 3000 // each a line of about 500 bytes, however many come at once
	// Under another name: Caddy goes on with a file that is open as it was opened.
	p.serve(t, replace(recipe, "roll_size 100MiB", "roll_size 1MiB", "oauth2-audit.log", "rolled.log"))
	p.says(t, fmt.Sprintf("curl -s -o /dev/null -u 'nightly-batch:%s' -d grant_type=client_credentials 'https://api.example.com/oauth2/token?[1-%d]'",
		batchSecret, requests), "")
	p.stop(t)
	files, err := filepath.Glob(filepath.Join(logs, "rolled*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	p.says(t, fmt.Sprintf(`zcat -f %s/rolled* | grep -c '"token issued"'`, logs), fmt.Sprint(requests))
}
