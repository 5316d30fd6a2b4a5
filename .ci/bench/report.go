package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// summary is what a row came to.
type summary struct {
	middle  result
	ratio   spread // of CPU, to the baseline; of 1 where there is none
	wall    float64
	p50     float64
	p99     float64
	mallocs float64
	bytes   float64
}

// spread is a median with the quarters of all rounds on both sides of it.
type spread struct{ low, middle, high float64 }

// summarize compares a row with its baseline round by round: what else the
// machine did at the time met both.
func summarize(row row, results map[string][]result) summary {
	own, base := results[row.name], results[row.baseline]
	if base == nil {
		base = own
	}
	ratio := func(value func(result) float64) spread {
		ratios := make([]float64, len(own))
		for i := range own {
			ratios[i] = value(own[i]) / value(base[i])
		}
		return spreadOf(ratios)
	}
	middle := func(value func(result) float64) float64 {
		values := make([]float64, len(own))
		for i := range own {
			values[i] = value(own[i])
		}
		return spreadOf(values).middle
	}
	return summary{
		middle: result{
			cpu: time.Duration(middle(cpu)), wall: time.Duration(middle(wall)),
			p50: time.Duration(middle(p50)), p99: time.Duration(middle(p99)), mallocs: middle(mallocs), bytes: middle(taken),
		},
		ratio: ratio(cpu), wall: 1 / ratio(wall).middle,
		p50: ratio(p50).middle, p99: ratio(p99).middle, mallocs: ratio(mallocs).middle, bytes: ratio(taken).middle,
	}
}

func cpu(r result) float64     { return float64(r.cpu) }
func wall(r result) float64    { return float64(r.wall) }
func p50(r result) float64     { return float64(r.p50) }
func p99(r result) float64     { return float64(r.p99) }
func mallocs(r result) float64 { return r.mallocs }
func taken(r result) float64   { return r.bytes }

func spreadOf(values []float64) spread {
	slices.Sort(values)
	return spread{values[len(values)/4], values[len(values)/2], values[len(values)*3/4]}
}

// report prints a table in Markdown for each group: medians and, behind each,
// the ratio to the baseline.
func report(out io.Writer, chosen []group, results map[string][]result) {
	line := func(format string, values ...any) { _, _ = fmt.Fprintf(out, format, values...) }
	for _, group := range chosen {
		line("\n%s\n\n", group.title)
		line("| row | beside | CPU | ratio | half of the rounds | requests/s | p50 | p99 | allocations | kB |\n")
		line("|---|---|---|---|---|---|---|---|---|---|\n")
		for _, row := range group.rows {
			s := summarize(row, results)
			m := s.middle
			perSecond := float64(time.Second) / float64(m.wall)
			if row.baseline == "" {
				line("| %s | | %.1f us | 1 | | %.0f | %.2f ms | %.2f ms | %.0f | %.1f |\n",
					row.name, micro(m.cpu), perSecond, micro(m.p50)/1000, micro(m.p99)/1000, m.mallocs, m.bytes/1000)
				continue
			}
			line("| %s | %s | %.1f us | **%.3f** | %.3f to %.3f | %.0f (%.2f) | %.2f ms (%.2f) | %.2f ms (%.2f) | %.0f (%.2f) | %.1f (%.2f) |\n",
				row.name, row.baseline, micro(m.cpu), s.ratio.middle, s.ratio.low, s.ratio.high,
				perSecond, s.wall, micro(m.p50)/1000, s.p50, micro(m.p99)/1000, s.p99, m.mallocs, s.mallocs, m.bytes/1000, s.bytes)
		}
	}
}

// reportProcesses prints how long each Caddy took to load, and what it holds.
func (b *bench) reportProcesses(out io.Writer) error {
	_, _ = fmt.Fprintf(out, "\n| process | started in | CPU of that | heap | memory at most |\n|---|---|---|---|---|\n")
	for _, p := range b.running {
		counted, err := p.memory("/collect")
		if err != nil {
			return err
		}
		peak, err := p.peak()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "| %s | %.2f s | %.2f s | %.1f MB | %.0f MB |\n",
			p.name, p.loading.Seconds(), p.loadingCPU.Seconds(), float64(counted.Heap)/1e6, float64(peak)/1e6)
	}
	return nil
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
