package client

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
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
		Registry: newRegistry(t, clients...), Memory: NewMemory(f.clock), Queue: newQueue(1, 20),
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
