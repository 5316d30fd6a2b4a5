package caddymodule_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// request is a request of any method, with a token where one is given.
func (s *site) request(method, path, token string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	status, _, body = s.send(r)
	return status, body
}

// Rules look at method and path as they stand where the gate runs: what they
// decide on is what the API gets, whatever the client asked for.
func TestRulesSeeWhatTheUpstreamGets(t *testing.T) {
	s := newSite(t)
	const gate = `
	oauth2_gate {
		require GET /orders read
		require PUT /orders write
		require * /admin write
		public GET /page
		public GET /open/
	}`
	s.load(batchClient, gate)
	read, write := s.token("read"), s.token("write")
	for _, c := range []struct {
		before, method, path, token string
		status                      int
		upstream                    string // what the API gets; empty: nothing
	}{
		{"", "GET", "/orders", read, 200, "GET /orders"},
		{"method PUT", "GET", "/orders", read, 403, ""},
		{"method PUT", "GET", "/orders", write, 200, "PUT /orders"},
		{"method GET", "PUT", "/orders", read, 200, "GET /orders"},
		{"method PUT", "GET", "/page", "", 401, ""},
		{"method GET", "DELETE", "/page", "", 200, "GET /page"},

		{"rewrite /open/* /admin", "GET", "/open/x", "", 401, ""},
		{"rewrite /open/* /admin", "GET", "/open/x", read, 403, ""},
		{"rewrite /open/* /admin", "GET", "/open/x", write, 200, "GET /admin"},
		{"rewrite /admin /open/x", "GET", "/admin", "", 200, "GET /open/x"},
		{"rewrite * /open{uri}", "GET", "/admin", "", 200, "GET /open/admin"},
		{"rewrite * /open{uri}", "GET", "/../admin", "", 400, ""},
		{"rewrite * {query.to}", "GET", "/open/x?to=/admin", "", 401, ""},

		{"uri strip_prefix /open", "GET", "/open/admin", "", 401, ""},
		{"uri strip_prefix /open", "GET", "/open/page", "", 200, "GET /page"},
		{"uri replace open admin", "GET", "/open", "", 401, ""},
		{"uri path_regexp ^/open/.* /admin", "GET", "/open/x", "", 401, ""},

		// handle_path comes behind the gate, which sees the prefix.
		{"handle_path /open/* {\nreverse_proxy " + s.upstream.Listener.Addr().String() + "\n}", "GET", "/open/admin", "", 200, "GET /admin"},
		{"handle_path /x/* {\nreverse_proxy " + s.upstream.Listener.Addr().String() + "\n}", "GET", "/x/page", "", 401, ""},
	} {
		s.replace(batchClient, c.before+gate)
		status, body := s.request(c.method, c.path, c.token)
		var got string
		for _, seen := range s.upstream.take() {
			got += seen.Method + " " + seen.URL.Path
		}
		if status != c.status || got != c.upstream {
			t.Errorf("%s: %s %s: got %d %s, the API got %q, want %d and %q", c.before, c.method, c.path, status, body, got, c.status, c.upstream)
		}
	}
}

// forward_auth runs before the gate: whatever it says of the caller, the gate
// has the last word, and it can bring the token along.
func TestForwardAuthBesideAGate(t *testing.T) {
	s := newSite(t)
	var answer http.HandlerFunc
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	t.Cleanup(auth.Close)
	load := func(copied string) {
		s.replace(batchClient, "forward_auth "+auth.Listener.Addr().String()+` {
			uri /check
			copy_headers `+copied+`
		}
		oauth2_gate {
			require POST /orders write
			require GET /orders read
		}`)
	}
	const identity, token = "X-Client-Id X-Client-Scope", "Authorization"
	load(identity)
	answer = func(http.ResponseWriter, *http.Request) {}
	read, write := s.token("read"), s.token("write")
	for name, c := range map[string]struct {
		copied        string
		answer        func(w http.ResponseWriter)
		method, token string
		status        int
	}{
		"passes":                  {identity, func(http.ResponseWriter) {}, "GET", read, 200},
		"refuses a good token":    {identity, func(w http.ResponseWriter) { w.WriteHeader(403) }, "GET", read, 403},
		"passes without a token":  {identity, func(http.ResponseWriter) {}, "GET", "", 401},
		"passes with a bad token": {identity, func(http.ResponseWriter) {}, "GET", "x", 401},
		"the method stays":        {identity, func(http.ResponseWriter) {}, "POST", read, 403},
		"the method stays, scope": {identity, func(http.ResponseWriter) {}, "POST", write, 200},
		"names a caller": {identity, func(w http.ResponseWriter) {
			w.Header().Set("X-Client-Id", "root")
			w.Header().Set("X-Client-Scope", "everything")
		}, "GET", read, 200},
		"names a caller without a token": {identity, func(w http.ResponseWriter) { w.Header().Set("X-Client-Id", "root") }, "GET", "", 401},
		"brings the token":               {token, func(w http.ResponseWriter) { w.Header().Set("Authorization", "Bearer "+read) }, "GET", "", 200},
		"brings another token":           {token, func(w http.ResponseWriter) { w.Header().Set("Authorization", "Bearer "+write) }, "GET", read, 403},
	} {
		load(c.copied)
		answer = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/check") {
				c.answer(w)
			}
		}
		status, body := s.request(c.method, "/orders", c.token)
		seen := s.upstream.take()
		if status != c.status || (len(seen) == 1) != (c.status == 200) {
			t.Errorf("%s: %d %s, %d requests reached the API", name, status, body, len(seen))
		}
		for _, r := range seen {
			if r.Header.Get("X-Client-Id") != "batch" || r.Header.Get("X-Client-Scope") == "everything" || r.Header.Get("Authorization") != "" {
				t.Errorf("%s: the API got %v", name, r.Header)
			}
		}
	}
}

// intercept replaces what the API answers; a refusal of the gate before it is
// the gate's. Inside a route that puts it first, it may have both.
func TestInterceptBesideAGate(t *testing.T) {
	s := newSite(t)
	const intercept = `
	intercept {
		@refused status 401 403
		handle_response @refused {
			respond "intercepted {rp.status_code}" 418
		}
	}`
	s.load(batchClient, "oauth2_gate read"+intercept+"\nhandle /refused {\nrespond no 403\n}")
	if _, body := s.expect("/orders", "", 401); body != unauthorized {
		t.Errorf("got %q", body)
	}
	s.expect("/refused", s.token("read"), 418)
	s.expect("/orders", s.token("read"), 200)
	s.replace(batchClient, "route {\noauth2_issuer"+intercept+"\noauth2_gate read\n}")
	s.expect("/orders", "", 418)
	s.expect("/orders", s.token("read"), 200)
	if seen := s.upstream.take(); len(seen) != 2 {
		t.Errorf("%d requests reached the API", len(seen))
	}
}
