package caddymodule

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// expiryNotice is how long before its end a secret is first warned of.
	expiryNotice = 14 * 24 * time.Hour
	// expiryRepeat is how long one warning is enough.
	expiryRepeat = 24 * time.Hour
)

// expiringSecret is a client's secret that has an end.
type expiringSecret struct {
	clientID, id string
	expires      time.Time
	disabled     bool // its client is
	others       int  // secrets of the client that stay good for longer
}

// expiringSecrets are those of all clients, configured and made at run time.
func (a *App) expiringSecrets() []expiringSecret {
	if a.clients == nil {
		return nil
	}
	var found []expiringSecret
	for known := range a.clients.All() {
		for _, secret := range known.Secrets {
			if secret.Expires.IsZero() {
				continue
			}
			others := 0
			for _, other := range known.Secrets {
				if other.Expires.IsZero() || other.Expires.After(secret.Expires) {
					others++
				}
			}
			found = append(found, expiringSecret{known.ID, secret.ID, secret.Expires, known.Disabled, others})
		}
	}
	slices.SortFunc(found, func(a, b expiringSecret) int {
		return cmp.Or(cmp.Compare(a.clientID, b.clientID), cmp.Compare(a.id, b.id))
	})
	return found
}

// expiryNotices remembers what was warned of, so that a reload does not warn
// again. The zero value has warned of nothing.
type expiryNotices struct {
	mutex sync.Mutex
	told  map[expiryKey]time.Time
}

type expiryKey struct {
	clientID, id string
	expires      time.Time
}

// due returns the secrets to warn of now: those that expire soon, each once a day.
func (n *expiryNotices) due(now time.Time, all []expiringSecret) []expiringSecret {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	told := make(map[expiryKey]time.Time)
	var due []expiringSecret
	for _, secret := range all {
		left := secret.expires.Sub(now)
		if left <= 0 || left > expiryNotice || secret.disabled {
			continue
		}
		key := expiryKey{secret.clientID, secret.id, secret.expires.UTC()}
		last, known := n.told[key]
		if !known || now.Sub(last) >= expiryRepeat || now.Before(last) { // or the clock was set back
			due, last = append(due, secret), now
		}
		told[key] = last
	}
	n.told = told
	return due
}

// warnOfExpiry tells the operator of secrets that will soon keep a job from
// running.
func (a *App) warnOfExpiry(now time.Time) {
	for _, secret := range a.shared.expiry.due(now, a.expiringSecrets()) {
		a.logger.Warn("a client's secret expires soon: give the client a new one",
			zap.String("client_id", secret.clientID),
			zap.String("secret_id", secret.id),
			zap.Time("expires", secret.expires),
			zap.Duration("left", secret.expires.Sub(now).Truncate(time.Second)),
			zap.Int("others", secret.others),
		)
	}
}
