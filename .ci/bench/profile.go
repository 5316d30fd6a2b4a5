package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profileSeconds is how long a row is profiled.
const profileSeconds = 20

// profileAll writes the profiles of each row while it is under load. Those of
// allocations, mutexes and blocking are since the profile of CPU began.
func (b *bench) profileAll(chosen []group) error {
	for _, group := range chosen {
		for _, row := range group.rows {
			if err := b.profileRow(row); err != nil {
				return fmt.Errorf("%s: %w", row.name, err)
			}
		}
	}
	return nil
}

func (b *bench) profileRow(r row) error {
	p, err := b.process(r.process)
	if err != nil {
		return err
	}
	if err := b.warm(group{rows: []row{r}}); err != nil {
		return err
	}
	if _, err := p.memory("/contention"); err != nil {
		return err
	}
	folder := filepath.Join(b.profile, strings.NewReplacer(" ", "-", ",", "").Replace(r.name))
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	kinds := []string{"profile", "allocs", "mutex", "block"}
	fetched := make(chan error, len(kinds))
	for _, kind := range kinds {
		go func() { fetched <- p.fetchProfile(kind, filepath.Join(folder, kind+".pb.gz")) }()
	}
	end := time.Now().Add(profileSeconds * time.Second)
	for time.Now().Before(end) {
		if err := b.turn(r, max(1, b.requests/4), new(sample)); err != nil {
			return err
		}
	}
	for range kinds {
		if err := <-fetched; err != nil {
			return err
		}
	}
	return nil
}

// fetchProfile takes what Caddy's admin endpoint collects in that time.
func (p *process) fetchProfile(kind, path string) error {
	response, err := client.Get(fmt.Sprintf("%s/debug/pprof/%s?seconds=%d", p.url("admin"), kind, profileSeconds)) //nolint:noctx // loopback
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile %s: %d %w", kind, response.StatusCode, err)
	}
	return os.WriteFile(path, text, 0o600)
}
