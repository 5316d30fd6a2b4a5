package token

// AssertionType is the `typ` of client assertions in the revision of RFC 7523;
// those of its first edition have `JWT` or none.
const AssertionType = "client-authentication+jwt"

// Assertion is a client assertion (RFC 7523 section 2.2) as it was sent: until
// [Assertion.Verify] succeeds, anybody may have written it.
type Assertion struct {
	Issuer    string // iss
	Subject   string // sub
	Audience  string // aud; empty where it is missing or an array
	Expires   int64  // exp; 0: missing
	NotBefore int64  // nbf; 0: missing
	IssuedAt  int64  // iat; 0: missing
	ID        string // jti; empty: missing

	KeyID     string    // kid; empty: missing
	Algorithm Algorithm // alg

	message *message
}

// ReadAssertion reads an assertion and judges its format, `typ` and `alg`.
// Errors are [*Error] and quote nothing.
func ReadAssertion(raw string) (*Assertion, error) {
	m, err := readMessage(raw)
	if err != nil {
		return nil, err
	}
	if m.header.has("typ") && !m.hasType("JWT", AssertionType) {
		return nil, refuse(CheckType, nil)
	}
	alg, err := m.algorithm()
	if err != nil {
		return nil, err
	}
	members, err := m.members()
	if err != nil {
		return nil, err
	}
	assertion := &Assertion{KeyID: m.header.text("kid"), Algorithm: alg, message: m}
	// An array is refused even where it has one element: what else may be in it
	// is how assertions were replayed at another server.
	assertion.Audience = members.text("aud")
	reader := memberReader{members: members}
	assertion.Issuer, assertion.Subject, assertion.ID = reader.text("iss"), reader.text("sub"), reader.text("jti")
	assertion.Expires, assertion.NotBefore, assertion.IssuedAt = reader.date("exp"), reader.date("nbf"), reader.date("iat")
	if reader.err != nil {
		return nil, refuse(CheckFormat, reader.err)
	}
	return assertion, nil
}

// Verify returns nil if one of the keys signed the assertion, and else an
// [*Error]: [CheckKey] where there is no key, or [CheckSignature].
func (a *Assertion) Verify(keys []VerificationKey) error {
	return a.message.verifyAny(a.Algorithm, keys)
}
