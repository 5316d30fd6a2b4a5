package caddymodule

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
)

// redisTLS is what is asked of a Redis with TLS and shown to it. It outlives the
// configuration that made it: connections go by what its files held last, as far
// as that can be used.
type redisTLS struct {
	name             string // of the server; empty: that of the url
	ca               string // a file; empty: the system's
	certificate, key string // files; empty: none is shown

	roots atomic.Pointer[x509.CertPool]
	pair  atomic.Pointer[tls.Certificate]
}

// keptFile is a file that a store reads again when it changes.
type keptFile struct {
	owner, path string
	take        func(content []byte) error
}

// newRedisTLS reads the files; nil: there is nothing to say.
func newRedisTLS(s *RedisStore) (*redisTLS, error) {
	if s.TLSCA == "" && s.TLSCertificate == "" && s.TLSServerName == "" {
		return nil, nil
	}
	t := &redisTLS{name: s.TLSServerName, ca: s.TLSCA, certificate: s.TLSCertificate, key: s.TLSKey}
	for _, file := range t.files() {
		content, err := readFile(file.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.owner, err)
		}
		if err := file.take(content); err != nil {
			return nil, fmt.Errorf("%s: file %s: %w", file.owner, file.path, err)
		}
	}
	return t, nil
}

func (t *redisTLS) config() *tls.Config {
	config := &tls.Config{ServerName: t.name, MinVersion: tls.VersionTLS12, RootCAs: t.roots.Load()}
	if pair := t.pair.Load(); pair != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return config
}

func (t *redisTLS) files() (files []keptFile) {
	if t == nil {
		return nil
	}
	if t.ca != "" {
		files = append(files, keptFile{"store redis: tls_ca", t.ca, t.takeRoots})
	}
	if t.certificate != "" {
		const owner = "store redis: tls_client_certificate"
		files = append(files, keptFile{owner, t.certificate, t.takePair}, keptFile{owner, t.key, t.takePair})
	}
	return files
}

func (t *redisTLS) takeRoots(content []byte) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return errors.New("expected certificates in PEM")
	}
	t.roots.Store(roots)
	return nil
}

// takePair reads both files, whichever of them has changed: a certificate whose key
// has not come yet is not taken, and both are when it has.
func (t *redisTLS) takePair([]byte) error {
	pair, err := tls.LoadX509KeyPair(t.certificate, t.key)
	if err != nil {
		return err
	}
	t.pair.Store(&pair)
	return nil
}
