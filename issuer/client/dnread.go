package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readDistinguishedName reads the DER of a Name (RFC 5280 section 4.1.2.4). An
// error means that some part of it has no meaning here: then no part counts.
func readDistinguishedName(der []byte) (distinguishedName, error) {
	input := cryptobyte.String(der)
	var sequence cryptobyte.String
	if !input.ReadASN1(&sequence, cbasn1.SEQUENCE) || !input.Empty() {
		return nil, errors.New("expected a sequence of relative names")
	}
	var name distinguishedName
	for !sequence.Empty() {
		var set cryptobyte.String
		if !sequence.ReadASN1(&set, cbasn1.SET) {
			return nil, errors.New("expected a set of attributes")
		}
		relative, err := readRelativeName(set)
		if err != nil {
			return nil, err
		}
		name = append(name, relative)
	}
	slices.Reverse(name) // RFC 4514 section 2.1
	return name, nil
}

func readRelativeName(set cryptobyte.String) (relativeName, error) {
	var attributes []attribute
	for !set.Empty() {
		var pair, oid, content cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) ||
			!pair.ReadAnyASN1(&content, &tag) || !pair.Empty() {
			return nil, errors.New("expected an attribute's type and value")
		}
		text, err := decodeString(tag, content)
		if err != nil {
			return nil, err
		}
		if text, err = foldText(text); err != nil {
			return nil, err
		}
		attributes = append(attributes, attribute{oid: string(oid), text: text})
	}
	return newRelativeName(attributes)
}

// The string types that package cryptobyte has no names for.
const (
	numericString = cbasn1.Tag(18)
	bmpString     = cbasn1.Tag(30)
)

// decodeString returns the text of a value. It knows the string types that
// [x509.ParseCertificate] lets pass in a name, so that no certificate has a
// value of another type. What is not UTF-8 is found by [foldText].
func decodeString(tag cbasn1.Tag, content []byte) (string, error) {
	switch tag {
	case cbasn1.UTF8String:
		return string(content), nil
	case cbasn1.PrintableString, cbasn1.IA5String, numericString:
		if slices.ContainsFunc(content, func(c byte) bool { return c > unicode.MaxASCII }) {
			return "", errors.New("expected ASCII in this string type")
		}
		return string(content), nil
	case cbasn1.T61String:
		// Nobody writes T.61 into it: it is Latin-1 to Go, openssl and Java alike.
		runes := make([]rune, len(content))
		for i, c := range content {
			runes[i] = rune(c)
		}
		return string(runes), nil
	case bmpString:
		return decodeBMPString(content)
	}
	return "", fmt.Errorf("expected a value of the type UTF8String, PrintableString, IA5String, NumericString, T61String or BMPString, found tag 0x%02x", uint8(tag))
}

// decodeBMPString reads UCS-2, which unlike UTF-16 has no surrogates.
func decodeBMPString(content []byte) (string, error) {
	runes := make([]rune, 0, len(content)/2)
	for ; len(content) >= 2; content = content[2:] {
		r := rune(binary.BigEndian.Uint16(content))
		if utf16.IsSurrogate(r) {
			return "", errors.New("expected no surrogates in a BMPString")
		}
		runes = append(runes, r)
	}
	if len(content) != 0 {
		return "", errors.New("expected two octets for each character of a BMPString")
	}
	return string(runes), nil
}
