package e2e

import (
	"path/filepath"
	"testing"
)

// The recipe of the page brings an event to a program without any plugin.
func TestEventsPage(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	p.words = [][2]string{{"/var/log/caddy/", t.TempDir() + "/"}}
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch.secret"), batchSecret+"\n")
	p.follow(t, "events.md", nil, map[string]func(*testing.T){
		"How do I listen without a plugin?": func(t *testing.T) {
			log := p.adjust("/var/log/caddy/events.log")
			p.says(t, "grep -c '\"name\":\"oauth2_key_rotated\"' "+log, "1")
			p.says(t, "grep -c \"$token\" "+log+" || grep -cF '"+batchSecret+"' "+log, "0\n0")
		},
	})
}
