package caddymodule

import (
	"context"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// keeper is a module in the namespace `oauth2.stores`: where the state of issuers is
// kept. It connects to nothing before what it has opened is used.
type keeper interface {
	// identity is the same for two configurations of one place. It holds no secret.
	identity() string
	// open returns the state of an issuer. A configuration may come and go
	// meanwhile: nothing in it belongs to one.
	open(issuer string) (*kept, error)
}

// kept is where the state of one issuer is kept.
type kept struct {
	documents store.Documents
	remote    *remote      // nil: it is Caddy's storage, or only looked at
	close     func() error // where there is no remote; nil: there is nothing to close
}

// end closes what was opened.
func (k *kept) end() error {
	switch {
	case k.remote != nil:
		return k.remote.close()
	case k.close != nil:
		return k.close()
	}
	return nil
}

// remote is what a place has that several instances share at each request.
type remote struct {
	marks store.Marks
	// watch calls changed after each change by whomever, again after an error, and
	// alive with nil or an error again and again, until ctx ends.
	watch func(ctx context.Context, changed func() error, alive func(error))
	// prepare makes the place ready for a configuration that starts. notes are for
	// the log.
	prepare func(ctx context.Context) (notes []string, err error)
	// resume begins to take marks. first says that none can have been taken before;
	// longest is for how long a statement can be used.
	resume func(ctx context.Context, first bool, longest time.Duration) error
	// restriction tells what is refused since marks were lost; zero: nothing is.
	restriction func() (since, until time.Time)
	// failures tells other instances of failed authentications.
	failures *client.FailureExchange
	files    []keptFile
	close    func() error
}

// provisionStore finds out where the state is to be kept.
func (a *App) provisionStore(ctx caddy.Context) error {
	if a.StoreRaw == nil {
		a.store = &StorageStore{storage: ctx.Storage()}
		return nil
	}
	module, err := ctx.LoadModule(a, "StoreRaw")
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	found, ok := module.(keeper)
	if !ok {
		return fmt.Errorf("store: module %T keeps no state", module)
	}
	a.store = found
	if _, ours := found.(*StorageStore); !ours {
		a.unused = store.OverStorage(ctx.Storage(), store.Prefix(a.Issuer))
	}
	return nil
}
