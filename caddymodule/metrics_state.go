package caddymodule

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// stateMetrics tells how things stand when it is asked. There is one for each
// configuration, in that configuration's registry. It reads memory alone: a
// storage that hangs must not keep anybody from looking at metrics.
type stateMetrics struct{ app *App }

var (
	keysDesc = stateDesc("signing_keys",
		"Signing keys, by state: next, active or retired.", "state")
	keySinceDesc = stateDesc("signing_key_since_timestamp_seconds",
		"When the key that signs began to sign, as a Unix time.")
	keyRotationDesc = stateDesc("signing_key_rotation_timestamp_seconds",
		"When the next key takes over, as a Unix time; absent where keys are not rotated.")
	revokedDesc = stateDesc("revoked_tokens",
		"Revoked tokens that have not expired.")
	marksDesc = stateDesc("replay_marks",
		"Assertions and proofs that are remembered, so that each passes once. Some may have lapsed.")
	clientsDesc = stateDesc("clients",
		"Clients, by where they come from and state: enabled or disabled.", "source", "state")
	secretExpiresDesc = stateDesc("secret_expires_timestamp_seconds",
		"When a secret that has an end ceases to be good, as a Unix time, by client_id and id of the secret.", "client", "secret")
	storeUpDesc = stateDesc("store_up",
		"1 while a store on other machines answers and takes writes, 0 while it does not; absent where the state is in Caddy's storage.")
	unusableFilesDesc = stateDesc("files_unusable",
		"Files that the configuration names and whose present content cannot be used: what they held before is in force.")
)

func stateDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, metricsSubsystem, name), help, labels, nil)
}

// Describe implements prometheus.Collector.
func (*stateMetrics) Describe(descriptions chan<- *prometheus.Desc) {
	for _, description := range []*prometheus.Desc{
		keysDesc, keySinceDesc, keyRotationDesc, revokedDesc, marksDesc, clientsDesc, secretExpiresDesc, storeUpDesc, unusableFilesDesc,
	} {
		descriptions <- description
	}
}

// gauges is where values go.
type gauges chan<- prometheus.Metric

func (g gauges) set(description *prometheus.Desc, value float64, labels ...string) {
	metric, err := prometheus.NewConstMetric(description, prometheus.GaugeValue, value, labels...)
	if err != nil { // a label that is no UTF-8: said where it is asked for, and no panic
		metric = prometheus.NewInvalidMetric(description, err)
	}
	g <- metric
}

// Collect implements prometheus.Collector.
func (m *stateMetrics) Collect(metrics chan<- prometheus.Metric) {
	to := gauges(metrics)
	to.set(unusableFilesDesc, float64(m.app.unusable.Load()))
	if m.app.shared == nil {
		return
	}
	// Marks that are shared with other instances are counted by nobody.
	if held, ok := any(m.app.shared.marks).(interface{ Len() int }); ok {
		to.set(marksDesc, float64(held.Len()))
	}
	if m.app.shared.remote != nil {
		up := 1.0
		if m.app.shared.away.Load() {
			up = 0
		}
		to.set(storeUpDesc, up)
	}
	if m.app.own == nil {
		return
	}
	to.set(revokedDesc, float64(m.app.shared.revoked.Len()))
	m.keys(to)
	m.clients(to)
}

func (m *stateMetrics) keys(to gauges) {
	list := m.app.shared.ring.List()
	count := map[keys.State]int{keys.Next: 0, keys.Active: 0, keys.Retired: 0}
	var rotation time.Time
	for _, key := range list {
		count[key.State]++
		if key.State == keys.Active {
			to.set(keySinceDesc, seconds(key.SignsFrom))
			if every := m.app.rotateEvery(); every > 0 {
				rotation = key.SignsFrom.Add(every)
			}
		}
	}
	// A key that waits for its turn has a time of its own, whatever the configuration says by now.
	for _, key := range list {
		if key.State == keys.Next {
			rotation = key.SignsFrom
			break
		}
	}
	if !rotation.IsZero() {
		to.set(keyRotationDesc, seconds(rotation))
	}
	for state, number := range count {
		to.set(keysDesc, float64(number), string(state))
	}
}

// clients tells of those that there are, never of what strangers name.
func (m *stateMetrics) clients(to gauges) {
	enabled, disabled := 0, 0
	for i := range m.app.Clients {
		if m.app.Clients[i].Disabled {
			disabled++
		} else {
			enabled++
		}
	}
	to.set(clientsDesc, float64(enabled), fromConfiguration, "enabled")
	to.set(clientsDesc, float64(disabled), fromConfiguration, "disabled")
	made, off := m.app.shared.directory.Count()
	to.set(clientsDesc, float64(made-off), fromAdmin, "enabled")
	to.set(clientsDesc, float64(off), fromAdmin, "disabled")
	for _, secret := range m.app.expiringSecrets() {
		// Of clients that are made at run time there may be very many.
		if !m.app.runtime.configured[secret.clientID] && time.Until(secret.expires) > expiryNotice {
			continue
		}
		to.set(secretExpiresDesc, seconds(secret.expires), secret.clientID, secret.id)
	}
}

func seconds(moment time.Time) float64 { return float64(moment.UnixMilli()) / 1000 }
