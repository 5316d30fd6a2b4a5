package main

import (
	"fmt"
	"net/http"
)

// maker makes requests ahead of the time in which they are sent.
type maker func(p *process, count int) ([]*http.Request, error)

// each makes one request after the other; n begins with 0 and never comes twice.
func each(one func(p *process, n int) *http.Request) maker {
	next := 0
	return func(p *process, count int) ([]*http.Request, error) {
		made := make([]*http.Request, count)
		for i := range made {
			made[i] = one(p, next)
			next++
		}
		return made, nil
	}
}

// get asks a site for the path of the rule in the middle.
func get(p *process, site string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, p.url(site)+"/part500/17", nil) //nolint:noctx // the client has a timeout
	if err != nil {
		panic(err) // a url of our own making
	}
	return r
}

func withToken(r *http.Request, token string) *http.Request {
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// gated sends the same few tokens in turn, which are made when the first is needed.
func gated(site string, distinct int) maker {
	var tokens []string
	requests := each(func(p *process, n int) *http.Request { return withToken(get(p, site), tokens[n%distinct]) })
	return func(p *process, count int) (_ []*http.Request, err error) {
		if tokens == nil {
			if tokens, err = p.tokens(distinct); err != nil {
				return nil, err
			}
		}
		return requests(p, count)
	}
}

// first sends tokens of which each is another, at the Caddy that made them. Many are
// made at a time: what is left of making them would else be collected while the
// requests are measured.
func first(site string) maker {
	var left []string
	return func(p *process, count int) (made []*http.Request, err error) {
		if len(left) < count {
			if left, err = p.tokens(max(count, firstTokens)); err != nil {
				return nil, err
			}
		}
		for _, token := range left[:count] {
			made = append(made, withToken(get(p, site), token))
		}
		left = left[count:]
		return made, nil
	}
}

// firstTokens are made at a time, at least.
const firstTokens = 4_000

// forged sends a token of which the last bits of the signature differ each time.
func forged(site string) maker {
	valid := gated(site, 1)
	n := 0
	return func(p *process, count int) ([]*http.Request, error) {
		made, err := valid(p, count)
		for _, r := range made {
			raw := r.Header.Get("Authorization")
			r.Header.Set("Authorization", raw[:len(raw)-12]+fmt.Sprintf("%08d", n%1e8)+raw[len(raw)-4:])
			n++
		}
		return made, err
	}
}

// foreign sends a token of the last of the trusted issuers, the same or another
// each time.
func foreign(site string, always bool) maker {
	var token string
	return each(func(p *process, _ int) *http.Request {
		if token == "" || always {
			token = p.keys.foreign(trustedURL(49), p.url("issuer"))
		}
		return withToken(get(p, site), token)
	})
}

// bound sends one token that is bound to a key, with another proof each time (RFC
// 9449 section 7.1).
func bound(site string) maker {
	var token string
	return func(p *process, count int) (made []*http.Request, err error) {
		if token == "" {
			r := tokenRequest(p, "issuer", "bench", secret)
			r.Header.Set("DPoP", p.keys.proof(http.MethodPost, p.url("issuer")+"/oauth2/token", ""))
			if token, err = p.token(r); err != nil {
				return nil, err
			}
		}
		for range count {
			r := get(p, site)
			r.Header.Set("Authorization", "DPoP "+token)
			r.Header.Set("DPoP", p.keys.proof(r.Method, r.URL.String(), token))
			made = append(made, r)
		}
		return made, nil
	}
}

// withFields is the same with more fields in each request.
func withFields(requests maker, fields func(p *process) map[string]string) maker {
	return func(p *process, count int) ([]*http.Request, error) {
		made, err := requests(p, count)
		for _, r := range made {
			for name, value := range fields(p) {
				r.Header.Set(name, value)
			}
		}
		return made, err
	}
}

// identity are the fields in which a gate tells who calls.
func identity(p *process) map[string]string {
	return map[string]string{"X-Client-Id": "bench", "X-Client-Scope": "read", "X-Client-Issuer": p.url("issuer")}
}

// more are fields that clients' libraries send.
func more(*process) map[string]string {
	return map[string]string{
		"Accept":          "application/json",
		"Accept-Language": "en",
		"Cache-Control":   "no-cache",
		"Idempotency-Key": "0f8f3b1e-5d0e-4d52-9c0a-8f1f5e0c7a11",
		"Traceparent":     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"X-Request-Id":    "7b1c2d3e4f",
	}
}

// certified sends a token that is bound to the certificate of the connection (RFC
// 8705 section 3).
func certified(site string) maker {
	var token string
	return func(p *process, count int) (made []*http.Request, err error) {
		if token == "" {
			asking, err := certificateOf("issuer over TLS", "ca")(p, 1)
			if err == nil {
				token, err = p.token(asking[0])
			}
			if err != nil {
				return nil, err
			}
		}
		for range count {
			made = append(made, withToken(get(p, site), token))
		}
		return made, nil
	}
}
