package client

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const (
	issuerURL = "https://as.example"
	tokenURL  = "https://as.example/oauth2/token"
)

// jwks are the keys of a client.
func jwks(t testing.TB, of ...tokentest.Key) Keys {
	t.Helper()
	set, err := keys.ParseSet([]byte(tokentest.Set(t, of...)))
	if err != nil {
		t.Fatal(err)
	}
	return keys.NewHeld(set)
}

// signers are clients with keys, and what stands beside them.
type signers struct {
	*fixture
	key, other tokentest.Key
}

func newSigners(t testing.TB) signers {
	t.Helper()
	key, other := tokentest.NewKey(t, "ES256"), tokentest.NewKey(t, "EdDSA")
	f := newFixture(t,
		Client{ID: "batch", Keys: jwks(t, key)},
		Client{ID: "other", Keys: jwks(t, other)},
		Client{ID: "off", Keys: jwks(t, key), Disabled: true},
		Client{ID: "secret", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}},
		Client{ID: "slow", Secrets: []Secret{hashedSecret(t, phraseArgon2id, time.Time{})}},
	)
	f.AcceptAudience(issuerURL)
	return signers{fixture: f, key: key, other: other}
}

var jtis atomic.Int64

// claims are those of a good assertion of the client.
func (s signers) claims(id string) tokentest.Members {
	now := s.clock().Unix()
	return tokentest.Members{
		"iss": id, "sub": id, "aud": issuerURL, "iat": now, "exp": now + 60, "jti": strconv.FormatInt(jtis.Add(1), 10),
	}
}

func (s signers) assert(raw string) (Authenticated, error) {
	credentials, err := FromAssertion(raw)
	if err != nil {
		return Authenticated{}, s.Reject(context.Background(), Credentials{}, err)
	}
	return s.Authenticate(context.Background(), credentials)
}

// Every rule of RFC 7523 section 3 and of its revision, violated one at a time.
func TestAssertionClaims(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	now := start.Unix()
	for name, c := range map[string]struct {
		change   tokentest.Members
		expected Reason
	}{
		"good":                           {nil, ""},
		"unknown members":                {tokentest.Members{"x": 1}, ""},
		"no iat":                         {tokentest.Members{"iat": nil}, ""},
		"no iss":                         {tokentest.Members{"iss": nil}, ReasonAssertionIssuer},
		"iss of another":                 {tokentest.Members{"iss": "other"}, ReasonAssertionIssuer},
		"iss is the server":              {tokentest.Members{"iss": issuerURL}, ReasonAssertionIssuer},
		"no sub":                         {tokentest.Members{"sub": nil}, ReasonUnknownClient},
		"sub of nobody":                  {tokentest.Members{"sub": "nobody"}, ReasonUnknownClient},
		"sub of another client":          {tokentest.Members{"sub": "other", "iss": "other"}, ofAssertion(token.CheckKey)},
		"sub of a disabled client":       {tokentest.Members{"sub": "off", "iss": "off"}, ReasonDisabled},
		"sub of a client without keys":   {tokentest.Members{"sub": "secret", "iss": "secret"}, ReasonNoKeys},
		"sub is a number":                {tokentest.Members{"sub": 1}, ReasonMalformed},
		"no aud":                         {tokentest.Members{"aud": nil}, ReasonAssertionAudience},
		"aud empty":                      {tokentest.Members{"aud": ""}, ReasonAssertionAudience},
		"aud of another":                 {tokentest.Members{"aud": "https://evil.example"}, ReasonAssertionAudience},
		"aud with a slash more":          {tokentest.Members{"aud": issuerURL + "/"}, ReasonAssertionAudience},
		"aud is the token endpoint":      {tokentest.Members{"aud": tokenURL}, ReasonAssertionAudience},
		"aud is an array":                {tokentest.Members{"aud": []string{issuerURL}}, ReasonAssertionAudience},
		"aud is an array with another":   {tokentest.Members{"aud": []string{issuerURL, "https://evil.example"}}, ReasonAssertionAudience},
		"aud is a number":                {tokentest.Members{"aud": 1}, ReasonAssertionAudience},
		"no exp":                         {tokentest.Members{"exp": nil}, ReasonAssertionExpired},
		"exp is text":                    {tokentest.Members{"exp": "soon"}, ReasonMalformed},
		"expired, within the leeway":     {tokentest.Members{"exp": now - 29}, ""},
		"expired":                        {tokentest.Members{"exp": now - 30}, ReasonAssertionExpired},
		"good for an hour":               {tokentest.Members{"exp": now + 3600}, ""},
		"good for longer":                {tokentest.Members{"exp": now + 3631}, ReasonAssertionLifetime},
		"good for ever":                  {tokentest.Members{"exp": 1 << 52}, ReasonAssertionLifetime},
		"not yet, within the leeway":     {tokentest.Members{"nbf": now + 30}, ""},
		"not yet":                        {tokentest.Members{"nbf": now + 31}, ReasonAssertionNotYet},
		"made in the future":             {tokentest.Members{"iat": now + 31}, ReasonAssertionNotYet},
		"no jti":                         {tokentest.Members{"jti": nil}, ReasonAssertionID},
		"empty jti":                      {tokentest.Members{"jti": ""}, ReasonAssertionID},
		"jti is a number":                {tokentest.Members{"jti": 7}, ReasonMalformed},
		"jti of kilobytes":               {tokentest.Members{"jti": strings.Repeat("x", 8000)}, ""},
		"jti with NUL and other letters": {tokentest.Members{"jti": "\x00ä "}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := tokentest.Members{"kid": s.key.Thumbprint(t)}
			who, err := s.assert(s.key.Sign(t, header, s.claims("batch").With(c.change)))
			if reasonOf(err) != c.expected || (err == nil) != (c.expected == "") {
				t.Fatalf("got %v, expected %q", err, c.expected)
			}
			if err == nil && (who.Client().ID != "batch" || who.Method() != PrivateKeyJWT || who.SecretID() != "") {
				t.Fatalf("got %+v", who)
			}
			if err != nil && who.Client() != nil {
				t.Fatal("a client and an error")
			}
		})
	}
}

