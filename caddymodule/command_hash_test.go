package caddymodule_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

const (
	generated     = "cc_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-RJn6K"
	generatedHash = "$sha256$HcobWSCpZgFi/nDRff9PZM2qqN8BbsnWVDryz/DEXeE"
)

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The hash alone is on the standard output, and the secret nowhere.
func TestCommandHashSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ argument, content, want string }{
		"generated":         {"@-", generated, generatedHash},
		"a line":            {"@-", generated + "\n", generatedHash},
		"a line of Windows": {"@-", generated + "\r\n", generatedHash},
		"two line ends":     {"@-", generated + "\n\n", "$argon2id$v=19$m=19456,t=2,p=1$"},
		"a space":           {"@-", generated + " ", "$argon2id$v=19$m=19456,t=2,p=1$"},
		"chosen":            {"@-", "a secret that somebody chose\n", "$argon2id$v=19$m=19456,t=2,p=1$"},
		"no argument":       {"", generated, generatedHash},
		"file":              {"@", generated + "\n", generatedHash},
	} {
		arguments, stdin := []string{"hash-secret"}, c.content
		switch c.argument {
		case "@":
			arguments, stdin = append(arguments, "@"+secretFile(t, c.content)), ""
		case "@-":
			arguments = append(arguments, "@-")
		}
		out, printed, err := caddymodule.CommandReading(strings.NewReader(stdin), arguments...)
		if err != nil || printed != "" || !strings.HasPrefix(out, c.want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: %q %q %v", name, out, printed, err)
		}
		if c.want == generatedHash && out != generatedHash+"\n" {
			t.Errorf("%s: %q", name, out)
		}
	}
	out, _, err := caddymodule.CommandReading(strings.NewReader(generated), "hash-secret", "--json")
	var answer map[string]string
	if err != nil || json.Unmarshal([]byte(out), &answer) != nil || answer["secret_hash"] != generatedHash || len(answer) != 1 {
		t.Errorf("%s %v", out, err)
	}
}

// Nothing that is refused is quoted: it is a secret, if a bad one.
func TestCommandHashSecretRefuses(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct{ argument, stdin string }{
		"list of processes":    {"hunter2-hunter2-hunter2", ""},
		"shell's history":      {"", ""}, // an argument that is empty
		"behind @":             {"@", ""},
		"does not exist":       {"@/nowhere/secret", ""},
		"at least 16":          {"@-", "hunter2-hunter2\n"},
		"secret of 0 bytes":    {"@-", ""},
		"UTF-8":                {"@-", "hunter2-hunter2-\xff\n"},
		"at most 65536 bytes":  {"@-", strings.Repeat("hunter2-", 8193)},
		"cannot be read: read": {"@" + t.TempDir(), ""},
	} {
		if says == "cannot be read: read" {
			says = "is a directory"
		}
		out, printed, err := caddymodule.CommandReading(strings.NewReader(c.stdin), "hash-secret", c.argument)
		if err == nil || out != "" || !strings.Contains(printed, says) || strings.Contains(printed, "hunter2") {
			t.Errorf("%s: %q %q %v", says, out, printed, err)
		}
	}
}
