package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// looked is a configuration that is looked at: it was made, and nothing runs.
type looked struct {
	http *caddyhttp.App
	app  *App // nil: there is none
}

// readConfig reads a configuration file as `caddy run` does.
func readConfig(path, adapter string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("--config is needed: the file with the configuration")
	}
	// Of what Caddy says while it reads, warnings are enough.
	quiet := &caddy.Config{Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{
		caddy.DefaultLoggerName: {BaseLog: caddy.BaseLog{Level: "WARN"}},
	}}}
	if _, err := caddy.ProvisionContext(quiet); err != nil {
		return nil, err
	}
	config, _, _, err := caddycmd.LoadConfig(path, adapter)
	return config, err
}

// lookAtConfig makes a configuration without starting it. jwks are the keys of
// trusted issuers, by url. The caller ends it with close.
func lookAtConfig(config []byte, jwks map[string][]byte) (*looked, error) {
	registerOffline()
	replaced, err := offline(caddy.RemoveMetaFields(config))
	if err != nil {
		return nil, err
	}
	var made *caddy.Config
	if err := caddy.StrictUnmarshalJSON(replaced, &made); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	ctx, err := caddy.ProvisionContext(made)
	if err != nil {
		return nil, err
	}
	found := new(looked)
	if module, err := ctx.AppIfConfigured("oauth2"); err == nil {
		found.app = module.(*App)
	}
	module, err := ctx.AppIfConfigured("http")
	if err != nil {
		return nil, errors.Join(errors.New("the configuration has no sites"), found.close())
	}
	found.http = module.(*caddyhttp.App)
	delete(found.http.Servers, certifiedName)
	if found.app == nil {
		return found, nil
	}
	if err := found.app.pretendStart(ctx, jwks); err != nil {
		return nil, errors.Join(err, found.close())
	}
	return found, nil
}

// close gives back what is shared in this process.
func (l *looked) close() error {
	if l.app == nil {
		return nil
	}
	return l.app.Cleanup()
}

// pretendStart does what Start does, over a storage that keeps it to itself:
// requests are judged as if this configuration came into force now.
func (a *App) pretendStart(ctx context.Context, jwks map[string][]byte) error {
	defer close(a.started)
	if a.shared == nil {
		return nil
	}
	if a.own != nil {
		alive := a.aliveClients()
		if err := errors.Join(a.shared.admit(ctx, alive), a.maintainKeys(ctx), a.shared.inForce(ctx, alive)); err != nil {
			return err
		}
	}
	if err := a.resumeMarks(ctx); err != nil {
		return err
	}
	if a.DPoP.Nonce {
		if err := a.shared.nonces.Make(ctx, a.shared.documents); err != nil {
			return err
		}
	}
	return a.keepOffline(jwks)
}

// keepOffline sees to it that nothing is fetched: of a trusted issuer there are
// the keys that were given, or none.
func (a *App) keepOffline(jwks map[string][]byte) error {
	for url := range jwks {
		if a.trusted[url] == nil {
			return fmt.Errorf("--jwks: %q is no trusted_issuer of the configuration", url)
		}
	}
	for _, one := range a.TrustedIssuers {
		content, given := jwks[one.Issuer]
		switch {
		case given:
			set, err := keys.ParseSet(content)
			if err != nil {
				return fmt.Errorf("--jwks: keys of %s: %w", one.Issuer, err)
			}
			a.trusted[one.Issuer].UseKeys(keys.NewHeld(set))
		case one.JWKS == "":
			a.trusted[one.Issuer].UseKeys(notFetched{one.Issuer})
		}
	}
	return nil
}

// notFetched stands for keys behind a url.
type notFetched struct{ issuer string }

// Find implements [gate.TrustedKeys].
func (n notFetched) Find(context.Context, string, token.Algorithm) ([]token.VerificationKey, error) {
	return nil, &notFetchedError{n.issuer}
}

// Generation implements [gate.TrustedKeys].
func (notFetched) Generation() uint64 { return 0 }

// listen has the handlers of the routes tell the explanation of a request what
// they do, and the issuer do nothing.
func listen(routes caddyhttp.RouteList) {
	for handler := range handlersIn(routes) {
		switch handler := handler.(type) {
		case *Gate:
			handler.explain = func(r *http.Request, facts gate.Request, verdict gate.Verdict) {
				explanationOf(r.Context()).judged(handler, &facts, &verdict)
			}
		case *Issuer:
			handler.standStill()
		}
	}
}
