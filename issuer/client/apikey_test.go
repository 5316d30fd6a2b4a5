package client

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func (f *fixture) tryKey(secret string) (Authenticated, error) {
	return f.Authenticate(context.Background(), Credentials{Method: BridgeAPIKey, Secret: secret})
}

// An API key lets its client in, and nobody else's secret does.
func TestAPIKey(t *testing.T) {
	t.Parallel()
	past, soon := start.Add(-time.Second), start.Add(time.Minute)
	const twice = "the same text in two secrets"
	f := newFixture(t,
		Client{ID: "plain", AllowBridge: true, Secrets: []Secret{plainSecret(t, "the key of the client plain", time.Time{})}},
		Client{ID: "hashed", AllowBridge: true, Secrets: []Secret{plainSecret(t, "its other key is this", soon.Add(time.Hour)), hashedSecret(t, phraseSHA256, soon)}},
		Client{ID: "slow", AllowBridge: true, Secrets: []Secret{hashedSecret(t, strings.Replace(phraseArgon2id, "Z+98", "A+98", 1), time.Time{})}},
		Client{ID: "expired", AllowBridge: true, Secrets: []Secret{plainSecret(t, "a key that has expired", past)}},
		Client{ID: "twice", AllowBridge: true, Secrets: []Secret{plainSecret(t, twice, past), plainSecret(t, twice, time.Time{})}},
		Client{ID: "off", Disabled: true, AllowBridge: true, Secrets: []Secret{plainSecret(t, "a key of nobody any more", time.Time{})}},
		Client{ID: "none", Secrets: []Secret{plainSecret(t, "no key, but a secret", time.Time{})}},
	)
	for key, expected := range map[string]string{
		"the key of the client plain": "plain 1",
		"its other key is this":       "hashed 1",
		phrase:                        "hashed 2",
		twice:                         "twice 2",
		"a key that has expired":      string(ReasonExpiredSecret),
		"a key of nobody any more":    string(ReasonDisabled),
		"no key, but a secret":        string(ReasonUnknownKey),
		wrong:                         string(ReasonUnknownKey),
		"":                            string(ReasonUnknownKey),
		"plain":                       string(ReasonUnknownKey),
	} {
		got, err := f.tryKey(key)
		told := string(reasonOf(err))
		if err == nil {
			told = fmt.Sprintf("%s %s", got.Client().ID, got.SecretID())
		}
		if told != expected || err == nil && got.Method() != BridgeAPIKey {
			t.Errorf("%q: %q, expected %q", key, told, expected)
		}
	}
	if spent := f.take(); len(spent) != 0 {
		t.Errorf("an API key made slow hashes compute: %v", spent)
	}
	f.pass(time.Minute)
	if _, err := f.tryKey(phrase); reasonOf(err) != ReasonExpiredSecret {
		t.Errorf("after it expired: %v", err)
	}
	if count, without := f.Registry.BridgeClients(); count != 6 || len(without) != 1 || without[0] != "slow" {
		t.Errorf("%d clients, without a key %v", count, without)
	}
}

// Over a bridge a client that may not use one is as unknown as one that does not
// exist: at the same cost, and with the right secret too.
func TestBridgeBasic(t *testing.T) {
	t.Parallel()
	clients := everyKind(t)
	clients = append(clients, Client{ID: "bridged", AllowBridge: true, Secrets: []Secret{hashedSecret(t, phraseArgon2id, time.Time{})}})
	f := newFixture(t, clients...)
	try := func(id, secret string) (Authenticated, error) {
		return f.Authenticate(t.Context(), Credentials{Method: BridgeBasic, ClientID: id, Secret: secret})
	}
	var costs []string
	for _, attempt := range []struct {
		id, secret string
		reason     Reason
	}{
		{"bridged", wrong, ReasonWrongSecret},
		{"bridged", "", ReasonWrongSecret},
		{"nobody", wrong, ReasonUnknownClient},
		{"plain", phrase, ReasonNoBridge},
		{"argon2id", phrase, ReasonNoBridge},
		{"secretless", phrase, ReasonNoBridge},
		{"off", phrase, ReasonDisabled},
	} {
		if _, err := try(attempt.id, attempt.secret); reasonOf(err) != attempt.reason {
			t.Errorf("%s: %v, expected %s", attempt.id, err, attempt.reason)
		}
		costs = append(costs, fmt.Sprint(f.take()))
	}
	for i, cost := range costs {
		if cost != costs[0] {
			t.Errorf("attempt %d costs %s, the first one %s", i, cost, costs[0])
		}
	}
	for range 2 {
		if got, err := try("bridged", phrase); err != nil || got.Method() != BridgeBasic {
			t.Fatal(err)
		}
	}
	if total := f.take(); len(total) != 1 {
		t.Errorf("the right secret was computed %v", total)
	}
}