// What the header says selects among the client's own keys, and no more.
func TestAssertionHeader(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	kid := s.key.Thumbprint(t)
	for name, c := range map[string]struct {
		header   tokentest.Members
		expected Reason
	}{
		"good":                           {tokentest.Members{"kid": kid}, ""},
		"no kid":                         {tokentest.Members{}, ""},
		"typ JWT":                        {tokentest.Members{"typ": "JWT"}, ""},
		"typ jwt":                        {tokentest.Members{"typ": "jwt"}, ""},
		"typ of the revision":            {tokentest.Members{"typ": "client-authentication+jwt"}, ""},
		"the same with application/":     {tokentest.Members{"typ": "application/client-authentication+jwt"}, ""},
		"typ of an access token":         {tokentest.Members{"typ": "at+jwt"}, ReasonMalformed},
		"typ of a proof":                 {tokentest.Members{"typ": "dpop+jwt"}, ReasonMalformed},
		"typ empty":                      {tokentest.Members{"typ": ""}, ReasonMalformed},
		"typ is a number":                {tokentest.Members{"typ": 1}, ReasonMalformed},
		"another kid":                    {tokentest.Members{"kid": "x"}, ofAssertion(token.CheckKey)},
		"kid of another client":          {tokentest.Members{"kid": s.other.Thumbprint(t)}, ofAssertion(token.CheckKey)},
		"alg none":                       {tokentest.Members{"alg": "none"}, ReasonMalformed},
		"alg HS256":                      {tokentest.Members{"alg": "HS256"}, ReasonMalformed},
		"alg of another kind":            {tokentest.Members{"alg": "RS256"}, ofAssertion(token.CheckKey)},
		"crit":                           {tokentest.Members{"crit": []string{"exp"}}, ReasonMalformed},
		"a key of its own is not looked": {tokentest.Members{"jwk": s.other.JWK(), "jku": "https://evil.example", "x5u": "https://evil.example"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.assert(s.key.Sign(t, c.header, s.claims("batch")))
			if reasonOf(err) != c.expected || (err == nil) != (c.expected == "") {
				t.Fatalf("got %v, expected %q", err, c.expected)
			}
		})
	}
}

