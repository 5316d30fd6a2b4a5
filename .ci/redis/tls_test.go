package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// withTLS is a server that asks for a certificate, all signed by an authority of the test.
func withTLS(t *testing.T) redis.Config {
	t.Helper()
	config, _ := startTLS(t)
	return config
}

// startTLS returns how to reach the server, and how it goes wrong.
func startTLS(t *testing.T) (right redis.Config, wrong map[string]*tls.Config) {
	t.Helper()
	folder := t.TempDir()
	authority, key := selfSigned(t)
	certificate, private := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, certificate, "CERTIFICATE", authority.Raw)
	writePEM(t, private, "PRIVATE KEY", encoded)
	_, port, err := net.SplitHostPort(redistest.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	redistest.Start(t, "--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", private, "--tls-ca-cert-file", certificate)
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	pair := tls.Certificate{Certificate: [][]byte{authority.Raw}, PrivateKey: key}
	good := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}}
	return redis.Config{URL: "rediss://127.0.0.1:" + port, TLS: func() *tls.Config { return good }}, map[string]*tls.Config{
		"another authority": {MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool(), Certificates: good.Certificates},
		"no certificate":    {MinVersion: tls.VersionTLS12, RootCAs: roots},
		"another name":      {MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: good.Certificates, ServerName: "other.example.com"},
	}
}

// Both sides are checked.
func TestTLSIsChecked(t *testing.T) {
	t.Parallel()
	config, wrong := startTLS(t)
	if err := open(t, config).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, encryption := range wrong {
		config.TLS = func() *tls.Config { return encryption }
		if err := open(t, config).Check(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func selfSigned(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func writePEM(t *testing.T, path, kind string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
}
