package caddymodule

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// runtimeClients puts the clients that are made at run time beside those of the
// configuration, which win.
type runtimeClients struct {
	app        *App
	registry   *client.Registry
	configured map[string]bool
	roles      map[string]token.Scopes
	everything []string // the declared resources

	applying sync.Mutex
	telling  sync.Mutex
	told     map[string]bool // those whose shadow, or lack of what they name, was logged
	stop     func()
}

// followDirectory brings in the clients that there are, and each that changes, until
// the app is cleaned up.
func (a *App) followDirectory(registry *client.Registry) {
	roles, everything := a.declared()
	r := &runtimeClients{
		app: a, registry: registry, roles: roles, everything: everything,
		configured: make(map[string]bool, len(a.Clients)), told: make(map[string]bool),
	}
	for i := range a.Clients {
		r.configured[a.Clients[i].ID] = true
	}
	a.runtime, r.stop = r, a.shared.directory.Follow(r.apply)
	r.apply(slices.Collect(maps.Keys(r.configured))) // for the epochs of namesakes that were removed
	r.applyAll()
}

// applyAll takes over all clients that there are, as apply does.
func (r *runtimeClients) applyAll() {
	r.applying.Lock()
	defer r.applying.Unlock()
	records := slices.Collect(r.app.shared.directory.All())
	r.takeOver(slices.DeleteFunc(records, func(record *client.Record) bool { return r.configured[record.ID] }), nil)
}

// apply takes clients over as the directory has them now. One at a time: what was
// read earlier must not take the place of what was read later.
func (r *runtimeClients) apply(ids []string) {
	r.applying.Lock()
	defer r.applying.Unlock()
	var records []*client.Record
	var removed []string
	for _, id := range slices.DeleteFunc(slices.Clone(ids), r.shadowed) {
		if record, found := r.app.shared.directory.Get(id); found {
			records = append(records, record)
		} else {
			removed = append(removed, id)
		}
	}
	r.takeOver(records, removed)
}

// takeOver puts clients as the records say in the place of those that there were.
func (r *runtimeClients) takeOver(records []*client.Record, removed []string) {
	changed, failed := r.buildAll(records)
	removed = append(removed, failed...)
	if len(changed)+len(removed) == 0 {
		return
	}
	if err := r.registry.Update(changed, removed); err != nil {
		r.oneByOne(changed, removed)
	}
}

// oneByOne takes over all but those that cannot be: nobody else is to suffer.
func (r *runtimeClients) oneByOne(changed []*client.Client, removed []string) {
	_ = r.registry.Update(nil, removed) // cannot fail
	for _, one := range changed {
		if err := r.registry.Update([]*client.Client{one}, nil); err != nil {
			_ = r.registry.Update(nil, []string{one.ID})
			r.app.logger.Error("a client that was made at run time cannot be used", zap.String("client_id", one.ID), zap.Error(err))
		}
	}
}

// shadowed tells whether the client is one of the configuration, whose epoch it then
// keeps in step with that of its namesake, and warns of that once.
func (r *runtimeClients) shadowed(id string) bool {
	if !r.configured[id] {
		return false
	}
	if known, ok := r.registry.Lookup(id); ok && known.Epoch != r.app.shared.directory.Epoch(id) {
		raised := *known
		raised.Epoch = r.app.shared.directory.Epoch(id)
		_ = r.registry.Update([]*client.Client{&raised}, nil) // it was good before
	}
	if _, found := r.app.shared.directory.Get(id); found {
		r.warn(id, "a client that was made at run time has the client_id of one in the configuration, which is in force")
	}
	return true
}

// build makes the client. What the configuration does not declare gives nothing,
// and never more than the record says.
func (r *runtimeClients) build(record *client.Record) (*client.Client, bool) {
	configured := toClient(record)
	known := keepDeclared(configured.Roles, func(role string) bool { _, declared := r.roles[role]; return declared })
	resources := keepDeclared(configured.Resources, func(resource string) bool { return slices.Contains(r.everything, resource) })
	if len(known) < len(configured.Roles) || len(resources) < len(configured.Resources) {
		r.warn(record.ID, "a client that was made at run time names roles or resources that are not declared: they give nothing")
	}
	configured.Roles = known
	built, err := configured.build(r.roles, r.everything)
	if err == nil {
		built.Secrets, err = record.Build()
	}
	if err != nil {
		r.app.logger.Error("a client that was made at run time cannot be used", zap.String("client_id", record.ID), zap.Error(err))
		return nil, false
	}
	if len(configured.Resources) > 0 {
		built.Resources = resources // also where none is left: that is not "all"
	}
	built.Epoch = record.Epoch
	return &built, true
}

// keepDeclared returns the list itself where all of it is declared, as it nearly always is.
func keepDeclared(list []string, declared func(string) bool) []string {
	undeclared := func(one string) bool { return !declared(one) }
	if !slices.ContainsFunc(list, undeclared) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), undeclared)
}

func (r *runtimeClients) warn(id, message string) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if !r.told[id+message] {
		r.told[id+message] = true
		r.app.logger.Warn(message, zap.String("client_id", id))
	}
}

// end ceases to follow the directory.
func (r *runtimeClients) end() {
	if r != nil {
		r.stop()
	}
}

// toClient is a record in the words of the configuration, but for its secrets.
func toClient(record *client.Record) Client {
	return Client{
		ID: record.ID, Name: record.Name, Subject: record.Subject,
		Scopes: record.Scopes, Roles: record.Roles, Resources: record.Resources,
		TokenLifetime: Duration(time.Duration(record.TokenLifetime) * time.Second), Claims: maps.Clone(record.Claims),
		Require: record.Require, Introspect: record.Introspect, AllowBridge: record.AllowBridge, Disabled: record.Disabled,
	}
}
