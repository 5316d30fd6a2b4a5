package client

import (
	"strconv"
	"testing"
	"time"
)

// Parts that read the same when put together are told apart, and no two
// processes give a secret the same name.
func TestMemoryNames(t *testing.T) {
	t.Parallel()
	clock := func() time.Time { return start }
	m := NewMemory(clock)
	seen := make(map[remembered]string)
	for _, parts := range [][3]string{{"ab", "c", "d"}, {"a", "bc", "d"}, {"a", "b", "cd"}, {"abcd", "", ""}, {"", "", "abcd"}, {"", "abcd", ""}} {
		name := m.name(parts[0], parts[1], parts[2])
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q have one name", parts, other)
		}
		seen[name] = parts[0] + "|" + parts[1] + "|" + parts[2]
	}
	if m.name("a", "b", "c") == NewMemory(clock).name("a", "b", "c") {
		t.Error("two memories have one key")
	}
}

// Strangers with a right secret each, or one with many, cannot fill the machine.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := NewMemory(func() time.Time { return start })
	secret := hashedSecret(t, phraseBcrypt, time.Time{})
	for i := range 2 * memorySize {
		m.remember(strconv.Itoa(i), &secret, phrase)
	}
	m.until.CleanUp()
	if size := m.until.EstimatedSize(); size > memorySize {
		t.Errorf("%d entries", size)
	}
}
