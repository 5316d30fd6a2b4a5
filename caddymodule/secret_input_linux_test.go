package caddymodule

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// openTerminal is a pseudo-terminal: what is written to the keyboard, a program
// reads from the terminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return keyboard, terminal
}

// typist answers each prompt on the screen with the next line, as a person
// would: when the terminal has stopped to show what is typed.
type typist struct {
	t        *testing.T
	keyboard io.Writer
	terminal *os.File
	lines    []string
	screen   bytes.Buffer
	typing   sync.WaitGroup
}

func (y *typist) Write(text []byte) (int, error) {
	y.screen.Write(text)
	if bytes.HasSuffix(text, []byte(": ")) && len(y.lines) > 0 {
		line := y.lines[0] + "\n"
		y.lines = y.lines[1:]
		y.typing.Go(func() { y.enter(line) })
	}
	return len(text), nil
}

func (y *typist) enter(line string) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		state, err := unix.IoctlGetTermios(int(y.terminal.Fd()), unix.TCGETS)
		if err != nil || time.Now().After(deadline) {
			y.t.Errorf("the terminal goes on to show what is typed: %v", err)
		} else if state.Lflag&unix.ECHO != 0 {
			continue
		}
		_, _ = io.WriteString(y.keyboard, line)
		return
	}
}

// At a terminal the secret is asked for, on the standard error, and does not
// show; a new one is asked for twice. Otherwise nothing is asked.
func TestSecretAtATerminal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		twice  bool
		typed  []string
		secret string
		screen string
		says   string
	}{
		"once":         {false, []string{"the typed secret"}, "the typed secret", "Secret: \n", ""},
		"twice":        {true, []string{"the typed secret", "the typed secret"}, "the typed secret", "Secret: \nSecret again: \n", ""},
		"typing error": {true, []string{"the typed secret", "the typed sekret"}, "", "Secret: \nSecret again: \n", "differ"},
		"nothing":      {false, []string{""}, "", "Secret: \n", ""},
	} {
		keyboard, terminal := openTerminal(t)
		screen := &typist{t: t, keyboard: keyboard, terminal: terminal, lines: c.typed}
		cmd := &cobra.Command{}
		cmd.SetIn(terminal)
		cmd.SetErr(screen)
		secret, err := secretInput{prompt: "Secret", twice: c.twice}.read(cmd)
		screen.typing.Wait()
		if secret != c.secret || screen.screen.String() != c.screen || (err == nil) != (c.says == "") {
			t.Errorf("%s: %q %q %v", name, secret, screen.screen.String(), err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "typed")) {
			t.Errorf("%s: %v", name, err)
		}
		if !term.IsTerminal(int(terminal.Fd())) {
			t.Errorf("%s: the terminal is closed", name)
		}
		if _, err := terminal.WriteString("end\n"); err != nil {
			t.Fatal(err)
		}
		echo, err := bufio.NewReader(keyboard).ReadString('d')
		if err != nil || strings.Contains(echo, "sec") || strings.Contains(echo, "typed") {
			t.Errorf("%s: the terminal showed %q %v", name, echo, err)
		}
	}
}
