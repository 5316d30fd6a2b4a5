package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// There is no issuer of our own: the gates stand alone.
const trustedCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		trusted_issuer {env.LOGIN}
		trusted_issuer https://other.example {
			jwks {env.FOLDER}/other.json
			scope_claim scp
			client_claim appid
			typ any
		}
		resource https://api.example
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	handle /both/* {
		oauth2_gate {
			issuers {env.LOGIN} https://other.example
			require_any * /both/ read write
		}
		reverse_proxy {$UPSTREAM}
	}
	handle /forms/* {
		oauth2_gate {
			issuers {env.LOGIN}
			bearer_methods header body query
		}
		reverse_proxy {$UPSTREAM}
	}
	handle {
		oauth2_gate read {
			issuers {env.LOGIN}
			allow_clients_of {env.LOGIN} nightly
		}
		reverse_proxy {$UPSTREAM}
	}
}
`

// login is another authorization server.
type login struct {
	*httptest.Server
	key     tokentest.Key
	keys    atomic.Pointer[string]
	fetches atomic.Int64
	down    atomic.Bool
}

func newLogin(t *testing.T) *login {
	t.Helper()
	l := &login{key: tokentest.NewKey(t, "RS256")}
	l.publish(t, l.key)
	mux := http.NewServeMux()
	mux.HandleFunc("/realm/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, l.issuer(), l.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		l.fetches.Add(1)
		if l.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(*l.keys.Load()))
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	return l
}

func (l *login) issuer() string { return l.URL + "/realm" }

func (l *login) publish(t *testing.T, keys ...tokentest.Key) {
	t.Helper()
	set := tokentest.Set(t, keys...)
	l.keys.Store(&set)
}

func foreignToken(t *testing.T, key tokentest.Key, header, claims tokentest.Members) string {
	t.Helper()
	now := time.Now().Unix()
	return key.Sign(t, tokentest.Members{"typ": "at+jwt", "kid": key.Thumbprint(t)}.With(header), tokentest.Members{
		"sub": "x", "aud": "https://api.example", "client_id": "nightly", "scope": "read", "iat": now, "exp": now + 60,
	}.With(claims))
}

func launchTrusting(t *testing.T) (*instance, *login, tokentest.Key) {
	t.Helper()
	l, other, folder := newLogin(t), tokentest.NewKey(t, "ES256"), t.TempDir()
	writeFile(t, folder+"/other.json", tokentest.Set(t, other))
	return launch(t, trustedCaddyfile, "LOGIN="+l.issuer(), "FOLDER="+folder), l, other
}

// Tokens of servers that are trusted open the gates that name them.
func TestTrustedIssuers(t *testing.T) {
	t.Parallel()
	c, l, other := launchTrusting(t)
	if l.fetches.Load() != 0 {
		t.Error("keys were fetched before they were needed")
	}
	theirs := tokentest.Members{"iss": l.issuer()}
	c.get(t, "/orders", bearer(foreignToken(t, l.key, nil, theirs))).wantStatus(t, 200)
	heard := c.upstream.only(t)
	heard.one(t, "X-Client-Id", "nightly")
	heard.one(t, "X-Client-Issuer", l.issuer())
	heard.none(t, "Authorization")
	shape := tokentest.Members{"iss": "https://other.example", "client_id": nil, "appid": "svc", "scope": nil, "scp": []string{"write", "x"}}
	raw := foreignToken(t, other, tokentest.Members{"typ": "JWT"}, shape)
	c.get(t, "/both/x", bearer(raw)).wantStatus(t, 200)
	c.upstream.only(t).one(t, "X-Client-Scope", "write x")

	c.get(t, "/orders", bearer(raw)).wantError(t, 401, "invalid_token") // this gate does not name it
	c.get(t, "/orders", bearer(foreignToken(t, l.key, nil, theirs.With(tokentest.Members{"client_id": "other"})))).wantStatus(t, 403)
	c.get(t, "/orders", bearer(foreignToken(t, l.key, nil, theirs.With(tokentest.Members{"scope": "write"})))).wantError(t, 403, "insufficient_scope")
	c.get(t, "/orders", bearer(foreignToken(t, other, nil, theirs))).wantError(t, 401, "invalid_token")
	c.get(t, "/orders", bearer(foreignToken(t, l.key, nil, tokentest.Members{"iss": "https://evil.example"}))).wantError(t, 401, "invalid_token")
	c.upstream.silent(t)
}

// A storm of made-up kids is one fetch, a new key is known to its first use, and
// a server that is down stops neither what is known nor a reload.
func TestTrustedKeys(t *testing.T) {
	t.Parallel()
	c, l, _ := launchTrusting(t)
	theirs := tokentest.Members{"iss": l.issuer()}
	known := foreignToken(t, l.key, nil, theirs)
	c.get(t, "/orders", bearer(known)).wantStatus(t, 200)
	next := tokentest.NewKey(t, "ES256")
	l.publish(t, l.key, next)
	c.get(t, "/orders", bearer(foreignToken(t, next, nil, theirs))).wantStatus(t, 200)
	before, begin := l.fetches.Load(), time.Now()
	stranger := tokentest.NewKey(t, "ES256")
	for i := range 300 {
		c.get(t, "/orders", bearer(foreignToken(t, stranger, tokentest.Members{"kid": fmt.Sprint(i)}, theirs))).wantError(t, 401, "invalid_token")
	}
	const interval = 5 * time.Second // between two fetches; requests take as long as they take
	if got, most := l.fetches.Load()-before, 2+int64(time.Since(begin)/interval); got > most {
		t.Errorf("%d fetches, expected %d at most", got, most)
	}
	l.down.Store(true)
	c.mustReload(t, strings.Replace(trustedCaddyfile, "oauth2_gate read {", "oauth2_gate read {\nrealm x", 1))
	c.get(t, "/orders", bearer(foreignToken(t, l.key, nil, theirs))).wantStatus(t, 200)
	c.get(t, "/orders", bearer(known)).wantStatus(t, 200)
}

// A server that is down when Caddy starts has its tokens refused, until it is
// there again; the other one's pass.
func TestTrustedServerIsDown(t *testing.T) {
	t.Parallel()
	c, l, other := launchTrusting(t)
	l.down.Store(true)
	raw := foreignToken(t, l.key, nil, tokentest.Members{"iss": l.issuer()})
	c.get(t, "/both/x", bearer(raw)).wantError(t, 401, "invalid_token")
	if err := c.await("keys cannot be fetched; those known stay in force", patience); err != nil {
		t.Error(err)
	}
	shape := tokentest.Members{"iss": "https://other.example", "client_id": nil, "appid": "svc", "scope": nil, "scp": "read"}
	c.get(t, "/both/x", bearer(foreignToken(t, other, nil, shape))).wantStatus(t, 200)
	l.down.Store(false)
	c.get(t, "/both/x", bearer(raw)).wantStatus(t, 200) // waits for the next try
}

// Tokens in forms and queries, and what is left of these (RFC 6750 section 2).
func TestBearerMethods(t *testing.T) {
	t.Parallel()
	c, l, _ := launchTrusting(t)
	raw := foreignToken(t, l.key, nil, tokentest.Members{"iss": l.issuer()})
	c.get(t, "/forms/x?a=%20b&access_token="+raw+"&c").wantStatus(t, 200)
	if heard := c.upstream.only(t); heard.line != "GET /forms/x?a=%20b&c HTTP/1.1" {
		t.Errorf("the API heard %q", heard.line)
	}
	fromQuery := c.get(t, "/forms/x?access_token="+raw)
	fromQuery.wantStatus(t, 200)
	c.upstream.drain()
	if got := fromQuery.header.Get("Cache-Control"); got != "private" { // RFC 6750 section 2.3
		t.Errorf("Cache-Control %q of an answer to a token in the query", got)
	}
	fromHeader := c.get(t, "/forms/x", bearer(raw))
	c.upstream.drain()
	if got := fromHeader.header.Get("Cache-Control"); got != "" {
		t.Errorf("Cache-Control %q of an answer to a token in the header", got)
	}
	c.send(t, http.MethodPost, "/forms/x", "a=%C3%A4&access_token="+raw+"&b=+", formType).wantStatus(t, 200)
	if heard := c.upstream.only(t); heard.body != "a=%C3%A4&b=+" {
		t.Errorf("the API heard %q", heard.body)
	}
	c.send(t, http.MethodPost, "/forms/x", "{\"access_token\": 1}\x00", "Content-Type: application/json", bearer(raw)).wantStatus(t, 200)
	if heard := c.upstream.only(t); heard.body != "{\"access_token\": 1}\x00" {
		t.Errorf("the API heard %q", heard.body)
	}
	long := "a=" + strings.Repeat("x", 3<<20)
	c.send(t, http.MethodPost, "/forms/x", long, formType, bearer(raw)).wantStatus(t, 200)
	if heard := c.upstream.only(t); heard.body != long {
		t.Errorf("the API heard %d bytes", len(heard.body))
	}
	c.send(t, http.MethodPost, "/forms/x?access_token="+raw, "access_token="+raw, formType).wantError(t, 400, "invalid_request")
	c.get(t, "/forms/x?access_token="+raw, bearer(raw)).wantError(t, 400, "invalid_request")
	c.get(t, "/forms/x?access_token="+raw+"&access_token="+raw).wantError(t, 400, "invalid_request")
	c.get(t, "/orders?access_token="+raw).wantStatus(t, 401) // not a way that this gate takes
	c.upstream.silent(t)
	if contains(c.output.String(), strings.Split(raw, ".")[2]) {
		t.Error("the token shows in the log")
	}
}

// Some servers write a plain word as `aud`, such as the client id of the API.
func TestTrustedAudienceIsAWord(t *testing.T) {
	t.Parallel()
	const word = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
	key, folder := tokentest.NewKey(t, "RS256"), t.TempDir()
	writeFile(t, folder+"/keys.json", tokentest.Set(t, key))
	c := launch(t, `{
	admin {$ADMIN}
	oauth2 {
		trusted_issuer https://login.example/v2.0 {
			jwks {env.FOLDER}/keys.json
		}
		resource `+word+`
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_gate {
		issuers https://login.example/v2.0
	}
	reverse_proxy {$UPSTREAM}
}
`, "FOLDER="+folder)
	for aud, status := range map[any]int{word: 200, strings.ToUpper(word): 401, "api://" + word: 401, "": 401, "https://api.example": 401} {
		raw := foreignToken(t, key, nil, tokentest.Members{"iss": "https://login.example/v2.0", "aud": aud})
		c.get(t, "/orders", bearer(raw)).wantStatus(t, status)
	}
	c.upstream.drain()
	if got := c.get(t, "/orders").header.Get("WWW-Authenticate"); strings.Contains(got, "resource_metadata") {
		t.Errorf("a word has no metadata, but the challenge is %q", got)
	}
}
