package caddymodule

import (
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// credentials judges by what a client proves who it is, secrets excepted, and
// what its tokens are bound to. What stands in files is judged when they are read.
func (c checker) credentials(p place, cl Client) error {
	if cl.JWKS != "" && cl.JWKSURI != "" {
		return p.sub("jwks_uri", "jwks_uri").errorf("stands beside jwks: expected one or the other")
	}
	if inlineJSON(cl.JWKS) {
		if _, err := keys.ParseSet([]byte(cl.JWKS)); err != nil {
			return p.sub("jwks", "jwks").errorf("%w", err)
		}
	}
	if cl.JWKSURI != "" {
		if err := c.text(p.sub("jwks_uri", "jwks_uri"), cl.JWKSURI, keys.CheckURL); err != nil {
			return err
		}
	}
	if cl.Require != "" {
		if err := c.text(p.sub("require", "require"), cl.Require, oneOf("dpop", "mtls")); err != nil {
			return err
		}
	}
	if cl.TLSClientAuth == (CertificateName{}) {
		return nil
	}
	return c.certificateName(p.sub("tls_client_auth", "tls_client_auth"), cl.TLSClientAuth)
}

// certificateName judges the kind first, so that the word at fault is named.
func (c checker) certificateName(p place, name CertificateName) error {
	kinds := oneOf("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")
	if err := c.text(p.sub("kind", "kind"), name.Kind, kinds); err != nil {
		return err
	}
	kind, known := c.read(name.Kind)
	if !known {
		return nil
	}
	at := place{path: p.path + ".value", label: p.label} // the error names the kind
	return c.text(at, name.Value, func(value string) error {
		_, err := client.ParseCertificateName(kind, value)
		return err
	})
}
