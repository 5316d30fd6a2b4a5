package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// frames are what a block of the documentation may be a part of: a whole
// Caddyfile, lines of the global option, of a client there, of a site, of a
// gate. BLOCK is where it belongs.
var frames = []string{
	"BLOCK",
	"{\n\toauth2 {\n\t\tissuer https://api.example.com\nBLOCK\n\t}\n}\n",
	"{\n\toauth2 {\nBLOCK\n\t}\n}\n",
	"{\n\toauth2 {\n\t\tissuer https://api.example.com\n\t\tclient c {\nBLOCK\n\t\t}\n\t}\n}\n",
	"{\n\toauth2 {\n\t\tissuer https://api.example.com\n\t}\n}\napi.example.com {\nBLOCK\n}\n",
	"{\n\toauth2 {\n\t\tissuer https://api.example.com\n\t}\n}\napi.example.com {\n\toauth2_gate {\nBLOCK\n\t}\n}\n",
	"{\n\toauth2 {\n\t\tissuer https://api.example.com\n\t}\nBLOCK\n}\n",
}

var variable = regexp.MustCompile(`\{env\.([A-Za-z0-9_]+)\}`)

// onLoad are words with which a Caddyfile needs files that are not here.
var onLoad = regexp.MustCompile(`\{file\.|\btls /|\bfile /|\bopenapi\b|\bjwks /|\bself_signed_tls_client_auth /|\bimport\b`)

// Every Caddyfile in the documentation adapts; those that need no file of the
// operator's are valid, with all variables set.
func TestDocumentedCaddyfiles(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(checkout, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	count := 0
	for _, page := range append(pages, filepath.Join(checkout, "README.md")) {
		for _, found := range blocksOf(t, page) {
			if found.language != "caddyfile" {
				continue
			}
			count++
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(page), found.line), func(t *testing.T) {
				t.Parallel()
				checkDocumented(t, found.text)
			})
		}
	}
	if count == 0 {
		t.Error("no caddyfile block was found")
	}
}

func checkDocumented(t *testing.T, text string) {
	t.Helper()
	var environment []string
	for _, name := range variable.FindAllStringSubmatch(text, -1) {
		environment = append(environment, name[1]+"=a-secret-that-is-long-enough-for-a-key")
	}
	c := prepare(t, text, environment...)
	var messages strings.Builder
	for _, frame := range frames {
		c.configure(t, strings.ReplaceAll(frame, "BLOCK", text))
		got := c.command(t, "adapt", "--config", c.caddyfile())
		if got.code != 0 {
			messages.WriteString(got.stderr)
			continue
		}
		if onLoad.MatchString(text) {
			return
		}
		if got := c.command(t, "validate", "--config", c.caddyfile()); got.code != 0 {
			t.Errorf("it adapts and is not valid: %s", got.all())
		}
		return
	}
	t.Errorf("it does not adapt:\n%s\n%s", text, messages.String())
}
