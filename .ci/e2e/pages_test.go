package e2e

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// page is a page of the documentation that is carried out as it is written: its
// `sh` blocks in one bash, its Caddyfiles in one Caddy, one after the other. The
// urls are those of the page; only where they lead to is not.
type page struct {
	*instance
	etc   string // stands for /etc/caddy
	home  string // where the commands run
	plain int    // the port that stands for 8080
	pool  *x509.CertPool

	words [][2]string // further words of Caddyfiles and what to put in their place
	shell *shell
}

// newPage makes a page whose Caddy runs with further variables.
func newPage(t *testing.T, env ...string) *page {
	t.Helper()
	folder := t.TempDir()
	return newPageIn(t, folder, makeCertificates(t, folder), env...)
}

// newPageIn makes a page whose /etc/caddy has the pool's CA already. env is for Caddy.
func newPageIn(t *testing.T, etc string, pool *x509.CertPool, env ...string) *page {
	t.Helper()
	p := &page{etc: etc, home: t.TempDir(), plain: freePort(t), pool: pool}
	if err := os.Mkdir(filepath.Join(p.etc, "clients"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.instance = launch(t, "{\n\tadmin {$ADMIN}\n}\n", env...)
	p.connect(t, p.port)
	p.shell = newShell(t, p.home)
	return p
}

// connect makes curl take the port for that of every url.
func (p *page) connect(t *testing.T, port int) {
	t.Helper()
	writeFile(t, filepath.Join(p.home, ".curlrc"), fmt.Sprintf(
		"connect-to = \"::127.0.0.1:%d\"\ncacert = \"%s/ca.crt\"\nmax-time = 20\n", port, p.etc))
}

// adjust is the one place where what a page says becomes what there is here.
func (p *page) adjust(text string) string {
	var pairs []string
	for _, one := range p.words {
		pairs = append(pairs, one[0], one[1])
	}
	return replace(text, append(pairs,
		"/etc/caddy/", p.etc+"/", "127.0.0.1:9000", p.upstream.address, ":8080 {", fmt.Sprintf(":%d {", p.plain))...)
}

// caddyfileOf adds to a page's Caddyfile what keeps it on this machine: ports, and
// certificates of a CA of our own.
func (p *page) caddyfileOf(t *testing.T, text string) string {
	t.Helper()
	rest, found := strings.CutPrefix(p.adjust(text), "{\n")
	if !found {
		t.Fatalf("the Caddyfile has no global options:\n%s", text)
	}
	return fmt.Sprintf(`{
	admin %s
	default_bind 127.0.0.1
	http_port %d
	https_port %d
	auto_https disable_redirects
	cert_issuer internal {
		lifetime 30m
	}
	skip_install_trust
	pki {
		ca local {
			intermediate_lifetime 50m
			root {
				cert %s/ca.crt
				key %s/ca.key
			}
		}
	}
%s`, p.admin, p.plain, p.port, p.etc, p.etc, rest)
}

var siteAddress = regexp.MustCompile(`(?m)^([a-z0-9.]+) \{`)

// serve loads a page's Caddyfile and waits until there are certificates for its sites.
func (p *page) serve(t *testing.T, text string) {
	t.Helper()
	p.mustReload(t, p.caddyfileOf(t, text))
	for _, site := range siteAddress.FindAllStringSubmatch(text, -1) {
		deadline := time.Now().Add(patience)
		for {
			connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port), &tls.Config{ServerName: site[1], RootCAs: p.pool})
			if err == nil {
				_ = connection.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("no certificate for %s: %v", site[1], err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// section is a heading and the blocks below it.
type section struct {
	title  string
	blocks []block
}

var heading = regexp.MustCompile(`^#+ (.*)$`)

func sectionsOf(t *testing.T, path string) (sections []section) {
	t.Helper()
	blocks := blocksOf(t, path)
	within := false
	for line := range strings.SplitSeq(readFile(t, path), "\n") {
		if fence.MatchString(line) {
			if within = !within; within {
				last := &sections[len(sections)-1]
				last.blocks, blocks = append(last.blocks, blocks[0]), blocks[1:]
			}
		} else if found := heading.FindStringSubmatch(line); found != nil && !within {
			sections = append(sections, section{title: found[1]})
		}
	}
	return sections
}

// follow carries out the sections in order. After each, its check looks at what the
// page says of it and cannot show; setups run before.
func (p *page) follow(t *testing.T, name string, setups, checks map[string]func(t *testing.T)) {
	t.Helper()
	path := filepath.Join(checkout, "docs", name)
	known := map[string]bool{}
	for _, one := range sectionsOf(t, path) {
		known[one.title] = true
		ok := t.Run(one.title, func(t *testing.T) {
			if setup := setups[one.title]; setup != nil {
				setup(t)
			}
			p.carryOut(t, name, one.blocks)
			if check := checks[one.title]; check != nil {
				check(t)
			}
		})
		if !ok {
			t.Fatal("what follows depends on it")
		}
	}
	for _, named := range []map[string]func(*testing.T){setups, checks} {
		for title := range named {
			if !known[title] {
				t.Errorf("%s has no section %q", name, title)
			}
		}
	}
}

func (p *page) carryOut(t *testing.T, name string, blocks []block) {
	t.Helper()
	for i, one := range blocks {
		switch one.language {
		case "caddyfile":
			p.serve(t, one.text)
		case "sh":
			output, status := p.shell.run(t, p.adjust(one.text))
			if status != "0" {
				t.Fatalf("%s:%d: status %s: %s\n%s", name, one.line, status, output, p.output)
			}
			expected := ""
			if i+1 < len(blocks) && blocks[i+1].language == "text" {
				expected = blocks[i+1].text
			}
			if strings.TrimSpace(output) != strings.TrimSpace(expected) {
				t.Fatalf("%s:%d: output:\n%s\nexpected:\n%s\nCaddy:\n%.6000s", name, one.line, output, expected, p.tail())
			}
		}
	}
}

// tail is the end of what Caddy printed.
func (p *page) tail() string {
	text := p.output.String()
	return text[max(0, len(text)-6000):]
}

// blockOf is a page's first block of a language below a heading.
func blockOf(t *testing.T, name, title, language string) string {
	t.Helper()
	for _, one := range sectionsOf(t, filepath.Join(checkout, "docs", name)) {
		for _, found := range one.blocks {
			if one.title == title && found.language == language {
				return found.text
			}
		}
	}
	t.Fatalf("%s: no %s block in %q", name, language, title)
	return ""
}

// says runs further commands in the page's shell.
func (p *page) says(t *testing.T, command, expected string) {
	t.Helper()
	if output, _ := p.shell.run(t, command); strings.TrimSpace(output) != expected {
		t.Errorf("%s\ngot:\n%s\nexpected:\n%s\nCaddy:\n%s", command, output, expected, p.tail())
	}
}

// shell is a bash that runs one piece after the other, with what earlier ones
// have set.
type shell struct {
	folder string
	input  io.Writer
	output *bufio.Reader
	count  int
}

func newShell(t *testing.T, folder string) *shell {
	t.Helper()
	process := exec.Command("bash", "--noprofile", "--norc")
	process.Dir = folder
	process.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "LC_ALL=C.UTF-8"}
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		if err := process.Wait(); err != nil {
			t.Errorf("the shell ended: %v", err)
		}
	})
	return &shell{folder: folder, input: input, output: bufio.NewReader(output)}
}

// run returns what was printed, on both outputs, and the exit status.
func (s *shell) run(t *testing.T, text string) (output, status string) {
	t.Helper()
	s.count++
	script, printed := filepath.Join(s.folder, fmt.Sprintf("%d.sh", s.count)), filepath.Join(s.folder, fmt.Sprintf("%d.out", s.count))
	writeFile(t, script, text)
	if _, err := fmt.Fprintf(s.input, ". %s >%s 2>&1 </dev/null\nprintf '%%s\\n' $?\n", script, printed); err != nil {
		t.Fatal(err)
	}
	line, err := s.output.ReadString('\n')
	if err != nil {
		t.Fatalf("the shell ended within:\n%s\n%s", text, readFile(t, printed))
	}
	return readFile(t, printed), strings.TrimSpace(line)
}

// proxy is an HTTPS proxy that connects to the page's Caddy, whatever host is
// asked for: how programs that read HTTPS_PROXY get there.
func (p *page) proxy(t *testing.T) string {
	t.Helper()
	return proxyTo(t, fmt.Sprintf("127.0.0.1:%d", p.port))
}

// proxyTo is an HTTPS proxy that connects to one address.
func proxyTo(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		behind, err := net.Dial("tcp", address)
		if err != nil || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = behind.Close() }()
		front, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = front.Close() }()
		_, _ = io.WriteString(front, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(behind, buffered) }()
		_, _ = io.Copy(front, behind)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}
