package keys

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const day = 24 * time.Hour

var usual = Config{Algorithm: token.ES256, RotateEvery: 30 * day, PublishAhead: day, LongestLifetime: time.Hour}

// step carries out what is due and checks that nothing remains due after it.
func step(t *testing.T, doc document, now time.Time, config Config) document {
	t.Helper()
	changed, err := decide(doc, now, config).apply(doc, now)
	if err != nil {
		t.Fatal(err)
	}
	if again := decide(changed, now, config); !again.empty() {
		t.Fatalf("at %v: still due after it was done: %+v", now, again)
	}
	if len(changed.keys) > 0 {
		if _, err := decode(encode(t, changed)); err != nil {
			t.Fatalf("at %v: the document cannot be read again: %v", now, err)
		}
	}
	return changed
}

// states describes the document at a moment, such as "retired active next".
func states(doc document, now time.Time) string {
	active := doc.active(now)
	var words []string
	for i := range doc.keys {
		words = append(words, string([]State{Retired, Active, Next}[1+max(-1, min(1, i-active))]))
	}
	return strings.Join(words, " ")
}

// The life of a key as the documentation tells it, with the moments just before.
func TestRotationTimetable(t *testing.T) {
	t.Parallel()
	takeover := start.Add(30 * day)
	made := takeover.Add(-day - publishing)
	gone := takeover.Add(time.Hour + afterlife)
	tests := []struct {
		at     time.Time
		states string
	}{
		{start, "active"},
		{made.Add(-1), "active"},
		{made, "active next"},
		{made.Add(1), "active next"},
		{takeover.Add(-1), "active next"},
		{takeover, "retired active"},
		{gone.Add(-1), "retired active"},
		{gone, "active"},
		{takeover.Add(29*day - publishing), "active next"},
		{takeover.Add(30 * day), "retired active"},
	}
	var doc document
	for _, test := range tests {
		doc = step(t, doc, test.at, usual)
		if got := states(doc, test.at); got != test.states {
			t.Fatalf("after %v: %s, expected %s", test.at.Sub(start), got, test.states)
		}
	}
}

func TestNextKey(t *testing.T) {
	t.Parallel()
	with := func(change func(*Config)) Config {
		config := usual
		change(&config)
		return config
	}
	rsa := with(func(c *Config) { c.Algorithm = token.RS256 })
	never := with(func(c *Config) { c.RotateEvery = 0 })
	hasty := with(func(c *Config) { c.RotateEvery, c.PublishAhead = time.Hour, day })
	atOnce := with(func(c *Config) { c.PublishAhead = 0 })
	one := makeDocument(t, token.ES256)
	two := makeDocument(t, token.ES256, token.ES256) // the second signs after a day
	none := time.Duration(0)
	tests := []struct {
		name   string
		doc    document
		after  time.Duration // of the first key's beginning
		config Config
		wait   time.Duration // until the new key signs; none: no key is made
	}{
		{"a young key", one, day, usual, none},
		{"just before it is due", one, 29*day - publishing - 1, usual, none},
		{"just when it is due", one, 29*day - publishing, usual, day + publishing},
		{"overdue: it is published as long all the same", one, 300 * day, usual, day + publishing},
		{"never", one, 3000 * day, never, none},
		{"another algorithm", one, time.Hour, rsa, day + publishing},
		{"another algorithm, and no rotation", one, time.Hour, with(func(c *Config) { c.Algorithm, c.RotateEvery = token.RS256, 0 }), day + publishing},
		{"another algorithm that shares the type of key", makeDocument(t, token.RS256), 1, with(func(c *Config) { c.Algorithm = token.PS256 }), day + publishing},
		{"another algorithm while a key waits: that one is not dropped", two, time.Hour, rsa, none},
		{"another algorithm once it signs", two, day, rsa, day + publishing},
		{"published for longer than it signs: at once", one, 0, hasty, day + publishing},
		{"published for longer than it signs, while a key waits", two, time.Hour, hasty, none},
		{"not published ahead", one, 30 * day, atOnce, publishing},
		{"a clock that was set back", one, -365 * day, usual, none},
		{"a clock that was set back, another algorithm: keys keep their order", one, -365 * day, rsa, 365 * day},
	}
	for _, test := range tests {
		now := start.Add(test.after)
		next := nextKey(test.doc, now, test.config)
		switch {
		case next == nil && test.wait != none:
			t.Errorf("%s: no key is made", test.name)
		case next == nil:
		case test.wait == none:
			t.Errorf("%s: a key is made", test.name)
		case next.alg != test.config.Algorithm || !next.signsFrom.Equal(now.Add(test.wait)):
			t.Errorf("%s: %s after %v, expected %s after %v",
				test.name, next.alg, next.signsFrom.Sub(now), test.config.Algorithm, test.wait)
		}
		step(t, test.doc, now, test.config)
	}
}

