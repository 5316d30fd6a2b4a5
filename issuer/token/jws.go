package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// MaxLength is the longest token that is looked at, in bytes. Caddy's own
// limit for all headers together is 16 KiB or more.
const MaxLength = 16 << 10

// strict refuses the bits that base64 leaves over, so that a token has one spelling.
var strict = base64.RawURLEncoding.Strict()

// message is a compact JWS whose payload is a JSON object (RFC 7515 section
// 7.1, RFC 7519), of which nothing is verified. The header is empty where it needed not
// be read.
type message struct {
	header    object
	signed    string // header and payload, as the signature covers them
	signature []byte
}

// readMessage takes a message apart. Any `crit` is an error, since no extension
// is understood (RFC 7515 section 4.1.11). Errors are [*Error] with [CheckFormat].
func readMessage(raw string) (*message, error) {
	signed, signature, err := split(raw)
	if err != nil {
		return nil, refuse(CheckFormat, err)
	}
	encodedHeader, _, _ := strings.Cut(signed, ".")
	header, err := decodeSegment(encodedHeader)
	if err != nil {
		return nil, refuse(CheckFormat, fmt.Errorf("header: %w", err))
	}
	if header.has("crit") {
		return nil, refuse(CheckFormat, errors.New("crit names an extension that is not understood"))
	}
	if id := header.find("kid"); id != nil && id.kind() != '"' { // RFC 7515 section 4.1.4
		return nil, refuse(CheckFormat, errors.New("kid is not a string"))
	}
	return &message{header: header, signed: signed, signature: signature}, nil
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

func decodeSegment(segment string) (object, error) {
	data, err := strict.DecodeString(segment)
	if err != nil {
		return nil, errors.New("not base64url")
	}
	return decodeObject(data)
}

// hasType tells whether `typ` is one of types (RFC 8725 section 3.11).
func (m *message) hasType(types ...string) bool {
	const prefix = "application/"
	typ := m.header.text("typ")
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

// algorithm is the asymmetric one that somebody else has signed with.
func (m *message) algorithm() (Algorithm, error) {
	alg, ok := AlgorithmOf(m.header.text("alg"))
	if !ok {
		return "", refuse(CheckAlgorithm, fmt.Errorf("expected one of %s", strings.Join(AlgorithmNames(), ", ")))
	}
	return alg, nil
}

// verify checks the signature. The key's own algorithm counts: what the header
// says of it must have been compared before.
func (m *message) verify(key VerificationKey) error {
	if err := key.Algorithm.CheckKey(key.Public); err != nil {
		return err
	}
	return key.Algorithm.method().Verify(m.signed, m.signature, key.Public)
}

// members decodes the payload. Errors are [*Error] with [CheckFormat].
func (m *message) members() (object, error) {
	_, encoded, _ := strings.Cut(m.signed, ".")
	members, err := decodeSegment(encoded)
	if err != nil {
		return nil, refuse(CheckFormat, fmt.Errorf("claims: %w", err))
	}
	return members, nil
}
