package store

import (
	"context"
	"errors"
	"time"
)

// Kinds of signed statements.
const (
	KindAssertion = "assertion" // of a client, at the token endpoint (RFC 7523)
	KindProof     = "proof"     // of the possession of a key (DPoP, RFC 9449)
)

// Why a use was refused. Errors are to be told apart with errors.Is.
var (
	// ErrUsed says that the statement was used before.
	ErrUsed = errors.New("was used before")

	// ErrStale says that nobody knows whether the statement was used before: it
	// was made at a time, or has lapsed at a time, of which uses may have been
	// forgotten. One that is made now will pass.
	ErrStale = errors.New("was made too long ago to know whether it was used before")

	// ErrFull says that there is no place for another mark, or that the owner
	// holds its share of them. Nothing was noted; it will pass when marks lapse.
	ErrFull = errors.New("there is no place for another replay mark")

	// ErrClosed says that no marks are taken yet, or no longer: the program is
	// starting or stopping. Nothing was noted.
	ErrClosed = errors.New("replay marks are not taken: the program is starting or stopping")
)

// Mark is the one use of a signed statement: a client assertion or a DPoP
// proof, both known by their `jti`.
type Mark struct {
	// Kind is [KindAssertion] or [KindProof]. An ID of one kind means nothing
	// to the other.
	Kind string

	// Owner is whose ID it is: the client_id of an assertion, the thumbprint of
	// a proof's key. IDs of different owners have nothing to do with each other.
	Owner string

	// ID is the `jti` as it was sent, byte for byte: up to some KB of anything.
	ID string

	// Made is when the statement says that it was made (`iat`). Zero: it does
	// not say.
	Made time.Time

	// Until is when a replay would be refused without a mark: when the
	// statement has expired and no leeway is left. It is not part of the name:
	// the same ID with another Until is the same ID.
	Until time.Time
}

// Marks remembers which signed statements were used, so that each passes once
// (RFC 7523 section 3, RFC 9449 section 11.1). It is safe for concurrent use,
// also by several processes where they share the place. [storetest.RunMarks] is
// the contract as tests.
//
// A use is remembered at least until the mark's Until, whatever happens to the
// place meanwhile; then it should be forgotten within some seconds, and the ID
// is free again. A place that is bounded never forgets a live mark to make room
// for another, since that would let the former be replayed: it answers
// [ErrFull]. It also sees to it that one owner alone cannot fill it.
//
// A place that may have lost marks, such as one that was not stopped in order,
// refuses with [ErrStale] what could be among them: statements that were made
// at or before the second from which on it knows every use, and, for as long as
// such a one can be alive, those that do not say when they were made.
//
// The time that a Mark takes does not grow with the number of marks.
//
// [storetest.RunMarks]: https://pkg.go.dev/github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest#RunMarks
type Marks interface {
	// Mark notes a use. nil means that it is the first one of this kind, owner
	// and ID: of any number of calls at the same time, one gets it. Call it when
	// all else about the statement was found right: what is refused for another
	// reason must not use it up.
	//
	// [ErrUsed]: it is not the first. [ErrStale]: that is unknown; also where
	// Until has passed, since then an earlier use may have been forgotten (a
	// place that counts in whole seconds may still note it in that second).
	// These two are the client's fault.
	//
	// [ErrFull], [ErrClosed], the error of ctx and any other are not, and the
	// caller refuses for now (503). Nothing was noted after the first two, and
	// where ctx had ended before the call; otherwise that is unknown, since the
	// answer of a remote place may have been lost.
	Mark(ctx context.Context, m Mark) error
}
