package redis

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"
)

// No error shows a key or a password.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	keys := []string{oldKey}
	for name, config := range map[string]Config{
		"no url":            {EncryptionKeys: keys},
		"http":              {URL: "http://user:hunter2@localhost", EncryptionKeys: keys},
		"bad port":          {URL: "redis://user:hunter2@localhost:hunter2", EncryptionKeys: keys},
		"port 0":            {URL: "redis://user:hunter2@localhost:0", EncryptionKeys: keys},
		"port too high":     {URL: "redis://user:hunter2@localhost:65536", EncryptionKeys: keys},
		"negative database": {URL: "redis://user:hunter2@localhost/-1", EncryptionKeys: keys},
		"the same key":      {URL: "redis://localhost", EncryptionKeys: []string{newKey, oldKey, newKey}},
		"no host":           {URL: "redis://user:hunter2@/1", EncryptionKeys: keys},
		"query":             {URL: "redis://user:hunter2@localhost?pool_size=3", EncryptionKeys: keys},
		"bad database":      {URL: "redis://user:hunter2@localhost/hunter2", EncryptionKeys: keys},
		"control character": {URL: "redis://user:hunter2@local\x00host", EncryptionKeys: keys},
		"no key":            {URL: "redis://localhost"},
		"short key":         {URL: "redis://localhost", EncryptionKeys: []string{oldKey, "hunter2"}},
		"cluster with db":   {URL: "redis://localhost/3", Cluster: true, EncryptionKeys: keys},
		"both kinds":        {URL: "redis://localhost", Cluster: true, Sentinel: "main", EncryptionKeys: keys},
		"hash tag":          {URL: "redis://localhost", Prefix: "a{b}", EncryptionKeys: keys},
		"pattern":           {URL: "redis://localhost", Prefix: "a*", EncryptionKeys: keys},
		"no time":           {URL: "redis://localhost", Timeout: time.Millisecond, EncryptionKeys: keys},
		"endless":           {URL: "redis://localhost", Timeout: time.Hour, EncryptionKeys: keys},
		"replicas":          {URL: "redis://localhost", WaitReplicas: -1, EncryptionKeys: keys},
	} {
		made, err := New(config)
		if err == nil || made != nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), oldKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whose user and password go where: those of the URL are for Sentinels only
// where the servers have their own.
func TestLogins(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config         Config
		data, sentinel string
	}{
		"url":              {Config{URL: "redis://u:p@h"}, "u:p", ":"},
		"own":              {Config{URL: "redis://h", Username: "a", Password: "b"}, "a:b", ":"},
		"own before url":   {Config{URL: "redis://u:p@h", Username: "a", Password: "b"}, "a:b", ":"},
		"sentinel and url": {Config{URL: "redis://u:p@h", Sentinel: "main"}, "u:p", ":"},
		"sentinel, both":   {Config{URL: "redis://u:p@h", Sentinel: "main", Username: "a", Password: "b"}, "a:b", "u:p"},
	} {
		options, err := test.config.options()
		if err != nil {
			t.Fatal(err)
		}
		data, sentinel := options.Username+":"+options.Password, options.SentinelUsername+":"+options.SentinelPassword
		if data != test.data || sentinel != test.sentinel {
			t.Errorf("%s: %s and %s", name, data, sentinel)
		}
	}
}

// TLS is spoken where the URL says so, and checks the host of the URL or the
// name that is set.
func TestTLSOptions(t *testing.T) {
	t.Parallel()
	own := func() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
	for name, test := range map[string]struct {
		config    Config
		encrypted bool
		dialer    bool // of our own
	}{
		"none":   {Config{URL: "redis://h", TLS: own}, false, false},
		"system": {Config{URL: "rediss://h"}, true, false},
		"own":    {Config{URL: "rediss://h", TLS: own}, true, true},
	} {
		options, err := test.config.options()
		if err != nil {
			t.Fatal(err)
		}
		if (options.TLSConfig != nil) != test.encrypted || (options.Dialer != nil) != test.dialer {
			t.Errorf("%s: TLS is %v, a dialer %v", name, options.TLSConfig != nil, options.Dialer != nil)
		}
		if test.encrypted && (options.TLSConfig.ServerName != "h" || options.TLSConfig.InsecureSkipVerify) {
			t.Errorf("%s: %s", name, options.TLSConfig.ServerName)
		}
	}
	for name, want := range map[string]string{"": "h", "n": "n"} {
		config := own()
		config.ServerName = name
		if got := named(config, "h"); got.ServerName != want || got.InsecureSkipVerify || config.ServerName != name {
			t.Errorf("%q is named %q, and was then %q", name, got.ServerName, config.ServerName)
		}
	}
}

// FuzzCheckURL: whatever stands in a url, no error quotes it.
func FuzzCheckURL(f *testing.F) {
	for _, url := range []string{"redis://localhost", "rediss://u:p@h:1/2", "unix:///run/redis.sock", "redis://:%zz@h", "http://h"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		secret = "hunter2" + secret
		for _, url := range []string{secret, "redis://u:" + secret + "@h", "redis://h/" + secret} {
			if err := CheckURL(url); err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", url, err)
			}
		}
	})
}
