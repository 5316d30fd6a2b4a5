// Command bench compares what the gate costs beside a bare reverse_proxy, in
// CPU of the built Caddy for each request, all in one run:
//
//	go run ./.ci/bench [-caddy FILE] [-rounds 5] [-requests 20000]
//
// CPU time comes from the operating system's accounting of the Caddy process,
// so the load generator and the upstream, which live in this process, do not
// count. Scenarios are interleaved in rounds; the table shows medians.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	log.SetFlags(0)
	binary := flag.String("caddy", "", "a Caddy with the plugin; default: built from this checkout")
	rounds := flag.Int("rounds", 5, "rounds of all scenarios")
	requests := flag.Int("requests", 20000, "requests of a scenario in a round")
	flag.Parse()
	if err := run(*binary, *rounds, *requests); err != nil {
		log.Fatal(err)
	}
}

// result is what one scenario took in one round.
type result struct {
	cpu  time.Duration // of Caddy, for one request
	wall time.Duration // for one request
}

func run(binary string, rounds, requests int) error {
	folder, err := os.MkdirTemp("", "oauth2-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	server, err := start(binary, folder)
	if err != nil {
		return err
	}
	defer server.stop()
	scenarios, err := server.scenarios()
	if err != nil {
		return err
	}
	results := make(map[string][]result)
	for range rounds {
		for _, scenario := range scenarios {
			measured, err := server.measure(scenario, requests)
			if err != nil {
				return fmt.Errorf("%s: %w", scenario.name, err)
			}
			results[scenario.name] = append(results[scenario.name], measured)
		}
	}
	return report(scenarios, results)
}

// report prints the medians and their ratio to the first scenario.
func report(scenarios []scenario, results map[string][]result) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	line := func(format string, values ...any) { _, _ = fmt.Fprintf(table, format, values...) }
	line("scenario\tCPU/request\tratio\tlowest..highest\trequests/s\n")
	baseline := median(results[scenarios[0].name])
	for _, scenario := range scenarios {
		middle := median(results[scenario.name])
		lowest, highest := spread(results[scenario.name])
		line("%s\t%.1f us\t%.3f\t%.1f..%.1f\t%.0f\n", scenario.name,
			micro(middle.cpu), float64(middle.cpu)/float64(baseline.cpu), micro(lowest), micro(highest),
			float64(time.Second)/float64(middle.wall))
	}
	return table.Flush()
}

func median(results []result) result {
	sorted := slices.Clone(results)
	slices.SortFunc(sorted, func(a, b result) int { return int(a.cpu - b.cpu) })
	return sorted[len(sorted)/2]
}

func spread(results []result) (lowest, highest time.Duration) {
	lowest = results[0].cpu
	for _, one := range results {
		lowest, highest = min(lowest, one.cpu), max(highest, one.cpu)
	}
	return lowest, highest
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
