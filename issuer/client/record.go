package client

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Record is a client that was made at run time, as it is stored. What its roles,
// scopes and resources are worth, the configuration says.
type Record struct {
	ID            string            `json:"client_id"`
	Name          string            `json:"name,omitempty"`
	Subject       string            `json:"subject,omitempty"`
	Scopes        []string          `json:"scopes,omitempty"`
	Roles         []string          `json:"roles,omitempty"`
	Resources     []string          `json:"resources,omitempty"` // none: all that are declared
	TokenLifetime int64             `json:"token_lifetime,omitempty"`
	Claims        map[string]string `json:"claims,omitempty"`
	Require       string            `json:"require,omitempty"`
	Introspect    string            `json:"introspect,omitempty"`
	AllowBridge   bool              `json:"allow_bridge,omitempty"`
	Disabled      bool              `json:"disabled,omitempty"`
	Secrets       []StoredSecret    `json:"secrets,omitempty"`

	// LastSecret is the number of the secret that was made last: none is used again.
	LastSecret uint64 `json:"last_secret"`
	// Epoch counts how often its tokens were made void, see [Client.Epoch].
	Epoch uint64 `json:"epoch"`
	// Revision counts its changes.
	Revision uint64 `json:"revision"`

	Made    time.Time `json:"made"`
	Changed time.Time `json:"changed"`

	// Removed: there is no such client any more. Of it, the epoch is kept: were the
	// client_id given again, tokens from before must stay void.
	Removed bool `json:"removed,omitempty"`
}

// AddSecret makes a secret and adds it. The text is shown to whoever asked for it, and
// kept nowhere. expires may be nil: never.
func (r *Record) AddSecret(now time.Time, expires *time.Time) (text, id string, err error) {
	text = NewGenerated()
	hash, err := HashSecret(text)
	if err != nil {
		return "", "", err
	}
	r.LastSecret++
	id = strconv.FormatUint(r.LastSecret, 10)
	r.Secrets = append(r.Secrets, StoredSecret{ID: id, Hash: hash, Made: now.UTC().Truncate(time.Second), Expires: expires})
	return text, id, nil
}

// RemoveSecret removes a secret, and tells whether there was one.
func (r *Record) RemoveSecret(id string) bool {
	before := len(r.Secrets)
	r.Secrets = slices.DeleteFunc(r.Secrets, func(one StoredSecret) bool { return one.ID == id })
	return len(r.Secrets) < before
}

// StoredSecret is one of the secrets of a [Record].
type StoredSecret struct {
	ID      string     `json:"id"`
	Hash    string     `json:"hash"` // PHC string
	Made    time.Time  `json:"made"`
	Expires *time.Time `json:"expires,omitempty"` // nil: never
}

// Build makes the secrets of the client. It is called for records that were
// checked when they were read.
func (r *Record) Build() ([]Secret, error) {
	built := make([]Secret, 0, len(r.Secrets))
	for i := range r.Secrets {
		one, err := r.Secrets[i].build()
		if err != nil {
			return nil, err
		}
		built = append(built, one)
	}
	return built, nil
}

func (s *StoredSecret) build() (Secret, error) {
	var expires time.Time
	if s.Expires != nil {
		expires = *s.Expires
	}
	return NewHashedSecret(s.ID, s.Hash, expires)
}

// decodeRecord reads a record strictly: what this version would not have written
// could mean more than it seems. texts are those of records that were read before.
func decodeRecord(id string, data []byte, texts sharedTexts) (*Record, error) {
	decoded, ok := readRecord(id, data, texts)
	if !ok {
		decoded = new(Record)
		if err := store.DecodeExactly(data, decoded); err != nil {
			return nil, err
		}
	}
	if decoded.ID != id {
		return nil, errors.New("client_id: expected that of the record")
	}
	if err := decoded.check(); err != nil {
		return nil, err
	}
	return decoded, nil
}

// maxLifetime is the longest life of a token, in seconds.
const maxLifetime = int64(keys.MaxDuration / time.Second)

// check judges what does not depend on a configuration.
func (r *Record) check() error {
	switch {
	case !ValidID(r.ID):
		return errors.New("client_id: expected 1 to 128 printable ASCII characters, not beginning or ending with a space")
	case r.Revision == 0 || r.Made.IsZero() || r.Changed.IsZero():
		return errors.New("expected revision, made and changed")
	case r.Epoch > maxEpoch || r.Revision > maxEpoch || r.LastSecret > maxEpoch:
		return fmt.Errorf("expected numbers up to %d", uint64(maxEpoch))
	case r.TokenLifetime < 0 || r.TokenLifetime > maxLifetime: // as nanoseconds, much more would be less
		return fmt.Errorf("token_lifetime: expected 0 to %d seconds", maxLifetime)
	case !slices.Contains([]string{"", "own", "any", "none"}, r.Introspect): // it would stand for "own"
		return errors.New("introspect: expected own, any or none")
	case slices.ContainsFunc(r.Scopes, func(one string) bool { return !token.ValidScope(one) }): // with a space, it would be two
		return errors.New("scopes: expected printable ASCII characters without space, quote and backslash (RFC 6749 section 3.3)")
	case slices.ContainsFunc(slices.Collect(maps.Keys(r.Claims)), token.Registered):
		return errors.New("claims: expected names that the issuer does not write itself")
	case r.Require != "" && Binding(r.Require) != BoundByDPoP && Binding(r.Require) != BoundByCertificate:
		return errors.New("require: expected dpop or mtls")
	}
	return r.checkSecrets()
}

func (r *Record) checkSecrets() error {
	ids := make([]string, 0, len(r.Secrets))
	for i := range r.Secrets {
		secret := &r.Secrets[i]
		if secret.ID == "" || slices.Contains(ids, secret.ID) {
			return errors.New("secrets: expected each id once")
		}
		ids = append(ids, secret.ID)
		if secret.Expires != nil && secret.Expires.IsZero() { // which stands for "never" elsewhere
			return fmt.Errorf("secrets: %q: expires: expected a time after year 1", secret.ID)
		}
		if _, err := secret.build(); err != nil {
			return fmt.Errorf("secrets: %q: %w", secret.ID, err)
		}
	}
	return nil
}

// exists tells that it is of a client that was not removed.
func (r *Record) exists() bool { return r.Revision > 0 && !r.Removed }

// clone copies what a change could reach.
func (r *Record) clone() *Record {
	if r == nil {
		return nil
	}
	copied := *r
	copied.Scopes = slices.Clone(r.Scopes)
	copied.Roles = slices.Clone(r.Roles)
	copied.Resources = slices.Clone(r.Resources)
	copied.Secrets = slices.Clone(r.Secrets)
	copied.Claims = maps.Clone(r.Claims)
	return &copied
}
