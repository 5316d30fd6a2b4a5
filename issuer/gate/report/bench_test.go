package report

import (
	"fmt"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

var browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"

func BenchmarkAdd(b *testing.B) {
	client := byClient("nightly-batch", "/orders/1234567/lines/3")
	client.Needs, client.Scope = []token.Scopes{{"orders:read", "orders:write"}}, token.Scopes{"orders:read"}
	stranger := byStranger("2001:db8:1:2::3", browser, "/orders/1234567/lines/3")
	for _, known := range []struct {
		name  string
		entry Entry
	}{{"known client", client}, {"known stranger", stranger}} {
		b.Run(known.name, func(b *testing.B) {
			r := New(Config{})
			b.ReportAllocs()
			for b.Loop() {
				r.Add(&known.entry)
			}
		})
		b.Run(known.name+" parallel", func(b *testing.B) {
			r := New(Config{})
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Add(&known.entry)
				}
			})
		})
	}
	paths := make([]string, 1<<20)
	for i := range paths {
		paths[i] = "/" + name(i) + "/orders"
	}
	b.Run("new row", func(b *testing.B) {
		r := New(Config{Rows: 8 * 2 * len(paths)})
		entry := client
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			entry.Path = paths[i%len(paths)]
			r.Add(&entry)
		}
	})
	b.Run("full", func(b *testing.B) {
		r := New(Config{})
		for i := range 2 * defaultRows {
			add(r, byStranger(fmt.Sprintf("10.%d.%d.1", i/250, i%250), browser, paths[i]))
		}
		entry := stranger
		entry.Reason = gate.ReasonScheme
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			entry.Path = paths[i%len(paths)]
			r.Add(&entry)
		}
	})
}
