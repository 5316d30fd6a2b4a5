package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const openapiCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		resource http://localhost {
			scopes read write admin
		}
		client reader {
			secret {env.BATCH_SECRET}
			scopes read
		}
		client writer {
			secret {env.BATCH_SECRET}
			scopes read write
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		openapi {env.FOLDER}/api.yaml
		require GET /v1/orders/special admin
		require * /v1/inner/ admin
	}
	reverse_proxy {$UPSTREAM}
}
`

const openapiDocument = `openapi: 3.1.0
info: {title: Orders, version: "1"}
servers: [{url: "https://api.example.com/v1"}]
security: [{login: [read]}]
paths:
  /health:
    get: {security: [], responses: {"200": {description: fine}}}
  /inner/ping:
    get: {security: [], responses: {"200": {description: fine}}}
  /orders:
    get: {responses: {"200": {description: fine}}}
    post: {security: [{login: [write]}], responses: {"200": {description: fine}}}
  /orders/{id}:
    get: {security: [{login: [write]}, {login: [admin]}], responses: {"200": {description: fine}}}
components:
  securitySchemes:
    login:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: /oauth2/token, scopes: {read: r, write: w, admin: a}}}
`

// What the document says of an operation is what a request needs; what it does
// not list is refused, and explicit rules win. It is read again when it changes.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "api.yaml")
	put := func(text string) {
		t.Helper()
		writeFile(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	put(openapiDocument)
	c := launch(t, openapiCaddyfile, "BATCH_SECRET="+batchSecret, "FOLDER="+folder)
	reader, writer := c.token(t, "reader", batchSecret), c.token(t, "writer", batchSecret)
	for _, row := range []struct {
		method, path, token string
		status              int
	}{
		{"GET", "/v1/health", "", 200},
		{"HEAD", "/v1/health", "", 200},
		{"POST", "/v1/health", writer, 403},
		{"GET", "/v1/orders", "", 401},
		{"GET", "/v1/orders", reader, 200},
		{"HEAD", "/v1/orders", reader, 200},
		{"POST", "/v1/orders", reader, 403},
		{"POST", "/v1/orders", writer, 200},
		{"GET", "/v1/orders/7", reader, 403},
		{"GET", "/v1/orders/7", writer, 200},
		{"GET", "/v1/orders/special", writer, 403},
		{"GET", "/v1/orders/", writer, 403},
		{"GET", "/v1/inner/ping", "", 200}, // the most specific rule counts
		{"GET", "/v1/inner/other", writer, 403},
		{"GET", "/orders", writer, 403},
		{"GET", "/v1/other", writer, 403},
		{"GET", "/v1//orders", reader, 400},
	} {
		fields := []string{}
		if row.token != "" {
			fields = append(fields, bearer(row.token))
		}
		if got := c.send(t, row.method, row.path, "", fields...); got.status != row.status {
			t.Errorf("%s %s: %s", row.method, row.path, got)
		}
	}
	if err := c.await("a document makes public what is below a rule that needs a token", patience); err != nil {
		t.Error(err)
	}
	c.upstream.drain()
	put(strings.Replace(openapiDocument, "  /orders:\n", "  /other:\n    get: {responses: {\"200\": {description: fine}}}\n  /orders:\n", 1))
	if err := c.await("a changed file was read again", patience); err != nil {
		t.Fatal(err)
	}
	c.get(t, "/v1/other", bearer(reader)).wantStatus(t, 200)
	for _, broken := range []string{"openapi: [", strings.Replace(openapiDocument, "[write]", "[unknown]", 1), strings.Replace(openapiDocument, "login:\n", "x:\n", 1)} {
		put(broken)
		if err := c.await("a changed file cannot be used", patience); err != nil {
			t.Fatal(err)
		}
		c.get(t, "/v1/other", bearer(reader)).wantStatus(t, 200)
	}
	c.wantFailure(t, c.reload(t, openapiCaddyfile, "--force"), `gate for "http://localhost": openapi: file `+path)
	c.get(t, "/v1/other", bearer(reader)).wantStatus(t, 200)
	put(openapiDocument)
	if got := c.reload(t, openapiCaddyfile, "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	c.get(t, "/v1/other", bearer(reader)).wantStatus(t, 403)
}
