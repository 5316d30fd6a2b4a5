package client

import (
	"encoding/base64"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"
	"time"
)

// known is the secret whose random bytes are 0, 1, 2... 31, as the documentation
// has it: scanners are built on that form, so it must stay what it is.
const known = "cc_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-RJn6K"

func TestGeneratedForm(t *testing.T) {
	t.Parallel()
	random := make([]byte, generatedRandom, generatedRandom+crc32.Size)
	for i := range random {
		random[i] = byte(i)
	}
	if got := spellGenerated(random); got != known || !IsGenerated(known) {
		t.Errorf("got %s", got)
	}
	documented := regexp.MustCompile(`^cc_[A-Za-z0-9_-]{48}$`)
	seen := make(map[string]bool)
	for range 100 {
		made := NewGenerated()
		if !IsGenerated(made) || !documented.MatchString(made) || seen[made] {
			t.Errorf("%q", made)
		}
		seen[made] = true
		if _, err := NewPlainSecret("", made, time.Time{}); err != nil {
			t.Error(err)
		}
	}
}

// Whatever is not exactly such a secret may have been chosen by a person, and
// must not get the fast hash.
func TestNotGenerated(t *testing.T) {
	t.Parallel()
	reencoded := func(change func([]byte)) string {
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(known, GeneratedPrefix))
		if err != nil {
			t.Fatal(err)
		}
		change(data)
		return GeneratedPrefix + base64.RawURLEncoding.EncodeToString(data)
	}
	for name, text := range map[string]string{
		"empty":            "",
		"prefix":           GeneratedPrefix,
		"no prefix":        strings.TrimPrefix(known, GeneratedPrefix),
		"other case":       "CC_" + strings.TrimPrefix(known, GeneratedPrefix),
		"one more":         known + "A",
		"one less":         known[:len(known)-1],
		"line end":         known + "\n",
		"space":            " " + known[:len(known)-1],
		"line breaks":      known[:20] + "\n\n\n\n" + known[24:],
		"other alphabet":   strings.ReplaceAll(known, "-", "+"),
		"padding":          known[:len(known)-1] + "=",
		"random bit":       reencoded(func(data []byte) { data[0] ^= 1 }),
		"checksum bit":     reencoded(func(data []byte) { data[35] ^= 1 }),
		"checksum swapped": reencoded(func(data []byte) { data[32], data[35] = data[35], data[32] }),
		"all zero":         GeneratedPrefix + strings.Repeat("A", 48),
		"chosen":           GeneratedPrefix + strings.Repeat("password", 6),
		"not ASCII":        known[:len(known)-2] + "é",
	} {
		if IsGenerated(text) {
			t.Errorf("%s: %q passes", name, text)
		}
	}
}

// Any change of one character is noticed: that is what the checksum is for.
func TestGeneratedTypo(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := len(GeneratedPrefix); i < len(known); i++ {
		for _, other := range []byte(alphabet) {
			if typo := known[:i] + string(other) + known[i+1:]; typo != known && IsGenerated(typo) {
				t.Errorf("%q passes", typo)
			}
		}
	}
}

// What passes has one spelling, and its bytes say so.
func FuzzIsGenerated(f *testing.F) {
	for _, seed := range []string{known, NewGenerated(), "", "cc_", known[:50], known + "\n", strings.ToUpper(known)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !IsGenerated(text) {
			return
		}
		data, err := base64.RawURLEncoding.DecodeString(text[len(GeneratedPrefix):])
		if err != nil || spellGenerated(data[:generatedRandom:generatedRandom]) != text {
			t.Errorf("%q: %v", text, err)
		}
	})
}
