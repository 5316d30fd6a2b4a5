package client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

var start = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// fixture is an authenticator whose clock is set by hand and whose slow
// computations are counted by class.
type fixture struct {
	*Authenticator
	mu    sync.Mutex
	time  time.Time
	spent map[class]int
}

func newFixture(t testing.TB, clients ...Client) *fixture {
	t.Helper()
	f := &fixture{time: start, spent: make(map[class]int)}
	f.Authenticator = NewAuthenticator(AuthenticatorConfig{
		Registry: newRegistry(t, clients...), Memory: NewMemory(f.clock), Queue: newQueue(1, 1),
		Marks: store.NewMemoryMarks(0, f.clock), Now: f.clock,
	})
	f.compute = f.count
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.time
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.time = f.time.Add(d)
}

func (f *fixture) count(h *hash, text string) bool {
	f.mu.Lock()
	f.spent[h.class]++
	f.mu.Unlock()
	return h.compute(text)
}

// take returns what was spent since the last call.
func (f *fixture) take() map[class]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	spent := f.spent
	f.spent = make(map[class]int)
	return spent
}

func (f *fixture) try(id, secret string) (Authenticated, error) {
	return f.Authenticate(context.Background(), Credentials{Method: SecretBasic, ClientID: id, Secret: secret})
}

func reasonOf(err error) Reason {
	var failure *Failure
	if errors.As(err, &failure) && errors.Is(err, ErrInvalidClient) {
		return failure.Reason
	}
	return ""
}

const wrong = "not the secret of anyone"

// everyKind are clients with secrets of all kinds, living and dead.
func everyKind(t testing.TB) []Client {
	past := start.Add(-time.Second)
	other := func(phc, from, to string) Secret {
		return hashedSecret(t, strings.Replace(phc, from, to, 1), time.Time{})
	}
	return []Client{
		{ID: "plain", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}},
		{ID: "generated", Secrets: []Secret{hashedSecret(t, phraseSHA256, time.Time{})}},
		{ID: "argon2id", Secrets: []Secret{hashedSecret(t, phraseArgon2id, time.Time{})}},
		{ID: "rotating", Secrets: []Secret{hashedSecret(t, phraseArgon2id, past), other(phraseArgon2id, "Z+98", "A+98"), other(phraseArgon2id, "Z+98", "B+98")}},
		{ID: "mixed", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{}), plainSecret(t, phrase+" plain", time.Time{})}},
		{ID: "pbkdf2", Secrets: []Secret{hashedSecret(t, phrasePBKDF2, time.Time{})}},
		{ID: "expired", Secrets: []Secret{hashedSecret(t, phrasePBKDF2, past)}},
		{ID: "expired-plain", Secrets: []Secret{plainSecret(t, phrase, past)}},
		{ID: "two-cheap", Secrets: []Secret{other(phraseBcrypt, "7EJV", "8EJV"), other("$2y$"+phraseBcrypt[4:], "7EJV", "9EJV")}},
		{ID: "secretless"},
		{ID: "off", Disabled: true, Secrets: []Secret{hashedSecret(t, phraseArgon2id, time.Time{})}},
		{ID: "off-plain", Disabled: true, Secrets: []Secret{plainSecret(t, phrase, time.Time{})}},
	}
}

// Who measures how long a refusal takes learns nothing: each reason costs, of
// each class, as many computations as the client with the most secrets of it.
func TestEveryFailureCostsTheSame(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everyKind(t)...)
	want := map[class]int{
		{kind: argon2id, rounds: 1, memory: 64, threads: 1, length: 32}: 3,
		{kind: bcryptHash, rounds: 4}:                                   2,
		{kind: pbkdf2SHA256, rounds: 1000, length: 32}:                  1,
	}
	for _, test := range []struct {
		id, secret string
		reason     Reason
	}{
		{"nobody", wrong, ReasonUnknownClient},
		{"nobody", phrase, ReasonUnknownClient},
		{"", "", ReasonUnknownClient},
		{"\xff\x00", wrong, ReasonUnknownClient},
		{"plain", wrong, ReasonWrongSecret},
		{"plain", "", ReasonWrongSecret},
		{"generated", wrong, ReasonWrongSecret},
		{"argon2id", wrong, ReasonWrongSecret},
		{"argon2id", "", ReasonWrongSecret},
		{"argon2id", strings.Repeat("x", 5000), ReasonWrongSecret},
		{"rotating", wrong, ReasonWrongSecret},
		{"rotating", phrase, ReasonExpiredSecret},
		{"mixed", wrong, ReasonWrongSecret},
		{"mixed", phrase + "\x00", ReasonWrongSecret},
		{"mixed", strings.Repeat("x", 73), ReasonWrongSecret},
		{"pbkdf2", phrase + "\x00", ReasonWrongSecret},
		{"expired", phrase, ReasonExpiredSecret},
		{"expired", wrong, ReasonWrongSecret},
		{"expired-plain", phrase, ReasonExpiredSecret},
		{"two-cheap", wrong, ReasonWrongSecret},
		{"secretless", wrong, ReasonNoSecret},
		{"secretless", "", ReasonNoSecret},
		{"off", phrase, ReasonDisabled},
		{"off", wrong, ReasonDisabled},
		{"off-plain", phrase, ReasonDisabled},
	} {
		got, err := f.try(test.id, test.secret)
		if reasonOf(err) != test.reason || got != (Authenticated{}) {
			t.Errorf("%q, %q: %v, expected %s", test.id, test.secret, err, test.reason)
		}
		if spent := f.take(); !maps.Equal(spent, want) {
			t.Errorf("%q, %q: cost %v, expected %v", test.id, test.secret, spent, want)
		}
	}
	for name, refuse := range map[Reason]func() error{
		ReasonMissing:   func() error { return f.Reject(context.Background(), false, nil) },
		ReasonMalformed: func() error { return f.Reject(context.Background(), false, errors.New("no colon")) },
	} {
		if err := refuse(); reasonOf(err) != name {
			t.Errorf("%v, expected %s", err, name)
		}
		if spent := f.take(); !maps.Equal(spent, want) {
			t.Errorf("%s: cost %v, expected %v", name, spent, want)
		}
	}
	// A method that nobody has built is no way in, even with the right secret.
	_, err := f.Authenticate(context.Background(), Credentials{Method: "none", ClientID: "plain", Secret: phrase})
	if spent := f.take(); reasonOf(err) != ReasonMalformed || !maps.Equal(spent, want) {
		t.Errorf("unknown method: %v, cost %v", err, spent)
	}
}