// A signature counts only if it is the client's own.
func TestAssertionSignature(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	stranger := tokentest.NewKey(t, "ES256")
	header := tokentest.Members{"kid": s.key.Thumbprint(t)}
	good := s.key.Sign(t, header, s.claims("batch"))
	parts := strings.Split(good, ".")
	for name, raw := range map[string]string{
		"of a stranger":     stranger.Sign(t, header, s.claims("batch")),
		"of another client": s.other.Sign(t, header, s.claims("batch")),
		"of other claims":   parts[0] + "." + strings.Split(s.key.Sign(t, header, s.claims("batch")), ".")[1] + "." + parts[2],
		"none":              parts[0] + "." + parts[1] + ".",
		"cut":               good[:len(good)-4],
	} {
		if _, err := s.assert(raw); reasonOf(err) == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, raw := range []string{"", ".", "..", "\x00", "\xff\xfe", strings.Repeat("a", 17<<10), good + "\n", good + "=", "{}"} {
		if _, err := s.assert(raw); reasonOf(err) != ReasonMalformed || strings.Contains(err.Error(), parts[2]) {
			t.Errorf("%.20q: got %v", raw, err)
		}
	}
	if _, err := s.assert(good); err != nil {
		t.Errorf("the one that was attacked: %v", err)
	}
}

// Of many at once, one passes; a refused assertion is not used up; a `jti` is
// a client's own.
func TestAssertionIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	claims := s.claims("batch")
	refused := s.key.Sign(t, nil, claims.With(tokentest.Members{"aud": "https://evil.example"}))
	if _, err := s.assert(refused); reasonOf(err) != ReasonAssertionAudience {
		t.Fatal(err)
	}
	raw := s.key.Sign(t, nil, claims)
	s.Queue = NewQueue() // which lets as many wait
	var passed atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := s.assert(raw); err == nil {
				passed.Add(1)
			} else if reasonOf(err) != ReasonAssertionReplayed {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d passed", passed.Load())
	}
	if _, err := s.assert(s.key.Sign(t, nil, claims.With(tokentest.Members{"exp": s.clock().Unix() + 600}))); reasonOf(err) != ReasonAssertionReplayed {
		t.Fatalf("the jti in another assertion: %v", err)
	}
	if _, err := s.assert(s.other.Sign(t, nil, claims.With(tokentest.Members{"iss": "other", "sub": "other"}))); err != nil {
		t.Fatalf("the jti of another client: %v", err)
	}
	s.pass(89 * time.Second)
	if _, err := s.assert(raw); reasonOf(err) != ReasonAssertionReplayed {
		t.Fatalf("in the leeway: %v", err)
	}
	s.pass(time.Second)
	if _, err := s.assert(raw); reasonOf(err) != ReasonAssertionExpired {
		t.Fatal(err)
	}
}

// Audiences that the operator adds are accepted too.
func TestAcceptAudience(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	s.AcceptAudience(tokenURL)
	for _, audience := range []string{issuerURL, tokenURL} {
		if _, err := s.assert(s.key.Sign(t, nil, s.claims("batch").With(tokentest.Members{"aud": audience}))); err != nil {
			t.Errorf("%s: %v", audience, err)
		}
	}
}

// A refusal costs the same whoever is named: the slow hashes of a wrong secret,
// and a signature check of the algorithm that was used.
func TestAssertionCost(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	if _, err := s.try("slow", wrong); err == nil {
		t.Fatal("a wrong secret")
	}
	expected := s.take()
	stranger := tokentest.NewKey(t, "ES256")
	for _, id := range []string{"batch", "nobody", "off", "secret", "slow"} {
		if _, err := s.assert(stranger.Sign(t, nil, s.claims(id))); reasonOf(err) == "" {
			t.Fatal(err)
		}
		if spent := s.take(); len(spent) != len(expected) || len(spent) == 0 {
			t.Errorf("%s: spent %v, expected %v", id, spent, expected)
		}
	}
	if _, err := s.assert(s.key.Sign(t, nil, s.claims("batch"))); err != nil || len(s.take()) != 0 {
		t.Errorf("a good one pays too: %v", err)
	}
	for _, alg := range token.Algorithms() {
		if err := alg.CheckKey(nobodysKey(alg).Public); err != nil {
			t.Errorf("nobody's key: %v", err)
		}
	}
}

// Where the keys or the marks are out of reach, nobody gets in; which of the
// two it was is told apart: the first is the client's, the second is ours.
func TestAssertionOutOfReach(t *testing.T) {
	t.Parallel()
	key := tokentest.NewKey(t, "ES256")
	f := newFixture(t, Client{ID: "batch", Keys: jwks(t, key)}, Client{ID: "remote", Keys: unreachable{}})
	f.AcceptAudience(issuerURL)
	f.Marks = unreachable{}
	s := signers{fixture: f}
	if _, err := s.assert(key.Sign(t, nil, s.claims("batch"))); !errors.Is(err, ErrUnmarked) || errors.Is(err, ErrInvalidClient) {
		t.Errorf("marks: %v", err)
	}
	if _, err := s.assert(key.Sign(t, nil, s.claims("remote"))); reasonOf(err) != ofAssertion(token.CheckKey) {
		t.Errorf("keys: %v", err)
	}
}

type unreachable struct{}

func (unreachable) Find(context.Context, string, token.Algorithm) ([]token.VerificationKey, error) {
	return nil, errors.New("out of reach")
}

func (unreachable) Mark(context.Context, store.Mark) error { return errors.New("out of reach") }

// FuzzAssertion: no text panics, and one that nobody signed lets nobody in.
func FuzzAssertion(f *testing.F) {
	s := newSigners(f)
	good := s.key.Sign(f, nil, s.claims("batch"))
	f.Add(good)
	f.Add(good[:len(good)-2])
	f.Add(s.other.Sign(f, nil, s.claims("batch")))
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		who, err := s.assert(raw)
		if err != nil && who.Client() != nil {
			t.Fatal("an error and a client")
		}
		if err == nil && raw != good {
			t.Fatalf("%q passed", raw)
		}
	})
}
