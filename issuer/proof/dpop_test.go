package proof_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const (
	endpoint    = "https://as.example/oauth2/token"
	accessToken = "an.access.token"
)

// fixture is a checker whose clock is set by hand.
type fixture struct {
	*proof.Checker
	marks *store.MemoryMarks
	now   atomic.Int64
}

func newFixture(t testing.TB, change ...func(*proof.Config)) *fixture {
	t.Helper()
	f := &fixture{}
	f.now.Store(1_800_000_000)
	f.marks = store.NewMemoryMarks(0, f.clock)
	config := proof.Config{Marks: f.marks, Now: f.clock}
	for _, apply := range change {
		apply(&config)
	}
	var err error
	if f.Checker, err = proof.NewChecker(config); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) clock() time.Time { return time.Unix(f.now.Load(), 0) }

func (f *fixture) pass(d time.Duration) { f.now.Add(int64(d / time.Second)) }

// claims are those of a good proof for a token request.
func (f *fixture) claims() tokentest.Members {
	return tokentest.Members{"htm": "POST", "htu": endpoint, "iat": f.now.Load(), "jti": fmt.Sprint(jtis.Add(1))}
}

var jtis atomic.Int64

func tokenRequest() *proof.Request {
	return &proof.Request{Method: "POST", URLs: []string{endpoint}}
}

func expect(t *testing.T, got error, expected proof.Check) {
	t.Helper()
	check, refused := proof.Failed(got)
	if expected == "" && got == nil {
		return
	}
	if expected == "" || check != expected || !refused {
		t.Fatalf("got %v, expected %q", got, expected)
	}
	if strings.ContainsFunc(check.Description(), func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) ||
		check.Description() == "the DPoP proof is not valid" {
		t.Fatalf("description of %s: %q", check, check.Description())
	}
}

// A good proof of every algorithm shows the thumbprint of its key.
func TestGoodProofs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, alg := range []string{"ES256", "ES384", "EdDSA", "RS256", "PS256"} {
		key := tokentest.NewKey(t, alg)
		proven, err := f.Check(t.Context(), []string{key.Proof(t, f.claims())}, tokenRequest())
		if err != nil || proven.Thumbprint != key.Thumbprint(t) || proven.Nonce != "" {
			t.Errorf("%s: got %+v, %v", alg, proven, err)
		}
	}
	key := tokentest.NewKey(t, "EdDSA")
	raw := key.Sign(t, tokentest.Members{"typ": "dpop+jwt", "alg": "Ed25519", "jwk": key.JWK()}, f.claims())
	if proven, err := f.Check(t.Context(), []string{raw}, tokenRequest()); err != nil || proven.Thumbprint != key.Thumbprint(t) {
		t.Errorf("Ed25519 (RFC 9864): got %+v, %v", proven, err)
	}
}

