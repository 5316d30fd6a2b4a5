package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/caddyserver/certmagic"

	issuerkeys "github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// sibling makes tokens as another instance does that has the same storage: the
// Caddy that is measured has never seen them, and spends nothing on making them.
func (p *process) sibling() (*token.Signer, error) {
	if p.signer != nil {
		return p.signer, nil
	}
	issuer, err := p.layout.url("issuer")
	if err != nil {
		return nil, err
	}
	storage := &certmagic.FileStorage{Path: filepath.Join(p.layout.folder, "storage")}
	ring := issuerkeys.NewRing(store.OverStorage(storage, store.Prefix(issuer)), time.Now)
	if err := ring.Load(context.Background()); err != nil {
		return nil, err
	}
	p.signer, err = ring.Signer()
	return p.signer, err
}

// claims are those that the issuer writes into tokens of the client bench.
func (p *process) claims() *token.Claims {
	issuer, now := p.url("issuer"), time.Now().Unix()
	return &token.Claims{
		Issuer: issuer, Subject: "bench", Audience: []string{issuer}, ClientID: "bench", Scope: token.Scopes{"read"},
		IssuedAt: now, Expires: now + 3600, ID: token.NewID(0),
	}
}

// fresh sends tokens of which each is another, and none was made by the Caddy that
// gets them.
func fresh(site string) maker {
	return func(p *process, count int) ([]*http.Request, error) {
		signer, err := p.sibling()
		if err != nil {
			return nil, fmt.Errorf("the key of %s: %w", p.name, err)
		}
		made := make([]*http.Request, count)
		for i := range made {
			raw, err := signer.Sign(p.claims())
			if err != nil {
				return nil, err
			}
			made[i] = withToken(get(p, site), raw)
		}
		return made, nil
	}
}
