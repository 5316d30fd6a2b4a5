package caddymodule

import (
	"fmt"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// One warning says that refusals are costly, and what makes them so.
func TestWarnOfCost(t *testing.T) {
	t.Parallel()
	pbkdf2 := func(rounds int) Secret {
		return Secret{Hash: fmt.Sprintf("$pbkdf2-sha256$i=%d,l=32$c2l4dGVlbiBieXRlIHNsdA$oh3KTrVmn7sLeAda9z9YjLPL9nJa1j1YRWDrfBCZGBs", rounds)}
	}
	plain := Secret{Secret: "hush-hush-hush-hush"}
	for name, test := range map[string]struct {
		clients            [][]Secret
		hashes, parameters int64 // 0: no warning
	}{
		"none":             {[][]Secret{{plain}, {plain, plain}, nil}, 0, 0},
		"one":              {[][]Secret{{pbkdf2(1000)}, {pbkdf2(1000)}, {pbkdf2(1000)}}, 0, 0},
		"rotation":         {[][]Secret{{pbkdf2(1000), pbkdf2(1000)}, {pbkdf2(1000)}}, 0, 0},
		"two sets":         {[][]Secret{{pbkdf2(1000)}, {pbkdf2(1001)}}, 0, 0},
		"three sets":       {[][]Secret{{pbkdf2(1000)}, {pbkdf2(1001), plain}, {pbkdf2(1002)}}, 3, 3},
		"two sets rotated": {[][]Secret{{pbkdf2(1000), pbkdf2(1000)}, {pbkdf2(1001)}}, 3, 2},
	} {
		app := soundApp()
		app.Clients = nil
		for i, secrets := range test.clients {
			app.Clients = append(app.Clients, Client{ID: fmt.Sprint(i), Secrets: secrets})
		}
		registry, err := app.registry()
		if err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zap.WarnLevel)
		app.logger = zap.New(core)
		app.warnOfCost(registry)
		all := logs.TakeAll()
		if test.hashes == 0 {
			if len(all) != 0 {
				t.Errorf("%s: %v", name, all)
			}
			continue
		}
		if len(all) != 1 || all[0].ContextMap()["slow_hashes"] != test.hashes || all[0].ContextMap()["parameter_sets"] != test.parameters {
			t.Errorf("%s: %v", name, all)
		}
	}
}
