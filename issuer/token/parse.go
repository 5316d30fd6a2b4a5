package token

import (
	"errors"
	"fmt"
	"strings"
)

// Keys finds verification keys. It never fetches anything: a token must not make
// this server send requests (RFC 8725 section 3.10).
type Keys interface {
	// Key finds the one with an ID.
	Key(id string) (VerificationKey, bool)
	// KeyOf finds the one whose [Signer] writes exactly this header, still encoded. Of a
	// header that is found here nothing is read: it says what the key does. What is not
	// found is read, and may still name a key.
	KeyOf(header string) (VerificationKey, bool)
}

// Parse verifies an access token of this issuer against its keys and returns the
// claims.
//
// It judges format, typ, key, alg and signature, in this order; typ is [Type],
// compared without case and without a leading "application/" (RFC 7515 section 4.1.9,
// RFC 9068 section 4). The claims are authentic and not yet judged: time, issuer and
// audience are the caller's. Members that a claim set lacks are zero values; a member
// of the wrong type, one that stands twice, or any `crit` is [CheckFormat] (RFC 7515
// section 4.1.11). Errors are [*Error].
func Parse(raw string, keys Keys) (*Claims, error) {
	m, key, err := readSigned(raw, keys)
	if err != nil {
		return nil, err
	}
	if err := m.verify(key); err != nil {
		return nil, refuse(CheckSignature, errors.New("with key "+key.ID))
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

// readSigned takes a token apart and finds the key to verify it with.
func readSigned(raw string, keys Keys) (*message, VerificationKey, error) {
	header, _, _ := strings.Cut(raw, ".")
	if key, usual := keys.KeyOf(header); usual {
		signed, signature, err := split(raw)
		if err != nil {
			return nil, VerificationKey{}, refuse(CheckFormat, err)
		}
		return &message{signed: signed, signature: signature}, key, nil
	}
	m, err := readMessage(raw)
	if err != nil {
		return nil, VerificationKey{}, err
	}
	key, err := m.selectKey(keys)
	return m, key, err
}

// selectKey judges the protected header. It takes nothing from it but the
// choice among keys that configuration gave: `jwk`, `jku`, `x5u` and `x5c`
// are never looked at (RFC 8725 section 3.10).
func (m *message) selectKey(keys Keys) (VerificationKey, error) {
	if !m.hasType(Type) {
		return VerificationKey{}, refuse(CheckType, nil)
	}
	key, ok := keys.Key(m.header.text("kid"))
	if !ok {
		return VerificationKey{}, refuse(CheckKey, nil)
	}
	if m.header.text("alg") != string(key.Algorithm) || key.Algorithm.method() == nil {
		return VerificationKey{}, refuse(CheckAlgorithm, fmt.Errorf("expected %s", key.Algorithm))
	}
	return key, nil
}

// readClaims takes the members that [Claims] has fields for; what remains are the
// extra ones.
func readClaims(members object) (*Claims, error) {
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
	claims.Extra = members.rest()
	return claims, nil
}
