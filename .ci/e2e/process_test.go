package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/.ci/harness"
)

// instance is one Caddy process with folders and ports of its own, and the API
// behind it. In Caddyfiles {$PORT} is the port of clients, {$ADMIN} the admin
// address and {$UPSTREAM} the API's address.
type instance struct {
	folder   string // XDG folders, HOME and the Caddyfile lie below
	env      []string
	port     int
	admin    string
	upstream *upstream

	process *exec.Cmd
	output  *output
	exited  chan struct{} // closed when the process has ended
}

// prepare makes an instance that does not run yet. env adds variables.
func prepare(t testing.TB, caddyfile string, env ...string) *instance {
	t.Helper()
	c := &instance{folder: t.TempDir(), upstream: newUpstream(t), output: new(output)}
	c.usePorts(t, env...)
	c.configure(t, caddyfile)
	return c
}

// usePorts gives the instance free ports and the environment that names them.
func (c *instance) usePorts(t testing.TB, env ...string) {
	t.Helper()
	c.port, c.admin = freePort(t), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	c.env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + c.folder,
		"TMPDIR=" + c.folder,
		"XDG_DATA_HOME=" + filepath.Join(c.folder, "data"),
		"XDG_CONFIG_HOME=" + filepath.Join(c.folder, "config"),
		fmt.Sprintf("PORT=%d", c.port),
		"ADMIN=" + c.admin,
		"UPSTREAM=" + c.upstream.address,
	}, env...)
}

// launch starts an instance and waits until it serves.
func launch(t testing.TB, caddyfile string, env ...string) *instance {
	t.Helper()
	c := prepare(t, caddyfile, env...)
	c.start(t)
	return c
}

// sibling is a second instance on the same folders, so on the same storage,
// with ports of its own. It does not run yet.
func (c *instance) sibling(t testing.TB, env ...string) *instance {
	t.Helper()
	twin := &instance{folder: c.folder, upstream: newUpstream(t), output: new(output)}
	twin.usePorts(t, env...)
	return twin
}

func (c *instance) caddyfile() string { return filepath.Join(c.folder, "Caddyfile") }

// storage is the folder of Caddy's storage.
func (c *instance) storage() string { return filepath.Join(c.folder, "data", "caddy") }

// configure writes the Caddyfile; a running Caddy hears of it by a reload.
func (c *instance) configure(t testing.TB, caddyfile string) {
	t.Helper()
	if err := os.WriteFile(c.caddyfile(), []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start runs Caddy and waits until it serves.
func (c *instance) start(t testing.TB) {
	t.Helper()
	c.begin(t)
	if err := c.await("serving initial configuration", patience); err != nil {
		t.Fatalf("Caddy did not start: %v\n%s", err, c.output)
	}
}

// begin runs Caddy and waits for nothing. The test's end ends the process.
func (c *instance) begin(t testing.TB) {
	t.Helper()
	c.process = exec.Command(caddyBinary, "run", "--config", c.caddyfile(), "--adapter", "caddyfile")
	c.process.Env, c.process.Dir = c.env, c.folder
	c.supervise(t)
}

// supervise starts c.process.
func (c *instance) supervise(t testing.TB) {
	t.Helper()
	c.output = new(output)
	c.process.Stdout, c.process.Stderr = c.output, c.output
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	process, printed, exited := c.process, c.output, make(chan struct{})
	c.exited = exited
	go func() {
		defer close(exited)
		_ = process.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		end(t, process, exited)
		checkOutput(t, printed.String())
	})
}

// checkOutput looks for what no request and no reload may cause.
func checkOutput(t testing.TB, printed string) {
	t.Helper()
	for line := range strings.Lines(printed) {
		if strings.Contains(line, "panic") || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "goroutine ") {
			t.Errorf("Caddy panicked: %.2000s", line)
		}
		checkAuditLine(t, line)
	}
}

// end asks exactly this process to stop, and insists after a while.
func end(t testing.TB, process *exec.Cmd, exited <-chan struct{}) {
	t.Helper()
	if err := process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stopping Caddy: %v", err)
	}
	select {
	case <-exited:
	case <-time.After(patience):
		t.Errorf("Caddy did not stop within %v", patience)
		_ = process.Process.Kill()
		<-exited
	}
}

// stop ends the process and checks that it ended well.
func (c *instance) stop(t testing.TB) {
	t.Helper()
	end(t, c.process, c.exited)
	if code := c.process.ProcessState.ExitCode(); code != 0 {
		t.Errorf("Caddy ended with status %d\n%s", code, c.output)
	}
}

// patience is how long a test waits for what is sure to come. It only tells what
// hangs: how fast something is, no test here measures.
const patience = time.Minute

// await waits until the output holds text.
func (c *instance) await(text string, patience time.Duration) error {
	deadline := time.After(patience)
	for {
		if strings.Contains(c.output.String(), text) {
			return nil
		}
		select {
		case <-c.exited:
			return errors.New("it ended: " + c.process.ProcessState.String())
		case <-deadline:
			return fmt.Errorf("no %q after %s", text, patience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// result is what a command that ended left behind.
type result struct {
	code   int
	stdout string
	stderr string
}

// all is everything that the command printed.
func (r result) all() string { return r.stdout + r.stderr }

// command runs another Caddy command in the instance's environment.
func (c *instance) command(t testing.TB, arguments ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, caddyBinary, arguments...)
	command.Env, command.Dir = c.env, c.folder
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("caddy %s: %v", strings.Join(arguments, " "), err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// reload hands the Caddyfile to the running Caddy.
func (c *instance) reload(t testing.TB, caddyfile string, flags ...string) result {
	t.Helper()
	c.configure(t, caddyfile)
	return c.command(t, append([]string{
		"reload", "--config", c.caddyfile(), "--adapter", "caddyfile", "--address", c.admin,
	}, flags...)...)
}

// mustReload reloads and expects success.
func (c *instance) mustReload(t testing.TB, caddyfile string) {
	t.Helper()
	if got := c.reload(t, caddyfile); got.code != 0 {
		t.Fatalf("reload: status %d\n%s", got.code, got.all())
	}
}

// output collects what a process prints; it may be read meanwhile.
type output = harness.Output
