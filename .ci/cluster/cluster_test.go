package cluster

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// Secrets that protect nothing.
const (
	secret     = "0123456789abcdef0123456789abcdef"
	sealingKey = "what is stored in Redis is sealed with this"
	issuerURL  = "http://localhost"
)

// caddyfile is that of each instance: all are the issuer and a gate in front of an
// API that says "here".
const caddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		STORE
		SIGNING
		limits {
			token_failures FAILURES 1h
		}
		client batch {
			secret {env.SECRET}
			scopes orders:read orders:write
		}
		client signer {
			jwks {env.JWKS}
			scopes orders:read
		}
		client guessed {
			secret {env.SECRET}
			scopes orders:read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate orders:read {
		external_url http://localhost
	}
	respond here
}
`

// instances is how many there are of a cluster.
const instances = 3

// cluster is several Caddy processes that are one issuer.
type cluster struct {
	nodes  []*node
	key    tokentest.Key // of the client signer
	folder string        // which all can read
}

// options are what clusters differ in.
type options struct {
	store    string // lines of the option
	signing  string
	failures int  // token_failures; default: more than a test has
	shared   bool // one storage folder for all
}

// launch starts all instances at the same moment, and waits until they serve.
func launch(t testing.TB, o options) *cluster {
	t.Helper()
	c := &cluster{key: tokentest.NewKey(t, "ES256"), folder: t.TempDir()}
	for range instances {
		c.nodes = append(c.nodes, c.prepare(t, o))
	}
	for _, n := range c.nodes {
		n.begin(t)
	}
	for _, n := range c.nodes {
		n.serves(t)
	}
	return c
}

// join starts one more instance, which is not among the cluster's nodes.
func (c *cluster) join(t testing.TB, o options) *node {
	t.Helper()
	n := c.prepare(t, o)
	n.begin(t)
	n.serves(t)
	return n
}

func (c *cluster) prepare(t testing.TB, o options) *node {
	t.Helper()
	keys, folder := filepath.Join(c.folder, "jwks.json"), c.folder
	write(t, keys, tokentest.Set(t, c.key))
	if !o.shared {
		folder = t.TempDir()
	}
	text := strings.NewReplacer("STORE", o.store, "SIGNING", o.signing,
		"FAILURES", fmt.Sprint(cmp.Or(o.failures, 100_000))).Replace(caddyfile)
	return prepare(t, folder, text, "SECRET="+secret, "JWKS="+keys)
}

// onRedis are the lines of a store; more are further ones in its block.
func onRedis(address string, more ...string) string {
	lines := append([]string{`encryption_key "` + sealingKey + `"`}, more...)
	return "store redis redis://" + address + " {\n" + strings.Join(lines, "\n") + "\n}"
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
