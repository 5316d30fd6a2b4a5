package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// result is what one row took in one round.
type result struct {
	cpu     time.Duration // of Caddy, for one request
	wall    time.Duration // for one request
	p50     time.Duration
	p99     time.Duration
	mallocs float64 // of Caddy, for one request
	bytes   float64 // that these took
}

// choose keeps the rows whose name has the word, their baselines, and the baselines of
// those. A baseline stands before what is compared with it.
func choose(all []group, word string) []group {
	wanted := make(map[string]bool)
	for _, group := range slices.Backward(all) {
		for _, row := range slices.Backward(group.rows) {
			if strings.Contains(row.name, word) || wanted[row.name] {
				wanted[row.name], wanted[row.baseline] = true, true
			}
		}
	}
	var chosen []group
	for _, group := range all {
		group.rows = slices.DeleteFunc(group.rows, func(r row) bool { return !wanted[r.name] })
		if len(group.rows) > 0 {
			chosen = append(chosen, group)
		}
	}
	return chosen
}

// turns is how often rows of a group take turns in a round.
const turns = 16

// warm sends the first requests of each row, which are not measured.
func (b *bench) warm(group group) error {
	for _, row := range group.rows {
		if err := b.turn(row, max(200, row.warm), new(sample)); err != nil {
			return err
		}
	}
	return nil
}

// round measures all rows of a group once. They take turns in another order each time:
// collecting garbage takes a whole turn, and comes again after so many of them.
func (b *bench) round(group group, results map[string][]result) error {
	samples := make([]sample, len(group.rows))
	for range turns {
		for _, i := range rand.Perm(len(group.rows)) { //nolint:gosec // an order, no secret
			if err := b.turn(group.rows[i], max(1, b.requests/turns), &samples[i]); err != nil {
				return err
			}
		}
	}
	for i, row := range group.rows {
		results[row.name] = append(results[row.name], samples[i].result())
	}
	return nil
}

// sample is what the turns of a row in one round took together.
type sample struct {
	cpu, wall time.Duration
	mallocs   uint64
	bytes     uint64
	latencies []time.Duration
}

func (s *sample) result() result {
	slices.Sort(s.latencies)
	count := len(s.latencies)
	return result{
		cpu: s.cpu / time.Duration(count), wall: s.wall / time.Duration(count),
		p50: s.latencies[count/2], p99: s.latencies[count*99/100], mallocs: float64(s.mallocs) / float64(count),
		bytes: float64(s.bytes) / float64(count),
	}
}

// moment is after what time a gate takes known callers for gone, and a little.
const moment = 30 * time.Millisecond

// turn sends that many requests of a row and adds to the sample what they took.
func (b *bench) turn(row row, count int, into *sample) error {
	p, err := b.process(row.process)
	if err != nil {
		return err
	}
	series, err := newSeries(row, p, count)
	if err != nil {
		return fmt.Errorf("%s: %w", row.name, err)
	}
	if row.apart {
		time.Sleep(moment)
	}
	// Asking for memory costs some CPU itself: it stays outside.
	allocated, err := p.memory("/")
	if err != nil {
		return err
	}
	before, err := p.cpu()
	if err != nil {
		return err
	}
	took, err := b.loop.send(series, b.connections)
	if err != nil {
		return fmt.Errorf("%s: %w", row.name, err)
	}
	after, err := p.cpu()
	if err != nil {
		return err
	}
	now, err := p.memory("/")
	into.wall += took
	into.cpu += after - before
	into.mallocs += now.Mallocs - allocated.Mallocs
	into.bytes += now.Bytes - allocated.Bytes
	into.latencies = append(into.latencies, series.latencies...)
	return err
}
