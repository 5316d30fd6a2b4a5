package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const (
	// defaultInterval is how far apart two fetches begin at least.
	defaultInterval = 5 * time.Second

	// maxAge is the age from which a set is fetched anew when it is used: a key
	// that its owner has taken out verifies no longer than that, and an answer.
	maxAge = 5 * time.Minute

	// maxWaiting is how many requests with unknown kids wait for the next fetch:
	// anyone can make up kids, and must not fill the server with what waits.
	maxWaiting = 32

	// patience is how many fetches for unknown kids may be in vain, one after the
	// other, before the next unknown kid is refused and does not wait: else who
	// makes up kids would hold a request for a whole interval with each.
	patience = 2

	// maxWaitingFirst is how many wait while there is no set at all: then every
	// request does, and none is to fail because the process has just started.
	maxWaitingFirst = 1024
)

// ErrBusy is the error where too many requests wait for keys already. A request
// that gets it has cost a lookup, and a later one may be served.
var ErrBusy = errors.New("too many requests wait for the next fetch of keys")

// ErrNoSet is the error, beside that of the fetch, where no set was ever had.
var ErrNoSet = errors.New("no keys are known yet")

// ErrTooSoon is the error where a kid is not known, fetches for such kids have
// been in vain, and the next one may not begin yet. A request that comes after
// the interval may be served.
var ErrTooSoon = errors.New("no such key is known, and it is too soon to fetch keys again")

// RemoteConfig says where keys are and how they are fetched.
type RemoteConfig struct {
	// URL is where the key set is, fit for [CheckURL]. Needed. It alone is ever
	// asked: redirects are not followed.
	URL string

	// Issuer is, where URL is empty, the authorization server whose metadata says
	// where its key set is (RFC 8414, then OpenID Connect Discovery). It must be
	// fit for [CheckURL] too. Both its metadata and what that names are asked.
	Issuer string

	// Client makes the connections. It is copied; its redirect policy and its
	// cookies are not used. nil: one as http.DefaultClient.
	Client *http.Client

	// Now is the clock. nil: time.Now.
	Now func() time.Time

	// Interval is how far apart two fetches begin at least. Only the one that
	// brings the first set of all does not count: the next may begin at once.
	// 0: 5 s.
	Interval time.Duration

	// Report is called with the error of each fetch that failed, before those who
	// wait for it go on, by one goroutine at a time: at most once per interval.
	// nil: nobody is told but those who wait.
	Report func(error)
}

// Remote is the keys of somebody else behind a url (`jwks_uri`).
//
// They are fetched when they are first needed. Unknown kids make one fetch at
// most per interval, whoever sends how many of them: a request with one waits for
// the next fetch that may begin, at most one interval and the 5 s that an answer
// may take. After two such fetches in vain (which are forgotten when there was
// none for 5 minutes) nobody waits for an interval to end: unknown kids are
// refused until then, and the first one after it makes a fetch at once. Known
// kids never wait.
//
// A set older than 5 minutes is fetched anew in the background when it is used.
// The last good set is kept for ever where the server is down or answers
// nonsense.
//
// What it holds and runs is bounded: one set, one goroutine, which ends by
// itself within the times above. It is safe for concurrent use. Make one with
// [NewRemote].
type Remote struct {
	url      string // empty: what the issuer's metadata says
	issuer   string
	found    string // the url that the metadata named; used by one fetch at a time
	client   *http.Client
	now      func() time.Time
	started  time.Time // all times here are counted from it
	interval time.Duration
	timeout  time.Duration
	report   func(error)

	current   atomic.Pointer[edition]
	refreshAt atomic.Int64 // time.Duration: when a fetch in the background is due
	waiting   atomic.Int32

	mu       sync.Mutex
	flight   *flight       // the one under way or scheduled; nil for none
	flights  uint64        // how many there were
	next     time.Duration // when the next fetch may begin
	inVain   int           // fetches for unknown kids, one after the other, that brought nothing new
	forgetAt time.Duration // when inVain is forgotten
}

