package caddymodule

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
)

// flooding is an audit log and those who have it write.
type flooding struct {
	*auditor
	log *observer.ObservedLogs
}

func newFlooding() *flooding {
	core, log := observer.New(zapcore.InfoLevel)
	return &flooding{auditor: &auditor{logger: zap.New(core)}, log: log}
}

func (f *flooding) refuse(reason, address string, count int) {
	for range count {
		f.answered(context.Background(), &issuer.Event{
			Endpoint: issuer.TokenEndpoint, Address: address, Err: &issuer.Error{Reason: reason, Status: 401},
		})
	}
}

// written takes how many lines there are since the last call, by message, and
// how many refusals the summaries speak of.
func (f *flooding) written() (lines map[string]int, withheld int64) {
	lines = make(map[string]int)
	for _, line := range f.log.TakeAll() {
		lines[line.Message]++
		if count, found := line.ContextMap()["count"].(int64); found {
			withheld += count
			if line.ContextMap()["address"] != "" {
				lines["with an address"]++
			}
		}
	}
	return lines, withheld
}

// No stranger can fill the disk with refusals, each of which is counted, and
// who is refused now and then has each in the log.
func TestFloodOfRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flood            func(f *flooding)
		lines, summaries int
		withheld         int64
	}{
		"few":           {func(f *flooding) { f.refuse("secret", "192.0.2.1", 100) }, 100, 0, 0},
		"one more":      {func(f *flooding) { f.refuse("secret", "192.0.2.1", 101) }, 100, 1, 1},
		"of one kind":   {func(f *flooding) { f.refuse("secret", "192.0.2.1", 5000) }, 100, 1, 4900},
		"of two":        {func(f *flooding) { f.refuse("secret", "192.0.2.1", 150); f.refuse("scope", "192.0.2.1", 3) }, 103, 1, 50},
		"two addresses": {func(f *flooding) { f.refuse("secret", "192.0.2.1", 150); f.refuse("secret", "192.0.2.2", 3) }, 103, 1, 50},
		"many addresses": {func(f *flooding) {
			for i := range 5000 {
				f.refuse("secret", fmt.Sprint(i), 1)
			}
		}, 500, 100, 4500},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFlooding()
			for second := range 3 { // each is alike
				c.flood(f)
				if lines, withheld := f.written(); lines["token refused"] != c.lines || withheld != 0 {
					t.Errorf("%s: second %d: %v %d", name, second, lines, withheld)
				}
				time.Sleep(floodWindow)
				synctest.Wait()
				if lines, withheld := f.written(); lines["with an address"] != c.summaries || withheld != c.withheld {
					t.Errorf("%s: second %d: then %v %d", name, second, lines, withheld)
				}
			}
		})
	}
}

// What was not written yet when a configuration ends is not forgotten, nor told
// twice.
func TestEndOfAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFlooding()
		f.refuse("secret", "192.0.2.1", 115)
		app := &App{audit: f.auditor}
		for range 2 {
			if err := app.Stop(); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(2 * floodWindow)
		synctest.Wait()
		if lines, withheld := f.written(); lines["token refused"] != 100 || lines["refusals not written"] != 1 || withheld != 15 {
			t.Errorf("%v %d", lines, withheld)
		}
	})
}

// The summary names what the lines would have named.
func TestSummaryOfAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFlooding()
		f.refuse("secret", "192.0.2.1", 102)
		time.Sleep(floodWindow)
		synctest.Wait()
		got := f.log.FilterMessage("refusals not written").All()
		if len(got) != 1 {
			t.Fatalf("%d lines", len(got))
		}
		fields := got[0].ContextMap()
		if fields["refusal"] != "token refused" || fields["reason"] != "secret" || fields["address"] != "192.0.2.1" || fields["count"] != int64(2) {
			t.Errorf("%v", fields)
		}
	})
}
