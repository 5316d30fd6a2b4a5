package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Documents that nobody of ours wrote are errors that name them, and stay.
func TestCollectionDamage(t *testing.T) {
	t.Parallel()
	shard := fmt.Sprintf("things-%02x.json", store.ShardOf("a"))
	for name, damage := range map[string]map[string]string{
		"index empty":          {"things.json": ``},
		"index cut":            {"things.json": `{"shards":{"00"`},
		"index of another":     {"things.json": `{"shards":null}`},
		"index unknown member": {"things.json": `{"shards":{},"more":1}`},
		"index followed":       {"things.json": `{"shards":{}} {}`},
		"index long digits":    {"things.json": `{"shards":{"0a1":1}}`},
		"index upper case":     {"things.json": `{"shards":{"CA":1}}`},
		"index version 0":      {"things.json": `{"shards":{"ca":0}}`},
		"shard empty":          {shard: ``},
		"shard cut":            {shard: `{"version":1,"rec`},
		"shard no version":     {shard: `{"records":{"a":1}}`},
		"shard no records":     {shard: `{"version":3}`},
		"shard foreign record": {shard: `{"version":3,"records":{"zebra":1}}`},
		"shard unknown member": {shard: `{"version":3,"records":{"a":1},"more":1}`},
		"shard record twice":   {shard: `{"version":3,"records":{"a":1,"a":2}}`},
		"shard escaped twice":  {shard: `{"version":3,"records":{"a":1,"\u0061":2}}`},
		"shard records twice":  {shard: `{"version":3,"records":{"a":1},"records":{"a":2}}`},
		"shard version twice":  {shard: `{"version":3,"version":4,"records":{"a":1}}`},
		"shard other capitals": {shard: `{"Version":3,"records":{"a":1}}`},
		"shard records first":  {shard: `{"records":{"a":1},"version":3}`},
		"shard version text":   {shard: `{"version":"3","records":{"a":1}}`},
		"shard version null":   {shard: `{"version":null,"records":{"a":1}}`},
		"shard version 3.0":    {shard: `{"version":3.0,"records":{"a":1}}`},
		"shard version -3":     {shard: `{"version":-3,"records":{"a":1}}`},
		"shard version above":  {shard: `{"version":18446744073709551616,"records":{"a":1}}`},
		"shard version 0":      {shard: `{"version":0,"records":{"a":1}}`},
		"shard records null":   {shard: `{"version":3,"records":null}`},
		"shard records array":  {shard: `{"version":3,"records":["a"]}`},
		"shard no value":       {shard: `{"version":3,"records":{"a":}}`},
		"shard value cut":      {shard: `{"version":3,"records":{"a":{"b":1}`},
		"shard followed":       {shard: `{"version":3,"records":{"a":1}}{}`},
		"shard NUL behind":     {shard: "{\"version\":3,\"records\":{\"a\":1}}\x00"},
		"shard not UTF-8":      {shard: "{\"version\":3,\"records\":{\"a\":\"\xff\"}}"},
		"shard null":           {shard: `null`},
		"shard array":          {shard: `[]`},
		"index digits twice":   {"things.json": `{"shards":{"ca":1,"ca":2}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			documents, ctx := store.NewMemory(), t.Context()
			must(t, newHolder(documents).Change(ctx, []string{"a"}, becomes(`1`)))
			for document, content := range damage {
				must(t, documents.Update(ctx, document, func([]byte) ([]byte, error) { return []byte(content), nil }))
				h := newHolder(documents)
				if err := h.Load(ctx); err == nil || !strings.Contains(err.Error(), document) {
					t.Errorf("load: %v", err)
				}
				if err := h.Change(ctx, []string{"a"}, becomes(`2`)); err == nil || !strings.Contains(err.Error(), document) {
					t.Errorf("change: %v", err)
				}
				if data, err := documents.Load(ctx, document); err != nil || string(data) != content {
					t.Errorf("the document became %q, %v", data, err)
				}
			}
		})
	}
}

// Keys may be escaped as other tools do it, and a record is handed over as it stands.
func TestCollectionTakesRecordsAsTheyStand(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	for name, content := range map[string]string{
		"things.json": fmt.Sprintf(`{"shards":{"%02x":3}}`, store.ShardOf("a")),
		fmt.Sprintf("things-%02x.json", store.ShardOf("a")): `{"version":3,"records":{"\u0061": {"x": [1, {"x":"}\u0022"}],"x":null} }}`,
	} {
		must(t, documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte(content), nil }))
	}
	h := newHolder(documents)
	must(t, h.Load(t.Context()))
	mustHold(t, h, map[string]string{"a": `{"x": [1, {"x":"}\u0022"}],"x":null}`}) // what stands twice there, the owner refuses
}

// Operators look at documents through tools that indent them.
func TestCollectionIndented(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	must(t, newHolder(documents).Change(ctx, []string{"a"}, becomes(`1`)))
	for _, document := range []string{"things.json", fmt.Sprintf("things-%02x.json", store.ShardOf("a"))} {
		must(t, documents.Update(ctx, document, func(old []byte) ([]byte, error) {
			var indented bytes.Buffer
			err := json.Indent(&indented, old, "", "  ")
			return indented.Bytes(), err
		}))
	}
	h := newHolder(documents)
	must(t, h.Load(ctx))
	mustHold(t, h, map[string]string{"a": "1"})
}
