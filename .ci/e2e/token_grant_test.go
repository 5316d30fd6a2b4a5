package e2e

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestTokenEndpointIssues(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	const orders, bills = "https://orders.example", "https://bills.example"
	basicField := basic("batch", batchSecret)
	rows := []struct {
		name, field, body string
		scope             string
		audience          any
		lifetime          float64
	}{
		{"Basic", basicField, "", "orders:read orders:write", orders, 1200},
		{"post", "", "&client_id=batch&client_secret=" + batchSecret, "orders:read orders:write", orders, 1200},
		{"scheme in capitals", strings.Replace(basicField, "Basic", "BASIC", 1), "", "orders:read orders:write", orders, 1200},
		{"Basic and its client_id", basicField, "&client_id=batch", "orders:read orders:write", orders, 1200},
		{"empty parameters", basicField, "&scope=&resource=&client_secret=", "orders:read orders:write", orders, 1200},
		{"unknown parameter", basicField, "&audience=x&foo=bar", "orders:read orders:write", orders, 1200},
		{"one scope", basicField, "&scope=orders:write", "orders:write", orders, 1200},
		{"order of the request, each once", basicField, "&scope=orders:write+orders:read+orders:write", "orders:write orders:read", orders, 1200},
		{"alias", basicField, "&scope=urn:opc:idm:__myscopes__", "orders:read orders:write", orders, 1200},
		{"one resource", basicField, "&resource=" + bills, "bills:read", bills, 600},
		{"two resources", basicField, "&resource=" + bills + "&resource=" + orders, "orders:read bills:read orders:write", []any{bills, orders}, 600},
		{"resource twice", basicField, "&resource=" + bills + "&resource=" + bills, "bills:read", bills, 600},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			fields := []string{formType + "; charset=UTF-8"}
			if row.field != "" {
				fields = append(fields, row.field)
			}
			got := c.send(t, http.MethodPost, "/oauth2/token?scope=ignored", grantForm+row.body, fields...)
			got.wantStatus(t, 200)
			got.wantTokenHeaders(t)
			members := got.members(t)
			token, _ := members["access_token"].(string)
			delete(members, "access_token")
			want := map[string]any{"token_type": "Bearer", "expires_in": row.lifetime, "scope": row.scope}
			if !reflect.DeepEqual(members, want) {
				t.Errorf("%v, expected %v", members, want)
			}
			_, claims := decode(t, token)
			if !reflect.DeepEqual(claims["aud"], row.audience) || claims["scope"] != row.scope {
				t.Errorf("%v, expected aud %v and scope %s", claims, row.audience, row.scope)
			}
		})
	}
}
