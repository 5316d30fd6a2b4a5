package keys

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A document that cannot be understood stops the load, is named, and is left
// as it is; a ring that knew keys goes on with them.
func TestUnreadableDocumentIsNotReplaced(t *testing.T) {
	t.Parallel()
	good := encode(t, makeDocument(t, token.ES256, token.EdDSA))
	broken := map[string][]byte{
		"empty":           {},
		"truncated":       good[:len(good)-3],
		"a later version": []byte(`{"version":2}`),
		"damaged":         damaged(t, good, set("kid", strings.Repeat("A", 43))),
	}
	for name, raw := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			docs := store.NewMemory()
			replace(t, docs, good)
			running := NewRing(docs, new(clock).now)
			if err := running.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			before, generation := signing(t, running), running.Generation()
			replace(t, docs, raw)
			started := NewRing(docs, new(clock).now)
			for _, ring := range []*Ring{running, started} {
				expectRefusal(t, ring.Load(t.Context()))
				_, err := ring.Maintain(t.Context(), usual)
				expectRefusal(t, err)
				_, err = ring.store(t.Context(), due)
				expectRefusal(t, err)
			}
			if signing(t, running) != before || running.Generation() != generation {
				t.Error("the running instance lost its keys")
			}
			if _, err := started.Signer(); !errors.Is(err, ErrNoKey) {
				t.Errorf("the started instance signs: %v", err)
			}
			if left, err := docs.Load(t.Context(), DocumentName); err != nil || string(left) != string(raw) {
				t.Errorf("the document was replaced (%v)", err)
			}
		})
	}
}

// due asks for what is due under the usual configuration.
func due(doc document, now time.Time) (plan, error) { return decide(doc, now, usual), nil }

func expectRefusal(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), DocumentName) || !strings.Contains(err.Error(), "nothing is replaced") {
		t.Errorf("error %v: expected it to name the document, and that nothing is replaced", err)
	}
}

// gone is a place whose documents disappear.
type gone struct {
	store.Documents
	missing bool
}

func (g *gone) Load(ctx context.Context, name string) ([]byte, error) {
	if g.missing {
		return nil, fs.ErrNotExist
	}
	return g.Documents.Load(ctx, name)
}

func (g *gone) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	return g.Documents.Update(ctx, name, func(old []byte) ([]byte, error) {
		if g.missing {
			old = nil
		}
		return change(old)
	})
}

// A storage that lost its content, or is not mounted, does not make a running
// instance throw its keys away.
func TestMissingDocumentIsNotReplaced(t *testing.T) {
	t.Parallel()
	docs := &gone{Documents: store.NewMemory()}
	ring := NewRing(docs, new(clock).now)
	maintain(t, ring, usual)
	before := signing(t, ring)
	docs.missing = true
	expectRefusal(t, ring.Load(t.Context()))
	_, err := ring.Maintain(t.Context(), usual)
	expectRefusal(t, err)
	_, err = ring.store(t.Context(), due)
	expectRefusal(t, err)
	if signing(t, ring) != before {
		t.Error("another key signs")
	}
}

func TestMaintainRefusesAnUnusableConfig(t *testing.T) {
	t.Parallel()
	docs := store.NewMemory()
	ring := NewRing(docs, new(clock).now)
	if _, err := ring.Maintain(t.Context(), Config{}); err == nil {
		t.Error("the zero configuration was taken")
	}
	if _, err := docs.Load(t.Context(), DocumentName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a document was made: %v", err)
	}
}

func TestCancelledContext(t *testing.T) {
	t.Parallel()
	ring := NewRing(store.NewMemory(), new(clock).now)
	leave, err := ring.enter(t.Context()) // another one is at work
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ring.Maintain(ctx, usual); !errors.Is(err, context.Canceled) {
		t.Errorf("Maintain: %v, expected context.Canceled", err)
	}
	leave()
	if err := ring.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, expected context.Canceled", err)
	}
}
