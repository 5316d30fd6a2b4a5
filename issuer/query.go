package issuer

import (
	"encoding/hex"
	"slices"
	"strings"
)

// credentialParameters are those that must never be in a url.
var credentialParameters = []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"}

// checkQuery refuses credentials in the query rather than ignoring them, so
// that whoever sends them there learns of it. Everything else there is ignored.
// It is read more generously than [url.ParseQuery] reads, which drops what it
// cannot decode: the secret is in the logs all the same.
func checkQuery(query string) *Error {
	pairs := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for _, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		if slices.Contains(credentialParameters, decodeName(name)) {
			return invalidRequest("credentials_in_query", "client credentials must not be in the query")
		}
	}
	return nil
}

// decodeName decodes the name of a parameter without what is no escape.
func decodeName(name string) string {
	if !strings.Contains(name, "%") {
		return name
	}
	decoded := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			decoded = append(decoded, name[i])
			continue
		}
		escape := name[i+1 : min(i+3, len(name))]
		if value, err := hex.DecodeString(escape); err == nil {
			decoded = append(decoded, value...)
		}
		i += len(escape)
	}
	return string(decoded)
}
