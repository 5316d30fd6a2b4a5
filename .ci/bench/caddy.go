package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const secret = "the-secret-of-the-bench-client"

// caddy is the process that is measured, with its sites and their upstream.
type caddy struct {
	command  *exec.Cmd
	upstream net.Listener
	ports    []int
}

// Sites, by their place in caddy.ports.
const (
	bareSite = iota
	gateSite
	rulesSite
	issuerSite
	siteCount
)

// start builds Caddy where no binary is given, and runs it on one core.
func start(binary, folder string) (*caddy, error) {
	if binary == "" {
		binary = filepath.Join(folder, "caddy")
		build := exec.Command("./xcaddy.sh", "build", "--output", binary)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("building Caddy (run this at the top of the checkout): %w", err)
		}
	}
	c := &caddy{}
	for range siteCount {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		c.ports = append(c.ports, port)
	}
	if err := c.serveUpstream(); err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "Caddyfile")
	if err := os.WriteFile(config, []byte(c.caddyfile(folder)), 0o600); err != nil {
		return nil, err
	}
	c.command = exec.Command(binary, "run", "--config", config) //nolint:gosec // the binary under test
	c.command.Env = append(os.Environ(), "GOMAXPROCS=1", "BENCH_SECRET="+secret, "HOME="+folder)
	c.command.Stderr = os.Stderr
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	return c, c.wait()
}

func (c *caddy) stop() {
	_ = c.command.Process.Signal(os.Interrupt)
	_ = c.command.Wait()
	_ = c.upstream.Close()
}

func (c *caddy) caddyfile(folder string) string {
	var rules strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rules, "\t\trequire GET /part%d/{id} read\n", i)
	}
	upstream := c.upstream.Addr().String()
	return fmt.Sprintf(`{
	admin off
	persist_config off
	auto_https off
	storage file_system %q
	log {
		level WARN
	}
	oauth2 {
		issuer http://127.0.0.1:%[2]d
		client bench {
			secret {env.BENCH_SECRET}
			scopes read
		}
	}
}
http://127.0.0.1:%[2]d {
	oauth2_issuer
}
http://127.0.0.1:%[3]d {
	reverse_proxy %[6]s
}
http://127.0.0.1:%[4]d {
	oauth2_gate read
	reverse_proxy %[6]s
}
http://127.0.0.1:%[5]d {
	oauth2_gate {
%[7]s	}
	reverse_proxy %[6]s
}
`, filepath.Join(folder, "storage"), c.ports[issuerSite], c.ports[bareSite], c.ports[gateSite], c.ports[rulesSite], upstream, rules.String())
}

// serveUpstream is the fast legacy API behind all sites.
func (c *caddy) serveUpstream() error {
	var err error
	if c.upstream, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	})}
	go func() { _ = server.Serve(c.upstream) }()
	return nil
}

func (c *caddy) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		response, err := http.Get(c.url(bareSite)) //nolint:noctx // loopback
		if err == nil {
			return response.Body.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("caddy does not answer")
}

func (c *caddy) url(site int) string { return "http://127.0.0.1:" + strconv.Itoa(c.ports[site]) }

// cpu is the CPU time that Caddy has used so far, from /proc/PID/stat (in
// clock ticks of 10 ms: rounds must be long enough for them not to matter).
func (c *caddy) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name in parentheses, may hold spaces.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime
		value, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += value
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
