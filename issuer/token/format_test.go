package token_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// parts are those of a token that passes.
func parts() (header, payload, signature string) {
	list := strings.Split(forged(goodHeader(es)), ".")
	return list[0], list[1], list[2]
}

// A token has one spelling: what is near it is not it.
func TestCompactForm(t *testing.T) {
	t.Parallel()
	h, p, s := parts()
	for name, raw := range map[string]string{
		"empty":                    "",
		"a word":                   "token",
		"dots":                     "..",
		"one part":                 h,
		"two parts":                h + "." + p,
		"four parts":               h + "." + p + "." + s + "." + s,
		"five parts, as JWE":       h + "." + p + "." + s + "." + s + "." + s,
		"a dot behind":             h + "." + p + "." + s + ".",
		"a dot before":             "." + h + "." + p + "." + s,
		"no header":                "." + p + "." + s,
		"a space behind":           h + "." + p + "." + s + " ",
		"a space before":           " " + h + "." + p + "." + s,
		"a space inside":           h + "." + p + ". " + s,
		"a line end behind":        h + "." + p + "." + s + "\n",
		"a line end in the header": h[:4] + "\n" + h[4:] + "." + p + "." + s,
		"CR in the payload":        h + "." + p[:4] + "\r" + p[4:] + "." + s,
		"CRLF in the signature":    h + "." + p + "." + s[:4] + "\r\n" + s[4:],
		"a tab":                    h + "." + p + "." + s + "\t",
		"a NUL":                    h + "." + p + "." + s + "\x00",
		"padding":                  h + "." + p + "." + s + "==",
		"garbage behind":           h + "." + p + "." + s + "!",
		"a comma, as two headers":  h + "." + p + "." + s + "," + h + "." + p + "." + s,
		"with its scheme":          "Bearer " + h + "." + p + "." + s,
		"quoted":                   `"` + h + "." + p + "." + s + `"`,
		"standard base64":          h + "." + p + "." + "+/" + s[2:],
		"percent-encoded":          h + "%2E" + p + "%2E" + s,
		"JSON serialization":       `{"protected":"` + h + `","payload":"` + p + `","signature":"` + s + `"}`,
		"not ASCII":                h + "." + p + "." + s[:4] + "é" + s[4:],
		"a fullwidth dot":          h + "．" + p + "．" + s,
		"longer than the limit":    h + "." + p + "." + strings.Repeat("A", token.MaxLength),
		"a million dots":           strings.Repeat(".", 1_000_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, raw, known(), token.CheckFormat)
		})
	}
	expectRefusal(t, h+"."+p+".", known(), token.CheckSignature)
	expectRefusal(t, h+".."+s, known(), token.CheckSignature)
	expectRefusal(t, p+"."+h+"."+s, known(), token.CheckType)
}

// The bits that base64 leaves over must be zero, in each part, also where
// whoever signed has signed them so.
func TestLeftoverBits(t *testing.T) {
	t.Parallel()
	expectRefusal(t, leftover(forged(goodHeader(es))), known(), token.CheckFormat)

	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, place := range []string{"header", "payload"} {
		h, p := padTo(goodHeader(es).json()), padTo(goodClaims.json())
		if place == "header" {
			h = h[:len(h)-1] + string(alphabet[strings.IndexByte(alphabet, h[len(h)-1])+1])
		} else {
			p = p[:len(p)-1] + string(alphabet[strings.IndexByte(alphabet, p[len(p)-1])+1])
		}
		raw := h + "." + p + "." + base64.RawURLEncoding.EncodeToString(sign(es, h+"."+p))
		expectRefusal(t, raw, known(), token.CheckFormat)
	}
}

// padTo encodes an object with as many spaces as it needs for bits to be left over.
func padTo(object string) string {
	for len(object)%3 != 1 {
		object += " "
	}
	return encoded(object)
}

// leftover sets a bit of the last character that means nothing (64 bytes).
func leftover(raw string) string {
	last := map[byte]string{'A': "B", 'Q': "R", 'g': "h", 'w': "x"}[raw[len(raw)-1]]
	return raw[:len(raw)-1] + last
}

