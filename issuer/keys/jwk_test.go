package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Keys that must not verify are passed over, and do no harm to those beside.
func TestParseSetPassesOver(t *testing.T) {
	t.Parallel()
	es, rs, ed := jwk(token.ES256), jwk(token.RS256), jwk(token.EdDSA)
	n := owners()[token.RS256].Public().(*rsa.PublicKey).N
	bits := func(size int) string { // odd, of that many bits
		return number(new(big.Int).SetBit(new(big.Int).SetBit(n, size, 1), size-1, 1).Mod(new(big.Int).SetBit(n, size-1, 1), new(big.Int).Lsh(big.NewInt(1), uint(size))))
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	off := make([]byte, ed25519.PublicKeySize)
	off[0] = 2 // y = 2 is on no point
	above := []byte(strings.Repeat("\xff", 32))
	above[0], above[31] = 0xED+3, 0x7F // p + 3
	tests := map[string]struct {
		key member
		why string
	}{
		"no kty":                {es.without("kty"), "kty"},
		"unknown kty":           {member{"kty": "LATTICE", "x": "AA"}, "kty"},
		"kty of another case":   {es.with("kty", "ec"), "kty"},
		"kty a number":          {es.with("kty", 1), "kty: expected a string"},
		"ML-DSA":                {member{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}, "kty"},
		"unknown curve":         {es.with("crv", "secp256k1"), "crv"},
		"no curve":              {es.without("crv"), "crv"},
		"P-521":                 {jwkOf(p521.Public(), "ES512"), "no algorithm"},
		"X25519":                {ed.with("crv", "X25519"), "crv"},
		"Ed448":                 {ed.with("crv", "Ed448"), "crv"},
		"EC without y":          {es.without("y"), "point"},
		"EC off the curve":      {es.with("y", es["x"]), "point"},
		"EC on another curve":   {es.with("crv", "P-384"), "point"},
		"EC at infinity":        {es.with("x", strings.Repeat("A", 43)).with("y", strings.Repeat("A", 43)), "point"},
		"x with a zero ahead":   {es.with("x", "AA"+es["x"].(string)), "x: expected base64url"},
		"x in standard base64":  {es.with("x", strings.Repeat("+", 43)), "x: expected base64url"},
		"x with padding":        {es.with("x", es["x"].(string)+"="), "x: expected base64url"},
		"x with a line break":   {ed.with("x", ed["x"].(string)+"\n"), "x: expected base64url"},
		"x with bits left over": {ed.with("x", strings.Repeat("B", 43)), "x: expected base64url"},
		"x null":                {ed.with("x", nil), "x: expected a string"},
		"Ed25519 too short":     {ed.with("x", "AA"), "Ed25519"},
		"Ed25519 of low order":  {ed.with("x", strings.Repeat("A", 43)), "Ed25519"},
		"Ed25519 off the curve": {ed.with("x", base64.RawURLEncoding.EncodeToString(off)), "Ed25519"},
		"Ed25519 y above p":     {ed.with("x", base64.RawURLEncoding.EncodeToString(above)), "Ed25519"},
		"RSA of 2047 bits":      {rs.with("n", number(new(big.Int).SetBit(n, 2047, 0))), "bits"},
		"RSA of 1024 bits":      {rs.with("n", bits(1024)), "1024 bits: expected 2048 to 4096"},
		"RSA of 4097 bits":      {rs.with("n", bits(4097)), "more than 4096 bits"},
		"RSA of 80000 bits":     {rs.with("n", bits(80000)), "more than 4096 bits"},
		"RSA, n is even":        {rs.with("n", number(new(big.Int).SetBit(n, 0, 0))), "n: expected an odd number"},
		"RSA without n":         {rs.without("n"), "n and e"},
		"RSA with n of 0":       {rs.with("n", "AA"), "n: expected an odd number"},
		"RSA without e":         {rs.without("e"), "n and e"},
		"RSA with e of 0":       {rs.with("e", "AA"), "e"},
		"RSA with e of 1":       {rs.with("e", "AQ"), "e"},
		"RSA with e of 2":       {rs.with("e", "Ag"), "e: expected an odd number from 3"},
		"RSA with e of 65536":   {rs.with("e", "AQAA"), "e: expected an odd number from 3"},
		"RSA with e of 2^31+1":  {rs.with("e", "gAAAAQ"), "e: expected an odd number from 3"},
		"RSA with e of 2^64":    {rs.with("e", "AQAAAAAAAAAA"), "n and e"},
		"RSA with x and y":      {es.with("kty", "RSA"), "n and e"},
		"use enc":               {es.with("use", "enc"), "use: expected sig"},
		"use of another case":   {es.with("use", "SIG"), "use: expected sig"},
		"use empty":             {es.with("use", ""), "use: expected sig"},
		"use null":              {es.with("use", nil), "use: expected a string"},
		"use an array":          {es.with("use", []string{"sig"}), "use: expected a string"},
		"key_ops without":       {es.with("key_ops", []string{"sign"}), "key_ops: expected verify"},
		"key_ops joined":        {es.with("key_ops", []string{"sign, verify"}), "key_ops: expected verify"},
		"key_ops empty":         {es.with("key_ops", []string{}), "key_ops: expected verify"},
		"key_ops null":          {es.with("key_ops", nil), "key_ops: expected verify"},
		"key_ops a string":      {es.with("key_ops", "verify"), "key_ops: expected an array"},
		"key_ops of numbers":    {es.with("key_ops", []any{"verify", 1}), "key_ops: expected an array"},
		"alg unknown":           {es.with("alg", "ES521"), "alg"},
		"alg none":              {es.with("alg", "none"), "alg"},
		"alg symmetric":         {es.with("alg", "HS256"), "alg"},
		"alg empty":             {es.with("alg", ""), "alg"},
		"alg a number":          {es.with("alg", 256), "alg: expected a string"},
		"alg of encryption":     {rs.with("alg", "RSA-OAEP"), "alg"},
		"alg of another curve":  {es.with("alg", "ES384"), "P-384"},
		"alg of another type":   {es.with("alg", "RS256"), "RSA"},
		"Ed25519 as alg of EC":  {es.with("alg", "Ed25519"), "Ed25519"},
		"kid a number":          {es.with("kid", 7), "kid: expected a string"},
		"kid too long":          {es.with("kid", strings.Repeat("k", maxIDLength+1)), "kid: longer than"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := ParseSet([]byte(setOf(test.key)))
			if set != nil || err == nil || !strings.Contains(err.Error(), "no usable key: key 1: ") || !strings.Contains(err.Error(), test.why) {
				t.Errorf("set %v, error %v; expected an error with %q", set, err, test.why)
			}
			checkQuotesNothing(t, err, test.key)
			odd := test.key
			if _, ok := odd["kid"]; !ok {
				odd = odd.with("kid", "odd")
			}
			beside := parse(t, setOf(odd, jwk(token.ES384).with("kid", "good")))
			if found := beside.Find("good", token.ES384); len(found) != 1 {
				t.Errorf("beside it: found %v", found)
			}
			for _, alg := range token.Algorithms() {
				for _, found := range append(beside.Find("odd", alg), beside.Find("", alg)...) {
					if found.ID != "good" {
						t.Errorf("it is found for %s", alg)
					}
				}
			}
		})
	}
}

