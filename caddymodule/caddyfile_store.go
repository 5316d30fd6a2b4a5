package caddymodule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
)

// store reads
//
//	store storage
//	store redis <url> { ... }
func (r *appReader) store(l line) error {
	switch kind := l.words[0].Text; {
	case kind == "storage" && len(l.words) == 1 && !l.hasBlock:
		return r.setStore(new(StorageStore), kind)
	case kind == "storage":
		return atToken(l.last(), errors.New("oauth2: store storage: expected nothing behind it"))
	case strings.Contains(kind, "://"): // which may hold a password
		return atToken(l.words[0], errors.New("oauth2: store: a url stands first: expected `store redis <url> { ... }`"))
	case kind != "redis":
		return atToken(l.words[0], fmt.Errorf("oauth2: store: %q: expected storage or redis", kind))
	case len(l.words) == 1:
		return atToken(l.words[0], errors.New("oauth2: store: missing word: expected `store redis <url> { ... }`"))
	}
	r.marks["store"], r.marks["store.url"] = l.words[0], l.words[1]
	s := &RedisStore{URL: l.words[1].Text}
	if err := readBlock("store redis", l.block, r.redisLines(s)); err != nil {
		return err
	}
	if err := (checker{adapting: true}).redis(s); err != nil {
		return r.marks.locate(err)
	}
	return r.setStore(s, "redis")
}

func (r *appReader) setStore(module any, name string) error {
	var warnings []caddyconfig.Warning
	r.app.StoreRaw = caddyconfig.JSONModuleObject(module, "module", name, &warnings)
	if len(warnings) > 0 {
		return fmt.Errorf("encoding the store: %s", warnings[0].Message)
	}
	return nil
}

// redisLines are those of
//
//	store redis <url> {
//		encryption_key         <key>
//		username               <text>
//		password               <text>
//		sentinel               <master>
//		cluster
//		address                <host:port>...
//		key_prefix             <text>
//		timeout                <duration>
//		wait_replicas          <count>
//		tls_ca                 <pem-file>
//		tls_client_certificate <pem-file> <key-file>
//		tls_server_name        <name>
//	}
func (r *appReader) redisLines(s *RedisStore) []subdirective {
	text := func(grammar, name string, into *string, secret bool) subdirective {
		return subdirective{grammar: grammar, words: exactly(1), secret: secret, read: r.marks.text("store."+name, into)}
	}
	return []subdirective{
		{
			grammar: "encryption_key <key>", words: exactly(1), repeats: true, secret: true,
			read: r.marks.list("store.encryption_keys", &s.EncryptionKeys),
		},
		text("username <text>", "username", &s.Username, false),
		text("password <text>", "password", &s.Password, true),
		text("sentinel <master>", "sentinel", &s.Sentinel, false),
		{grammar: "cluster", words: exactly(0), read: func(l line) error {
			r.marks["store.cluster"], s.Cluster = l.name, true
			return nil
		}},
		{grammar: "address <host:port>...", words: atLeast(1), repeats: true, read: r.marks.list("store.addresses", &s.Addresses)},
		text("key_prefix <text>", "key_prefix", &s.KeyPrefix, false),
		{
			grammar: "timeout <duration>", words: exactly(1),
			read: r.marks.duration("store redis", &s.Timeout, redis.CheckTimeout),
		},
		{grammar: "wait_replicas <count>", words: exactly(1), read: readReplicas(&s.WaitReplicas)},
		text("tls_ca <pem-file>", "tls_ca", &s.TLSCA, false),
		{grammar: "tls_client_certificate <pem-file> <key-file>", words: exactly(2), read: func(l line) error {
			r.marks["store.tls_certificate"] = l.words[0]
			s.TLSCertificate, s.TLSKey = l.words[0].Text, l.words[1].Text
			return nil
		}},
		text("tls_server_name <name>", "tls_server_name", &s.TLSServerName, false),
	}
}

func readReplicas(into **int) func(line) error {
	return func(l line) error {
		count, err := strconv.Atoi(l.words[0].Text)
		if err != nil || count < 0 {
			return atToken(l.words[0], fmt.Errorf("store redis: wait_replicas: %q: expected a number, 0 or more", l.words[0].Text))
		}
		*into = &count
		return nil
	}
}
