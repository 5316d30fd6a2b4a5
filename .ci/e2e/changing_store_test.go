package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// storePage is the page on changing stores, with an issuer that has something to lose.
type storePage struct {
	*page
	made          madeClient
	good, revoked string
}

// Each command of the page does what it says: an issuer moves to Redis, and comes back
// from its backup, and no token is good that was not, or the other way round.
func TestChangingStorePage(t *testing.T) {
	t.Parallel()
	p := &storePage{page: newPage(t)}
	redis := redistest.Start(t)
	p.words = [][2]string{
		{"127.0.0.1:6379", redis.Address}, {"/etc/caddy/Caddyfile.", p.etc + "/Caddyfile."}, {"/etc/caddy/Caddyfile", p.caddyfile()},
	}
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch.secret"), batchSecret+"\n")
	p.says(t, fmt.Sprintf("export XDG_DATA_HOME=%s; caddy() { %s \"$@\" 2>>log; }; sudo() { shift 3; \"$@\"; }", filepath.Dir(p.storage()), caddyBinary), "")
	const name = "changing-store.md"
	for _, one := range sectionsOf(t, filepath.Join(checkout, "docs", name)) {
		switch one.title {
		case "How do I move from Caddy's storage to Redis?":
			p.carryOut(t, name, one.blocks)
			p.use(t)
		case "1. Write the new configuration beside it":
			p.carryOut(t, name, one.blocks[:1])
			writeFile(t, p.etc+"/Caddyfile.redis", p.caddyfileOf(t, one.blocks[1].text))
		case "2. Stop Caddy":
			p.stop(t)
		case "4. Start with the new configuration":
			p.carryOut(t, name, one.blocks)
			p.start(t)
			p.isAsBefore(t)
		case "How do I back up Redis in files?":
			writeFile(t, p.etc+"/Caddyfile.backup", p.adjust(one.blocks[0].text))
			p.carryOut(t, name, one.blocks[1:3])
			p.stop(t)
			p.carryOut(t, name, one.blocks[3:])
			p.start(t)
			p.isAsBefore(t)
		default:
			p.carryOut(t, name, one.blocks)
		}
	}
	if _, err := os.Stat(filepath.Join(p.etc, "backup", "oauth2")); err != nil {
		t.Error(err)
	}
}

// use makes a client at run time, and a token that is revoked.
func (p *storePage) use(t *testing.T) {
	t.Helper()
	p.made = p.instance.made(t, "client", "add", "made", "--scopes", "orders:read")
	p.good, p.revoked = p.tokenOf(t, p.made.Secret), p.tokenOf(t, p.made.Secret)
	p.oauth2(t, "token", "revoke", p.revoked)
	p.isAsBefore(t)
}

func (p *storePage) tokenOf(t *testing.T, secret string) (token string) {
	t.Helper()
	token, status := p.shell.run(t, fmt.Sprintf(
		`curl -fsS -u made:%s -d grant_type=client_credentials https://api.example.com/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/' | tr -d '\n'`, secret))
	if status != "0" || token == "" {
		t.Fatalf("%s %s", status, token)
	}
	return token
}

// isAsBefore checks that what was good is good, and nothing else.
func (p *storePage) isAsBefore(t *testing.T) {
	t.Helper()
	for token, want := range map[string]string{p.good: "200", p.revoked: "401", p.tokenOf(t, p.made.Secret): "200"} {
		p.says(t, `curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer `+token+`" https://api.example.com/orders`, want)
	}
}