// Every check of RFC 9449 section 4.3, violated one at a time.
func TestProofClaims(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := tokentest.NewKey(t, "ES256")
	now := f.now.Load()
	for name, c := range map[string]struct {
		change   tokentest.Members
		expected proof.Check
	}{
		"good":                      {nil, ""},
		"unknown members":           {tokentest.Members{"x": 1, "nonce": "nobody asked for it"}, ""},
		"no htm":                    {tokentest.Members{"htm": nil}, proof.CheckMethod},
		"another method":            {tokentest.Members{"htm": "GET"}, proof.CheckMethod},
		"method in small letters":   {tokentest.Members{"htm": "post"}, proof.CheckMethod},
		"method is a number":        {tokentest.Members{"htm": 1}, proof.CheckFormat},
		"no htu":                    {tokentest.Members{"htu": nil}, proof.CheckURL},
		"another host":              {tokentest.Members{"htu": "https://evil.example/oauth2/token"}, proof.CheckURL},
		"another path":              {tokentest.Members{"htu": "https://as.example/oauth2/other"}, proof.CheckURL},
		"another scheme":            {tokentest.Members{"htu": "http://as.example/oauth2/token"}, proof.CheckURL},
		"another port":              {tokentest.Members{"htu": "https://as.example:8443/oauth2/token"}, proof.CheckURL},
		"a slash more":              {tokentest.Members{"htu": endpoint + "/"}, proof.CheckURL},
		"path in capitals":          {tokentest.Members{"htu": "https://as.example/OAUTH2/token"}, proof.CheckURL},
		"user info":                 {tokentest.Members{"htu": "https://me@as.example/oauth2/token"}, proof.CheckURL},
		"relative":                  {tokentest.Members{"htu": "/oauth2/token"}, proof.CheckURL},
		"no url":                    {tokentest.Members{"htu": "https://as.example/%zz"}, proof.CheckURL},
		"with query and fragment":   {tokentest.Members{"htu": endpoint + "?a=b#c"}, ""},
		"default port":              {tokentest.Members{"htu": "https://as.example:443/oauth2/token"}, ""},
		"host in capitals":          {tokentest.Members{"htu": "HTTPS://AS.example/oauth2/token"}, ""},
		"needless escape":           {tokentest.Members{"htu": "https://as.example/oauth2/%74oken"}, ""},
		"no iat":                    {tokentest.Members{"iat": nil}, proof.CheckTime},
		"iat is text":               {tokentest.Members{"iat": "now"}, proof.CheckFormat},
		"iat negative":              {tokentest.Members{"iat": -1}, proof.CheckFormat},
		"iat beyond all bounds":     {tokentest.Members{"iat": 1e300}, proof.CheckFormat},
		"iat with a fraction":       {tokentest.Members{"iat": float64(now) + 0.5}, ""},
		"as old as may be":          {tokentest.Members{"iat": now - 60}, ""},
		"too old":                   {tokentest.Members{"iat": now - 61}, proof.CheckTime},
		"as far ahead as may be":    {tokentest.Members{"iat": now + 30}, ""},
		"too far ahead":             {tokentest.Members{"iat": now + 31}, proof.CheckTime},
		"no jti":                    {tokentest.Members{"jti": nil}, proof.CheckID},
		"empty jti":                 {tokentest.Members{"jti": ""}, proof.CheckID},
		"jti is a number":           {tokentest.Members{"jti": 7}, proof.CheckFormat},
		"ath where it is not asked": {tokentest.Members{"ath": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := f.Check(t.Context(), []string{key.Proof(t, f.claims().With(c.change))}, tokenRequest())
			expect(t, err, c.expected)
		})
	}
}

// The header decides which key counts, and nothing of it is believed that does
// not fit (checks 1 to 7).
func TestProofHeader(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key, rsaKey := tokentest.NewKey(t, "ES256"), tokentest.NewKey(t, "RS256")
	good := tokentest.Members{"typ": "dpop+jwt", "jwk": key.JWK()}
	jwk := func(change tokentest.Members) tokentest.Members {
		return tokentest.Members{"jwk": key.JWK().With(change)}
	}
	for name, c := range map[string]struct {
		change   tokentest.Members
		expected proof.Check
	}{
		"good":                         {nil, ""},
		"typ with application/":        {tokentest.Members{"typ": "application/dpop+jwt"}, ""},
		"no typ":                       {tokentest.Members{"typ": nil}, proof.CheckType},
		"typ JWT":                      {tokentest.Members{"typ": "JWT"}, proof.CheckType},
		"typ of an access token":       {tokentest.Members{"typ": "at+jwt"}, proof.CheckType},
		"alg none":                     {tokentest.Members{"alg": "none"}, proof.CheckAlgorithm},
		"alg missing":                  {tokentest.Members{"alg": ""}, proof.CheckAlgorithm},
		"alg HS256":                    {tokentest.Members{"alg": "HS256"}, proof.CheckAlgorithm},
		"alg ES512":                    {tokentest.Members{"alg": "ES512"}, proof.CheckAlgorithm},
		"alg of another kind of key":   {tokentest.Members{"alg": "RS256"}, proof.CheckKey},
		"alg of another curve":         {tokentest.Members{"alg": "ES384"}, proof.CheckKey},
		"crit":                         {tokentest.Members{"crit": []string{"x"}, "x": 1}, proof.CheckFormat},
		"no jwk":                       {tokentest.Members{"jwk": nil}, proof.CheckFormat},
		"jwk is text":                  {tokentest.Members{"jwk": "x"}, proof.CheckFormat},
		"jwk of another key":           {tokentest.Members{"jwk": tokentest.NewKey(t, "ES256").JWK()}, proof.CheckSignature},
		"jwk with the private key":     {tokentest.Members{"jwk": key.PrivateJWK()}, proof.CheckKey},
		"RSA with the private key":     {tokentest.Members{"alg": "RS256", "jwk": rsaKey.PrivateJWK()}, proof.CheckKey},
		"a private part alone":         {tokentest.Members{"alg": "RS256", "jwk": rsaKey.JWK().With(tokentest.Members{"qi": "AQ"})}, proof.CheckKey},
		"its primes alone":             {tokentest.Members{"alg": "RS256", "jwk": rsaKey.JWK().With(tokentest.Members{"p": "AQ", "q": "AQ"})}, proof.CheckKey},
		"key_ops without verify":       {jwk(tokentest.Members{"key_ops": []string{"encrypt"}}), proof.CheckKey},
		"key_ops is text":              {jwk(tokentest.Members{"key_ops": "verify"}), proof.CheckKey},
		"key_ops with verify":          {jwk(tokentest.Members{"key_ops": []string{"verify"}}), ""},
		"kid is a number":              {tokentest.Members{"kid": 1}, proof.CheckFormat},
		"symmetric":                    {tokentest.Members{"jwk": tokentest.Members{"kty": "oct", "k": "c2VjcmV0"}}, proof.CheckKey},
		"off the curve":                {jwk(tokentest.Members{"y": key.JWK()["x"]}), proof.CheckKey},
		"unknown kty":                  {jwk(tokentest.Members{"kty": "XX"}), proof.CheckKey},
		"jwk for encryption":           {jwk(tokentest.Members{"use": "enc"}), proof.CheckKey},
		"jwk for another alg":          {jwk(tokentest.Members{"alg": "ES384"}), proof.CheckKey},
		"jwk with use, alg and kid":    {jwk(tokentest.Members{"use": "sig", "alg": "ES256", "kid": "x"}), ""},
		"a kid does not find the key":  {tokentest.Members{"kid": "x", "jku": "https://evil.example", "x5u": "https://evil.example"}, ""},
		"small RSA key":                {tokentest.Members{"alg": "RS256", "jwk": tokentest.Members{"kty": "RSA", "e": "AQAB", "n": strings.Repeat("A", 100) + "Aw"}}, proof.CheckKey},
		"a member of jwk in capitals":  {jwk(tokentest.Members{"crv": nil, "CRV": "P-256"}), proof.CheckKey},
		"a second jwk in capitals too": {tokentest.Members{"JWK": tokentest.NewKey(t, "ES256").JWK()}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := good.With(c.change)
			_, err := f.Check(t.Context(), []string{key.Sign(t, header, f.claims())}, tokenRequest())
			expect(t, err, c.expected)
		})
	}
}

