package caddymodule

import (
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// buildAll makes clients of the records, on all processors where there are many, and
// names those that cannot be.
func (r *runtimeClients) buildAll(records []*client.Record) (made []*client.Client, failed []string) {
	made = make([]*client.Client, len(records))
	_ = client.InParts(len(records), func(from, to int) { r.buildPart(records[from:to], made[from:to]) }) // which lets no panic out
	for i, record := range records {
		if made[i] == nil {
			failed = append(failed, record.ID)
		}
	}
	return slices.DeleteFunc(made, func(one *client.Client) bool { return one == nil }), failed
}

// buildPart leaves out those that cannot be: after a panic, which would end the
// process, all that are left.
func (r *runtimeClients) buildPart(records []*client.Record, made []*client.Client) {
	defer r.app.recovered("making clients")
	for i, record := range records {
		if built, ok := r.build(record); ok {
			made[i] = built
		}
	}
}
