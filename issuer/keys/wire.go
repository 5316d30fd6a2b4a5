package keys

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The functions here read what stands beside private keys. None of their
// errors quotes the text: with a misplaced quote it may be a piece of a key.

// pemType is the PEM label of PKCS#8. PEM rather than bare base64, since people
// and scanners for leaked secrets know it when they see it.
const pemType = "PRIVATE KEY"

func encodePrivate(private crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", errors.New("private: not a key that PKCS#8 is defined for")
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})), nil
}

func decodePrivate(text string) (crypto.Signer, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || !strings.HasPrefix(text, "-----BEGIN ") || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("expected one PEM block")
	}
	if block.Type != pemType || len(block.Headers) > 0 {
		return nil, fmt.Errorf("expected a PEM block of type %q without headers", pemType)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a valid PKCS#8 key")
	}
	private, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("not a key that can sign")
	}
	return private, nil
}

func writeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func readTime(member, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.IsZero() {
		return time.Time{}, fmt.Errorf("%s: expected an RFC 3339 time", member)
	}
	return t.UTC(), nil
}

// decodeStrictly reads one JSON document of the current version into v, all of
// whose members must be known.
func decodeStrictly(data []byte, v any) error {
	var head struct {
		Version *int `json:"version"`
	}
	// First, so that a document of a later version is not blamed for its members.
	if err := json.Unmarshal(data, &head); err != nil {
		return describe(err)
	}
	if head.Version == nil || *head.Version != documentVersion {
		return fmt.Errorf("version: expected %d (a newer release may have written this)", documentVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return describe(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("not JSON: data after the object")
	}
	return nil
}

// describe says where encoding/json stopped, without the text that it quotes.
func describe(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON (at byte %d)", syntax.Offset)
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: a value of the wrong type (at byte %d)", mismatch.Field, mismatch.Offset)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok && isMemberName(name) {
		return fmt.Errorf("unknown member %s", name)
	}
	return errors.New("a member that is not known")
}

// isMemberName tells a quoted member name from a piece of a key: base64 has
// capitals, and names are short.
func isMemberName(quoted string) bool {
	return len(quoted) <= 34 && strings.Trim(quoted, `"abcdefghijklmnopqrstuvwxyz_`) == ""
}

// printableID is a kid for an error text: itself where it can be a thumbprint.
func printableID(id string) string {
	if len(id) != 43 || strings.ContainsFunc(id, notBase64URL) {
		return "kid is not a thumbprint"
	}
	return id
}

func notBase64URL(r rune) bool {
	alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !alphanumeric && r != '-' && r != '_'
}
