package caddymodule

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
)

// redis judges where the state is kept. No message holds the url, which may have a
// password in it, or a key.
func (c checker) redis(s *RedisStore) error {
	p := place{path: "store", label: "store redis"}
	if err := c.text(p.sub("url", "url"), s.URL, redis.CheckURL); err != nil {
		return err
	}
	if len(s.EncryptionKeys) == 0 {
		return p.errorf("encryption_key is missing: expected a text of at least %d bytes, such as `openssl rand -base64 32` makes: "+
			"what is stored is encrypted with it", redis.MinKey)
	}
	for i, key := range s.EncryptionKeys {
		at := p.sub("encryption_keys", "encryption_key").item(i)
		if err := c.text(at, key, redis.CheckKey); err != nil {
			return err
		}
		if slices.Contains(s.EncryptionKeys[:i], key) { // without quoting it
			return at.errorf("stands twice: expected another key than before, or one alone")
		}
	}
	if err := c.list(p.sub("addresses", "address"), s.Addresses, judgeHostPort); err != nil {
		return err
	}
	return c.redisKind(p, s)
}

// redisKind judges what belongs to one kind of Redis alone.
func (c checker) redisKind(p place, s *RedisStore) error {
	if s.Cluster && s.Sentinel != "" {
		return p.sub("cluster", "cluster").errorf("stands beside sentinel: expected one or the other")
	}
	if len(s.Addresses) > 0 && !s.Cluster && s.Sentinel == "" {
		return p.sub("addresses", "address").item(0).errorf("further addresses need sentinel or cluster beside them")
	}
	if s.WaitReplicas != nil && *s.WaitReplicas < 0 {
		return p.sub("wait_replicas", "wait_replicas").errorf("%d: expected 0 or more", *s.WaitReplicas)
	}
	if (s.TLSCertificate == "") != (s.TLSKey == "") {
		return p.sub("tls_certificate", "tls_client_certificate").errorf("expected a certificate and its key")
	}
	for _, value := range []struct {
		word, text string
		judge      func(string) error
	}{
		{"sentinel", s.Sentinel, judgeText}, {"key_prefix", s.KeyPrefix, redis.CheckPrefix}, {"tls_server_name", s.TLSServerName, judgeText},
	} {
		if value.text == "" {
			continue
		}
		if err := c.text(p.sub(value.word, value.word), value.text, value.judge); err != nil {
			return err
		}
	}
	if err := c.redisTLS(p, s); err != nil {
		return err
	}
	return p.sub("timeout", "timeout").duration(s.Timeout, redis.CheckTimeout)
}

// redisTLS refuses what is said of TLS beside a url without it: the passwords
// would go over the wire as they are, against what the file seems to say.
func (c checker) redisTLS(p place, s *RedisStore) error {
	for _, value := range []struct{ name, word, text string }{
		{"tls_ca", "tls_ca", s.TLSCA},
		{"tls_certificate", "tls_client_certificate", s.TLSCertificate},
		{"tls_server_name", "tls_server_name", s.TLSServerName},
	} {
		if value.text == "" {
			continue
		}
		err := c.text(p.sub(value.name, value.word), s.URL, func(url string) error {
			if !strings.HasPrefix(strings.ToLower(url), "rediss://") {
				return errors.New("stands beside a url without TLS: expected rediss://")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func judgeHostPort(address string) error {
	host, port, err := net.SplitHostPort(address)
	if number, bad := strconv.Atoi(port); err != nil || host == "" || bad != nil || number < 1 || number > 65535 {
		return errors.New(strconv.Quote(address) + ": expected host:port")
	}
	return nil
}
