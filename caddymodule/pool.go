package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// shared is the state of one issuer on one storage that all configurations in
// this process share: a reload runs the old and the new one side by side. It
// holds no logger and nothing else of a configuration.
type shared struct {
	prefix string // of what is stored
	ring   *keys.Ring
	ledger *client.Ledger
	// directory has the clients that are made at run time.
	directory *client.Directory
	revoked   *revocation.List
	usage     *client.Usage // of secrets

	documents store.Documents
	remote    *remote        // nil: the documents are in Caddy's storage
	end       func() error   // closes the place
	loaded    atomic.Bool    // all that is stored was read once
	away      atomic.Bool    // the store did not answer when it was last looked for
	lostMarks atomic.Int64   // since when what was used before is unknown: told already
	marks     store.Marks    // which assertions and proofs were used
	journal   *store.Journal // those of this process; nil: instances share them
	nonces    *proof.Nonces
	horizon   proof.Horizon // of used proofs

	// settling guards unsettled: the clients of the configuration in force, as
	// long as they are not recorded. nil: they are.
	settling  sync.Mutex
	unsettled map[string]bool

	// failures and report are not stored: a restart lets those who guess begin
	// again, and counts anew what gates refuse.
	failures *client.Failures
	sharing  sharing          // of failures, with other instances
	advised  *client.Failures // at gates that only report
	report   *report.Report
	expiry   expiryNotices // likewise

	configured configuredClients
}

// Destruct writes down which assertions, proofs and secrets were used. It is called
// when no configuration needs the state any more: by then HTTP has stopped.
func (s *shared) Destruct() error {
	s.sharing.end()
	err := s.flushUsage()
	if s.journal != nil {
		ctx, cancel := context.WithTimeout(context.Background(), store.LockTimeout)
		defer cancel()
		err = errors.Join(err, s.journal.Suspend(ctx))
	}
	return errors.Join(err, s.end())
}

// failures is the count of failed authentications, which other instances share
// where they share the place.
func (k *kept) failures() *client.Failures {
	if k.remote == nil {
		return client.NewFailures(time.Now, nil)
	}
	return client.NewFailures(time.Now, k.remote.failures)
}

// keepMarks finds out where marks are kept: where instances share nothing at each
// request, in memory, and in a document when Caddy stops.
func (s *shared) keepMarks() {
	if s.remote != nil {
		s.marks = s.remote.marks
		return
	}
	s.journal = store.NewJournal(s.documents, 0, time.Now)
	s.marks = s.journal
}

var sharedPool = caddy.NewUsagePool()

// rememberedSecrets keeps right secrets over reloads, so that none of them
// sends every client through a slow hash again.
var rememberedSecrets = sync.OnceValue(func() *client.Memory { return client.NewMemory(time.Now) })

// slowHashes bounds the slow hashes of the whole process: during a reload two
// configurations compute them.
var slowHashes = sync.OnceValue(client.NewQueue)

// pace is for the gates of all configurations: they share the processors.
var pace = sync.OnceValue(func() *gate.Pace { return gate.NewPace(runtime.GOMAXPROCS(0)) })

// load reads all that is stored, and makes nothing. lost tells of documents
// that are gone while this process knows what they held: [shared.admit]
// writes them again. Keys come before clients, since they are written after them.
func (s *shared) load(ctx context.Context) (lost, err error) {
	err = s.ring.Load(ctx)
	problems := []error{s.loadClients(ctx), s.loadDirectory(ctx), s.loadRevoked(ctx), s.nonces.Load(ctx, s.documents)}
	for _, problem := range problems {
		if errors.Is(problem, store.ErrGone) {
			lost = errors.Join(lost, problem)
		} else {
			err = errors.Join(err, problem)
		}
	}
	if err == nil {
		s.loaded.Store(true)
	}
	return lost, err
}

// admit records what clients a configuration that starts has, and writes
// again what is gone.
func (s *shared) admit(ctx context.Context, alive map[string]bool) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := errors.Join(s.directory.Begin(ctx), s.revoked.Begin(ctx)); err != nil {
		return err
	}
	if err := s.ledger.Admit(ctx, alive); err != nil {
		return fmt.Errorf("recording the clients: %w", err)
	}
	return nil
}

// inForce records the clients of a configuration that has come into force.
// What cannot be recorded now must be before the next one starts.
func (s *shared) inForce(ctx context.Context, alive map[string]bool) error {
	s.settling.Lock()
	s.unsettled = alive
	s.settling.Unlock()
	return s.settle(ctx)
}

// settle records what [shared.inForce] could not.
func (s *shared) settle(ctx context.Context) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.unsettled == nil {
		return nil
	}
	if err := s.ledger.Record(ctx, s.unsettled); err != nil {
		return fmt.Errorf("recording the clients of the configuration in force: %w", err)
	}
	s.unsettled = nil
	return nil
}

// lease is one configuration's use of a shared state. Caddy calls Cleanup also
// where Provision failed: what was never acquired is not released.
type lease struct {
	key   string
	state *shared
}

func acquire(place keeper, issuer string) (*lease, error) {
	key := place.identity() + " " + store.Prefix(issuer)
	value, _, err := sharedPool.LoadOrNew(key, func() (caddy.Destructor, error) {
		opened, err := place.open(issuer)
		if err != nil {
			return nil, err
		}
		documents := opened.documents
		state := &shared{
			prefix: store.Prefix(issuer),
			ring:   keys.NewRing(documents, time.Now),
			ledger: client.NewLedger(documents, opened.lasting()...),

			directory: client.NewDirectory(documents, time.Now),
			revoked:   revocation.NewList(documents, time.Now),

			documents: documents,
			remote:    opened.remote,
			usage:     client.NewUsage(documents, time.Now),
			end:       opened.end,
			nonces:    proof.NewNonces(time.Now),
			failures:  opened.failures(),
			advised:   client.NewFailures(time.Now, nil),
			report:    report.New(report.Config{}),
		}
		state.keepMarks()
		return state, nil
	})
	if err != nil {
		return nil, err
	}
	return &lease{key: key, state: value.(*shared)}, nil
}

func (l *lease) release() error {
	if l == nil {
		return nil
	}
	_, err := sharedPool.Delete(l.key)
	return err
}
