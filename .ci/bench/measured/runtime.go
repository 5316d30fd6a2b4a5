package main

import (
	"net/http"
	"runtime"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(Runtime{})
	httpcaddyfile.RegisterHandlerDirective("bench_runtime", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return new(Runtime), nil
	})
	httpcaddyfile.RegisterDirectiveOrder("bench_runtime", httpcaddyfile.Before, "respond")
}

// Runtime tells what Go's runtime counts. `/collect` collects garbage first, and
// `/contention` begins to record who waits for whom, for the mutex and block profiles.
type Runtime struct{}

// CaddyModule returns the Caddy module information.
func (Runtime) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.bench_runtime", New: func() caddy.Module { return new(Runtime) }}
}

func (*Runtime) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	switch r.URL.Path {
	case "/collect":
		runtime.GC()
		runtime.GC() // what finalizers and weak pointers let go
	case "/contention":
		runtime.SetMutexProfileFraction(1)
		runtime.SetBlockProfileRate(1000) // nanoseconds
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return write(w, map[string]uint64{"mallocs": memory.Mallocs, "heap": memory.HeapAlloc, "bytes": memory.TotalAlloc})
}