// Whatever is no proof at all is refused, and nothing panics.
func TestNoProofs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := tokentest.NewKey(t, "ES256")
	good := key.Proof(t, f.claims())
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct {
		fields   []string
		expected proof.Check
	}{
		"none":                  {nil, proof.CheckMissing},
		"two":                   {[]string{good, good}, proof.CheckDuplicate},
		"empty":                 {[]string{""}, proof.CheckFormat},
		"two in one":            {[]string{good + ", " + good}, proof.CheckFormat},
		"two parts":             {[]string{parts[0] + "." + parts[1]}, proof.CheckFormat},
		"no signature":          {[]string{parts[0] + "." + parts[1] + "."}, proof.CheckSignature},
		"padding":               {[]string{good + "="}, proof.CheckFormat},
		"a line break":          {[]string{good + "\n"}, proof.CheckFormat},
		"NUL":                   {[]string{"\x00"}, proof.CheckFormat},
		"longer than any":       {[]string{strings.Repeat("a", 17<<10)}, proof.CheckFormat},
		"a claim twice":         {[]string{key.SignText(t, `{"alg":"ES256","typ":"dpop+jwt","jwk":{}}`, `{"jti":"a","jti":"b"}`)}, proof.CheckFormat},
		"claims of another one": {[]string{parts[0] + "." + strings.Split(key.Proof(t, f.claims()), ".")[1] + "." + parts[2]}, proof.CheckSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := f.Check(t.Context(), c.fields, tokenRequest())
			expect(t, err, c.expected)
		})
	}
}

// At a resource the proof is for the token too (checks 12 and 13).
func TestProofOfToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := tokentest.NewKey(t, "ES256")
	sum := sha256.Sum256([]byte(accessToken))
	ath := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		ath        any
		thumbprint string
		expected   proof.Check
	}{
		"good":             {ath, key.Thumbprint(t), ""},
		"no ath":           {nil, key.Thumbprint(t), proof.CheckToken},
		"another ath":      {"x", key.Thumbprint(t), proof.CheckToken},
		"padded ath":       {ath + "=", key.Thumbprint(t), proof.CheckToken},
		"bound to another": {ath, tokentest.NewKey(t, "ES256").Thumbprint(t), proof.CheckBinding},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tokenRequest()
			want.AccessToken, want.Thumbprint = accessToken, c.thumbprint
			_, err := f.Check(t.Context(), []string{key.Proof(t, f.claims().With(tokentest.Members{"ath": c.ath}))}, want)
			expect(t, err, c.expected)
		})
	}
}

