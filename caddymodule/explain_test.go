package caddymodule

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commandCase is a file of testdata/explain or testdata/coverage: a Caddyfile,
// what is asked, one line each, the exit status, and what is printed, with lines
// of ten dashes between. OPTIONS stands for what each Caddyfile has.
type commandCase struct {
	path, caddyfile string
	asked           []string
	expected        string
}

func commandCases(t *testing.T, folder string) []commandCase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	cases := make([]commandCase, len(paths))
	for i, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.SplitN(string(data), "----------\n", 3)
		if len(parts) != 3 {
			t.Fatalf("%s: expected three parts", path)
		}
		cases[i] = commandCase{path: path, caddyfile: parts[0], asked: strings.Split(strings.TrimSpace(parts[1]), "\n"), expected: parts[2]}
	}
	return cases
}

// compare holds what a command did against what is expected.
func (c commandCase) compare(t *testing.T, got string) {
	t.Helper()
	if *update {
		data := c.caddyfile + "----------\n" + strings.Join(c.asked, "\n") + "\n----------\n" + got
		if err := os.WriteFile(c.path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != c.expected {
		t.Errorf("got:\n%s\nexpected:\n%s", got, c.expected)
	}
}

// oauth2 runs `caddy oauth2` in this process: the exit status and the output.
func oauth2(t *testing.T, arguments ...string) (status, stdout, stderr string) {
	t.Helper()
	cmd := &cobra.Command{Use: "oauth2"}
	oauth2Command(cmd)
	var out, problems bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&problems)
	cmd.SetArgs(arguments)
	cmd.SetContext(t.Context())
	cmd.SilenceUsage = true
	status = "0"
	if err := cmd.Execute(); err != nil {
		if status = strings.TrimPrefix(err.Error(), "exiting with status "); status == err.Error() {
			status = "1"
		}
	}
	return status, out.String(), problems.String()
}

var changing = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`jti [\w.-]+`), "jti JTI"},
	{regexp.MustCompile(`(^|[^\w-])[\w-]{43}([^\w-]|$)`), "${1}KID${2}"}, // no \b: one may begin or end with "-"
}

// steady replaces what is another one each time, and lines the columns up again.
func steady(text string) string {
	for _, one := range changing {
		text = one.find.ReplaceAllString(text, one.put)
	}
	return regexp.MustCompile(`(\S)  +`).ReplaceAllString(text, "$1  ")
}

const explainOptions = `{
	storage file_system {$STORAGE}
	log {
		output file {$STORAGE}/caddy.log
	}
	oauth2 {
		issuer https://api.example.com
		client batch {
			secret a-secret-that-is-long-enough
			scopes orders:read orders:write
		}
		client sleeping {
			secret a-secret-that-is-long-enough
			scopes orders:read
			disabled
		}
		trusted_issuer https://login.example.org
	}
}
`

