package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// MaxLength is the longest token that is looked at, in bytes. Caddy's own
// limit for all headers together is 16 KiB or more.
const MaxLength = 16 << 10

// Keys finds the verification key with an ID. It never fetches anything: a
// token must not make this server send requests (RFC 8725 section 3.10).
type Keys interface {
	Key(id string) (VerificationKey, bool)
}

// strict refuses the bits that base64 leaves over, so that a token has one spelling.
var strict = base64.RawURLEncoding.Strict()

// Parse verifies a compact JWS against keys and returns its claims. types are
// the accepted values of `typ`, compared without case and without a leading
// "application/" (RFC 7515 section 4.1.9, RFC 9068 section 4).
//
// It judges format, typ, key, alg and signature, in this order. The claims are
// authentic and not yet judged: time, issuer and audience are the caller's.
// Members that a claim set lacks are zero values; a member of the wrong type,
// one that stands twice, or any `crit` is [CheckFormat] (RFC 7515 section
// 4.1.11). Errors are [*Error].
func Parse(raw string, keys Keys, types ...string) (*Claims, error) {
	signed, signature, err := split(raw)
	if err != nil {
		return nil, refuse(CheckFormat, err)
	}
	encodedHeader, encodedPayload, _ := strings.Cut(signed, ".")
	header, err := decodeSegment(encodedHeader)
	if err != nil {
		return nil, refuse(CheckFormat, fmt.Errorf("header: %w", err))
	}
	key, err := selectKey(header, keys, types)
	if err != nil {
		return nil, err
	}
	if err := key.Algorithm.method().Verify(signed, signature, key.Public); err != nil {
		return nil, refuse(CheckSignature, fmt.Errorf("with key %s", key.ID))
	}
	members, err := decodeSegment(encodedPayload)
	if err != nil {
		return nil, refuse(CheckFormat, fmt.Errorf("claims: %w", err))
	}
	claims, err := readClaims(members)
	if err != nil {
		return nil, refuse(CheckFormat, err)
	}
	return claims, nil
}

func split(raw string) (signed string, signature []byte, err error) {
	if len(raw) > MaxLength {
		return "", nil, fmt.Errorf("longer than %d bytes", MaxLength)
	}
	// The decoder skips line breaks: a token would have more than one spelling.
	if strings.Count(raw, ".") != 2 || strings.ContainsAny(raw, "\r\n") {
		return "", nil, errors.New("not a compact JWS of three parts")
	}
	last := strings.LastIndexByte(raw, '.')
	signature, err = strict.DecodeString(raw[last+1:])
	if err != nil {
		return "", nil, errors.New("signature: not base64url")
	}
	return raw[:last], signature, nil
}

func decodeSegment(segment string) (map[string]any, error) {
	data, err := strict.DecodeString(segment)
	if err != nil {
		return nil, errors.New("not base64url")
	}
	return decodeObject(data)
}

// selectKey judges the protected header. It takes nothing from it but the
// choice among keys that configuration gave: `jwk`, `jku`, `x5u` and `x5c`
// are never looked at (RFC 8725 section 3.10).
func selectKey(header map[string]any, keys Keys, types []string) (VerificationKey, error) {
	if _, critical := header["crit"]; critical {
		return VerificationKey{}, refuse(CheckFormat, errors.New("crit names an extension that is not understood"))
	}
	if typ, _ := header["typ"].(string); !acceptedType(typ, types) {
		return VerificationKey{}, refuse(CheckType, nil)
	}
	id, _ := header["kid"].(string)
	key, ok := keys.Key(id)
	if !ok {
		return VerificationKey{}, refuse(CheckKey, nil)
	}
	if alg, _ := header["alg"].(string); alg != string(key.Algorithm) || key.Algorithm.method() == nil {
		return VerificationKey{}, refuse(CheckAlgorithm, fmt.Errorf("expected %s", key.Algorithm))
	}
	return key, nil
}

func acceptedType(typ string, types []string) bool {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		typ = typ[len(prefix):]
	}
	for _, accepted := range types {
		if strings.EqualFold(typ, accepted) {
			return true
		}
	}
	return false
}

// readClaims moves the members that [Claims] has fields for out of the map;
// what remains are the extra ones.
func readClaims(members map[string]any) (*Claims, error) {
	reader := memberReader{members: members}
	claims := &Claims{
		Issuer:    reader.text("iss"),
		Subject:   reader.text("sub"),
		Audience:  reader.texts("aud", true),
		ClientID:  reader.text("client_id"),
		IssuedAt:  reader.date("iat"),
		NotBefore: reader.date("nbf"),
		Expires:   reader.date("exp"),
		ID:        reader.text("jti"),
		Scope:     reader.scope("scope"),
		Roles:     reader.texts("roles", false),
	}
	claims.Confirmation = reader.confirmation("cnf")
	if reader.err != nil {
		return nil, reader.err
	}
	claims.Extra = members
	return claims, nil
}

// memberReader takes typed members out of a claim set and keeps the first error.
type memberReader struct {
	members map[string]any
	err     error
}

func (r *memberReader) take(name string) (any, bool) {
	value, ok := r.members[name]
	delete(r.members, name)
	return value, ok
}

func (r *memberReader) fail(name, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is not %s", name, expected)
	}
}

func (r *memberReader) text(name string) string {
	value, ok := r.take(name)
	text, isText := value.(string)
	if ok && !isText {
		r.fail(name, "a string")
	}
	return text
}

func (r *memberReader) texts(name string, single bool) []string {
	value, ok := r.take(name)
	if !ok {
		return nil
	}
	if text, isText := value.(string); isText && single {
		return []string{text}
	}
	array, isArray := value.([]any)
	if !isArray {
		r.fail(name, "an array of strings")
		return nil
	}
	if len(array) == 0 {
		return nil
	}
	list := make([]string, 0, len(array))
	for _, element := range array {
		text, isText := element.(string)
		if !isText {
			r.fail(name, "an array of strings")
		}
		list = append(list, text)
	}
	return list
}

// date reads a NumericDate (RFC 7519 section 2), which may have a fraction.
func (r *memberReader) date(name string) int64 {
	value, ok := r.take(name)
	if !ok {
		return 0
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 1<<53 {
		r.fail(name, "a date")
		return 0
	}
	return int64(math.Floor(seconds))
}

func (r *memberReader) scope(name string) Scopes {
	value, ok := r.take(name)
	if !ok {
		return nil
	}
	text, isText := value.(string)
	if !isText {
		r.fail(name, "a string")
		return nil
	}
	scopes, err := ParseScope(text)
	if err != nil || text == "" {
		r.fail(name, "a list of scope values")
	}
	return scopes
}

func (r *memberReader) confirmation(name string) *Confirmation {
	value, ok := r.take(name)
	if !ok {
		return nil
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		r.fail(name, "an object")
		return nil
	}
	inner := memberReader{members: object}
	confirmation := &Confirmation{CertificateThumbprint: inner.text("x5t#S256"), KeyThumbprint: inner.text("jkt")}
	// A confirmation method that is not understood must not be dropped: the
	// token would pass as one that nobody has to prove (RFC 7800 section 3.1).
	if inner.err != nil || len(object) > 0 || *confirmation == (Confirmation{}) {
		r.fail(name, "a known confirmation method")
	}
	return confirmation
}
