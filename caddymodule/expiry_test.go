package caddymodule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// A secret is warned of from 14 days before its end until then, once a day
// however often anybody looks, and again when its end is moved.
func TestExpiryNotices(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	ends := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	secret := expiringSecret{clientID: "batch", id: "old", expires: ends}
	var notices expiryNotices
	for _, step := range []struct {
		left time.Duration
		want bool
	}{
		{30 * day, false},
		{14*day + time.Second, false},
		{14 * day, true},
		{14*day - 30*time.Second, false},
		{13*day + time.Second, false},
		{13 * day, true},
		{12*day + time.Hour, false},
		{11 * day, true}, // nobody looked for a while
		{time.Second, true},
		{0, false}, // it is refused by now
		{-day, false},
		{5 * day, true}, // the clock was set back
		{5*day - time.Minute, false},
	} {
		if due := notices.due(ends.Add(-step.left), []expiringSecret{secret}); (len(due) == 1) != step.want {
			t.Errorf("%v before: %v", step.left, due)
		}
	}
	now := ends.Add(-5*day + time.Hour)
	for name, c := range map[string]struct {
		change func(*expiringSecret)
		want   bool
	}{
		"as before":      {func(*expiringSecret) {}, false},
		"another zone":   {func(s *expiringSecret) { s.expires = s.expires.In(time.FixedZone("", 3600)) }, false},
		"another end":    {func(s *expiringSecret) { s.expires = s.expires.Add(day) }, true},
		"another secret": {func(s *expiringSecret) { s.id = "new" }, true},
		"another client": {func(s *expiringSecret) { s.clientID = "other" }, true},
		"disabled":       {func(s *expiringSecret) { s.id, s.disabled = "third", true }, false},
	} {
		other := secret
		c.change(&other)
		if due := notices.due(now, []expiringSecret{secret, other}); (len(due) == 1) != c.want {
			t.Errorf("%s: %v", name, due)
		}
	}
	// What is no longer configured takes no room.
	notices.due(now, nil)
	if len(notices.told) != 0 {
		t.Errorf("%d are remembered", len(notices.told))
	}
}

// The line names the client and the secret's id, says how long is left and
// whether other secrets outlive it, and shows no secret.
func TestExpiryIsLogged(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const text = "the text of the secret"
	secretOf := func(id string, expires time.Time) client.Secret {
		made, err := client.NewPlainSecret(id, text+id, expires)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	registry, err := client.NewRegistry([]client.Client{
		{ID: "batch", Secrets: []client.Secret{secretOf("old", now.Add(36*time.Hour)), secretOf("new", time.Time{})}},
		{ID: "shop", Secrets: []client.Secret{secretOf("", now.Add(time.Hour))}},
		{ID: "later", Secrets: []client.Secret{secretOf("", now.Add(1000*time.Hour))}},
		{ID: "off", Disabled: true, Secrets: []client.Secret{secretOf("", now.Add(time.Hour))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	core, log := observer.New(zapcore.DebugLevel)
	app := &App{
		logger: zap.New(core), shared: new(shared), clients: registry,
		Clients: []Client{{ID: "batch"}, {ID: "shop"}, {ID: "later"}, {ID: "off"}},
	}
	if found := app.expiringSecrets(); len(found) != 4 {
		t.Fatalf("found %v", found)
	}
	for range 3 {
		app.warnOfExpiry(now)
	}
	var got []string
	for _, line := range log.All() {
		fields := line.ContextMap()
		got = append(got, fmt.Sprint(line.Level, " ", fields["client_id"], " ", fields["secret_id"], " ", fields["left"], " ", fields["others"]))
		if strings.Contains(fmt.Sprint(fields), text) {
			t.Errorf("the secret is in %v", fields)
		}
	}
	if want := "[warn batch old 36h0m0s 1 warn shop 1 1h0m0s 0]"; fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
}
