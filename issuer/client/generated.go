package client

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// A generated secret is [GeneratedPrefix] and 48 characters of A-Z a-z 0-9 - _:
// the base64url (RFC 4648 section 5) of 32 random bytes and, big-endian, their
// CRC-32 (IEEE 802.3). 36 bytes are 48 characters with no bit left over, so each
// secret has one spelling. The characters are those that form-encoding leaves as
// they are (RFC 6749 section 2.3.1): clients that do not encode get along too.
//
// The checksum is no protection. It lets scanners tell such a secret in source
// code from other text that looks like it.
const (
	generatedBits   = 256
	generatedRandom = generatedBits / 8
	generatedLength = len(GeneratedPrefix) + (generatedRandom+crc32.Size)*4/3
)

// NewGenerated returns a new secret of 256 random bits. It is known to nobody and
// kept nowhere: the caller shows it once, and stores what [HashSecret] makes of it.
func NewGenerated() string {
	data := make([]byte, generatedRandom, generatedRandom+crc32.Size)
	_, _ = rand.Read(data) // never fails: crypto/rand ends the process instead
	return spellGenerated(data)
}

func spellGenerated(random []byte) string {
	data := binary.BigEndian.AppendUint32(random, crc32.ChecksumIEEE(random))
	return GeneratedPrefix + base64.RawURLEncoding.EncodeToString(data)
}

// IsGenerated tells whether the text is one that [NewGenerated] can return, its
// checksum included. Guesses at such a secret are hopeless, so a fast hash will
// do for it.
func IsGenerated(text string) bool {
	encoded, found := strings.CutPrefix(text, GeneratedPrefix)
	if !found || len(text) != generatedLength || strings.ContainsAny(encoded, "\r\n") { // the decoder skips line breaks
		return false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return false
	}
	random, sum := data[:generatedRandom], data[generatedRandom:]
	return binary.BigEndian.Uint32(sum) == crc32.ChecksumIEEE(random)
}
