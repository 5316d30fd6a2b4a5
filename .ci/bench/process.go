package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// process is a Caddy that is measured.
type process struct {
	name    string
	layout  *layout
	command *exec.Cmd
	ended   chan struct{} // closed when it has
	loading time.Duration // until it answered
	// loadingCPU is what it took of a processor until then.
	loadingCPU time.Duration
	keys       *keys
	signer     *token.Signer // of its issuer; nil: not looked for yet
}

// prepare writes what the process reads when it starts, and returns its Caddyfile.
func (b *bench) prepare(name string) (p *process, config string, _ error) {
	folder := filepath.Join(b.folder, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, "", err
	}
	p = &process{name: name, keys: b.keys, layout: &layout{
		ports: make(map[string]int), folder: folder, upstream: b.upstream,
	}}
	if err := b.keys.write(folder); err != nil {
		return nil, "", err
	}
	text, err := p.layout.render(layouts[name])
	if err != nil {
		return nil, "", err
	}
	config = filepath.Join(folder, "Caddyfile")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return nil, "", err
	}
	if write, found := storedBefore[name]; found {
		state, err := p.state()
		if err != nil {
			return nil, "", err
		}
		return p, config, write(state)
	}
	return p, config, nil
}

// start runs Caddy on one core.
func (b *bench) start(name string) (*process, error) {
	p, config, err := b.prepare(name)
	if err != nil {
		return nil, err
	}
	p.command = exec.CommandContext(b.ctx, b.binary, "run", "--config", config) //nolint:gosec // the binary under test
	p.command.Cancel = func() error { return p.command.Process.Signal(unix.SIGTERM) }
	p.command.WaitDelay = patience
	// Where the bench is killed, nobody else ends it.
	p.command.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGTERM}
	p.command.Env = append(os.Environ(), "GOMAXPROCS=1", "BENCH_SECRET="+secret, "HOME="+p.layout.folder)
	p.command.Stderr = &tail{}
	begin := time.Now()
	if err := b.cores.onOwn(p.command.Start); err != nil {
		return nil, err
	}
	b.running = append(b.running, p)
	p.ended = make(chan struct{})
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	if err = p.wait(); err != nil {
		return nil, err
	}
	p.loading = time.Since(begin)
	p.loadingCPU, err = p.cpu()
	return p, err
}

func (p *process) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := p.memory("/"); err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s: Caddy ended", p.name)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s: Caddy does not answer", p.name)
}

func (p *process) url(site string) string {
	port, known := p.layout.ports[site]
	if !known {
		panic(p.name + " has no site " + site)
	}
	return address(site, port)
}

// cpu is the CPU time that Caddy has used so far, from the kernel's clock of
// the process (clock_getcpuclockid(3)): the ticks of /proc are 10 ms.
func (p *process) cpu() (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var spent unix.Timespec
	err := unix.ClockGettime(int32(^p.command.Process.Pid<<3|scheduled), &spent) //nolint:gosec // a pid has 22 bits
	return time.Duration(spent.Nano()), err
}

// memory is what Go's runtime in Caddy counts.
type memory struct {
	Mallocs uint64 `json:"mallocs"`
	Heap    uint64 `json:"heap"`
	Bytes   uint64 `json:"bytes"`
}

func (p *process) memory(path string) (counted memory, err error) {
	response, err := client.Get(p.url("runtime") + path) //nolint:noctx // loopback
	if err != nil {
		return counted, err
	}
	defer func() { _ = response.Body.Close() }()
	return counted, json.NewDecoder(response.Body).Decode(&counted)
}

// peak is the most memory that the process ever had, in bytes.
func (p *process) peak() (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return 0, errors.New("no VmHWM in /proc")
	}
	var kilobytes uint64
	_, err = fmt.Sscan(after, &kilobytes)
	return kilobytes << 10, err
}

// tail keeps the end of what Caddy says, for the case that it fails.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(p), nil
}

func (t *tail) String() string { return string(t.text) }

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// client asks for tokens and counts, and sends floods; a [loop] sends what is measured. It is
// that of [keys.newClient].
var client *http.Client
