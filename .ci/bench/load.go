package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// workers is how many connections are kept busy.
const workers = 8

// scenario is one kind of request, sent again and again.
type scenario struct {
	name   string
	url    string
	status int
	// token is what the n-th request carries; nil: nothing.
	token func(n int64) string
	// form makes it a token request.
	form bool
	// fresh: every request of a round carries a token of its own, which is made
	// before the round; rounds are shorter then.
	fresh bool
	// known is how many requests go ahead of every round and are not measured:
	// without them a round of fewer requests would measure new tokens.
	known int64
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}, Timeout: 10 * time.Second}

// scenarios prepares the tokens that the scenarios need.
func (c *caddy) scenarios() ([]scenario, error) {
	const distinct = 5000
	tokens, err := c.tokens(distinct)
	if err != nil {
		return nil, err
	}
	known := func(int64) string { return tokens[0] }
	inTurn := func(n int64) string { return tokens[n%distinct] }
	// A token of which the last signature bits are changed, another for each request.
	broken := func(n int64) string {
		raw := tokens[0]
		return raw[:len(raw)-12] + fmt.Sprintf("%08d", n%1e8) + raw[len(raw)-4:]
	}
	return []scenario{
		// The same request as the next one: reading and passing on a header of
		// some 600 bytes is not the gate's doing.
		{name: "bare reverse_proxy", url: c.url(bareSite) + "/part500/17", status: 200, token: known},
		{name: "bare, no Authorization header", url: c.url(bareSite) + "/part500/17", status: 200},
		{name: "gate, known token", url: c.url(gateSite) + "/part500/17", status: 200, token: known},
		{name: "gate, 5,000 tokens in turn", url: c.url(gateSite) + "/part500/17", status: 200, token: inTurn, known: distinct},
		{name: "gate, every token new", url: c.url(gateSite) + "/part500/17", status: 200, fresh: true},
		{name: "gate, 1,000 rules", url: c.url(rulesSite) + "/part500/17", status: 200, token: known},
		{name: "gate, invalid signature", url: c.url(gateSite) + "/part500/17", status: 401, token: broken},
		{name: "token endpoint", url: c.url(issuerSite) + "/oauth2/token", status: 200, form: true},
	}, nil
}

func (c *caddy) tokens(count int) ([]string, error) {
	tokens := make([]string, count)
	for i := range tokens {
		response, err := client.Do(c.tokenRequest(c.url(issuerSite) + "/oauth2/token"))
		if err != nil {
			return nil, err
		}
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		_ = response.Body.Close()
		if err != nil || answer.AccessToken == "" {
			return nil, fmt.Errorf("no token: %d %w", response.StatusCode, err)
		}
		tokens[i] = answer.AccessToken
	}
	return tokens, nil
}

func (c *caddy) tokenRequest(endpoint string) *http.Request {
	body := url.Values{"grant_type": {"client_credentials"}}.Encode()
	r, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(body)) //nolint:noctx // the client has a timeout
	if err != nil {
		panic(err) // a url of our own making
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("bench", secret)
	return r
}

// measure sends the requests of a scenario and takes Caddy's CPU before and after.
func (c *caddy) measure(s scenario, requests int) (result, error) {
	if s.fresh {
		requests /= 4
		tokens, err := c.tokens(requests)
		if err != nil {
			return result{}, err
		}
		s.token = func(n int64) string { return tokens[n-1] }
	}
	if err := c.send(s, s.known); err != nil {
		return result{}, err
	}
	before, err := c.cpu()
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	if err := c.send(s, int64(requests)); err != nil {
		return result{}, err
	}
	wall := time.Since(begin)
	after, err := c.cpu()
	count := time.Duration(requests)
	return result{cpu: (after - before) / count, wall: wall / count}, err
}

// send sends the requests from all workers; the first error ends it.
func (c *caddy) send(s scenario, requests int64) error {
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, workers)
	for range workers {
		group.Go(func() {
			for n := next.Add(1); n <= requests && len(failed) == 0; n = next.Add(1) {
				if err := c.one(s, n); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	return <-failed
}

func (c *caddy) one(s scenario, n int64) error {
	r := c.tokenRequest(s.url)
	if !s.form {
		r, _ = http.NewRequest(http.MethodGet, s.url, nil) //nolint:noctx // the client has a timeout
	}
	if s.token != nil {
		r.Header.Set("Authorization", "Bearer "+s.token(n))
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != s.status {
		return fmt.Errorf("status %d, expected %d", response.StatusCode, s.status)
	}
	return nil
}
