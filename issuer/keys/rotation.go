package keys

import (
	"slices"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// publishing is what it may take from the decision to make a key until it can
// be seen in the JWKS: it comes on top of Config.PublishAhead.
const publishing = time.Second

// afterlife is how much longer than its tokens a retired key stays published:
// verifiers accept a token up to token.Leeway after its end, by a clock that may
// differ by as much from ours; and an instance that has not read the document
// for some minutes still signs with the key that it knows.
const afterlife = 2*token.Leeway + 5*time.Minute

// plan is what a document needs at a moment: the pure half of rotation.
type plan struct {
	revoke string        // kid of the key that must go at once; empty: none
	forget []string      // kids of retired keys whose last token has expired
	raise  []string      // kids whose tokens may now live longer than noted
	life   time.Duration // what to raise their lifetime to
	make   *schedule     // the key to make; nil: none
}

type schedule struct {
	alg       token.Algorithm
	signsFrom time.Time
}

func (p plan) empty() bool {
	return p.make == nil && p.revoke == "" && len(p.forget) == 0 && len(p.raise) == 0
}

// decide returns what has to be done with the document now. Done once, nothing
// remains to be done at the same moment with the same configuration.
func decide(doc document, now time.Time, config Config) plan {
	p := plan{life: config.LongestLifetime, make: nextKey(doc, now, config)}
	active := doc.active(now)
	for i, key := range doc.keys {
		switch {
		case i < active && !now.Before(key.forgotten()):
			p.forget = append(p.forget, key.id)
		case i >= active && key.lifetime < config.LongestLifetime:
			p.raise = append(p.raise, key.id)
		}
	}
	return p
}

// forgotten is when a key goes whose end is known.
func (r record) forgotten() time.Time { return r.signsUntil.Add(r.lifetime + afterlife) }

// nextKey says which key to make, if any. A key that waits for its turn is
// never dropped or overtaken: others have cached it, and none knows better.
func nextKey(doc document, now time.Time, config Config) *schedule {
	if len(doc.keys) == 0 {
		return &schedule{alg: config.Algorithm, signsFrom: now}
	}
	if doc.waiting(now) {
		return nil
	}
	newest, soonest := doc.keys[len(doc.keys)-1], doc.soonest(now, config)
	if newest.alg != config.Algorithm {
		return &schedule{alg: config.Algorithm, signsFrom: soonest}
	}
	if config.RotateEvery == 0 {
		return nil
	}
	if due := newest.signsFrom.Add(config.RotateEvery); soonest.Before(due) {
		return nil
	}
	return &schedule{alg: config.Algorithm, signsFrom: soonest}
}

// active is the position of the key that signs: the newest whose time has come.
// With a clock that was set back, or behind that of the instance that made the
// first key, it is the oldest: nobody has known any key for longer.
func (d document) active(now time.Time) int {
	for i := len(d.keys) - 1; i > 0; i-- {
		if !d.keys[i].signsFrom.After(now) {
			return i
		}
	}
	return 0
}

// waiting tells whether there is a key that does not sign yet.
func (d document) waiting(now time.Time) bool { return d.active(now) < len(d.keys)-1 }

// soonest is from when a key that is made now may sign. There is a key already.
func (d document) soonest(now time.Time, config Config) time.Time {
	soonest := now.Add(config.PublishAhead + publishing)
	if newest := d.keys[len(d.keys)-1]; soonest.Before(newest.signsFrom) { // the clock was set back: keys keep their order
		return newest.signsFrom
	}
	return soonest
}

// apply returns the document with the plan carried out; doc stays as it is.
func (p plan) apply(doc document, now time.Time) (document, error) {
	var changed document
	if p.revoke != "" {
		doc = doc.without(p.revoke, now)
	}
	for _, key := range doc.keys {
		if slices.Contains(p.forget, key.id) {
			continue
		}
		if slices.Contains(p.raise, key.id) {
			key.lifetime = p.life
		}
		changed.keys = append(changed.keys, key)
	}
	if p.make == nil {
		return changed, nil
	}
	key, err := newRecord(p.make.alg)
	if err != nil {
		return document{}, err
	}
	key.created, key.signsFrom, key.lifetime = wall(now), wall(p.make.signsFrom), p.life
	if last := len(changed.keys) - 1; last >= 0 {
		changed.keys[last].signsUntil = key.signsFrom
	}
	changed.keys = append(changed.keys, key)
	return changed, nil
}

// carryOut returns the document to store and what became different.
func (p plan) carryOut(doc document, now time.Time) (raw []byte, changes Changes, err error) {
	changed, err := p.apply(doc, now)
	if err != nil {
		return nil, Changes{}, err
	}
	changes.Forgotten = p.forget
	if p.revoke != "" {
		changes.Revoked = []string{p.revoke}
	}
	if p.make != nil {
		changes.Made = []string{changed.keys[len(changed.keys)-1].id}
	}
	raw, err = changed.encode()
	return raw, changes, err
}

// wall drops the monotonic clock: stored times mean the same to every process.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }
