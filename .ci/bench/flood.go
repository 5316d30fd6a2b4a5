package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// floodTime is how long good requests run beside each flood, and without it.
const floodTime = 4 * time.Second

// flood is what a stranger, or a client gone wrong, sends as fast as it can.
type flood struct {
	name    string
	process string
	good    row   // what must go on meanwhile
	hostile maker // whatever the answers are
	// connections of those who flood, beside as many of good ones as the flag says.
	connections int
}

func floods() []flood {
	gate := row{requests: gated("gate", 100), warm: 100}
	token := row{requests: secretOf("issuer", "bench")}
	proofs := each(func(p *process, _ int) *http.Request {
		r := tokenRequest(p, "issuer", "bench", secret)
		r.Header.Set("DPoP", p.keys.proof(http.MethodPost, p.url("gate"), ""))
		return r
	})
	return []flood{
		{name: "invalid tokens", process: "flooded", good: gate, hostile: forged("gate"), connections: 8},
		{name: "words in place of tokens", process: "flooded", good: gate, hostile: each(func(p *process, n int) *http.Request {
			return withToken(get(p, "gate"), fmt.Sprintf("word-%d", n))
		}), connections: 8},
		{name: "distinct valid tokens", process: "flooded", good: gate, hostile: fresh("gate"), connections: 8},
		{name: "unknown clients", process: "flooded", good: token, hostile: guesses("nobody-%d"), connections: 8},
		{name: "wrong secrets", process: "flooded", good: token, hostile: guesses("other"), connections: 8},
		{name: "unknown clients, with argon2id", process: "flooded argon2id", good: token, hostile: guesses("nobody-%d"), connections: 8},
		{name: "wrong secrets, with argon2id", process: "flooded argon2id", good: token, hostile: guesses("argon"), connections: 8},
		{name: "DPoP proofs for another url", process: "flooded", good: token, hostile: proofs, connections: 8},
	}
}

// guesses have a secret that is wrong each time.
func guesses(clientID string) maker {
	return each(func(p *process, n int) *http.Request {
		id := clientID
		if id == "nobody-%d" {
			id = fmt.Sprintf(id, n)
		}
		return tokenRequest(p, "issuer", id, fmt.Sprintf("guess-%d", n))
	})
}

// flooded is what came of a flood.
type flooded struct {
	alone, beside float64 // good requests for each second of Caddy's CPU
	hostile       float64 // requests of the flood in a second
	worst         time.Duration
	heap          [2]uint64 // before and after, without garbage
	logged        int64     // bytes in the audit log
}

// floodAll sends the floods one after the other, and reports them.
func (b *bench) floodAll() error {
	fmt.Print("| flood | good requests left, per CPU | flood | slowest good request of a hundred | heap before and after | audit log |\n|---|---|---|---|---|---|\n")
	for _, f := range floods() {
		got, err := b.flood(f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Printf("| %s | **%.2f** | %.0f/s | %.1f ms | %.1f MB, %.1f MB | %.2f MB |\n", f.name, got.beside/got.alone, got.hostile,
			micro(got.worst)/1000, float64(got.heap[0])/1e6, float64(got.heap[1])/1e6, float64(got.logged)/1e6)
	}
	for _, p := range b.running {
		peak, err := p.peak()
		if err != nil {
			return err
		}
		fmt.Printf("\n%s: %.0f MB of memory at most\n", p.name, float64(peak)/1e6)
	}
	return nil
}

func (b *bench) flood(f flood) (got flooded, err error) {
	p, err := b.process(f.process)
	if err != nil {
		return got, err
	}
	f.good.process = f.process
	if err := b.warm(group{rows: []row{f.good}}); err != nil {
		return got, err
	}
	// Made before the clock runs: what the flood sends costs its sender most.
	hostile, err := f.hostile(p, 40_000)
	if err != nil {
		return got, err
	}
	if got.alone, _, err = b.goodFor(p, f.good); err != nil {
		return got, err
	}
	before, err := p.memory("/collect")
	if err != nil {
		return got, err
	}
	logged := p.auditLog()
	var sent atomic.Int64
	stop, failed := make(chan struct{}), make(chan error)
	for range f.connections {
		go func() { failed <- keepSending(hostile, &sent, stop) }()
	}
	got.beside, got.worst, err = b.goodFor(p, f.good)
	close(stop)
	for range f.connections {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		return got, err
	}
	after, err := p.memory("/collect")
	got.hostile = float64(min(sent.Load(), int64(len(hostile)))) / floodTime.Seconds()
	got.heap, got.logged = [2]uint64{before.Heap, after.Heap}, p.auditLog()-logged
	return got, err
}

// keepSending sends the requests once each, whatever the answers are.
func keepSending(requests []*http.Request, next *atomic.Int64, stop <-chan struct{}) error {
	for {
		n := next.Add(1) - 1
		select {
		case <-stop:
			return nil
		default:
		}
		if n >= int64(len(requests)) {
			return nil
		}
		if err := one(requests[n], 0); err != nil {
			return err
		}
	}
}

// goodFor sends good requests for a while: how many were answered for each
// second of Caddy's CPU, and how slow the slowest of a hundred was.
func (b *bench) goodFor(p *process, good row) (perCPU float64, worst time.Duration, err error) {
	// All of them now: a pause to make some would be the flood's alone.
	requests, err := good.requests(p, 20_000*int(floodTime/time.Second))
	if err != nil {
		return 0, 0, err
	}
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	var left atomic.Bool
	left.Store(true)
	time.AfterFunc(floodTime, func() { left.Store(false) })
	latencies, err := sendWhile(&left, requests, http.StatusOK, b.connections)
	if err != nil {
		return 0, 0, err
	}
	after, err := p.cpu()
	got := sample{latencies: slices.DeleteFunc(latencies, func(l time.Duration) bool { return l == 0 })}
	return float64(len(got.latencies)) / (after - before).Seconds(), got.result().p99, err
}

// auditLog is the size of the log, in bytes; 0: there is none.
func (p *process) auditLog() int64 {
	info, err := os.Stat(filepath.Join(p.layout.folder, "audit.log"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// sendWhile sends the requests over that many connections with Go's client, and
// returns how long each took. The first error ends it, and wanted may: what was not
// sent took no time.
func sendWhile(wanted *atomic.Bool, requests []*http.Request, status, connections int) ([]time.Duration, error) {
	latencies := make([]time.Duration, len(requests))
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, connections)
	for range connections {
		group.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(requests)) && len(failed) == 0 && wanted.Load(); n = next.Add(1) - 1 {
				begin := time.Now()
				if err := one(requests[n], status); err != nil {
					failed <- err
					return
				}
				latencies[n] = time.Since(begin)
			}
		})
	}
	group.Wait()
	close(failed)
	return latencies, <-failed
}

// one sends a request; status 0 lets every answer count.
func one(r *http.Request, status int) error {
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if status != 0 && response.StatusCode != status {
		return fmt.Errorf("status %d, expected %d: %s", response.StatusCode, status, body)
	}
	return nil
}
