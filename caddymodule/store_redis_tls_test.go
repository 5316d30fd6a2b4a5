package caddymodule_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// serverCertificate makes one that is its own authority, and what belongs into a file
// of each part.
func serverCertificate(t *testing.T, serial int64) (pair tls.Certificate, certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, certificate, key
}

// restarted has the server close all connections and show another certificate, and
// ask for one that was signed by authority.
func restarted(t *testing.T, server *miniredis.Miniredis, pair tls.Certificate, authority []byte) {
	t.Helper()
	address := server.Addr()
	server.Close()
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	config.ClientCAs.AppendCertsFromPEM(authority)
	if err := server.StartAddrTLS(address, config); err != nil {
		t.Fatal(err)
	}
}

// The authority of the server's certificate and our own certificate change without a
// reload, and a file that cannot be used leaves in force what it held before.
func TestRedisTLSFilesChange(t *testing.T) {
	s, server, folder := newSite(t), miniredis.NewMiniRedis(), t.TempDir()
	ca, certificate, key := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	put := func(path string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	pair, shown, private := serverCertificate(t, 1)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	restarted(t, server, pair, shown)
	put(ca, shown)
	put(certificate, shown)
	put(key, private)
	options := strings.Replace(inRedis(server, storeKey), "redis://", "rediss://", 1)
	s.load(strings.Replace(options, "timeout", "tls_ca "+ca+"\ntls_client_certificate "+certificate+" "+key+"\ntimeout", 1), "oauth2_gate read")
	up := func() bool { return families(t)["caddy_oauth2_store_up"] == 1 }
	waitFor(t, "the store is there", up)

	put(ca, []byte("half a file"))
	put(certificate, []byte("half a file"))
	waitFor(t, "the broken files are seen", func() bool { return families(t)["caddy_oauth2_files_unusable"] >= 2 })
	restarted(t, server, pair, shown)
	waitFor(t, "new connections go by what the files held", func() bool {
		status, _, _ := s.post("/oauth2/revoke", "token="+s.token("read"))
		return status == 200
	})

	pair, shown, private = serverCertificate(t, 2)
	restarted(t, server, pair, shown)
	waitFor(t, "another authority is refused", func() bool { return !up() })
	put(ca, shown)
	put(certificate, shown)
	put(key, private)
	waitFor(t, "the new files are in force", up)
	if status, _, body := s.post("/oauth2/revoke", "token="+s.token("read")); status != 200 {
		t.Error(status, body)
	}
}
