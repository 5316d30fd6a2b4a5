package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"testing"
)

// startFastCGI stands for PHP, and answers with the url that it makes of REQUEST_URI,
// by which PHP's frameworks route.
func startFastCGI(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		_ = fcgi.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.URL.RequestURI()+" for "+r.Header.Get("X-Client-Id"))
		}))
	}()
	return listener.Addr().String()
}

const phpCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	root * {$HOME}
	oauth2_issuer
	oauth2_gate {
		require * / read
		require * /admin/ admin
	}
	rewrite /moved/* /admin/moved
	@direct path *.php/*
	respond @direct 404
	php_fastcgi {env.PHP} {
		try_files {path} index.php
	}
}
`

// PHP behind the gate hears what the rules were asked about, and the lines of the page
// keep the paths out that its frameworks read as others.
func TestPHP(t *testing.T) {
	t.Parallel()
	c := prepare(t, phpCaddyfile, "BATCH_SECRET="+batchSecret, "PHP="+startFastCGI(t))
	writeFile(t, c.folder+"/index.php", "")
	c.start(t)
	token := bearer(c.token(t, "batch", batchSecret))
	for path, want := range map[string]string{
		"/orders/17?a=b": "/orders/17?a=b for batch", "/index.php": "/index.php for batch", "/orders/x.php": "/orders/x.php for batch",
	} {
		if got := c.get(t, path, token, "X-Client-Id: root", "X_Client_Id: root"); got.status != 200 || got.body != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	for path, status := range map[string]int{
		"/admin/x": 403, "/moved/x": 403, "/index.php/admin/x": 404, "/INDEX.PHP/admin/x": 404, "/index%2ephp/admin": 404, "/x/index.php/admin": 404,
		"/index.php%2fadmin": 400, "/index.php;/admin": 400, "/index.php//admin": 400, "/index.php./admin": 400,
	} {
		if got := c.get(t, path, token); got.status != status {
			t.Errorf("%s: %s, expected %d", path, got, status)
		}
	}
}