// NewRemote returns the keys behind the url. Nothing is fetched yet. The error
// says what is wrong with the configuration.
func NewRemote(config RemoteConfig) (*Remote, error) {
	if err := CheckURL(cmp.Or(config.URL, config.Issuer)); err != nil {
		return nil, err
	}
	if config.Interval < 0 || config.Interval > MaxDuration {
		return nil, fmt.Errorf("interval of fetches: %v: expected 0 to %v", config.Interval, MaxDuration)
	}
	r := &Remote{
		url: config.URL, issuer: config.Issuer, client: plainClient(config.Client), now: config.Now,
		interval: config.Interval, timeout: fetchTimeout, report: config.Report,
	}
	if r.interval == 0 {
		r.interval = defaultInterval
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.report == nil {
		r.report = func(error) {}
	}
	r.started = r.now()
	r.current.Store(&edition{})
	return r, nil
}

// Generation changes whenever the keys have changed: what is remembered of
// signatures is worth nothing after that. Ask for it before [Remote.Find]. It
// counts as use of the set: else a key that its owner has taken out would be
// trusted for as long as nothing but remembered signatures comes.
func (r *Remote) Generation() uint64 {
	current := r.current.Load()
	if current.set != nil {
		r.refreshIfOld()
	}
	return current.generation
}

// Find is [Set.Find] of the newest set. Where no key has the kid, or a JWS
// without kid finds no key for its algorithm, it waits for a newer set.
//
// A kid that is known, but not for the algorithm, finds nothing at once. So does
// a set whose keys have no kid find its keys whatever the kid is: one that was
// exchanged there is seen after 5 minutes.
//
// No key and no error: there is none, as of a fetch that began after the call.
// The error is [ErrBusy], [ErrTooSoon], [ErrNoSet], that of ctx, or says why the fetch failed;
// it holds nothing of the answer.
func (r *Remote) Find(ctx context.Context, kid string, alg token.Algorithm) ([]token.VerificationKey, error) {
	alg, ok := token.AlgorithmOf(string(alg))
	if !ok {
		return nil, nil // no key will ever fit
	}
	keys, known := r.look(kid, alg)
	if !known {
		keys, err := r.await(ctx, kid, alg)
		if err != nil && r.current.Load().set == nil {
			err = fmt.Errorf("%w: %w", ErrNoSet, err)
		}
		return keys, err
	}
	r.refreshIfOld()
	return keys, nil
}

// look asks the set that is there; known says that a newer one is not needed.
func (r *Remote) look(kid string, alg token.Algorithm) (keys []token.VerificationKey, known bool) {
	set := r.current.Load().set
	keys = set.Find(kid, alg)
	return keys, len(keys) > 0 || set.names(kid)
}

func (r *Remote) elapsed() time.Duration { return r.now().Sub(r.started) }

// await looks again after a fetch that began after the call. One that was under
// way before may have missed a key; it is waited for first, since it may not.
func (r *Remote) await(ctx context.Context, kid string, alg token.Algorithm) ([]token.VerificationKey, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.waiting.Add(-1)
	for needed := uint64(0); ; {
		keys, known, fetch, late := r.seek(kid, alg)
		switch {
		case known:
			return keys, nil
		case fetch == nil:
			return nil, ErrTooSoon
		case needed == 0 && late:
			needed = fetch.number + 1
		case needed == 0:
			needed = fetch.number
		}
		select {
		case <-fetch.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for keys: %w", ctx.Err())
		}
		if keys, known = r.look(kid, alg); known {
			return keys, nil
		}
		if fetch.err != nil || fetch.number >= needed {
			return nil, fetch.err
		}
	}
}

// enter counts one more who waits; who is let in goes out by waiting.Add(-1).
func (r *Remote) enter() error {
	limit := int32(maxWaiting)
	if r.current.Load().set == nil {
		limit = maxWaitingFirst
	}
	if r.waiting.Add(1) > limit {
		r.waiting.Add(-1)
		return ErrBusy
	}
	return nil
}
