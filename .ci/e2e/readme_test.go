package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/.ci/harness"
)

// block is a fenced block of a Markdown file.
type block struct {
	language string
	text     string
	line     int
}

var fence = regexp.MustCompile("^\\s*```([a-z]*)\\s*$")

func blocksOf(t testing.TB, path string) (blocks []block) {
	t.Helper()
	var open *block
	for i, line := range strings.Split(readFile(t, path), "\n") {
		found := fence.FindStringSubmatch(line)
		switch {
		case found == nil && open != nil:
			open.text += line + "\n"
		case found != nil && open == nil:
			open = &block{language: found[1], line: i + 1}
		case found != nil:
			blocks, open = append(blocks, *open), nil
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the block has no end", path, open.line)
	}
	return blocks
}

// The README's commands do what it says, one after the other, in one shell. It
// is not parallel with others: the example has fixed ports.
func TestREADME(t *testing.T) {
	for _, port := range []int{8080, 9000, 2019} {
		for deadline := time.Now().Add(patience); !harness.IsFree(port); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("port %d is taken: the example needs it", port)
			}
		}
	}
	runExample(t)
	folder, script := t.TempDir(), "set -u\n"
	var commands, expected []block
	for _, found := range blocksOf(t, filepath.Join(checkout, "README.md")) {
		switch found.language {
		case "sh":
			output := filepath.Join(folder, digits(len(commands)))
			script += fmt.Sprintf("{\n%s\n} >%s 2>&1\nprintf '%%s' $? >%s.status\n", found.text, output, output)
			commands, expected = append(commands, found), append(expected, block{})
		case "text":
			if len(commands) == 0 {
				t.Fatalf("line %d: an output before any command", found.line)
			}
			expected[len(expected)-1].text += found.text
		}
	}
	if len(commands) < 5 {
		t.Fatalf("only %d commands were found", len(commands))
	}
	shell := exec.Command("bash", "-c", script)
	shell.Dir = folder
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for i, command := range commands {
		output := filepath.Join(folder, digits(i))
		got, status := errorID.ReplaceAllString(readFile(t, output), `"error_id":"..."`), readFile(t, output+".status")
		if status != "0" || strings.TrimRight(got, "\n") != strings.TrimRight(expected[i].text, "\n") {
			t.Errorf("README.md:%d: status %s, output:\n%s\nexpected:\n%s", command.line, status, got, expected[i].text)
		}
	}
}

// errorID is the part of a refusal that is another one each time.
var errorID = regexp.MustCompile(`"error_id":"[0-9a-f-]{36}"`)

// runExample runs `./xcaddy.sh run` in a copy of the checkout.
func runExample(t *testing.T) {
	t.Helper()
	copied := copyCheckout(t)
	c := &instance{folder: t.TempDir(), output: new(output)}
	c.process = exec.Command("./xcaddy.sh", "run")
	c.process.Dir, c.process.Env = copied, append(goEnvironment(t), "HOME="+c.folder,
		"XDG_DATA_HOME="+filepath.Join(c.folder, "data"), "XDG_CONFIG_HOME="+filepath.Join(c.folder, "config"))
	// A group of its own: the script may still be building when the test ends.
	c.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.supervise(t)
	group := c.process.Process.Pid
	t.Cleanup(func() { _ = syscall.Kill(-group, syscall.SIGTERM) })
	// It builds Caddy: from nothing, where the caches of Go are empty.
	if err := c.await("serving initial configuration", 15*time.Minute); err != nil {
		t.Fatalf("./xcaddy.sh run: %v\n%s", err, c.output)
	}
}

// goEnvironment keeps Go's caches where they are though HOME is another.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	printed, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "GOENV", "GOPROXY", "GOFLAGS").Output()
	var values map[string]string
	if err == nil {
		err = json.Unmarshal(printed, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	environment := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "DEMO_") || strings.HasPrefix(pair, "XDG_") || strings.HasPrefix(pair, "HOME=")
	})
	for name, value := range values {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// copyCheckout copies what belongs to the repository: the copy has nothing
// that an earlier build left behind, and the checkout stays as it is.
func copyCheckout(t *testing.T) string {
	t.Helper()
	copied := t.TempDir()
	err := filepath.WalkDir(checkout, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(checkout, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == ".cache"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(copied, name), 0o755)
		case !entry.Type().IsRegular() || name == "caddy" || strings.HasSuffix(name, ".test"):
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(copied, name), []byte(readFile(t, path)), info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
	return copied
}
