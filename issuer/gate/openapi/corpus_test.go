package openapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
)

// example is a document and what must come of it.
type example struct{ name, document, want string }

// validExamples are the files of testdata/valid: a document and its rules, with
// a line between.
func validExamples(t testing.TB) []example {
	t.Helper()
	var all []example
	for name, text := range readFiles(t, "testdata/valid/*.txt") {
		document, want, found := strings.Cut(text, "----------\n")
		if !found {
			t.Fatalf("%s: no line of dashes", name)
		}
		all = append(all, example{name, document, want})
	}
	return all
}

// brokenExamples are those of testdata/broken: documents and parts of the errors.
func brokenExamples(t testing.TB) []example {
	t.Helper()
	var all []example
	for file, text := range readFiles(t, "testdata/broken/*.txt") {
		for _, one := range strings.Split("\n"+text, "\n==== ")[1:] {
			name, rest, _ := strings.Cut(one, "\n")
			document, want, found := strings.Cut(rest, "\n----\n")
			if !found {
				t.Fatalf("%s: %s: no line of dashes", file, name)
			}
			all = append(all, example{name, document + "\n", strings.TrimSpace(want)})
		}
	}
	return all
}

func readFiles(t testing.TB, pattern string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	texts := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(name), ".txt")] = string(text)
	}
	return texts
}

// show writes rules as the examples do: "GET /a: x y | z", "token" for any.
func show(rules []gate.Rule) string {
	var text strings.Builder
	for _, rule := range rules {
		needs := "token"
		switch {
		case rule.Public:
			needs = "public"
		case len(rule.Scopes) > 0:
			needs = rule.Scopes.String()
		case len(rule.Alternatives) > 0:
			var all []string
			for _, scopes := range rule.Alternatives {
				all = append(all, scopes.String())
			}
			needs = strings.Join(all, " | ")
		}
		text.WriteString(rule.String() + ": " + needs + "\n")
	}
	return text.String()
}

func TestValid(t *testing.T) {
	t.Parallel()
	for _, example := range validExamples(t) {
		rules, err := openapi.Rules([]byte(example.document), nil)
		if err != nil {
			t.Errorf("%s: %v", example.name, err)
			continue
		}
		if got := show(rules); got != example.want {
			t.Errorf("%s:\n%s\nwant:\n%s", example.name, got, example.want)
		}
		if _, err := gate.NewRules(rules); err != nil {
			t.Errorf("%s: the gate: %v", example.name, err)
		}
	}
}

// What a document leaves open must not leave the API open.
func TestBroken(t *testing.T) {
	t.Parallel()
	examples := brokenExamples(t)
	if len(examples) < 140 {
		t.Errorf("%d examples", len(examples))
	}
	for _, example := range examples {
		rules, err := openapi.Rules([]byte(example.document), nil)
		if err == nil || rules != nil || !strings.Contains(err.Error(), example.want) {
			t.Errorf("%s: %s%v\nwant: %s", example.name, show(rules), err, example.want)
		}
	}
}

// Whatever is lost of a document, nothing becomes public that was not.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for _, example := range validExamples(t) {
		known := publicOf(t, example.document)
		lines := strings.SplitAfter(example.document, "\n")
		for i := range lines {
			less := strings.Join(lines[:i], "")
			for _, document := range []string{less, less + strings.Join(lines[i+1:], "")} {
				for name := range publicOf(t, document) {
					if !known[name] {
						t.Errorf("%s: without line %d %s is public", example.name, i+1, name)
					}
				}
			}
		}
	}
}

// publicOf names the operations that are public; of no document where it is broken.
func publicOf(t *testing.T, document string) map[string]bool {
	t.Helper()
	rules, err := openapi.Rules([]byte(document), nil)
	if err != nil {
		return nil
	}
	names := make(map[string]bool)
	for _, rule := range rules {
		if rule.Public {
			names[rule.Origin] = true
		}
	}
	return names
}
