package caddymodule

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The gate keeps the token from what follows, and remembers it for a gate
// further in: whatever prints variables must not show it.
func TestVariablesShowNoToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.token("read")
	f.serve(prepared(t.Context(), http.MethodGet, "/", raw))
	vars := f.seen.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	value := vars[callerVar]
	if callerOf(f.seen) == nil || len(callerOf(f.seen).authorization) == 0 {
		t.Fatal("nothing is remembered: this test tests nothing")
	}
	shown := map[string]string{"caddy": caddy.ToString(value)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		shown[verb] = fmt.Sprintf(verb, value)
		shown["map "+verb] = fmt.Sprintf(verb, vars)
	}
	encoded, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	shown["JSON"] = string(encoded)
	line, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{}).EncodeEntry(zapcore.Entry{}, []zapcore.Field{zap.Any("caller", value), zap.Any("vars", vars)})
	if err != nil {
		t.Fatal(err)
	}
	shown["zap"] = line.String()
	for name, text := range shown {
		// The signature alone, which no encoding of the whole would hide.
		if strings.Contains(text, raw[len(raw)-40:]) || strings.Contains(text, fmt.Sprintf("%x", raw[len(raw)-40:])) {
			t.Errorf("%s shows the token: %s", name, text)
		}
	}
	if shown["caddy"] != "" {
		t.Errorf("{http.vars.%s} is %q", callerVar, shown["caddy"])
	}
}
