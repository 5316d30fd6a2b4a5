package token

import (
	"crypto"
	"errors"
	"slices"
)

// ProofType is the `typ` of DPoP proofs (RFC 9449 section 4.2).
const ProofType = "dpop+jwt"

// Proof is a DPoP proof (RFC 9449 section 4.2) as it was sent: until
// [Proof.Verify] succeeds, anybody may have written it.
type Proof struct {
	Method          string // htm
	URL             string // htu
	IssuedAt        int64  // iat; 0: missing
	ID              string // jti; empty: missing
	AccessTokenHash string // ath; empty: missing
	Nonce           string // nonce; empty: missing

	JWK       []byte    // the JSON of the public key in the header
	Algorithm Algorithm // alg

	message *message
}

// ReadProof reads a proof and judges its format, `typ` and `alg` (RFC 9449
// section 4.3, checks 2 to 5). Errors are [*Error] and quote nothing.
func ReadProof(raw string) (*Proof, error) {
	m, err := readMessage(raw)
	if err != nil {
		return nil, err
	}
	if !m.hasType(ProofType) {
		return nil, refuse(CheckType, nil)
	}
	alg, err := m.algorithm()
	if err != nil {
		return nil, err
	}
	jwk, err := m.embeddedKey()
	if err != nil {
		return nil, err
	}
	members, err := m.members()
	if err != nil {
		return nil, err
	}
	reader := memberReader{members: members}
	proof := &Proof{
		Method: reader.text("htm"), URL: reader.text("htu"), IssuedAt: reader.date("iat"), ID: reader.text("jti"),
		AccessTokenHash: reader.text("ath"), Nonce: reader.text("nonce"), JWK: jwk, Algorithm: alg, message: m,
	}
	if reader.err != nil {
		return nil, refuse(CheckFormat, reader.err)
	}
	return proof, nil
}

// embeddedKey is the text of the header's `jwk`. Errors are [*Error].
func (m *message) embeddedKey() ([]byte, error) {
	embedded := m.header.find("jwk")
	if embedded == nil || embedded.kind() != '{' {
		return nil, refuse(CheckFormat, errors.New("jwk: expected an object"))
	}
	jwk := embedded.value.(map[string]any)
	// A private key in a header is stolen, each part of it (RFC 9449 section 4.3,
	// check 7; RFC 7518 section 6).
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, private := jwk[member]; private {
			return nil, refuse(CheckKey, errors.New("jwk: expected a public key"))
		}
	}
	if operations, given := jwk["key_ops"]; given {
		if list, _ := operations.([]any); !slices.Contains(list, any("verify")) {
			return nil, refuse(CheckKey, errors.New("jwk: key_ops: expected verify"))
		}
	}
	return embedded.raw, nil
}

// Verify returns nil if the proof was signed with the private half of public,
// which must be the key in [Proof.JWK]; else an [*Error] with [CheckKey] or
// [CheckSignature].
func (p *Proof) Verify(public crypto.PublicKey) error {
	if err := p.Algorithm.CheckKey(public); err != nil {
		return refuse(CheckKey, err)
	}
	if p.message.verify(VerificationKey{Algorithm: p.Algorithm, Public: public}) != nil {
		return refuse(CheckSignature, nil)
	}
	return nil
}
