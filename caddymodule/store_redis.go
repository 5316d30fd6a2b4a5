package caddymodule

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func init() { caddy.RegisterModule(new(RedisStore)) }

// RedisStore keeps the state in Redis 6 or later, or Valkey, for any number of
// Caddy instances: keys, clients made at run time, revocations, replay marks and
// counts of failures.
type RedisStore struct {
	// Where it is: `redis://[user[:password]@]host[:port][/database]`, `rediss://`
	// for TLS, or `unix://` and a path.
	URL string `json:"url"`

	// Texts of at least 32 bytes, such as `openssl rand -base64 32` makes, with
	// which what is stored is encrypted. The first encrypts, all decrypt. Better a
	// placeholder (`{env.X}`, `{file./path}`) than the text. Needed.
	EncryptionKeys []string `json:"encryption_keys"`

	// The user (ACL). Default: that of the url, else Redis' default user.
	Username string `json:"username,omitempty"`

	// The password, better as a placeholder. Default: that of the url.
	Password string `json:"password,omitempty"`

	// The name of the master, where the url is that of a Sentinel. Default: it is
	// that of the server itself.
	Sentinel string `json:"sentinel,omitempty"`

	// The url is that of a node of a Redis Cluster. Default: false.
	Cluster bool `json:"cluster,omitempty"`

	// Further Sentinels or nodes of the cluster, `host:port`. Default: none.
	Addresses []string `json:"addresses,omitempty"`

	// What all names of keys begin with: up to 64 of `A-Z a-z 0-9 . _ : / -`.
	// Default: `caddy-oauth2`.
	KeyPrefix string `json:"key_prefix,omitempty"`

	// How long one operation may take, connecting included, from `100ms` to `1m`.
	// Default: `2s`.
	Timeout Duration `json:"timeout,omitempty"`

	// How many replicas must have a write before it is acknowledged. Default: 1
	// with `sentinel`, else 0.
	WaitReplicas *int `json:"wait_replicas,omitempty"`

	// A PEM file with the roots that the server's certificate must end in, read
	// again when it changes. Default: the system's.
	TLSCA string `json:"tls_ca,omitempty"`

	// A PEM file with the certificate that Caddy shows, read again when it
	// changes. Default: none.
	TLSCertificate string `json:"tls_certificate,omitempty"`

	// The PEM file with the key of `tls_certificate`, read again when it changes.
	TLSKey string `json:"tls_key,omitempty"`

	// The name that the server's certificate must have. Default: the url's host.
	TLSServerName string `json:"tls_server_name,omitempty"`

	config redis.Config
	tls    *redisTLS // nil: what is usual
}

// CaddyModule returns the Caddy module information.
func (*RedisStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "oauth2.stores.redis", New: func() caddy.Module { return new(RedisStore) }}
}

// Provision judges the configuration. It connects to nothing.
func (s *RedisStore) Provision(caddy.Context) error {
	resolved := *s
	r := &resolver{repl: caddy.NewReplacer()}
	resolved.resolve(r)
	if r.err != nil {
		return r.err
	}
	if err := (checker{}).redis(&resolved); err != nil {
		return err
	}
	config, err := resolved.build()
	s.config, s.tls = config, resolved.tls
	return err
}

// clockSlack is by how much the clocks of instances may differ for their replay
// marks to hold: the leeway that each of two grants.
const clockSlack = 2 * token.Leeway

// build makes the configuration of the core, and tries it.
func (s *RedisStore) build() (redis.Config, error) {
	config := redis.Config{
		URL: s.URL, Username: s.Username, Password: s.Password, Addresses: s.Addresses,
		Sentinel: s.Sentinel, Cluster: s.Cluster, Prefix: s.KeyPrefix,
		EncryptionKeys: s.EncryptionKeys, Timeout: time.Duration(s.Timeout), Slack: clockSlack,
	}
	if s.Sentinel != "" {
		config.WaitReplicas = 1
	}
	if s.WaitReplicas != nil {
		config.WaitReplicas = *s.WaitReplicas
	}
	var err error
	if s.tls, err = newRedisTLS(s); err != nil {
		return redis.Config{}, err
	}
	if s.tls != nil {
		config.TLS = s.tls.config
	}
	return config, config.Check()
}

func (s *RedisStore) identity() string {
	text := fmt.Sprintf("%q %q %q %q %q %q %q %t %v %d %q %q %q %q",
		s.config.URL, s.config.Username, s.config.Password, s.config.EncryptionKeys, s.config.Prefix, s.config.Sentinel,
		s.config.Addresses, s.config.Cluster, s.config.Timeout, s.config.WaitReplicas,
		s.TLSCA, s.TLSCertificate, s.TLSKey, s.TLSServerName)
	return fmt.Sprintf("redis %x", sha256.Sum256([]byte(text)))
}

func (s *RedisStore) open(issuer string) (*kept, error) {
	config := s.config
	config.Issuer = issuer
	opened, err := redis.New(config)
	if err != nil {
		return nil, errors.Join(errors.New("store redis"), err)
	}
	return &kept{documents: opened, remote: &remote{
		files: s.tls.files(),
		marks: opened, watch: opened.Watch, prepare: opened.Prepare, close: opened.Close,
		resume: opened.Resume, restriction: opened.Restriction, failures: client.NewFailureExchange(opened),
	}}, nil
}

// resolve replaces placeholders.
func (s *RedisStore) resolve(r *resolver) {
	s.EncryptionKeys, s.Addresses = append([]string{}, s.EncryptionKeys...), append([]string{}, s.Addresses...)
	r.secret("store redis: url", &s.URL)
	for i := range s.EncryptionKeys {
		r.secret("store redis: encryption_key", &s.EncryptionKeys[i])
	}
	r.text("store redis: username", &s.Username)
	r.secret("store redis: password", &s.Password)
	r.list("store redis: address", s.Addresses)
	for _, value := range []struct {
		name string
		text *string
	}{
		{"sentinel", &s.Sentinel}, {"key_prefix", &s.KeyPrefix}, {"tls_ca", &s.TLSCA},
		{"tls_client_certificate", &s.TLSCertificate}, {"tls_client_certificate", &s.TLSKey}, {"tls_server_name", &s.TLSServerName},
	} {
		r.text("store redis: "+value.name, value.text)
	}
}

// Interface guards.
var (
	_ caddy.Provisioner = (*RedisStore)(nil)
	_ keeper            = (*RedisStore)(nil)
)
