package client

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// candidates are the secrets that one attempt to authenticate is compared
// with: the client's own, then dummies, so many that the list is as long and
// as costly for every client, and for one that does not exist. Who measures
// how long a refusal takes learns nothing of which clients exist.
type candidates struct {
	fast, slow []*Secret
	lanes      int // the most that one of the slow has
}

// effort is what each failed attempt costs: for each class of secrets that any
// client has, as many dummies as the client with the most has secrets.
type effort map[class][]*Secret

// with returns what each attempt costs where there are these clients too.
func (e effort) with(clients []*Client) effort {
	total := maps.Clone(e)
	if total == nil {
		total = make(effort)
	}
	for _, c := range clients {
		for i := range c.Secrets {
			own := c.Secrets[i].hash.class
			for dummies := total[own]; len(dummies) < countOf(c.Secrets, own); {
				dummies = append(slices.Clip(dummies), newDummy(own)) // those of others stay theirs
				total[own] = dummies
			}
		}
	}
	return total
}

// size grows with what an attempt costs.
func (e effort) size() (size int) {
	for _, dummies := range e {
		size += len(dummies)
	}
	return size
}

func countOf(secrets []Secret, of class) (count int) {
	for i := range secrets {
		if secrets[i].hash.class == of {
			count++
		}
	}
	return count
}

// candidates lists the client's own secrets, in their order, and fills up.
func (e effort) candidates(own []Secret) candidates {
	var list candidates
	for i := range own {
		list.add(&own[i])
	}
	for c, dummies := range e {
		for _, dummy := range dummies[countOf(own, c):] {
			list.add(dummy)
		}
	}
	return list
}

func (c *candidates) add(secret *Secret) {
	if secret.hash.class.slow() {
		c.slow = append(c.slow, secret)
		c.lanes = max(c.lanes, 1, secret.hash.class.threads)
	} else {
		c.fast = append(c.fast, secret)
	}
}

// newDummy returns a secret that costs what those of a class cost and that
// nobody knows. It expired long ago: not even by chance does it let one in.
func newDummy(c class) *Secret {
	dummy := &Secret{Expires: time.Unix(0, 0), hash: hash{class: c, salt: randomBytes(16), sum: randomBytes(c.length)}}
	if c.kind == bcryptHash {
		dummy.hash.text = fmt.Sprintf("$2a$%02d$%s%s", c.rounds,
			bcryptEncoding.EncodeToString(randomBytes(16)), bcryptEncoding.EncodeToString(randomBytes(23)))
	}
	return dummy
}