// The numbers of comparisons are equal too, the fast ones included.
func TestCandidatesAreAsManyForAll(t *testing.T) {
	t.Parallel()
	registry := newRegistry(t, everyKind(t)...)
	fast, slow := len(registry.nobody.candidates.fast), len(registry.nobody.candidates.slow)
	if fast != 2 || slow != 6 {
		t.Errorf("%d fast and %d slow dummies", fast, slow)
	}
	for id, found := range registry.accounts {
		if len(found.candidates.fast) != fast || len(found.candidates.slow) != slow {
			t.Errorf("%s: %d and %d candidates", id, len(found.candidates.fast), len(found.candidates.slow))
		}
	}
	for _, dummy := range append(registry.nobody.candidates.fast, registry.nobody.candidates.slow...) {
		if dummy.live(start) {
			t.Error("a dummy is alive")
		}
	}
}

// A right secret stops early, and of slow kinds is computed once in a while.
func TestRightSecretsStopEarly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		id, secret, secretID string
		computations         int
	}{
		{"plain", phrase, "1", 0},
		{"generated", phrase, "1", 0},
		{"argon2id", phrase, "1", 1},
		{"mixed", phrase, "1", 1},
		{"mixed", phrase + " plain", "2", 0},
		{"pbkdf2", phrase, "1", 1},
	} {
		f := newFixture(t, everyKind(t)...)
		for _, method := range []Method{SecretBasic, SecretPost} {
			got, err := f.Authenticate(context.Background(), Credentials{Method: method, ClientID: test.id, Secret: test.secret})
			if err != nil {
				t.Fatalf("%s: %v", test.id, err)
			}
			if got.Client().ID != test.id || got.SecretID() != test.secretID || got.Method() != method {
				t.Errorf("%s: %v, secret %s, %s", test.id, got.Client().ID, got.SecretID(), got.Method())
			}
		}
		total := 0
		for _, count := range f.take() {
			total += count
		}
		if total != test.computations {
			t.Errorf("%s: %d computations, expected %d", test.id, total, test.computations)
		}
	}
}

// Without a slow hash in the configuration nothing is slow, and the queue is
// not asked.
func TestFastSecretsAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "plain", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}})
	f.Queue = newQueue(0, 0)
	if _, err := f.try("plain", phrase); err != nil {
		t.Error(err)
	}
	if _, err := f.try("plain", wrong); reasonOf(err) != ReasonWrongSecret {
		t.Error(err)
	}
	if _, err := f.try("nobody", wrong); reasonOf(err) != ReasonUnknownClient {
		t.Error(err)
	}
}

// Of two secrets with one text, the one that lives lets the client in.
func TestLivingSecretBeforeExpiredOne(t *testing.T) {
	t.Parallel()
	past := start.Add(-time.Hour)
	f := newFixture(t,
		Client{ID: "a", Secrets: []Secret{plainSecret(t, phrase, past), hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "b", Secrets: []Secret{hashedSecret(t, phraseBcrypt, past), hashedSecret(t, phraseBcrypt, time.Time{})}},
	)
	for _, id := range []string{"a", "b"} {
		if got, err := f.try(id, phrase); err != nil || got.SecretID() != "2" {
			t.Errorf("%s: secret %s, %v", id, got.SecretID(), err)
		}
	}
}

// A secret's expiry is judged each time, remembered or not.
func TestRememberedSecretExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, start.Add(time.Minute))}})
	for range 2 {
		if _, err := f.try("a", phrase); err != nil {
			t.Fatal(err)
		}
	}
	f.pass(time.Minute)
	if _, err := f.try("a", phrase); reasonOf(err) != ReasonExpiredSecret {
		t.Errorf("at its expiry: %v", err)
	}
	if spent := f.take()[class{kind: bcryptHash, rounds: 4}]; spent != 2 {
		t.Errorf("%d computations, expected one when it was right and one when it had expired", spent)
	}
}

