package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// LockTimeout is how long an Update waits for the lock of a document. It is
// longer than the ten seconds or so after which the lock of a process that
// died counts as abandoned.
const LockTimeout = 30 * time.Second

// ErrLocked says that the lock of a document did not come free in time.
// Nothing was changed.
var ErrLocked = errors.New("the lock did not come free in time")

// ErrGone says that a document that was there is missing: what it held may be
// lost, and is not to be taken for nothing.
var ErrGone = errors.New("it is missing, and was there before")

// Documents keeps named documents. It is safe for concurrent use, also by
// several processes where they share the place. [storetest.Run] is the contract
// as tests.
//
// A name is lower-case letters, digits, '-', '_' and '.', and begins with a
// letter or digit, such as "keys.json": the same on every file system.
//
// [storetest.Run]: https://pkg.go.dev/github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest#Run
type Documents interface {
	// Load returns the document as it is now. The error of a missing one is
	// fs.ErrNotExist; one without content is not missing, and not nil. The
	// bytes are the caller's.
	Load(ctx context.Context, name string) ([]byte, error)

	// Update runs change while no other Update of this document runs, and
	// stores what it returns. old is the document as it is at that moment, nil
	// where there is none; the bytes are change's own. A nil result leaves the
	// document as it is, and so does an error, which Update returns.
	//
	// Waiting ends with ctx or after [LockTimeout] ([ErrLocked]). change must not
	// update the same document. An error may also come after the new document
	// was stored (the lock could not be released): change must be fit to be
	// repeated.
	Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error
}

// CheckName refuses names that could leave the folder or mean another
// document on a file system that ignores case.
func CheckName(name string) error {
	for i := range len(name) {
		c := name[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || c != '-' && c != '_' && c != '.') {
			return fmt.Errorf("document name %q: expected a-z, 0-9, '-', '_' and '.', beginning with a letter or digit", name)
		}
	}
	if name == "" {
		return errors.New("document name: expected one, got an empty text")
	}
	return nil
}
