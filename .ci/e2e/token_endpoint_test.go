package e2e

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

const tokenEndpointCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		limits {
			token_failures 1000 1m
		}
		scope_alias urn:opc:idm:__myscopes__
		resource https://orders.example {
			scopes orders:read orders:write
			token_lifetime 20m
		}
		resource https://bills.example {
			scopes bills:read
			token_lifetime 10m
		}
		resource urn:example:secret {
			scopes secret:read
		}
		role clerk orders:write
		client batch {
			secret {env.BATCH_SECRET}
			secret {env.OLD_SECRET} {
				id old
				expires 2020-01-01T00:00:00Z
			}
			scopes orders:read bills:read
			roles clerk
			resources https://orders.example https://bills.example
			subject service-account-7
			claims tenant acme
		}
		client off {
			secret {env.BATCH_SECRET}
			scopes orders:read
			disabled
		}
		client keyless {
			scopes orders:read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	respond 418
}
`

const (
	batchSecret = "batch-secret-for-tests"
	oldSecret   = "expired-secret-for-tests"
)

func launchTokenEndpoint(t *testing.T) *instance {
	t.Helper()
	return launch(t, tokenEndpointCaddyfile, "BATCH_SECRET="+batchSecret, "OLD_SECRET="+oldSecret)
}

const grantForm = "grant_type=client_credentials"

// refusals are the rows of contract section 3 that end in an error.
var refusals = []struct {
	name    string
	method  string // default POST
	query   string
	body    string
	fields  []string
	status  int
	code    string
	replace bool // fields replace the media type and the right credentials
}{
	{name: "GET", method: "GET", status: 405, code: "invalid_request"},
	{name: "PUT", method: "PUT", body: grantForm, status: 405, code: "invalid_request"},
	{name: "DELETE", method: "DELETE", status: 405, code: "invalid_request"},
	{name: "OPTIONS", method: "OPTIONS", status: 405, code: "invalid_request"},

	{name: "JSON", body: `{"grant_type":"client_credentials"}`, replace: true, fields: []string{"Content-Type: application/json", basic("batch", batchSecret)}, status: 400, code: "invalid_request"},
	{name: "multipart", body: "--x--", replace: true, fields: []string{"Content-Type: multipart/form-data; boundary=x", basic("batch", batchSecret)}, status: 400, code: "invalid_request"},
	{name: "no media type", body: grantForm, replace: true, fields: []string{basic("batch", batchSecret)}, status: 400, code: "invalid_request"},
	{name: "two media types", body: grantForm, fields: []string{"Content-Type: application/json"}, status: 400, code: "invalid_request"},
	{name: "bad escape", body: grantForm + "&scope=%zz", status: 400, code: "invalid_request"},
	{name: "semicolon", body: grantForm + ";scope=orders:read", status: 400, code: "invalid_request"},
	{name: "not UTF-8", body: grantForm + "&scope=%ff", status: 400, code: "invalid_request"},
	{name: "64 KiB and a byte", body: grantForm + "&x=" + strings.Repeat("x", 64<<10-len(grantForm)-2), status: 413, code: "invalid_request"},
	{name: "200 KiB", body: grantForm + "&x=" + strings.Repeat("x", 200<<10), status: 413, code: "invalid_request"},
	{name: "grant_type twice", body: grantForm + "&" + grantForm, status: 400, code: "invalid_request"},
	{name: "scope twice", body: grantForm + "&scope=orders:read&scope=orders:read", status: 400, code: "invalid_request"},
	{name: "client_id twice", body: grantForm + "&client_id=batch&client_id=batch", status: 400, code: "invalid_request"},
	{name: "unknown one twice", body: grantForm + "&x=1&x=1", status: 400, code: "invalid_request"},

	{name: "client_id in the query", query: "?client_id=batch", body: grantForm, status: 400, code: "invalid_request"},
	{name: "all credentials in the query", query: "?client_id=batch&client_secret=" + batchSecret, body: grantForm, replace: true, fields: []string{formType}, status: 400, code: "invalid_request"},
	{name: "assertion in the query", query: "?client_assertion=a.b.c", body: grantForm, status: 400, code: "invalid_request"},

	{name: "no grant_type", body: "scope=orders:read", status: 400, code: "invalid_request"},
	{name: "empty grant_type", body: "grant_type=", status: 400, code: "invalid_request"},
	{name: "empty body", status: 400, code: "invalid_request"},
	{name: "grant_type in the query", query: "?" + grantForm, status: 400, code: "invalid_request"},
	{name: "password grant", body: "grant_type=password", status: 400, code: "unsupported_grant_type"},
	{name: "grant_type in capitals", body: "grant_type=CLIENT_CREDENTIALS", status: 400, code: "unsupported_grant_type"},

	{name: "Basic and client_secret", body: grantForm + "&client_secret=" + batchSecret, status: 400, code: "invalid_request"},
	{name: "Basic and post", body: grantForm + "&client_id=batch&client_secret=" + batchSecret, status: 400, code: "invalid_request"},
	{name: "Basic twice", body: grantForm, fields: []string{basic("batch", batchSecret)}, status: 400, code: "invalid_request"},
	{name: "Basic and assertion", body: grantForm + "&client_assertion=a.b.c", status: 400, code: "invalid_request"},
	{name: "post and assertion", body: grantForm + "&client_id=batch&client_secret=" + batchSecret + "&client_assertion=a.b.c", replace: true, fields: []string{formType}, status: 400, code: "invalid_request"},
	{name: "another client_id", body: grantForm + "&client_id=off", status: 400, code: "invalid_request"},

	{name: "scope of nobody", body: grantForm + "&scope=orders:delete", status: 400, code: "invalid_scope"},
	{name: "scope of another resource", body: grantForm + "&scope=bills:read", status: 400, code: "invalid_scope"},
	{name: "scope in capitals", body: grantForm + "&scope=Orders:read", status: 400, code: "invalid_scope"},
	{name: "scope with two spaces", body: grantForm + "&scope=orders:read++orders:write", status: 400, code: "invalid_scope"},
	{name: "scope with a quote", body: grantForm + "&scope=%22", status: 400, code: "invalid_scope"},
	{name: "scope with a line break", body: grantForm + "&scope=orders:read%0aorders:write", status: 400, code: "invalid_scope"},
	{name: "granted and not granted scope", body: grantForm + "&scope=orders:read+secret:read", status: 400, code: "invalid_scope"},

	{name: "unknown resource", body: grantForm + "&resource=https://nowhere.example", status: 400, code: "invalid_target"},
	{name: "resource that is not granted", body: grantForm + "&resource=urn:example:secret", status: 400, code: "invalid_target"},
	{name: "relative resource", body: grantForm + "&resource=/orders", status: 400, code: "invalid_target"},
	{name: "resource with fragment", body: grantForm + "&resource=https://orders.example%23x", status: 400, code: "invalid_target"},
	{name: "good and bad resource", body: grantForm + "&resource=https://orders.example&resource=urn:example:secret", status: 400, code: "invalid_target"},
	{name: "resource with a slash more", body: grantForm + "&resource=https://orders.example/", status: 400, code: "invalid_target"},
}

func TestTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	for _, row := range refusals {
		t.Run(row.name, func(t *testing.T) {
			fields := row.fields
			if !row.replace {
				fields = append([]string{formType, basic("batch", batchSecret)}, row.fields...)
			}
			if row.method == "" {
				row.method = http.MethodPost
			}
			got := c.send(t, row.method, "/oauth2/token"+row.query, row.body, fields...)
			got.wantError(t, row.status, row.code)
			got.wantTokenHeaders(t)
			if allow := got.header.Get("Allow"); row.status == 405 && allow != "POST" {
				t.Errorf("Allow: %q", allow)
			}
			description, _ := got.members(t)["error_description"].(string)
			if description == "" || strings.ContainsAny(description, "\"\\") {
				t.Errorf("error_description %q", description)
			}
		})
	}
	c.upstream.silent(t)
}

// wantTokenHeaders checks what every answer of the token endpoint has.
func (a answer) wantTokenHeaders(t testing.TB) {
	t.Helper()
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
	} {
		if got := a.header.Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, expected %q", name, got, value)
		}
	}
}

// A chunked body has no length to refuse it by, and must be cut all the same.
func TestTokenEndpointChunkedBody(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	head := []string{"POST /oauth2/token HTTP/1.1", "Host: localhost", formType, basic("batch", batchSecret), "Transfer-Encoding: chunked", ""}
	c.raw(t, lines(append(head, "1d", grantForm, "0", "", "")...)).wantStatus(t, 200)
	big := strings.Repeat("x", 0x12000)
	c.raw(t, lines(append(head, "1d", grantForm, "12000", big, "0", "", "")...)).wantError(t, 413, "invalid_request")
}

func (a answer) wantStatus(t testing.TB, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, expected %d: %s", a.status, status, a)
	}
}

// HEAD is not POST either, and answers without a body.
func TestTokenEndpointHead(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	got := c.send(t, http.MethodHead, "/oauth2/token", "")
	if got.status != 405 || got.header.Get("Allow") != "POST" || got.body != "" {
		t.Errorf("%s", got)
	}
}

// Whatever is wrong with the credentials, the answer is the same to the byte:
// nobody learns which clients there are (RFC 6749 section 5.2).
func TestTokenEndpointInvalidClient(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	encoded := func(text string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	rows := []struct{ name, field, body string }{
		{"nothing", "", grantForm},
		{"client_id alone", "", grantForm + "&client_id=batch"},
		{"client_secret alone", "", grantForm + "&client_secret=" + batchSecret},
		{"wrong secret, Basic", basic("batch", "wrong-secret-wrong-secret"), grantForm},
		{"wrong secret, post", "", grantForm + "&client_id=batch&client_secret=wrong-secret-wrong-secret"},
		{"empty secret, Basic", basic("batch", ""), grantForm},
		{"empty secret, post", "", grantForm + "&client_id=batch&client_secret="},
		{"unknown client", basic("nobody", batchSecret), grantForm},
		{"empty client", basic("", batchSecret), grantForm},
		{"client in capitals", basic("BATCH", batchSecret), grantForm},
		{"disabled client", basic("off", batchSecret), grantForm},
		{"client without secrets", basic("keyless", batchSecret), grantForm},
		{"expired secret", basic("batch", oldSecret), grantForm},
		{"secret with a byte more", basic("batch", batchSecret+"x"), grantForm},
		{"secret with a NUL", basic("batch", batchSecret+"\x00"), grantForm},
		{"swapped", basic(batchSecret, "batch"), grantForm},
		{"not base64", "Authorization: Basic !!!", grantForm},
		{"no colon", encoded("batch"), grantForm},
		{"bad escape", encoded("batch:%zz"), grantForm},
		{"not UTF-8", encoded("batch:\xff\xfe"), grantForm},
		{"no credentials", "Authorization: Basic", grantForm},
		{"another scheme", "Authorization: Bearer a.b.c", grantForm},
		{"assertion of an unknown type", "", grantForm + "&client_id=batch&client_assertion_type=x&client_assertion=y"},
		{"assertion", "", grantForm + "&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c"},
		{"wrong secret comes before a bad scope", basic("batch", "wrong-secret-wrong-secret"), grantForm + "&scope=%22"},
		{"wrong secret comes before a bad resource", basic("batch", "wrong-secret-wrong-secret"), grantForm + "&resource=x"},
	}
	const want = `{"error":"invalid_client","error_description":"client authentication failed"}`
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			fields := []string{formType}
			if row.field != "" {
				fields = append(fields, row.field)
			}
			got := c.send(t, http.MethodPost, "/oauth2/token", row.body, fields...)
			if got.status != 401 || got.body != want {
				t.Errorf("%s", got)
			}
			got.wantTokenHeaders(t)
			if challenge := got.header.Values("WWW-Authenticate"); len(challenge) != 1 || challenge[0] != `Basic realm="http://localhost"` {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
		})
	}
}
