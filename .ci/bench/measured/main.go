// Command measured is the Caddy that the bench measures: the plugin, what a
// gated proxy needs of Caddy's own modules, and the handlers that its rows are
// compared with, so that both run in one process.
package main

import (
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/logging"

	_ "github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

func main() { caddycmd.Main() }
