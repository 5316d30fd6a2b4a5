package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Foreign says how tokens of another authorization server are read: what RFC
// 9068 settles, others settled in ways of their own before.
type Foreign struct {
	Type         string      // the accepted `typ`, as [Parse] compares it; empty: any or none
	Algorithms   []Algorithm // that it signs with; never chosen by a token
	ScopeClaims  []string    // the first that a token has counts: a string or an array
	ClientClaims []string    // the first that a token has counts: a string
}

// Unverified is a token of another authorization server as it was sent: until
// [Unverified.Verify] succeeds, anybody may have written it.
type Unverified struct {
	KeyID     string    // kid; empty: missing
	Algorithm Algorithm // alg, one of those accepted

	claims  *Claims
	message *message
}

// Issuer returns the `iss` that a token claims to have, to choose whose keys it
// is judged with; it is worth nothing by itself. It is empty where there is none.
func Issuer(raw string) (string, error) {
	m, err := readMessage(raw)
	if err != nil {
		return "", err
	}
	members, err := m.members()
	if err != nil {
		return "", err
	}
	return members.text("iss"), nil
}

// Read reads a token and judges its format, `typ` and `alg`. Errors are
// [*Error] and quote nothing.
func (f *Foreign) Read(raw string) (*Unverified, error) {
	m, err := readMessage(raw)
	if err != nil {
		return nil, err
	}
	if f.Type != "" && !m.hasType(f.Type) {
		return nil, refuse(CheckType, nil)
	}
	alg, err := m.algorithm()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(f.Algorithms, alg) {
		return nil, refuse(CheckAlgorithm, fmt.Errorf("expected one of %s", joined(f.Algorithms)))
	}
	members, err := m.members()
	if err != nil {
		return nil, err
	}
	claims, err := f.readClaims(members)
	if err != nil {
		return nil, err
	}
	return &Unverified{KeyID: m.header.text("kid"), Algorithm: alg, claims: claims, message: m}, nil
}

func joined(algorithms []Algorithm) string {
	names := make([]string, len(algorithms))
	for i, alg := range algorithms {
		names[i] = string(alg)
	}
	return strings.Join(names, ", ")
}

// Verify returns the claims if one of the keys signed the token, and else an
// [*Error]: [CheckKey] where there is no key, or [CheckSignature]. Time, issuer
// and audience are the caller's to judge.
func (u *Unverified) Verify(keys []VerificationKey) (*Claims, error) {
	if err := u.message.verifyAny(u.Algorithm, keys); err != nil {
		return nil, err
	}
	return u.claims, nil
}

// readClaims reads what [Claims] has fields for. What is read remains in Extra,
// but for what has a meaning here: others give those names meanings of their own.
func (f *Foreign) readClaims(members object) (*Claims, error) {
	scope, err := f.scope(members)
	if err != nil {
		return nil, err
	}
	client := f.client(members)
	reader := memberReader{members: members}
	claims := &Claims{
		Issuer: reader.text("iss"), Subject: reader.text("sub"), Audience: reader.texts("aud", true), ClientID: client,
		IssuedAt: reader.date("iat"), NotBefore: reader.date("nbf"), Expires: reader.date("exp"), ID: reader.text("jti"),
		Scope: scope, Confirmation: reader.confirmation("cnf"),
	}
	if reader.err != nil {
		return nil, refuse(CheckFormat, reader.err)
	}
	claims.Roles = reader.optionalTexts("roles")
	for _, name := range []string{"client_id", "scope"} {
		reader.take(name) // what they say stands in fields
	}
	claims.Extra = members.rest()
	return claims, nil
}

// client is the first of the client's names that the token has.
func (f *Foreign) client(members object) string {
	for _, name := range f.ClientClaims {
		if text, isText := members.find(name).text(); isText {
			return text
		}
	}
	return ""
}

// scope is the first of the scope's claims that the token has: a string with
// spaces or an array of strings.
func (f *Foreign) scope(members object) (Scopes, error) {
	for _, name := range f.ScopeClaims {
		found := members.find(name)
		if found == nil {
			continue
		}
		text, isText := found.text()
		if list, isList := found.value.([]any); isList {
			text, isText = joinTexts(list)
		}
		scope, err := ParseScope(text)
		if !isText || err != nil {
			return nil, refuse(CheckIdentity, fmt.Errorf("%s is not a list of scope values", name))
		}
		return scope, nil
	}
	return nil, nil
}

// joinTexts joins texts with spaces; ok is false where one is none or has a
// space itself, which would make two of it.
func joinTexts(list []any) (text string, ok bool) {
	texts := make([]string, len(list))
	for i, element := range list {
		if texts[i], ok = element.(string); !ok || texts[i] == "" || strings.Contains(texts[i], " ") {
			return "", false
		}
	}
	return strings.Join(texts, " "), true
}

// verifyAny returns nil if one of the keys signed the message with the
// algorithm, and else an [*Error].
func (m *message) verifyAny(alg Algorithm, keys []VerificationKey) error {
	if len(keys) == 0 {
		return refuse(CheckKey, errors.New("no key fits kid and alg"))
	}
	for _, key := range keys {
		if key.Algorithm == alg && m.verify(key) == nil {
			return nil
		}
	}
	return refuse(CheckSignature, nil)
}
