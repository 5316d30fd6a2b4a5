package redis

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"
)

// Defaults of [Config].
const (
	DefaultTimeout = 2 * time.Second
	DefaultPrefix  = "caddy-oauth2"
)

// What [Config.Timeout] may be. WAIT gets a part of it in whole milliseconds,
// and 0 of them would be without end.
const (
	MinTimeout = 100 * time.Millisecond
	MaxTimeout = time.Minute
)

// Config says where the store is. URL and EncryptionKeys are needed.
type Config struct {
	// URL is redis://[user[:password]@]host[:port][/database], rediss:// for TLS,
	// or unix:///path.
	URL string

	// Username and Password take the place of those of the URL. Where both
	// stand and the URL is that of a Sentinel, those of the URL are for Sentinels.
	Username, Password string

	Addresses []string // further Sentinels or nodes, host:port
	Sentinel  string   // the name of the master, where the URL is that of a Sentinel
	Cluster   bool     // the URL is that of a node of a Redis Cluster

	Issuer         string        // whose state this is: it is kept apart from that of other issuers
	Prefix         string        // what all keys begin with; default DefaultPrefix
	EncryptionKeys []string      // texts of at least MinKey bytes; the first one seals, all open
	Timeout        time.Duration // of one operation, connecting included; default DefaultTimeout
	WaitReplicas   int           // how many replicas must have a write before it counts

	// TLS is asked at each connection of rediss://, so that certificates can change.
	// Default: the system's roots.
	TLS func() *tls.Config

	// Slack is how much longer than a mark's Until it is kept: by as much may the
	// clocks of instances differ.
	Slack time.Duration
	Now   func() time.Time // default time.Now
}

// prefixes cannot hold what has a meaning in a hash tag or in a pattern of SCAN.
var prefixes = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)

// CheckPrefix tells what is wrong with a [Config.Prefix].
func CheckPrefix(prefix string) error {
	if !prefixes.MatchString(prefix) {
		return fmt.Errorf("%q: expected 1 to 64 of A-Z, a-z, 0-9 and . _ : / -", prefix)
	}
	return nil
}

// CheckURL tells what is wrong with a [Config.URL], without quoting it: it may
// hold a password.
func CheckURL(url string) error {
	_, err := parseURL(url)
	return err
}

// CheckTimeout tells what is wrong with a [Config.Timeout].
func CheckTimeout(timeout time.Duration) error {
	if timeout < MinTimeout || timeout > MaxTimeout {
		return fmt.Errorf("%v: expected a duration from 100ms to 1m", timeout)
	}
	return nil
}

// CheckKey tells what is wrong with one of [Config.EncryptionKeys], without
// quoting it.
func CheckKey(text string) error {
	if len(text) < MinKey {
		return fmt.Errorf("%d bytes: expected at least %d, such as `openssl rand -base64 32` makes", len(text), MinKey)
	}
	return nil
}

// Check judges a configuration, and connects to nothing. The error quotes neither
// the URL nor a key.
func (c *Config) Check() error {
	if _, err := newSealer(c.EncryptionKeys); err != nil {
		return err
	}
	_, err := c.options()
	return err
}

// check judges what can be judged without a server.
func (c *Config) check() error {
	if err := CheckPrefix(cmp.Or(c.Prefix, DefaultPrefix)); err != nil {
		return fmt.Errorf("key prefix %w", err)
	}
	if err := CheckTimeout(cmp.Or(c.Timeout, DefaultTimeout)); err != nil {
		return fmt.Errorf("timeout %w", err)
	}
	if c.Cluster && c.Sentinel != "" {
		return errors.New("sentinel and cluster: expected one of them")
	}
	if c.WaitReplicas < 0 {
		return fmt.Errorf("wait for %d replicas: expected 0 or more", c.WaitReplicas)
	}
	return nil
}

// options are those of the client. Errors do not quote the URL.
func (c *Config) options() (*redis.UniversalOptions, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	parsed, err := parseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if c.Cluster && parsed.DB != 0 {
		return nil, errors.New("url: a cluster has no numbered databases")
	}
	timeout := cmp.Or(c.Timeout, DefaultTimeout)
	options := &redis.UniversalOptions{
		Addrs: append([]string{parsed.Addr}, c.Addresses...),
		DB:    parsed.DB, Protocol: 2,
		Username: cmp.Or(c.Username, parsed.Username), Password: cmp.Or(c.Password, parsed.Password),
		MasterName: c.Sentinel, IsClusterMode: c.Cluster, TLSConfig: parsed.TLSConfig,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		ContextTimeoutEnabled: true,
		// An outage must not outlast itself: whoever comes next tries again.
		DialerRetries: 1, MaxRetries: 1, MinRetryBackoff: 10 * time.Millisecond, MaxRetryBackoff: 100 * time.Millisecond,
	}
	if parsed.TLSConfig != nil && c.TLS != nil {
		options.Dialer = dialTLS(c.TLS, parsed.TLSConfig.ServerName, timeout)
	}
	if c.Sentinel != "" && c.Password != "" {
		options.SentinelUsername, options.SentinelPassword = parsed.Username, parsed.Password
	}
	return options, nil
}