// What must not be: a bound client on a bridge, and one key of two clients,
// however each of them is kept.
func TestBridgeClientsThatAreWrong(t *testing.T) {
	t.Parallel()
	text, hashed := plainSecret(t, phrase, time.Time{}), hashedSecret(t, phraseSHA256, time.Time{})
	client := func(id string, bridge bool, secrets ...Secret) Client {
		return Client{ID: id, AllowBridge: bridge, Secrets: secrets}
	}
	for name, test := range map[string]struct {
		clients []Client
		problem string
	}{
		"two plain":         {[]Client{client("a", true, text), client("b", true, text)}, `clients "a" and "b" have a secret in common`},
		"two hashes":        {[]Client{client("a", true, hashed), client("b", true, hashed)}, `clients "a" and "b"`},
		"plain and hash":    {[]Client{client("a", true, text), client("b", true, hashed)}, `clients "a" and "b"`},
		"one may":           {[]Client{client("a", true, text), client("b", false, hashed)}, ""},
		"one client's":      {[]Client{client("a", true, text, hashed)}, ""},
		"different":         {[]Client{client("a", true, text), client("b", true, plainSecret(t, wrong, time.Time{}))}, ""},
		"dpop":              {[]Client{{ID: "a", AllowBridge: true, Require: BoundByDPoP}}, `client "a": its tokens must be bound`},
		"mtls":              {[]Client{{ID: "a", AllowBridge: true, Require: BoundByCertificate}}, `client "a"`},
		"bound, no bridge":  {[]Client{{ID: "a", Require: BoundByCertificate}}, ""},
		"bridge, no secret": {[]Client{{ID: "a", AllowBridge: true}}, ""},
	} {
		_, err := NewRegistry(test.clients)
		if got := fmt.Sprint(err); (err != nil) != (test.problem != "") || !strings.Contains(got, test.problem) || strings.Contains(got, phrase) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// On an API, Basic is what RFC 7617 says: nothing is form-encoded.
func TestFromBridgeBasic(t *testing.T) {
	t.Parallel()
	for header, expected := range map[string]string{
		"Basic YTpi":             "a|b",         // a:b
		"basic  YTpiOmM= ":       "a|b:c",       // a:b:c
		"Basic YSUzQTpiKyVxIHI=": "a%3A|b+%q r", // a%3A:b+%q r
		"Basic Og==":             "|",
		"Basic YTpzY2hsw7xzc2Vs": "a|schlüssel",
		"Basic YTr/":             "", // not UTF-8
		"Basic YQ==":             "", // no colon
		"Basic YTpi, Bearer x":   "",
		"Basic":                  "",
		"Bearer YTpi":            "",
		"Basic YTpi\r\n":         "",
		"Basic YTpj" + "ZA":      "", // no padding
	} {
		got, err := FromBridgeBasic(header)
		if told := got.ClientID + "|" + got.Secret; err == nil && (told != expected || got.Method != BridgeBasic) || (err != nil) != (expected == "") {
			t.Errorf("%q: %q, %v", header, told, err)
		}
	}
}

// What it costs to find out whose an API key is.
func BenchmarkAPIKey(b *testing.B) {
	f := newFixture(b, Client{ID: "a", AllowBridge: true, Secrets: []Secret{plainSecret(b, phrase, time.Time{})}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.tryKey(phrase); err != nil {
			b.Fatal(err)
		}
	}
}