// RFC 8725 section 2.8 and RFC 8259 section 4: two parsers must not be able to
// read two things. Every text stands in the header and in the claims.
func TestStrictJSON(t *testing.T) {
	t.Parallel()
	inHeader := func(extra string) string {
		return forge(es, strings.Replace(goodHeader(es).json(), "{", "{"+extra+",", 1), goodClaims.json())
	}
	inClaims := func(extra string) string {
		return forge(es, goodHeader(es).json(), strings.Replace(goodClaims.json(), "{", "{"+extra+",", 1))
	}
	for name, extra := range map[string]string{
		"alg twice":                     `"alg":"none","alg":"ES256"`,
		"iss and sub twice":             `"iss":"x","iss":"y","alg":"ES256"`,
		"a member twice by escapes":     `"a":1,"\u0061":2`,
		"twice in an object":            `"x":{"a":1,"a":2}`,
		"twice in an array's object":    `"x":[[{"a":1},{"b":{"a":1,"a":1}}]]`,
		"an empty name twice":           `"":1,"":2`,
		"lone surrogates as one name":   `"\ud800":1,"\udbff":2`,
		"a lone surrogate":              `"x":"\ud800"`,
		"surrogates in wrong order":     `"x":["\ude00\ud83d"]`,
		"half a pair in a name":         `"x\ud83d":1`,
		"nested too deep":               `"x":` + strings.Repeat("[", 17) + strings.Repeat("]", 17),
		"objects nested too deep":       `"x":` + strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17),
		"nested without an end":         `"x":` + strings.Repeat("[", 5000),
		"invalid UTF-8":                 "\"x\":\"\xff\"",
		"an overlong slash":             "\"x\":\"\xc0\xaf\"",
		"an encoded surrogate":          "\"x\":\"\xed\xa0\x80\"",
		"a control character":           "\"x\":\"\x01\"",
		"a bad escape":                  `"x":"\q"`,
		"a trailing comma in an object": `"x":{"a":1,}`,
		"a trailing comma in an array":  `"x":[1,]`,
		"a comma too many":              `,"x":1`,
		"no comma":                      `"x":1 "y":2`,
		"no colon":                      `"x" 1`,
		"no value":                      `"x":`,
		"a comment":                     `/* x */"x":1`,
		"single quotes":                 `'x':1`,
		"no quotes":                     `x:1`,
		"a number as name":              `1:1`,
		"a leading zero":                `"x":01`,
		"a plus sign":                   `"x":+1`,
		"hexadecimal":                   `"x":0x1`,
		"NaN":                           `"x":NaN`,
		"brackets that do not match":    `"x":[}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, inHeader(extra), known(), token.CheckFormat)
			expectRefusal(t, inClaims(extra), known(), token.CheckFormat)
		})
	}
}

func TestNotOneObject(t *testing.T) {
	t.Parallel()
	good := goodHeader(es).json()
	for name, text := range map[string]string{
		"nothing": "", "white space": " ", "null": "null", "an array": "[]", "a text": `"x"`, "a number": "1", "true": "true",
		"two objects": "{}{}", "garbage behind": "{} x", "a brace behind": "{}}", "not closed": "{", "a NUL behind": "{}\x00",
		"a byte order mark": "\xef\xbb\xbf{}", "UTF-16": "{\x00}\x00", "not closed after a member": `{"a":1`, "a comma behind": "{},",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, forge(es, text, goodClaims.json()), known(), token.CheckFormat)
			expectRefusal(t, forge(es, good, text), known(), token.CheckFormat)
		})
	}
	// White space around the object is JSON.
	expectClaims(t, forge(es, "\n "+good+"\t", " "+goodClaims.json()+"\r\n"))
}

// The longest token that is looked at passes, and one byte more does not.
func TestMaxLength(t *testing.T) {
	t.Parallel()
	sized := func(length int) string {
		base := len(forge(es, goodHeader(es).json(), goodClaims.with("x", "").json()))
		return forge(es, goodHeader(es).json(), goodClaims.with("x", strings.Repeat("x", (length-base)*3/4)).json())
	}
	raw := sized(token.MaxLength)
	if len(raw) < token.MaxLength-3 {
		t.Fatalf("forged %d bytes, expected hardly fewer than %d", len(raw), token.MaxLength)
	}
	expectClaims(t, raw)
	expectRefusal(t, sized(token.MaxLength+8), known(), token.CheckFormat)
}
