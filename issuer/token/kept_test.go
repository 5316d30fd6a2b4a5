package token_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What was read of a text stays as it is while others are read, also by the reader
// that read the first one: no claim of one client's token shows in another's.
func TestWhatWasReadStays(t *testing.T) {
	t.Parallel()
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for i := range 30 {
				// Of several lengths: what mixed two of them would stand elsewhere.
				text := fmt.Sprint(worker, "-", i, strings.Repeat("x", (worker*7+i*13)%60), "!")
				read := readEverywhere(t, text)
				defer func() { // when all are read
					const want = "T T [T] T T T [T] &{ T} map[extra:map[T:[T]]] T T T {\"x\":\"T\"} T T T\n"
					if got := fmt.Sprintln(read()...); strings.ReplaceAll(got, text, "T") != want {
						t.Errorf("%s: expected T = %q in %s", got, text, want)
					}
				}()
			}
		})
	}
	workers.Wait()
}

// readEverywhere reads a token, a proof and an assertion in which every member says
// text, and returns what looks at them.
func readEverywhere(t *testing.T, text string) func() []any {
	const alg = token.EdDSA
	claims, err1 := token.Parse(forge(alg, goodHeader(alg).json(), members{
		"iss": text, "sub": text, "aud": text, "client_id": text, "jti": text, "scope": text, "roles": []string{text},
		"cnf": members{"jkt": text}, "extra": members{text: []string{text}},
	}.json()), known())
	proof, err2 := token.ReadProof(forge(alg, members{"alg": alg, "typ": "dpop+jwt", "jwk": members{"x": text}}.json(),
		members{"htm": text, "htu": text, "jti": text}.json()))
	assertion, err3 := token.ReadAssertion(forge(alg, members{"alg": alg, "kid": text}.json(), members{"iss": text, "jti": text}.json()))
	if err1 != nil || err2 != nil || err3 != nil {
		t.Error(err1, err2, err3)
		return func() []any { return nil }
	}
	return func() []any {
		return []any{
			claims.Issuer, claims.Subject, claims.Audience, claims.ClientID, claims.ID, claims.Scope, claims.Roles, claims.Confirmation, claims.Extra,
			proof.Method, proof.URL, proof.ID, string(proof.JWK), assertion.KeyID, assertion.Issuer, assertion.ID,
		}
	}
}

// A `jti` is remembered until its token, proof or assertion has expired: it must not
// keep alive the text that it came from, which whoever sends it can make long.
func TestIDsKeepNoText(t *testing.T) { // not beside others: it looks at the heap
	const count, alg = 200, token.EdDSA
	long := `{"jti":"id"` + strings.Repeat(" ", 11<<10) + `}`
	raw := forge(alg, goodHeader(alg).json(), long)
	proved := forge(alg, members{"alg": alg, "typ": "dpop+jwt", "jwk": members{}}.json(), long)
	asserted := forge(alg, members{"alg": alg}.json(), long)
	ids, keys, before := make([]string, 0, 3*count), known(), heap()
	for range count {
		claims, err1 := token.Parse(raw, keys)
		proof, err2 := token.ReadProof(proved)
		assertion, err3 := token.ReadAssertion(asserted)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		ids = append(ids, claims.ID, proof.ID, assertion.ID)
	}
	if kept := heap() - before; kept > count*int64(len(long)) { // a third of all
		t.Errorf("%d IDs keep %d bytes", len(ids), kept)
	}
	runtime.KeepAlive(ids)
}

// heap is the size of what is alive.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools had
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
