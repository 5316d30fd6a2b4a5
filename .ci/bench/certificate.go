package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// certificate is of a key that signed it itself. Sites and clients show the same one,
// which is also the only one that they trust.
func certificate(private *ecdsa.PrivateKey) (*tls.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, DNSNames: []string{"localhost", "bench.example"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, err
}

// writeCertificate leaves certificate and key in the files that Caddyfiles name.
func (k *keys) writeCertificate(folder string) error {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.certificate.Certificate[0]})
	if err := os.WriteFile(filepath.Join(folder, "certificate.pem"), block, 0o600); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return err
	}
	block = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return os.WriteFile(filepath.Join(folder, "certificate.key"), block, 0o600)
}

// tls is how connections show the certificate, and trust it.
func (k *keys) tls() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(k.certificate.Leaf)
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{*k.certificate}, MinVersion: tls.VersionTLS13}
}

// newClient sends over connections that stay open.
func (k *keys) newClient() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: k.tls()}}
}
