package client

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// People put the secret where the id belongs: it must not end in the audit log,
// and no stranger may write lines of their own into it.
func TestLoggableID(t *testing.T) {
	t.Parallel()
	const text, other = "a secret as plain text", "secret of a disabled one"
	fast := []Client{
		{ID: "batch", Secrets: []Secret{plainSecret(t, text, time.Time{}), hashedSecret(t, phraseSHA256, time.Time{})}},
		{ID: "cc_known", Disabled: true, Secrets: []Secret{plainSecret(t, other, time.Time{})}},
		{ID: "known, and longer than a secret"},
	}
	const hashed = `unknown:[0-9a-f]{8}`
	for claimed, test := range map[string]struct{ fast, slow string }{
		"batch":                           {"batch", "batch"},
		"cc_known":                        {"cc_known", "cc_known"},
		"known, and longer than a secret": {"known, and longer than a secret", "known, and longer than a secret"},
		"batches":                         {"batches", hashed},
		"short-phrase":                    {"short-phrase", hashed}, // as a person may have chosen
		strings.Repeat("x", 15):           {"x{15}", hashed},
		strings.Repeat("x", 16):           {hashed, hashed},
		text[:len(text)-1]:                {hashed, hashed}, // a secret that was mistyped
		text + "x":                        {hashed, hashed},
		strings.ToUpper(text):             {hashed, hashed},
		"unknown:00000000":                {hashed, hashed}, // nobody makes up what the log says
		"cc_unknown":                      {`\(withheld\)`, `\(withheld\)`},
		"cc_\n":                           {`\(withheld\)`, `\(withheld\)`},
		text:                              {`\(withheld\)`, `\(withheld\)`},
		other:                             {`\(withheld\)`, `\(withheld\)`},
		phrase:                            {`\(withheld\)`, `\(withheld\)`},
		"":                                {`\(malformed\)`, `\(malformed\)`},
		"batch\nlevel=error":              {`\(malformed\)`, `\(malformed\)`},
		"b\u00e4tch":                      {`\(malformed\)`, `\(malformed\)`},
		strings.Repeat("x", 129):          {`\(malformed\)`, `\(malformed\)`},
	} {
		alone := newRegistry(t, fast...)
		besideSlow := newRegistry(t, append(fast, Client{ID: "slow", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})...)
		for registry, expected := range map[*Registry]string{alone: test.fast, besideSlow: test.slow} {
			if got := registry.LoggableID(claimed); !regexp.MustCompile("^" + expected + "$").MatchString(got) {
				t.Errorf("%q: %q, expected %s", claimed, got, expected)
			}
		}
	}
}

// A secret that a person chose is known by no hash at hand, and is not shown:
// neither the right one nor one with a letter wrong. Lines belong together all
// the same.
func TestLoggableIDOfSlowHash(t *testing.T) {
	t.Parallel()
	registry := newRegistry(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	shown := make(map[string]string)
	for _, claimed := range []string{phrase, phrase[1:], strings.ToUpper(phrase), "nobody"} {
		got := registry.LoggableID(claimed)
		if other, twice := shown[got]; twice || strings.Contains(got, claimed) || got != registry.LoggableID(claimed) {
			t.Errorf("%q: %q (%q)", claimed, got, other)
		}
		shown[got] = claimed
	}
}
