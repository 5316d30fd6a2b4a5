package gate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const (
	issuerURL = "https://as.example"
	resource  = "https://api.example/v1"
)

// start is the moment at which the clock of a fixture stands at first.
var start = time.Unix(1_800_000_000, 0)

// fixture is a gate with everything around it that can change.
type fixture struct {
	t       testing.TB
	keys    *keySet
	clients *clientStates
	signer  *token.Signer
	own     *gate.Own
	now     atomic.Int64
	config  gate.Config
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, keys: &keySet{keys: map[string]token.VerificationKey{}, headers: map[string]string{}}, clients: newClientStates()}
	f.now.Store(start.Unix())
	f.signer = f.keys.make(t, "k1", token.ES256)
	f.own = gate.NewOwn(issuerURL, f.keys, f.clients)
	f.config = gate.Config{
		Issuers: []gate.Issuer{f.own}, Resource: resource, Cache: gate.NewCache(),
		Now: f.clock,
	}
	var err error
	f.config.Proofs, err = proof.NewChecker(proof.Config{Marks: store.NewMemoryMarks(0, f.clock), Now: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) clock() time.Time { return time.Unix(f.now.Load(), 0) }

func (f *fixture) gate(change ...func(*gate.Config)) *gate.Gate {
	f.t.Helper()
	config := f.config
	for _, apply := range change {
		apply(&config)
	}
	made, err := gate.New(config)
	if err != nil {
		f.t.Fatal(err)
	}
	return made
}

func (f *fixture) pass(duration time.Duration) { f.now.Add(int64(duration / time.Second)) }

// claims are those of a good token with a minute to live.
func (f *fixture) claims(scopes ...string) *token.Claims {
	return &token.Claims{
		Issuer: issuerURL, Subject: "batch", Audience: []string{resource}, ClientID: "batch",
		IssuedAt: f.now.Load(), Expires: f.now.Load() + 60, ID: token.NewID(0), Scope: scopes,
	}
}

func (f *fixture) sign(claims *token.Claims) string {
	f.t.Helper()
	signed, err := f.signer.Sign(claims)
	if err != nil {
		f.t.Fatal(err)
	}
	return signed
}

func bearer(raw string) []string { return []string{"Bearer " + raw} }

func get(path string, authorization ...string) *gate.Request {
	return &gate.Request{Method: "GET", EscapedPath: path, Path: path, Authorization: authorization}
}

// keySet is a set of keys that can change.
type keySet struct {
	mutex      sync.RWMutex
	keys       map[string]token.VerificationKey
	headers    map[string]string // and the IDs
	generation atomic.Uint64
	lookups    atomic.Int64
}

func (s *keySet) Key(id string) (token.VerificationKey, bool) {
	s.lookups.Add(1)
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	key, ok := s.keys[id]
	return key, ok
}

func (s *keySet) KeyOf(header string) (token.VerificationKey, bool) {
	s.mutex.RLock()
	id, known := s.headers[header]
	s.mutex.RUnlock()
	if !known {
		return token.VerificationKey{}, false
	}
	return s.Key(id)
}

func (s *keySet) Generation() uint64 { return s.generation.Load() }

func (s *keySet) make(t testing.TB, id string, alg token.Algorithm) *token.Signer {
	t.Helper()
	private := newKey(t, alg)
	signer, err := token.NewSigner(token.SigningKey{ID: id, Algorithm: alg, Private: private})
	if err != nil {
		t.Fatal(err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keys[id] = token.VerificationKey{ID: id, Algorithm: alg, Public: private.Public()}
	s.headers[signer.Header()] = id
	s.generation.Add(1)
	return signer
}

func (s *keySet) forget(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.keys, id)
	s.generation.Add(1)
}

func newKey(t testing.TB, alg token.Algorithm) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case token.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case token.ES384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case token.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// clientStates answers with one error for every client, and can change.
type clientStates struct {
	generation atomic.Uint64
	refusal    atomic.Pointer[token.Error]
	asked      atomic.Int64
}

func newClientStates() *clientStates {
	s := &clientStates{}
	s.generation.Store(1)
	return s
}

func (s *clientStates) CheckToken(*token.Claims) error {
	s.asked.Add(1)
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	return nil
}

func (s *clientStates) Generation() uint64 { return s.generation.Load() }

func (s *clientStates) refuse(check token.Check) {
	s.refusal.Store(&token.Error{Check: check})
	s.generation.Add(1)
}