// A key stays as long as the longest-lived token that any configuration issued
// with it, also where a later configuration knows only short ones.
func TestLongestLifetimeIsKept(t *testing.T) {
	t.Parallel()
	long, short := usual, usual
	long.LongestLifetime, short.LongestLifetime = 10*day, time.Minute
	doc := step(t, document{}, start, short)
	doc = step(t, doc, start.Add(day), long)
	doc = step(t, doc, start.Add(2*day), short)
	if life := doc.keys[0].lifetime; life != 10*day {
		t.Fatalf("lifetime %v, expected the longest ever, 10 days", life)
	}
	doc = step(t, doc, start.Add(30*day), short) // late: makes the next key
	taken := doc.keys[1].signsFrom
	doc = step(t, doc, taken, long) // the retired one signs no more
	if first, second := doc.keys[0].lifetime, doc.keys[1].lifetime; first != 10*day || second != 10*day {
		t.Errorf("lifetimes %v and %v, expected 10 days", first, second)
	}
	doc = step(t, doc, taken.Add(10*day+afterlife-1), short)
	if got := states(doc, taken.Add(10*day)); got != "retired active" {
		t.Errorf("%s: expected the retired key to stay for its last token", got)
	}
	doc = step(t, doc, taken.Add(10*day+afterlife), short)
	if got := states(doc, taken.Add(10*day+afterlife)); got != "active" {
		t.Errorf("%s: expected the retired key to be forgotten", got)
	}
}

// The lifetime of a key that no longer signs is not raised: it would stay for
// tokens that it cannot have signed.
func TestRetiredKeysAreNotRaised(t *testing.T) {
	t.Parallel()
	doc := makeDocument(t, token.ES256, token.ES256)
	long := usual
	long.LongestLifetime = 10 * day
	if p := decide(doc, start.Add(day), long); !slices.Equal(p.raise, []string{doc.keys[1].id}) {
		t.Errorf("raised %v, expected the active key alone", p.raise)
	}
	if p := decide(doc, start.Add(day-1), long); len(p.raise) != 2 {
		t.Errorf("raised %v, expected the active key and the next one", p.raise)
	}
}

// A key with long-lived tokens outlives younger ones, and does not stay longer
// because those are gone.
func TestKeysAreForgottenOutOfOrder(t *testing.T) {
	t.Parallel()
	doc := makeDocument(t, token.ES256, token.ES256, token.ES256)
	doc.keys[0].lifetime = 10 * day
	never := usual
	never.RotateEvery = 0
	first := doc.keys[0].id
	doc = step(t, doc, start.Add(3*day), never)
	if len(doc.keys) != 2 || doc.keys[0].id != first {
		t.Fatalf("%d keys, expected the first and the last", len(doc.keys))
	}
	doc = step(t, doc, start.Add(day+10*day+afterlife), never)
	if len(doc.keys) != 1 {
		t.Errorf("%d keys, expected the last alone", len(doc.keys))
	}
}

// What decide was given stays as it is: it may be in use by others.
func TestApplyLeavesTheDocument(t *testing.T) {
	t.Parallel()
	doc := makeDocument(t, token.ES256, token.ES256)
	before := string(encode(t, doc))
	long := usual
	long.LongestLifetime = 10 * day
	step(t, doc, start.Add(100*day), long)
	if string(encode(t, doc)) != before {
		t.Error("the document changed")
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Config)
		word   string // empty: it is fine
	}{
		{"as it is", func(*Config) {}, ""},
		{"never", func(c *Config) { c.RotateEvery = 0 }, ""},
		{"no publishing ahead", func(c *Config) { c.PublishAhead = 0 }, ""},
		{"the zero value", func(c *Config) { *c = Config{} }, "algorithm"},
		{"alg none", func(c *Config) { c.Algorithm = "none" }, "none"},
		{"a symmetric algorithm", func(c *Config) { c.Algorithm = "HS256" }, "HS256"},
		{"a negative period", func(c *Config) { c.RotateEvery = -1 }, "rotate every"},
		{"an endless period", func(c *Config) { c.RotateEvery = MaxDuration + 1 }, "rotate every"},
		{"negative publishing ahead", func(c *Config) { c.PublishAhead = -1 }, "publish ahead"},
		{"no lifetime", func(c *Config) { c.LongestLifetime = 0 }, "longest lifetime"},
		{"an endless lifetime", func(c *Config) { c.LongestLifetime = MaxDuration + 1 }, "longest lifetime"},
	}
	for _, test := range tests {
		config := usual
		test.change(&config)
		err := config.validate()
		if (err == nil) != (test.word == "") || err != nil && !strings.Contains(err.Error(), test.word) {
			t.Errorf("%s: %v, expected an error about %q", test.name, err, test.word)
		}
	}
}
