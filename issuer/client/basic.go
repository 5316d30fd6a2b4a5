package client

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// FromBasic reads the value of an Authorization field with the scheme Basic:
// the form-encoded client_id, a colon and the form-encoded secret (RFC 6749
// section 2.3.1 and appendix B), in padded base64 (RFC 7617 section 2). Either
// may be empty.
//
// An error means malformed credentials, to be handed to
// [Authenticator.Reject]. It quotes nothing.
func FromBasic(headerValue string) (Credentials, error) {
	id, secret, err := splitBasic(headerValue)
	if err != nil {
		return Credentials{}, err
	}
	credentials := Credentials{Method: SecretBasic}
	if credentials.ClientID, err = decodeForm(id); err != nil {
		return Credentials{}, errors.New("Authorization: Basic: client_id: expected form-encoded UTF-8")
	}
	if credentials.Secret, err = decodeForm(secret); err != nil {
		return Credentials{}, errors.New("Authorization: Basic: secret: expected form-encoded UTF-8")
	}
	return credentials, nil
}

// FromBridgeBasic reads the same field as an API without OAuth does: client_id
// and secret are user and password as they are, not form-encoded (RFC 7617
// section 2). An error is as that of [FromBasic].
func FromBridgeBasic(headerValue string) (Credentials, error) {
	id, secret, err := splitBasic(headerValue)
	if err != nil {
		return Credentials{}, err
	}
	if !utf8.ValidString(secret) {
		return Credentials{}, errors.New("Authorization: Basic: secret: expected UTF-8")
	}
	return Credentials{Method: BridgeBasic, ClientID: id, Secret: secret}, nil
}

// splitBasic finds the two parts, whatever is in them.
func splitBasic(headerValue string) (id, secret string, err error) {
	scheme, encoded, _ := strings.Cut(headerValue, " ")
	if !strings.EqualFold(scheme, "Basic") { // RFC 9110 section 11.1
		return "", "", errors.New("Authorization: expected the scheme Basic")
	}
	encoded = strings.Trim(encoded, " ") // 1*SP, RFC 9110 section 11.4
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") { // the decoder skips line breaks
		return "", "", errors.New("Authorization: Basic: expected padded base64")
	}
	// The first colon: one within the client_id is encoded as %3A.
	id, secret, found := strings.Cut(string(decoded), ":")
	if !found {
		return "", "", errors.New("Authorization: Basic: expected a colon between client_id and secret")
	}
	return id, secret, nil
}

// decodeForm undoes application/x-www-form-urlencoded. The caller must not
// wrap its error, which quotes the text.
func decodeForm(text string) (string, error) {
	decoded, err := url.QueryUnescape(text)
	if err == nil && !utf8.ValidString(decoded) {
		err = errors.New("not UTF-8")
	}
	return decoded, err
}
