package keys

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// remoteOf is keys behind a real server, which are fetched once.
func remoteOf(t *testing.T, url string, client *http.Client) *Remote {
	t.Helper()
	r, err := NewRemote(RemoteConfig{URL: url, Client: client, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func quiet(server *httptest.Server) *httptest.Server {
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	return server
}

func TestFetchOverTLS(t *testing.T) {
	t.Parallel()
	text := setOf(jwk(token.EdDSA).with("kid", "a"))
	server := quiet(httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
	})))
	t.Cleanup(server.Close)
	found, err := remoteOf(t, server.URL, server.Client()).Find(t.Context(), "a", token.EdDSA)
	if len(found) != 1 || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	_, err = remoteOf(t, server.URL, nil).Find(t.Context(), "a", token.EdDSA)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	_, err = remoteOf(t, strings.Replace(server.URL, "https", "http", 1), nil).Find(t.Context(), "a", token.EdDSA)
	if err == nil || !strings.Contains(err.Error(), "status 400") {
		t.Errorf("http to a TLS port: %v", err)
	}
}

// The request is as it is configured, and carries nothing of anybody's.
func TestFetchRequest(t *testing.T) {
	t.Parallel()
	text := setOf(jwk(token.EdDSA))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method != "GET" || request.RequestURI != "/a%2Fb/jwks?tenant=1" || request.Header.Get("Cookie") != "" ||
			!strings.Contains(request.Header.Get("Accept"), "application/jwk-set+json") || request.ContentLength != 0 {
			t.Errorf("%s %s %v", request.Method, request.RequestURI, request.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	for range 2 {
		found, err := remoteOf(t, server.URL+"/a%2Fb/jwks?tenant=1", client).Find(t.Context(), "a", token.EdDSA)
		if len(found) != 1 || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	}
	if client.CheckRedirect != nil || client.Jar != jar {
		t.Error("the caller's client was changed")
	}
}

// A redirect could lead into the operator's own network.
func TestFetchFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	text := setOf(jwk(token.EdDSA))
	var asked atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(inner.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(inner.URL, status))
		t.Cleanup(server.Close)
		found, err := remoteOf(t, server.URL, nil).Find(t.Context(), "a", token.EdDSA)
		if found != nil || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("status %d: expected 200", status)) {
			t.Errorf("%d: %v, %v", status, found, err)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the target was asked %d times", asked.Load())
	}
}

func TestFetchRefusesAnswers(t *testing.T) {
	t.Parallel()
	good := setOf(jwk(token.EdDSA))
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, _ = packer.Write(bytes.Repeat([]byte(" "), 10<<20))
	_ = packer.Close()
	write := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		why    string
	}{
		"404":          {write(404, "secret text"), "status 404: expected 200"},
		"500":          {write(500, good), "status 500: expected 200"},
		"201":          {write(201, good), "status 201: expected 200"},
		"206":          {write(206, good), "status 206: expected 200"},
		"204":          {write(204, ""), "status 204: expected 200"},
		"text":         {write(200, "secret text"), "expected a JSON object"},
		"one too long": {write(200, good+strings.Repeat(" ", MaxSetLength+1-len(good))), "longer than 262144 bytes"},
		"endless": {func(w http.ResponseWriter, request *http.Request) {
			for request.Context().Err() == nil {
				_, _ = w.Write(bytes.Repeat([]byte(" "), 32<<10))
			}
		}, "longer than 262144 bytes"},
		"packed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "longer than 262144 bytes"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, good)
		}, "closed before the end"},
		"stalled": {func(w http.ResponseWriter, request *http.Request) {
			_, _ = io.WriteString(w, good[:10])
			_ = http.NewResponseController(w).Flush()
			<-request.Context().Done()
		}, "no whole answer within 100ms"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := quiet(httptest.NewServer(test.answer))
			t.Cleanup(server.Close)
			r := remoteOf(t, server.URL+"/?key=hidden", nil)
			if name == "stalled" {
				r.timeout = 100 * time.Millisecond
			}
			expectFailure(t, r, "a", test.why)
			expectNoText(t, r)
		})
	}
}

func expectNoText(t *testing.T, r *Remote) {
	t.Helper()
	if _, err := r.fetch(); err == nil || strings.Contains(err.Error(), "secret text") {
		t.Errorf("%v: expected an error without the answer's text", err)
	}
}

// What is no HTTP at all: net/http quotes it, the error here does not.
func TestFetchFromNoHTTPServer(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another protocol": "220 secret text\r\n", "a broken status": "HTTP/1.1 secret text\r\n\r\n",
		"a broken header": "HTTP/1.1 200 OK\r\nsecret text\r\n\r\n", "a broken length": "HTTP/1.1 200 OK\r\nContent-Length: secret text\r\n\r\n",
		"nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					connection, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = connection.Read(make([]byte, 4096))
					_, _ = io.WriteString(connection, text)
					_ = connection.Close()
				}
			}()
			expectNoText(t, remoteOf(t, "http://"+listener.Addr().String(), nil))
		})
	}
}

func TestFetchFromNowhere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	expectFailure(t, remoteOf(t, server.URL, nil), "a", "refused")
}

// Many ask while the keys change: known keys are always found, no set is seen
// half, and what was published last is found in the end.
func TestRemoteTogether(t *testing.T) {
	t.Parallel()
	var version atomic.Int64
	texts := make([]string, 10)
	for i := range texts {
		texts[i] = setOf(jwk(token.ES256).with("kid", "a"), jwk(token.ES256).with("kid", fmt.Sprint("v", i)))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, texts[version.Load()])
	}))
	t.Cleanup(server.Close)
	r, err := NewRemote(RemoteConfig{URL: server.URL, Interval: time.Millisecond, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for version.Load() < 9 {
				_ = r.Generation()
				if found, err := r.Find(t.Context(), "a", token.ES256); len(found) != 1 || err != nil {
					t.Errorf("known: %v, %v", found, err)
				}
				if found, err := r.Find(t.Context(), "made-up", token.ES256); found != nil || err != nil && !errors.Is(err, ErrTooSoon) {
					t.Errorf("made up: %v, %v", found, err)
				}
			}
		})
	}
	for i := range int64(len(texts)) {
		version.Store(i)
		found, err := r.Find(t.Context(), fmt.Sprint("v", i), token.ES256)
		for errors.Is(err, ErrTooSoon) { // for those who make up kids
			found, err = r.Find(t.Context(), fmt.Sprint("v", i), token.ES256)
		}
		if len(found) != 1 || err != nil {
			t.Errorf("new: %v, %v", found, err)
		}
	}
	group.Wait()
	if r.Generation() != uint64(len(texts)) {
		t.Errorf("generation %d", r.Generation())
	}
}

func BenchmarkRemoteFind(b *testing.B) {
	h := &host{}
	h.publish("a", "b")
	r, err := NewRemote(RemoteConfig{URL: "https://issuer.example/", Client: &http.Client{Transport: h}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Find(b.Context(), "a", token.ES256); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = r.Find(b.Context(), "a", token.ES256)
		}
	})
}
