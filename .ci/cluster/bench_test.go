package cluster

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkToken measures what a client waits for a token at one instance, over a
// connection that stays open: with a secret, which needs no store, and with an
// assertion, whose use is noted in memory or in a Redis on the same machine.
func BenchmarkToken(b *testing.B) {
	stores := map[string]options{"memory": {}, "redis": {store: onRedis(startRedis(b).Address)}}
	for _, name := range []string{"memory", "redis"} {
		c := launch(b, stores[name])
		n := c.nodes[0]
		b.Run("secret/"+name, func(b *testing.B) {
			for b.Loop() {
				post(b, n, grant, basic("batch", secret))
			}
		})
		b.Run("assertion/"+name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				body := assertionForm(c.assertion(b))
				b.StartTimer()
				post(b, n, body)
			}
		})
	}
}

func post(b *testing.B, n *node, body string, fields ...string) {
	b.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+n.address()+"/oauth2/token", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	for _, field := range append(fields, formType) {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection is used again
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Fatal(response.Status)
	}
}
