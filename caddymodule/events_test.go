package caddymodule_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyevents/eventsconfig"
)

func init() { caddy.RegisterModule(new(recorder)) }

// recorder is a handler of events as a plugin would have it.
type recorder struct{}

// recorded are the events that recorders have got.
var recorded = make(chan caddy.Event, 100)

func (*recorder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.recorder", New: func() caddy.Module { return new(recorder) }}
}

func (*recorder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return nil
}

func (*recorder) Handle(_ context.Context, event caddy.Event) error {
	recorded <- event
	return nil
}

// eventSite is a site whose Caddyfile has the recorder for our events.
type eventSite struct{ *site }

func (s eventSite) load(options string) {
	s.t.Helper()
	text := s.config(options, "oauth2_gate read")
	s.loadText(strings.Replace(text, "{\n", "{\n\tevents {\n\t\ton oauth2_key_rotated recorder\n\t\ton oauth2_client_changed recorder\n"+
		"\t\ton oauth2_token_revoked recorder\n\t}\n", 1))
}

// next waits for an event, and returns it with its data in order.
func (s eventSite) next() (caddy.Event, string) {
	s.t.Helper()
	select {
	case event := <-recorded:
		var data []string
		for _, key := range slices.Sorted(maps.Keys(event.Data)) {
			data = append(data, fmt.Sprint(key, "=", event.Data[key]))
		}
		return event, event.Name() + " " + strings.Join(data, " ")
	case <-time.After(time.Minute):
		s.t.Fatal("no event came")
		return caddy.Event{}, ""
	}
}

func (s eventSite) nextIs(want string) {
	s.t.Helper()
	event, text := s.next()
	if text != want || event.Origin().CaddyModule().ID != "oauth2" {
		s.t.Errorf("got %s\nwant %s", text, want)
	}
}

// Who subscribes to our events in the configuration gets them, with the data of
// the documentation: keys, revocations, and clients after a reload.
func TestEvents(t *testing.T) {
	s := eventSite{newSite(t)}
	s.load(batchClient)
	var jwks struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	_, body := s.expect("/oauth2/jwks", "", 200)
	if err := json.Unmarshal([]byte(body), &jwks); err != nil {
		t.Fatal(err)
	}
	s.nextIs("oauth2_key_rotated issuer=" + s.url + " kid=" + jwks.Keys[0].Kid)

	revoked := s.token("read")
	for _, form := range []string{"token=x", "token=" + revoked[:len(revoked)-4] + "AAAA", "", "token=" + revoked} {
		s.post("/oauth2/revoke", form)
	}
	event, text := s.next() // of the last alone
	jti, _ := event.Data["jti"].(string)
	if text != "oauth2_token_revoked client_id=batch issuer="+s.url+" jti="+jti+" origin=client" || len(jti) < 22 {
		t.Errorf("got %s", text)
	}
	if strings.Contains(text, revoked) {
		t.Error("the token is in the event")
	}

	s.load(batchClient + "\nclient new {\n}\nclient off {\ndisabled\n}")
	s.nextIs("oauth2_client_changed change=added client_id=new issuer=" + s.url + " origin=configuration")
	s.nextIs("oauth2_client_changed change=added client_id=off issuer=" + s.url + " origin=configuration")
	if err := s.tryLoad("client broken {\nroles nobody\n}", "oauth2_gate"); err == nil {
		t.Fatal("it loads")
	}
	s.load(strings.Replace(batchClient, "scopes", "disabled\nscopes", 1) + "\nclient off {\n}")
	s.nextIs("oauth2_client_changed change=disabled client_id=batch issuer=" + s.url + " origin=configuration")
	s.nextIs("oauth2_client_changed change=removed client_id=new issuer=" + s.url + " origin=configuration")
	s.nextIs("oauth2_client_changed change=enabled client_id=off issuer=" + s.url + " origin=configuration")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	// A start is no change, and keys that are there are not new.
	s.load(batchClient)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case event := <-recorded:
		t.Errorf("one too many: %s %v", event.Name(), event.Data)
	default:
	}
}
