package client

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// parseDistinguishedName reads a name as RFC 4514 section 3 writes it. Spaces
// around types and values are let pass, as RFC 2253 section 4 asks for and as
// openssl and Java print them. Its semicolons and quotation marks are not:
// RFC 4514 wants them escaped.
func parseDistinguishedName(text string) (nameMatcher, error) {
	var name distinguishedName
	var attributes []attribute
	for separator := byte(','); separator != 0; {
		var part string
		part, separator, text = cutPart(text)
		parsed, err := parseAttribute(part)
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, parsed)
		if separator == '+' {
			continue
		}
		relative, err := newRelativeName(attributes)
		if err != nil {
			return nil, err
		}
		name, attributes = append(name, relative), nil
	}
	return name, nil
}

// cutPart cuts the text at the first comma or plus that is not escaped. The
// separator is 0 where there is none.
func cutPart(text string) (part string, separator byte, rest string) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++ // two hexadecimal digits hide no separator
		case ',', '+':
			return text[:i], text[i], text[i+1:]
		}
	}
	return text, 0, ""
}

// parseAttribute reads attributeTypeAndValue.
func parseAttribute(text string) (attribute, error) {
	word, value, found := strings.Cut(text, "=")
	if !found {
		return attribute{}, fmt.Errorf("%q: expected <type>=<value>; a comma or plus within a value needs a backslash", text)
	}
	word = strings.Trim(word, " ")
	oid, err := parseAttributeType(word)
	if err != nil {
		return attribute{}, err
	}
	value, err = parseAttributeValue(strings.TrimLeft(value, " "))
	if err != nil {
		return attribute{}, fmt.Errorf("value of %s: %w", word, err)
	}
	return attribute{oid: oid, text: value}, nil
}

// parseAttributeValue reads a value, which does not begin with an unescaped
// space, and folds it. Escaped spaces at its ends mean no more than others:
// comparing leaves them out.
func parseAttributeValue(text string) (string, error) {
	var err error
	if digits, encoded := strings.CutPrefix(text, "#"); encoded {
		text, err = decodeHexString(strings.TrimRight(digits, " "))
	} else {
		text, err = unescape(text)
	}
	if err != nil {
		return "", err
	}
	return foldText(text)
}

// decodeHexString reads the DER of a value (RFC 4514 section 2.4).
func decodeHexString(digits string) (string, error) {
	der, err := hex.DecodeString(digits)
	input := cryptobyte.String(der)
	var content cryptobyte.String
	var tag cbasn1.Tag
	if err != nil || !input.ReadAnyASN1(&content, &tag) || !input.Empty() {
		return "", errors.New("expected behind # the hexadecimal digits of one value in DER; a text that begins with # needs a backslash")
	}
	return decodeString(tag, content)
}

// unescape reads the pairs of RFC 4514 section 3: a backslash with a special
// character, or with the two hexadecimal digits of an octet.
func unescape(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			decoded, length, err := unescapePair(text[i+1:])
			if err != nil {
				return "", err
			}
			out.WriteByte(decoded)
			i += length
		case '"', ';', '<', '>':
			return "", fmt.Errorf("expected a backslash before %c", c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

// unescapePair reads what stands behind a backslash and tells its length.
func unescapePair(text string) (decoded byte, length int, err error) {
	if text != "" && strings.IndexByte(` "#+,;<=>\`, text[0]) >= 0 {
		return text[0], 1, nil
	}
	if len(text) >= 2 {
		if octets, err := hex.DecodeString(text[:2]); err == nil {
			return octets[0], 2, nil
		}
	}
	return 0, 0, errors.New(`expected behind a backslash two hexadecimal digits or one of space " # + , ; < = > \`)
}
