package client

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of what may be configured, so that no hash can eat the machine.
const (
	maxArgon2Memory = 1 << 20 // KiB: 1 GiB
	maxArgon2Work   = 1 << 20 // KiB times passes: a second or two, and five times what RFC 9106 section 4 asks of small machines
	minSalt         = 8
	maxSalt         = 64
	minSum          = 16
	maxSum          = 64
)

// parsePHC reads one of the forms of a secret hash. Errors say what was
// expected and quote nothing, since a hash can be guessed at, and since what
// stands there may be a secret put in the wrong place.
func parsePHC(text string) (hash, error) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(text, "$"), "$")
	if !ok || !strings.HasPrefix(text, "$") {
		name = ""
	}
	var parsed hash
	var err error
	switch name {
	case "argon2id":
		parsed, err = parseArgon2id(rest)
	case "2a", "2b", "2y":
		parsed, err = parseBcrypt(rest)
	case "pbkdf2-sha256":
		parsed, err = parsePBKDF2(pbkdf2SHA256, rest)
	case "pbkdf2-sha512":
		parsed, err = parsePBKDF2(pbkdf2SHA512, rest)
	case "sha256":
		parsed, err = parseSHA256(rest)
	default:
		return hash{}, errors.New("expected it to begin with $argon2id$, $2a$, $2b$, $2y$, $pbkdf2-sha256$, $pbkdf2-sha512$ or $sha256$")
	}
	if err != nil {
		return hash{}, fmt.Errorf("%s: %w", name, err)
	}
	parsed.text = text
	return parsed, nil
}

// parseArgon2id reads what follows "$argon2id$".
func parseArgon2id(text string) (hash, error) {
	fields := strings.Split(text, "$")
	if len(fields) != 4 || fields[0] != "v=19" {
		return hash{}, errors.New("expected $argon2id$v=19$m=...,t=...,p=...$<salt>$<hash>")
	}
	values, err := parameters(fields[1], bound{"m", 8, maxArgon2Memory}, bound{"t", 1, 64}, bound{"p", 1, 64})
	if err != nil {
		return hash{}, err
	}
	memory, rounds, threads := values[0], values[1], values[2]
	if memory < 8*threads { // RFC 9106 section 3.1
		return hash{}, errors.New("expected m to be at least 8 times p")
	}
	if memory*rounds > maxArgon2Work { // who is refused costs as much, and need not be a client
		return hash{}, fmt.Errorf("expected m times t to be at most %d, such as m=19456,t=2 or m=65536,t=3", maxArgon2Work)
	}
	salt, sum, err := saltAndSum(fields[2], fields[3])
	if err != nil {
		return hash{}, err
	}
	c := class{kind: argon2id, rounds: rounds, memory: memory, threads: threads, length: len(sum)}
	return hash{class: c, salt: salt, sum: sum}, nil
}

// parsePBKDF2 reads what follows "$pbkdf2-sha256$" or "$pbkdf2-sha512$".
func parsePBKDF2(k kind, text string) (hash, error) {
	fields := strings.Split(text, "$")
	if len(fields) != 3 {
		return hash{}, errors.New("expected three parts behind it: i=...,l=...$<salt>$<hash>")
	}
	values, err := parameters(fields[0], bound{"i", 1000, 10_000_000}, bound{"l", minSum, maxSum})
	if err != nil {
		return hash{}, err
	}
	salt, sum, err := saltAndSum(fields[1], fields[2])
	if err != nil {
		return hash{}, err
	}
	if len(sum) != values[1] {
		return hash{}, errors.New("expected a hash of as many bytes as l says")
	}
	return hash{class: class{kind: k, rounds: values[0], length: len(sum)}, salt: salt, sum: sum}, nil
}

// parseSHA256 reads what follows "$sha256$".
func parseSHA256(text string) (hash, error) {
	sum, err := decodeBase64(text, 32, 32)
	if err != nil {
		return hash{}, fmt.Errorf("hash: %w", err)
	}
	return hash{class: class{kind: plainSHA256, length: len(sum)}, sum: sum}, nil
}

// bcryptEncoding is bcrypt's own base64.
var bcryptEncoding = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

// parseBcrypt reads what follows "$2a$", "$2b$" or "$2y$": two digits of cost,
// 22 characters of salt and 31 of hash.
func parseBcrypt(text string) (hash, error) {
	const saltLength, sumLength = 22, 31
	digits, encoded, _ := strings.Cut(text, "$")
	if len(digits) != 2 || len(encoded) != saltLength+sumLength {
		return hash{}, errors.New("expected 60 characters: two digits of cost, $, and 53 of salt and hash")
	}
	rounds, err := number(strings.TrimPrefix(digits, "0"), 4, 16)
	if err != nil {
		return hash{}, fmt.Errorf("cost: %w", err)
	}
	// The decoder skips line breaks. Bits that the salt's last character leaves
	// over are let pass: old libraries set them, and they change nothing. In the
	// hash they would keep every secret from matching.
	_, err = bcryptEncoding.DecodeString(encoded[:saltLength])
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return hash{}, errors.New("salt: expected bcrypt's base64")
	}
	if _, err := bcryptEncoding.Strict().DecodeString(encoded[saltLength:]); err != nil {
		return hash{}, errors.New("hash: expected bcrypt's base64")
	}
	return hash{class: class{kind: bcryptHash, rounds: rounds}}, nil
}

// bound is a parameter's name and the least and greatest value it may have.
type bound struct {
	name        string
	least, most int
}

// parameters reads "a=1,b=2": all of them, each once, in this order.
func parameters(text string, bounds ...bound) ([]int, error) {
	fields := strings.Split(text, ",")
	values := make([]int, 0, len(bounds))
	for i, b := range bounds {
		if i >= len(fields) || !strings.HasPrefix(fields[i], b.name+"=") {
			return nil, fmt.Errorf("expected the parameter %s at position %d", b.name, i+1)
		}
		value, err := number(fields[i][len(b.name)+1:], b.least, b.most)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", b.name, err)
		}
		values = append(values, value)
	}
	if len(fields) > len(bounds) {
		return nil, fmt.Errorf("expected %d parameters", len(bounds))
	}
	return values, nil
}

// number reads a whole number that has one spelling: no sign, no leading zero.
func number(text string, least, most int) (int, error) {
	value, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(value) != text || value < least || value > most {
		return 0, fmt.Errorf("expected a number from %d to %d", least, most)
	}
	return value, nil
}

func saltAndSum(encodedSalt, encodedSum string) (salt, sum []byte, err error) {
	if salt, err = decodeBase64(encodedSalt, minSalt, maxSalt); err != nil {
		return nil, nil, fmt.Errorf("salt: %w", err)
	}
	if sum, err = decodeBase64(encodedSum, minSum, maxSum); err != nil {
		return nil, nil, fmt.Errorf("hash: %w", err)
	}
	return salt, sum, nil
}

// decodeBase64 reads the standard alphabet without padding, in the one
// spelling that the bytes have.
func decodeBase64(text string, least, most int) ([]byte, error) {
	data, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // the decoder skips line breaks
		return nil, errors.New("expected base64 of the standard alphabet without padding")
	}
	if len(data) < least || len(data) > most {
		if least == most {
			return nil, fmt.Errorf("expected %d bytes, found %d", least, len(data))
		}
		return nil, fmt.Errorf("expected %d to %d bytes, found %d", least, most, len(data))
	}
	return data, nil
}
