package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// The spans of Caddy's directive tracing hold what was decided, and no token and
// no secret.
func TestTracingPage(t *testing.T) {
	t.Parallel()
	p := newPage(t, "OTEL_TRACES_EXPORTER=console")
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch.secret"), batchSecret+"\n")
	p.follow(t, "tracing.md", nil, nil)
	p.says(t, `token=$(curl -s -u nightly-batch:`+batchSecret+` -d grant_type=client_credentials https://api.example.com/oauth2/token |
	grep -o '"access_token":"[^"]*' | cut -d '"' -f 4)
for header in "Authorization: Bearer $token" "X: y"; do
	curl -s -o /dev/null -w '%{http_code} ' -H "$header" https://api.example.com/orders
done; echo "$token" >token`, "200 401")
	p.stop(t)
	printed := p.output.String()
	for _, want := range []string{
		`"oauth2.endpoint"`, `"oauth2.client_id"`, `"nightly-batch"`, `"oauth2.result"`, `"passed"`, `"refused"`, `"no_token"`, `"oauth2.error_id"`,
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("no %s in what was printed", want)
		}
	}
	token := strings.TrimSpace(readFile(t, filepath.Join(p.home, "token")))
	for _, hidden := range []string{batchSecret, token, token[strings.LastIndexByte(token, '.'):]} {
		if strings.Contains(printed, hidden) {
			t.Error("a span or the log has a secret or a token")
		}
	}
}
