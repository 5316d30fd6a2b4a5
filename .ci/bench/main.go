// Command bench compares what the gate costs with a bare reverse_proxy, and
// what the token endpoint costs with a handler that only signs, in one run:
//
//	go run ./.ci/bench [-scenario WORD] [-rounds 9] [-requests 4000] [-plot FILE.svg]
//	go run ./.ci/bench -profile FOLDER [-scenario WORD] [-connections 64]
//	go run ./.ci/bench -flood
//
// CPU time comes from the operating system's accounting of the Caddy process,
// so the load generator and the upstream, which live in this process, do not
// count. The rows of a group take turns many times in each round, and a ratio is
// the median of the ratios of all rounds: what else the machine does meets a
// row and its baseline alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// options are the flags.
type options struct {
	binary      string
	scenario    string
	rounds      int
	requests    int
	connections int
	plot        string
	profile     string
	flood       bool
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.binary, "caddy", "", "a Caddy that was built from .ci/bench/measured; default: built from this checkout")
	flag.StringVar(&o.scenario, "scenario", "", "only rows whose name has this word, and their baselines")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds of all rows")
	flag.IntVar(&o.requests, "requests", 4000, "requests of a row in a round")
	flag.IntVar(&o.connections, "connections", 8, "connections that are kept busy")
	flag.StringVar(&o.plot, "plot", "", "write the ratios as SVG to this file")
	flag.StringVar(&o.profile, "profile", "", "write profiles of each row to this folder, and measure nothing")
	flag.BoolVar(&o.flood, "flood", false, "send floods beside good requests, and nothing else")
	flag.Parse()
	if o.rounds < 1 || o.requests < 1 || o.connections < 1 {
		log.Fatal("-rounds, -requests and -connections: expected at least 1")
	}
	interrupted, stop := signal.NotifyContext(context.Background(), unix.SIGHUP, unix.SIGINT, unix.SIGTERM)
	context.AfterFunc(interrupted, stop) // the next signal ends it at once
	if err := run(interrupted, o); err != nil {
		log.Fatal(err)
	}
}

// bench is one run.
type bench struct {
	options

	ctx       context.Context // ends the Caddies
	folder    string
	cores     cores
	loop      *loop
	upstream  string
	keys      *keys
	running   []*process
	processes map[string]*process // by the names of their layouts
}

// run leaves no Caddy behind. When the context ends they end first, and then whatever
// waits for them.
func run(ctx context.Context, o options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	folder, err := os.MkdirTemp("", "oauth2-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	b := &bench{options: o, ctx: ctx, folder: folder, processes: make(map[string]*process)}
	if b.keys, err = newKeys(); err != nil {
		return err
	}
	client = b.keys.newClient()
	if err := b.build(); err != nil {
		return err
	}
	if b.cores, err = share(); err != nil {
		return err
	}
	if err := b.serveUpstream(cancel); err != nil {
		return err
	}
	err = b.measure()
	why := context.Cause(ctx)
	cancel(nil)
	if failed := b.stopped(); why == nil {
		return errors.Join(err, failed)
	}
	return why
}

// measure does what the flags ask for.
func (b *bench) measure() error {
	switch chosen := choose(groups(), b.scenario); {
	case b.options.flood:
		return b.floodAll()
	case len(chosen) == 0:
		return fmt.Errorf("-scenario %q: no row has that in its name", b.scenario)
	case b.options.profile != "":
		return b.profileAll(chosen)
	default:
		return b.compare(chosen)
	}
}

func (b *bench) build() error {
	if b.binary != "" {
		return nil
	}
	b.binary = filepath.Join(b.folder, "caddy")
	build := exec.CommandContext(b.ctx, "go", "build", "-tags", "nobadger,nomysql,nopgx", "-o", b.binary, "./.ci/bench/measured") //nolint:gosec // a path of our own making
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building Caddy (run this at the top of the checkout): %w", err)
	}
	return nil
}

// serveUpstream is the fast legacy API behind all sites. Where it fails, it says why.
func (b *bench) serveUpstream(failed func(error)) (err error) {
	if b.loop, err = newLoop(b.cores.shared, b.keys.tls()); err != nil {
		return err
	}
	if b.upstream, err = b.loop.listen(); err != nil {
		return err
	}
	go func() { failed(b.loop.between()) }()
	return nil
}

// stopped waits until every Caddy has ended, and tells of those that did not end well.
func (b *bench) stopped() (failed error) {
	for _, p := range b.running {
		<-p.ended
		if state := p.command.ProcessState; !state.Success() {
			failed = errors.Join(failed, fmt.Errorf("%s: Caddy ended: %s: %s", p.name, state, p.command.Stderr))
		}
	}
	return failed
}

// process is the running one of that name.
func (b *bench) process(name string) (_ *process, err error) {
	if _, runs := b.processes[name]; !runs {
		b.processes[name], err = b.start(name)
	}
	return b.processes[name], err
}

// compare measures all rows round by round, and reports them.
func (b *bench) compare(chosen []group) error {
	results := make(map[string][]result)
	for _, group := range chosen {
		if err := b.warm(group); err != nil {
			return err
		}
	}
	for range b.rounds {
		for _, group := range chosen {
			if err := b.round(group, results); err != nil {
				return err
			}
		}
	}
	report(os.Stdout, chosen, results)
	if err := b.reportProcesses(os.Stdout); err != nil || b.plot == "" {
		return err
	}
	return plot(b.plot, chosen, results)
}
