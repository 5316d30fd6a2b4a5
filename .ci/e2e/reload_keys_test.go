package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// With another algorithm old tokens stay good. The new key is published at
// once, and signs nothing until everybody had time to fetch it.
func TestReloadWithAnotherAlgorithm(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	old := c.token(t, "batch", batchSecret)
	c.mustReload(t, reloadable("signing EdDSA", ""))
	var algorithms []string
	for _, key := range c.keySet(t).Keys {
		algorithms = append(algorithms, key.Algorithm)
	}
	if fmt.Sprint(algorithms) != "[ES256 EdDSA]" {
		t.Errorf("published: %v", algorithms)
	}
	next := c.token(t, "batch", batchSecret)
	if kidOf(t, next) != kidOf(t, old) {
		t.Error("the new key signs already")
	}
	for _, token := range []string{old, next} {
		c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
		c.verify(t, token, jose.ES256)
	}
	c.mustReload(t, reloadable("", "")) // and back: nothing is lost
	c.get(t, "/orders", bearer(old)).wantStatus(t, 200)
}

// With publish_ahead over, the new key signs, and the old one's tokens live.
func TestKeyTakesOver(t *testing.T) {
	t.Parallel()
	const signing = "signing %s {\n publish_ahead 1s\n}"
	c := launchReloadable(t, fmt.Sprintf(signing, "ES256"), "")
	old := c.token(t, "batch", batchSecret)
	c.mustReload(t, reloadable(fmt.Sprintf(signing, "PS256"), ""))
	deadline := time.Now().Add(patience)
	for kidOf(t, c.token(t, "batch", batchSecret)) == kidOf(t, old) {
		if time.Now().After(deadline) {
			t.Fatal("the new key does not take over")
		}
		time.Sleep(50 * time.Millisecond)
	}
	next := c.token(t, "batch", batchSecret)
	c.verify(t, next, jose.PS256)
	c.verify(t, old, jose.ES256)
	for _, token := range []string{old, next} {
		c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	}
}
