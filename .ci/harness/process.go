package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to stop. It only tells what hangs.
const patience = time.Minute

// Process is a Caddy that was started. It ends with the test.
type Process struct {
	Output *Output

	command *exec.Cmd
	exited  chan struct{} // closed when it has ended
}

// Start runs the command. When the test ends the process is asked to stop, and
// look is called with what it printed.
func Start(t testing.TB, command *exec.Cmd, look func(printed string)) *Process {
	t.Helper()
	p := &Process{Output: new(Output), command: command, exited: make(chan struct{})}
	command.Stdout, command.Stderr = p.Output, p.Output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = command.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		p.End(t)
		look(p.Output.String())
	})
	return p
}

// End asks exactly this process to stop, and insists after a while. It returns
// the exit status.
func (p *Process) End(t testing.TB) int {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stopping Caddy: %v", err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Errorf("Caddy did not stop within %v", patience)
		p.Kill()
	}
	return p.command.ProcessState.ExitCode()
}

// Kill ends the process at once, as a crash does.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.exited
}

// ID is that of the process.
func (p *Process) ID() int { return p.command.Process.Pid }

// Await waits until the output holds text.
func (p *Process) Await(text string, patience time.Duration) error {
	deadline := time.After(patience)
	for {
		if strings.Contains(p.Output.String(), text) {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("it ended: " + p.command.ProcessState.String())
		case <-deadline:
			return fmt.Errorf("no %q after %s", text, patience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