// checkQuotesNothing: an error text must not carry what may be a key.
func checkQuotesNothing(t *testing.T, err error, key member) {
	t.Helper()
	for _, name := range []string{"x", "y", "n", "d", "k", "kid"} {
		if value, ok := key[name].(string); ok && len(value) > 3 && err != nil && strings.Contains(err.Error(), value) {
			t.Errorf("%v: it quotes %s", err, name)
		}
	}
}

// A set with one of these is refused whole, whatever stands beside.
func TestParseSetRefusesKeys(t *testing.T) {
	t.Parallel()
	es, rs, ed := jwk(token.ES256), jwk(token.RS256), jwk(token.EdDSA)
	tests := map[string]struct {
		key string
		why string
	}{
		"symmetric":                  {member{"kty": "oct", "k": "c2VjcmV0IQ"}.json(), "it is symmetric"},
		"symmetric without k":        {member{"kty": "oct", "use": "enc"}.json(), "it is symmetric"},
		"k beside an unknown kty":    {member{"kty": "OCT", "k": "c2VjcmV0IQ"}.json(), "private"},
		"private EC":                 {es.with("d", "c2VjcmV0IQ").json(), "private"},
		"private Ed25519":            {ed.with("d", "c2VjcmV0IQ").json(), "private"},
		"private RSA":                {rs.with("d", "c2VjcmV0IQ").json(), "private"},
		"private RSA for encryption": {rs.with("use", "enc").with("d", "c2VjcmV0IQ").json(), "private"},
		"RSA with p alone":           {rs.with("p", "c2VjcmV0IQ").json(), "private"},
		"RSA with qi alone":          {rs.with("qi", "c2VjcmV0IQ").json(), "private"},
		"RSA with oth alone":         {rs.with("oth", []any{}).json(), "private"},
		"private ML-DSA":             {member{"kty": "AKP", "priv": "c2VjcmV0IQ"}.json(), "private"},
		"private of unknown type":    {member{"kty": "LATTICE", "d": "c2VjcmV0IQ"}.json(), "private"},
		"private without kty":        {member{"d": "c2VjcmV0IQ"}.json(), "private"},
		"empty d":                    {es.with("d", "").json(), "private"},
		"null d":                     {es.with("d", nil).json(), "private"},
		"d that is escaped":          {strings.Replace(es.json(), "{", `{"\u0064":"c2VjcmV0IQ",`, 1), "private"},
		"kid twice":                  {strings.Replace(es.json(), "{", `{"kid":"a","kid":"b",`, 1), "stands twice"},
		"x twice":                    {strings.Replace(es.json(), "{", `{"x":"AA",`, 1), "stands twice"},
		"x twice, once escaped":      {strings.Replace(es.json(), "{", `{"\u0078":"AA",`, 1), "stands twice"},
		"unknown member twice":       {strings.Replace(es.json(), "{", `{"z":1,"z":1,`, 1), "stands twice"},
		"null":                       {"null", "expected a JSON object"},
		"a string":                   {`"c2VjcmV0IQ"`, "expected a JSON object"},
		"an array":                   {"[" + es.json() + "]", "expected a JSON object"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for position, text := range []string{
				`{"keys":[` + test.key + "," + es.json() + "]}",
				`{"keys":[` + es.json() + "," + test.key + "]}",
			} {
				set, err := ParseSet([]byte(text))
				if set != nil || err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("key %d: ", position+1)) ||
					!strings.Contains(err.Error(), test.why) || strings.Contains(err.Error(), "c2VjcmV0IQ") {
					t.Errorf("set %v, error %v; expected one with %q", set, err, test.why)
				}
			}
		})
	}
}
