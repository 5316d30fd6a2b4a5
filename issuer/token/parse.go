package token

import (
	"fmt"
)

// Keys finds the verification key with an ID. It never fetches anything: a
// token must not make this server send requests (RFC 8725 section 3.10).
type Keys interface {
	Key(id string) (VerificationKey, bool)
}

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
	m, err := readMessage(raw)
	if err != nil {
		return nil, err
	}
	key, err := m.selectKey(keys, types)
	if err != nil {
		return nil, err
	}
	if err := m.verify(key); err != nil {
		return nil, refuse(CheckSignature, fmt.Errorf("with key %s", key.ID))
	}
	members, err := m.members()
	if err != nil {
		return nil, err
	}
	claims, err := readClaims(members)
	if err != nil {
		return nil, refuse(CheckFormat, err)
	}
	return claims, nil
}

// selectKey judges the protected header. It takes nothing from it but the
// choice among keys that configuration gave: `jwk`, `jku`, `x5u` and `x5c`
// are never looked at (RFC 8725 section 3.10).
func (m *message) selectKey(keys Keys, types []string) (VerificationKey, error) {
	if !m.hasType(types...) {
		return VerificationKey{}, refuse(CheckType, nil)
	}
	key, ok := keys.Key(m.text("kid"))
	if !ok {
		return VerificationKey{}, refuse(CheckKey, nil)
	}
	if m.text("alg") != string(key.Algorithm) || key.Algorithm.method() == nil {
		return VerificationKey{}, refuse(CheckAlgorithm, fmt.Errorf("expected %s", key.Algorithm))
	}
	return key, nil
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
	if len(members) > 0 { // an empty map would keep the room that the others took
		claims.Extra = members
	}
	return claims, nil
}