// Whoever configured the hash of nothing has not opened the client to everyone.
func TestEmptySecretNeverMatches(t *testing.T) {
	t.Parallel()
	nothing, err := bcrypt.GenerateFromPassword(nil, bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	f := newFixture(t,
		Client{ID: "fast", Secrets: []Secret{hashedSecret(t, "$sha256$"+base64.RawStdEncoding.EncodeToString(sum[:]), time.Time{})}},
		Client{ID: "slow", Secrets: []Secret{hashedSecret(t, string(nothing), time.Time{})}},
	)
	for _, id := range []string{"fast", "slow"} {
		if _, err := f.try(id, ""); reasonOf(err) != ReasonWrongSecret {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// What the audit log gets of a failure: the reason and what was malformed.
func TestFailureText(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cause := errors.New("no colon")
	err := f.Reject(t.Context(), false, cause)
	if err.Error() != "client authentication failed: malformed: no colon" || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if _, err := f.try("nobody", wrong); err.Error() != "client authentication failed: unknown_client" {
		t.Errorf("%v", err)
	}
}

// What was remembered is forgotten after ten minutes, and use does not prolong it.
func TestMemoryLifetime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {9 * time.Minute, 0}, {time.Minute - time.Nanosecond, 0}, {time.Nanosecond, 1}, {0, 0}} {
		f.pass(step.pass)
		if _, err := f.try("a", phrase); err != nil {
			t.Fatal(err)
		}
		if spent := f.take()[class{kind: bcryptHash, rounds: 4}]; spent != step.want {
			t.Errorf("after %v more: %d computations, expected %d", step.pass, spent, step.want)
		}
	}
}

// A reload keeps what is remembered, but only for the same client, with the
// same hash, presenting the same text.
func TestMemoryAcrossReload(t *testing.T) {
	t.Parallel()
	old := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	if _, err := old.try("a", phrase); err != nil {
		t.Fatal(err)
	}
	changed := hashedSecret(t, strings.Replace(phraseBcrypt, "7EJV", "8EJV", 1), time.Time{})
	f := newFixture(t,
		Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "b", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "c", Secrets: []Secret{changed}},
	)
	f.Memory = old.Memory
	for _, test := range []struct {
		id, secret string
		cost       int
		reason     Reason
	}{
		{"a", phrase, 0, ""},
		{"a", phrase + "x", 1, ReasonWrongSecret},
		{"b", phrase, 1, ""},
		{"c", phrase, 1, ReasonWrongSecret},
	} {
		_, err := f.try(test.id, test.secret)
		if spent := f.take()[changed.hash.class]; reasonOf(err) != test.reason || spent != test.cost {
			t.Errorf("%s: %v at the cost of %d, expected %d", test.id, err, spent, test.cost)
		}
	}
	// The hash of client a was replaced by another one: the old text is worth nothing.
	f = newFixture(t, Client{ID: "a", Secrets: []Secret{changed}})
	f.Memory = old.Memory
	if _, err := f.try("a", phrase); reasonOf(err) != ReasonWrongSecret {
		t.Errorf("with a replaced hash: %v", err)
	}
}

// Cheap credentials are judged as long as it costs no slow hash, and nobody
// learns from it which clients exist.
func TestCheapCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everyKind(t)...)
	try := func(id, secret string) error {
		_, err := f.Authenticate(t.Context(), Credentials{Method: SecretBasic, ClientID: id, Secret: secret, Cheap: true})
		return err
	}
	if err := try("plain", phrase); err != nil {
		t.Errorf("a plain secret: %v", err)
	}
	if err := try("argon2id", phrase); !errors.Is(err, ErrCostly) {
		t.Errorf("a slow hash: %v", err)
	}
	for _, id := range []string{"plain", "argon2id", "nobody"} {
		if err := try(id, wrong); !errors.Is(err, ErrCostly) || errors.Is(err, ErrInvalidClient) {
			t.Errorf("wrong secret of %s: %v", id, err)
		}
	}
	if err := f.Reject(t.Context(), true, nil); !errors.Is(err, ErrCostly) {
		t.Errorf("nothing: %v", err)
	}
	if spent := f.take(); len(spent) != 0 {
		t.Errorf("spent %v", spent)
	}
	if _, err := f.try("argon2id", phrase); err != nil {
		t.Fatal(err)
	}
	if err := try("argon2id", phrase); err != nil {
		t.Errorf("a slow hash that is remembered: %v", err)
	}
}
