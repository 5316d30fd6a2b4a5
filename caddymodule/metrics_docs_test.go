package caddymodule

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

// described is what the code registers, by name: the type and the labels.
func described(t *testing.T) map[string]string {
	t.Helper()
	collectors := append(metrics.all(), &stateMetrics{})
	known := make(map[string]string)
	for _, collector := range collectors {
		kind := "gauge"
		switch collector.(type) {
		case *prometheus.CounterVec, prometheus.Counter:
			kind = "counter"
		case *prometheus.HistogramVec, prometheus.Histogram:
			kind = "histogram"
		}
		descriptions := make(chan *prometheus.Desc, 100)
		collector.Describe(descriptions)
		close(descriptions)
		for description := range descriptions {
			found := descriptionText.FindStringSubmatch(description.String())
			if found == nil || known[found[1]] != "" {
				t.Fatalf("unexpected %s", description)
			}
			known[found[1]] = kind + " " + strings.ReplaceAll(found[2], ",", " ")
		}
	}
	return known
}

var descriptionText = regexp.MustCompile(`^Desc\{fqName: "(\w+)", help: ".+", constLabels: \{\}, variableLabels: \{([a-z,]*)\}\}$`)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The page has each metric with its type and labels, and no other.
func TestMetricsPage(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile("(?m)^\\| `(caddy_oauth2_\\w+)` \\| (\\w+) \\| ([^|]*)\\|")
	documented := make(map[string]string)
	for _, found := range row.FindAllStringSubmatch(readPage(t, "metrics.md"), -1) {
		labels := strings.NewReplacer("`", "", ",", "").Replace(strings.TrimSpace(found[3]))
		documented[found[1]] = found[2] + " " + labels
	}
	known := described(t)
	for name, text := range known {
		if documented[name] != text {
			t.Errorf("%s is %q, documented as %q", name, text, documented[name])
		}
	}
	for name := range documented {
		if known[name] == "" {
			t.Errorf("%s is documented, and there is no such metric", name)
		}
	}
}

// Caddy's own metrics that the rules and the dashboard use.
var ofCaddy = []string{"caddy_config_last_reload_successful"}

var metricName = regexp.MustCompile(`\bcaddy_\w+`)

// faults are names that nobody registers: the panel would stay empty, and the
// alert silent, for years.
func faults(expression string, known map[string]string) (found []string) {
	names := metricName.FindAllString(expression, -1)
	if len(names) == 0 {
		found = append(found, "no metric")
	}
	for _, name := range names {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if cut, ok := strings.CutSuffix(name, suffix); ok && strings.HasPrefix(known[cut], "histogram") {
				base = cut
			}
		}
		if slices.Contains(ofCaddy, name) {
			continue
		}
		if kind := known[base]; kind == "" || strings.HasPrefix(kind, "histogram") == (base == name) {
			found = append(found, "no metric "+name)
		}
		found = append(found, unknownLabels(expression, strings.Fields(known[base]))...)
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(expression, pair[:1]) != strings.Count(expression, pair[1:]) {
			found = append(found, pair+" do not match")
		}
	}
	return found
}

var labelUse = regexp.MustCompile(`by \(([^)]*)\)|[{,](\w+)(?:=|!=|=~|!~)"`)

func unknownLabels(expression string, known []string) (found []string) {
	for _, use := range labelUse.FindAllStringSubmatch(expression, -1) {
		for _, label := range strings.FieldsFunc(use[1]+","+use[2], func(r rune) bool { return r == ',' || r == ' ' }) {
			if label != "instance" && label != "le" && !slices.Contains(known, label) {
				found = append(found, "no label "+label)
			}
		}
	}
	return found
}

func expectNoFaults(t *testing.T, where, expression string, known map[string]string) {
	t.Helper()
	if found := faults(expression, known); len(found) > 0 {
		t.Errorf("%s: %v in %s", where, found, expression)
	}
}

// Each metric shows on the dashboard, and nothing does that is not there.
func TestGrafanaDashboard(t *testing.T) {
	t.Parallel()
	type target struct{ Expr string }
	type position struct{ X, Y, W, H int }
	var dashboard struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Type    string
			Title   string
			GridPos position
			Targets []target
		}
		Templating struct {
			List []struct {
				Name, Type string
				Query      any
			}
		}
	}
	text := readPage(t, "grafana-dashboard.json")
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
		t.Fatal(err)
	}
	known, ids, taken := described(t), map[int]bool{}, map[position]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || taken[panel.GridPos] || panel.GridPos.X+panel.GridPos.W > 24 || panel.Title == "" {
			t.Errorf("panel %d %q stands where another one does", panel.ID, panel.Title)
		}
		ids[panel.ID], taken[panel.GridPos] = true, true
		if (panel.Type == "row") != (len(panel.Targets) == 0) {
			t.Errorf("panel %q has %d expressions", panel.Title, len(panel.Targets))
		}
		for _, one := range panel.Targets {
			expectNoFaults(t, panel.Title, one.Expr, known)
		}
	}
	for name := range known {
		if !strings.Contains(text, name) {
			t.Errorf("%s is not on the dashboard", name)
		}
	}
	if len(dashboard.Templating.List) != 2 || dashboard.UID == "" {
		t.Errorf("variables: %v", dashboard.Templating.List)
	}
}

// Each alert is one that can fire: its metrics and labels are there.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(readPage(t, "alerts.yml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	known, names := described(t), map[string]bool{}
	duration := regexp.MustCompile(`^(\d+m)?$`)
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			expectNoFaults(t, rule.Alert, rule.Expr, known)
			severity := rule.Labels["severity"]
			if names[rule.Alert] || !slices.Contains([]string{"critical", "warning", "info"}, severity) ||
				!duration.MatchString(rule.For) || rule.Annotations["summary"] == "" {
				t.Errorf("%s: severity %q, for %q, %v", rule.Alert, severity, rule.For, rule.Annotations)
			}
			names[rule.Alert] = true
		}
	}
	if len(names) < 15 {
		t.Errorf("only %v", slices.Sorted(maps.Keys(names)))
	}
}

// The check itself finds mistakes.
func TestFaults(t *testing.T) {
	t.Parallel()
	known := described(t)
	for expression, good := range map[string]bool{
		`rate(caddy_oauth2_tokens_issued_total{method="x"}[5m])`:                          true,
		`sum by (le) (rate(caddy_oauth2_verdict_duration_seconds_bucket[5m]))`:            true,
		`caddy_config_last_reload_successful == 0`:                                        true,
		`rate(caddy_oauth2_tokens_total[5m])`:                                             false,
		`rate(caddy_oauth2_tokens_issued_total{client="x"}[5m])`:                          false,
		`sum by (client) (caddy_oauth2_tokens_issued_total)`:                              false,
		`rate(caddy_oauth2_verdict_duration_seconds[5m])`:                                 false,
		`rate(caddy_oauth2_tokens_issued_total_count[5m])`:                                false,
		`rate(caddy_oauth2_tokens_issued_total{method="x"}[5m]`:                           false,
		`caddy_http_requests_total`:                                                       false,
		`vector(1)`:                                                                       false,
		`sum by (error, reason) (rate(caddy_oauth2_tokens_refused_total{error="a"}[5m]))`: true,
	} {
		if found := faults(expression, known); (len(found) == 0) != good {
			t.Errorf("%s: %v", expression, found)
		}
	}
}
