package token

import (
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"
)

// ps256 verifies only signatures whose salt is as long as the hash (RFC 7518
// section 3.5). golang-jwt's own PS256 takes a salt of any length.
var ps256 = &jwt.SigningMethodRSAPSS{
	SigningMethodRSA: jwt.SigningMethodPS256.SigningMethodRSA,
	Options:          &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash},
}