func writeCaddyfile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte(strings.Replace(text, "OPTIONS\n", explainOptions, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// contents are the files below a folder and what is in them.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What is told of requests, and that nothing is written for it, not even the
// log that the configuration names. A line of the question is the request, a
// description of the token in the header or in a form, or flags.
func TestExplainGolden(t *testing.T) {
	for _, c := range commandCases(t, "explain") {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			folder, signer := stored(t, "batch", "sleeping")
			t.Setenv("STORAGE", folder)
			t.Setenv("TESTDATA", "testdata/coverage")
			before := contents(t, folder)
			arguments := []string{"explain", "--config", writeCaddyfile(t, c.caddyfile), "--adapter", "caddyfile", "--request", c.asked[0]}
			raw := "there is none"
			for _, line := range c.asked[1:] {
				switch word, rest, _ := strings.Cut(line, " "); word {
				case "token":
					raw = explainToken(t, signer, rest)
					arguments = append(arguments, "--token", raw)
				case "form":
					raw = explainToken(t, signer, rest)
					arguments = append(arguments, "--data", "a=1&access_token="+raw)
				default:
					arguments = append(arguments, word, rest)
				}
			}
			status, stdout, stderr := oauth2(t, arguments...)
			c.compare(t, "exit status "+status+"\n"+steady(stdout+stderr))
			if strings.Contains(stdout+stderr, raw) {
				t.Error("the token is printed")
			}
			if after := contents(t, folder); !maps.Equal(before, after) {
				t.Errorf("files before: %v, after: %v", slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
			}
		})
	}
}

// The members that scripts rely on.
func TestExplainJSON(t *testing.T) {
	folder, signer := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, "OPTIONS\napi.example.com {\n\toauth2_gate orders:write\n\treverse_proxy 127.0.0.1:9000\n}\n")
	status, stdout, _ := oauth2(t, "explain", "--config", path, "--adapter", "caddyfile", "--json",
		"--request", "GET https://api.example.com/", "--token", explainToken(t, signer, "scope=orders:read"))
	var answer map[string]any
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || status != "2" {
		t.Fatalf("status %s, %v\n%s", status, err, stdout)
	}
	if names := slices.Sorted(maps.Keys(answer)); !slices.Equal(names, []string{"answer", "gates", "method", "notes", "result", "server", "url"}) {
		t.Errorf("members %v", names)
	}
	for _, word := range []string{`"result": "refused"`, `"status": 403`, `"check": "scope"`, `"result": "failed"`, `"reason": "insufficient_scope"`} {
		if !strings.Contains(stdout, word) {
			t.Errorf("no %s in %s", word, stdout)
		}
	}
}

// What is wrong with the flags is said, and quotes neither a token nor a secret.
func TestExplainMistakes(t *testing.T) {
	folder, _ := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, "OPTIONS\n")
	for _, flags := range [][]string{
		{}, {"--request", "GET"}, {"--request", "https://api.example.com/"}, {"--request", "GET ftp://api.example.com/"},
		{"--request", "GET https:///x"}, {"--request", "G T https://api.example.com/"}, {"--request", "GET https://api.example.com/%zz?hush"},
		{"--request", "GET https://a/", "--header", "hush"}, {"--request", "GET https://a/", "--token", "@/does/not/exist"},
		{"--request", "GET https://[::1/"}, {"--request", "GET https://a:99999/"}, {"--request", "GET https://a:0/"}, {"--request", "GET https://a:/"},
		{"--request", "GET https://a:b/"}, {"--request", "GET https://a*/"}, {"--request", `GET https://a\b/`}, {"--request", "GET https://:443/"},
		{"--request", "GET https://a/", "--from", "here"}, {"--request", "GET https://a/", "--from", "127.0.0.1:80"}, {"--request", "GET https://a/", "--from", ""},
		{"--request", "GET https://a/", "--data", "@/does/not/exist"}, {"--request", "GET https://a/", "--data", "@-", "--token", "@-"},
		{"--request", "GET https://a/", "--token", "hush\nhush"}, {"--request", "GET https://a/", "--cert", path},
		{"--request", "GET https://a/", "--jwks", "hush"}, {"--request", "GET https://a/"}, {"--request", "GET https://a/", "hush"},
	} {
		status, stdout, stderr := oauth2(t, append([]string{"explain", "--config", path, "--adapter", "caddyfile"}, flags...)...)
		if status != "1" || stdout != "" || stderr == "" {
			t.Errorf("%v: status %s\n%s\n%s", flags, status, stdout, stderr)
		}
	}
}

// A form may come from a file, which ends in a line end that is not of the token.
func TestExplainFormFromFile(t *testing.T) {
	folder, signer := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, "OPTIONS\napi.example.com {\n\toauth2_gate orders:read {\n\t\tbearer_methods body\n\t}\n\treverse_proxy 127.0.0.1:9000\n}\n")
	form := filepath.Join(t.TempDir(), "form")
	if err := os.WriteFile(form, []byte("access_token="+explainToken(t, signer, "scope=orders:read")+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{"@" + form: "0", "a=1": "2", "": "2"} {
		status, stdout, stderr := oauth2(t, "explain", "--config", path, "--adapter", "caddyfile", "--request", "POST https://api.example.com/", "--data", data)
		if status != want {
			t.Errorf("%q: status %s\n%s%s", data, status, stdout, stderr)
		}
	}
}