// Of many at once, one passes; and a proof is remembered for as long as it
// could be replayed, and no longer.
func TestReplay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := tokentest.NewKey(t, "ES256")
	claims := f.claims()
	raw := key.Proof(t, claims)
	var passed atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			_, err := f.Check(t.Context(), []string{raw}, tokenRequest())
			if err == nil {
				passed.Add(1)
			} else if check, _ := proof.Failed(err); check != proof.CheckReplay {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d passed", passed.Load())
	}
	other := tokentest.NewKey(t, "ES256")
	if _, err := f.Check(t.Context(), []string{other.Proof(t, claims)}, tokenRequest()); err != nil {
		t.Fatalf("the jti of another key: %v", err)
	}
	_, err := f.Check(t.Context(), []string{key.Proof(t, claims.With(tokentest.Members{"iat": f.now.Load() + 20}))}, tokenRequest())
	expect(t, err, proof.CheckReplay) // the jti counts, not the text
	for range 60 {
		f.pass(time.Second)
		if _, err := f.Check(t.Context(), []string{raw}, tokenRequest()); err == nil {
			t.Fatal("replayed")
		}
	}
	_, err = f.Check(t.Context(), []string{raw}, tokenRequest())
	expect(t, err, proof.CheckReplay) // the last second in which it is not too old
	f.pass(time.Second)
	_, err = f.Check(t.Context(), []string{raw}, tokenRequest())
	expect(t, err, proof.CheckTime)
}

// A proof that is refused for anything else is not used up.
func TestRefusedProofIsNotUsedUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := tokentest.NewKey(t, "ES256")
	raw := key.Proof(t, f.claims())
	want := tokenRequest()
	want.Method = "PUT"
	_, err := f.Check(t.Context(), []string{raw}, want)
	expect(t, err, proof.CheckMethod)
	want.Method, want.Thumbprint = "POST", "another"
	_, err = f.Check(t.Context(), []string{raw}, want)
	expect(t, err, proof.CheckBinding)
	if _, err := f.Check(t.Context(), []string{raw}, tokenRequest()); err != nil || f.marks.Len() != 1 {
		t.Fatalf("%d marks, %v", f.marks.Len(), err)
	}
}

// Where it cannot be noted that a proof was used, it is not good; and that is
// no word on the proof.
func TestMarksFail(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *proof.Config) { c.Marks = store.NewMemoryMarks(4, c.Now) })
	key := tokentest.NewKey(t, "ES256")
	var err error
	for range 10 {
		if _, err = f.Check(t.Context(), []string{key.Proof(t, f.claims())}, tokenRequest()); err != nil {
			break
		}
	}
	if _, refused := proof.Failed(err); refused || !errors.Is(err, store.ErrFull) {
		t.Fatalf("got %v", err)
	}
	if _, err := proof.NewChecker(proof.Config{}); err == nil {
		t.Fatal("a checker without marks")
	}
}

// FuzzCheck: no text panics; an error proves nothing; and what passes has shown a
// key, and passes once. The seeds are signed in another process than the one that
// judges them, as by any client.
func FuzzCheck(f *testing.F) {
	fixture := newFixture(f)
	key := tokentest.NewKey(f, "ES256")
	good := key.Proof(f, fixture.claims())
	f.Add(good)
	f.Add(good[:len(good)-2])
	f.Add(strings.ToUpper(good))
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		proven, err := fixture.Check(t.Context(), []string{raw}, tokenRequest())
		if err != nil && proven != (proof.Proven{}) {
			t.Fatal("an error and a proof")
		}
		if err != nil {
			return
		}
		if _, err := fixture.Check(t.Context(), []string{raw}, tokenRequest()); proven.Thumbprint == "" || err == nil {
			t.Fatalf("%q passed with the key %q, and again: %v", raw, proven.Thumbprint, err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
		b.Run(alg, func(b *testing.B) {
			f := newFixture(b)
			key := tokentest.NewKey(b, alg)
			proofs := make([]string, b.N)
			for i := range proofs {
				proofs[i] = key.Proof(b, f.claims())
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, raw := range proofs {
				if _, err := f.Check(b.Context(), []string{raw}, tokenRequest()); err != nil && !errors.Is(err, store.ErrFull) {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignatureAlone is what of BenchmarkCheck nothing can save.
func BenchmarkSignatureAlone(b *testing.B) {
	key := tokentest.NewKey(b, "ES256")
	raw, err := token.ReadProof(key.Proof(b, newFixture(b).claims()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := raw.Verify(key.Private.Public()); err != nil {
			b.Fatal(err)
		}
	}
}
