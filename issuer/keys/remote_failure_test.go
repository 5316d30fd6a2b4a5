package keys

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// The last good set stays for ever, whatever the server answers; known kids do
// not wait for it, and those who need a newer one are told why there is none.
func TestRemoteKeepsTheLastGoodSet(t *testing.T) {
	t.Parallel()
	private := member{"keys": []member{jwk(token.ES256).with("kid", "new").with("d", "c2VjcmV0")}}.json()
	tests := map[string]struct {
		body string
		err  error
		why  string
	}{
		"down":          {"", errors.New("secret text"), "no HTTP response that can be read (*errors.errorString)"},
		"cut off":       {"", io.ErrUnexpectedEOF, "closed before the end"},
		"HTML":          {"<html>secret text", nil, "expected a JSON object"},
		"empty":         {"", nil, "expected a JSON object"},
		"no keys":       {`{"keys":[]}`, nil, "expected at least one key"},
		"no usable key": {`{"keys":[{"kty":"secret text"}]}`, nil, "no usable key"},
		"a private key": {private, nil, "private key"},
		"too long":      {setOf(jwk(token.ES256).with("kid", "new")) + strings.Repeat(" ", MaxSetLength), nil, "longer than"},
		"endless":       {strings.Repeat(" ", 1<<20), nil, "longer than"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &host{}
				h.publish("a")
				var reported []string
				r := newRemote(t, h, func(err error) { reported = append(reported, err.Error()) })
				expectFind(t, r, "a", 1, 0)
				h.answer(test.body, test.err)
				expectFailure(t, r, "new", test.why)
				for range 20 {
					time.Sleep(time.Minute)
					expectFind(t, r, "a", 1, 0)
				}
				synctest.Wait()
				if h.checkPace(t, defaultInterval, 1); h.fetches() != 18 || r.Generation() != 1 { // 4 minutes pass until it is old
					t.Errorf("%d fetches, generation %d", h.fetches(), r.Generation())
				}
				if len(reported) != h.fetches()-1 || !strings.Contains(reported[0], "https://issuer.example/jwks: ") ||
					strings.Contains(strings.Join(reported, ""), "secret text") {
					t.Errorf("reported: %q", reported)
				}
				h.publish("new")
				expectFind(t, r, "new", 1, defaultInterval)
				h.checkPace(t, defaultInterval, 1)
			})
		})
	}
}

func TestRemoteWithoutAnySet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{err: errors.New("down")}
		r := newRemote(t, h, nil)
		expectFailure(t, r, "a", "fetching keys from https://issuer.example/jwks: ")
		expectFailure(t, r, "a", "fetching keys from ")
		var busy atomic.Int32
		var group sync.WaitGroup
		for range 2 * maxWaitingFirst {
			group.Go(func() {
				if _, err := r.Find(t.Context(), "a", token.ES256); errors.Is(err, ErrBusy) {
					busy.Add(1)
				}
			})
		}
		group.Wait()
		if busy.Load() != maxWaitingFirst || h.fetches() != 3 {
			t.Errorf("%d were refused at once, %d fetches", busy.Load(), h.fetches())
		}
		h.publish("a")
		expectFind(t, r, "a", 1, defaultInterval)
		expectFind(t, r, "made-up", 0, 0)
		h.checkPace(t, defaultInterval, 4)
	})
}

// Made-up kids neither hold their sender nor wear the server out while it is
// down, and the first request after it is up again is served.
func TestRemoteMadeUpKidsWhileDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		failures := 0
		r := newRemote(t, h, func(error) { failures++ })
		expectFind(t, r, "a", 1, 0)
		h.answer("", errors.New("down"))
		expectFailure(t, r, "made-up", "fetching keys from ")
		begin := time.Now()
		expectFailure(t, r, "made-up", "fetching keys from ")
		for range 1000 {
			expectTooSoon(t, r, "made-up")
		}
		if took := time.Since(begin); took != defaultInterval || h.fetches() != 3 || failures != 2 {
			t.Errorf("%v, %d fetches, %d failures", took, h.fetches(), failures)
		}
		h.publish("a", "new")
		time.Sleep(defaultInterval)
		expectFind(t, r, "new", 1, 0)
		expectFind(t, r, "made-up", 0, defaultInterval)
		h.checkPace(t, defaultInterval, 1)
	})
}

// Waiting ends with the request; the fetch goes on for the others, and there is
// room again for those who wait.
func TestRemoteCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		expectFind(t, r, "made-up", 0, 0)
		for range 3 * maxWaiting {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if found, err := r.Find(ctx, "made-up", token.ES256); found != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("%v, %v", found, err)
			}
		}
		h.publish("a", "new")
		expectFind(t, r, "new", 1, defaultInterval-3*maxWaiting*time.Millisecond)
		if h.fetches() != 3 || r.waiting.Load() != 0 {
			t.Errorf("%d fetches, %d still wait", h.fetches(), r.waiting.Load())
		}
	})
}

func TestRemoteServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{delay: time.Hour}
		r := newRemote(t, h, nil)
		begin := time.Now()
		expectFailure(t, r, "a", "no whole answer within 5s")
		if took := time.Since(begin); took != fetchTimeout {
			t.Errorf("after %v", took)
		}
	})
}

// Neither a bug in what reads the answer nor one in what is told of failures
// ends the process, or stops the fetches after it.
func TestRemoteSurvivesPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{panic: true}
		told := 0
		r := newRemote(t, h, func(error) { told++; panic("another bug") })
		expectFailure(t, r, "a", "panic: a bug")
		h.mu.Lock()
		h.panic = false
		h.mu.Unlock()
		h.publish("a")
		expectFind(t, r, "a", 1, defaultInterval)
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

// A clock that is put back makes nobody wait longer than an interval.
func TestRemoteClockPutBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		var clock clock
		r, err := NewRemote(RemoteConfig{
			URL: "https://issuer.example/", Client: &http.Client{Transport: h}, Now: clock.now, Interval: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		expectFind(t, r, "a", 1, 0)
		expectFind(t, r, "x", 0, 0)
		for range 3 {
			clock.move(-time.Hour)
			expectFind(t, r, "x", 0, time.Second)
		}
		expectFind(t, r, "x", 0, time.Second)
		expectTooSoon(t, r, "x")
		clock.move(-time.Hour)
		expectFind(t, r, "x", 0, time.Second)
		clock.move(4 * time.Hour)
		expectFind(t, r, "x", 0, 0)
		expectFind(t, r, "x", 0, time.Second)
		expectTooSoon(t, r, "x")
		clock.move(time.Second)
		expectFind(t, r, "x", 0, 0)
		expectTooSoon(t, r, "x")
		clock.move(maxAge)
		expectFind(t, r, "a", 1, 0) // in the background: an interval begins
		synctest.Wait()
		expectTooSoon(t, r, "x")
		clock.move(-time.Minute) // does not make it longer
		expectFind(t, r, "x", 0, time.Second)
	})
}

func TestNewRemoteRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]RemoteConfig{
		"nothing":           {},
		"http":              {URL: "http://issuer.example/jwks"},
		"negative interval": {URL: "https://issuer.example/jwks", Interval: -1},
		"endless interval":  {URL: "https://issuer.example/jwks", Interval: MaxDuration + 1},
	} {
		if r, err := NewRemote(config); r != nil || err == nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}
