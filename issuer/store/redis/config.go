package redis

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Defaults of [Config].
const (
	DefaultTimeout = 2 * time.Second
	DefaultPrefix  = "caddy-oauth2:"
)

// Config says where the store is. All fields without a default are needed.
type Config struct {
	// URL is redis://[user[:password]@]host[:port][/database], rediss:// for TLS,
	// or unix:///path.
	URL string

	Username, Password string   // in place of those of the URL
	Addresses          []string // further Sentinels or nodes, host:port

	Sentinel string // the name of the master, where the URL is that of a Sentinel
	Cluster  bool   // the URL is that of a node of a Redis Cluster

	Issuer         string        // what is apart from that of other issuers, see [store.Prefix]
	Prefix         string        // before all keys; default DefaultPrefix
	EncryptionKeys []string      // texts of at least MinKey bytes; the first one seals
	Timeout        time.Duration // of one command, connecting included; default DefaultTimeout
	WaitReplicas   int           // how many replicas must have a write before it counts
	TLS            *tls.Config   // for rediss://; default: the system's roots

	// Slack is how much longer than a mark's Until it is kept: by as much may the
	// clocks of instances differ.
	Slack time.Duration
	Now   func() time.Time // default time.Now
}

// errURL does not quote the URL, which may hold a password.
var errURL = errors.New("expected redis://host:port/database, rediss://... or unix://path")

// CheckURL judges a URL.
func CheckURL(url string) error {
	if _, err := redis.ParseURL(url); err != nil {
		return errURL
	}
	return nil
}

// Check judges a configuration, and connects to nothing.
func (c *Config) Check() error {
	if _, err := newSealer(c.EncryptionKeys); err != nil {
		return err
	}
	_, err := c.options()
	return err
}

// options are those of the client.
func (c *Config) options() (*redis.UniversalOptions, error) {
	parsed, err := redis.ParseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", errURL)
	}
	if c.Cluster && (c.Sentinel != "" || parsed.DB != 0) {
		return nil, errors.New("a cluster has neither Sentinels nor numbered databases")
	}
	if parsed.TLSConfig != nil && c.TLS != nil {
		name := parsed.TLSConfig.ServerName
		parsed.TLSConfig = c.TLS.Clone()
		parsed.TLSConfig.ServerName = cmp.Or(parsed.TLSConfig.ServerName, name)
	}
	timeout := cmp.Or(c.Timeout, DefaultTimeout)
	if timeout < 0 {
		return nil, fmt.Errorf("timeout %v: expected a positive duration", timeout)
	}
	return &redis.UniversalOptions{
		Addrs: append([]string{parsed.Addr}, c.Addresses...),
		DB:    parsed.DB, Protocol: 2,
		Username: cmp.Or(c.Username, parsed.Username), Password: cmp.Or(c.Password, parsed.Password),
		MasterName: c.Sentinel, IsClusterMode: c.Cluster, TLSConfig: parsed.TLSConfig,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		ContextTimeoutEnabled: true,
		// A mark that was noted, and whose answer was lost, must not be taken for a
		// replay of itself.
		MaxRetries: -1,
	}, nil
}
