package caddymodule

import (
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// credentials gives a client its keys and certificates.
func (a *App) credentials(c *Client, built *client.Client) error {
	label := func(word string) string { return fmt.Sprintf("client %q: %s", c.ID, word) }
	if err := a.clientKeys(c, built, label); err != nil {
		return err
	}
	if c.TLSClientAuth != (CertificateName{}) {
		name, err := client.ParseCertificateName(c.TLSClientAuth.Kind, c.TLSClientAuth.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", label("tls_client_auth"), err)
		}
		built.Certificate = &name
	}
	if c.SelfSigned == "" {
		return nil
	}
	built.SelfSigned = new(client.HeldCertificates)
	return a.watch(label("self_signed_tls_client_auth"), c.SelfSigned, func(content []byte) error {
		certificates, err := client.ParseCertificates(content)
		if err == nil {
			built.SelfSigned.Replace(certificates)
		}
		return err
	})
}

// clientKeys gives a client the keys for private_key_jwt.
func (a *App) clientKeys(c *Client, built *client.Client, label func(string) string) error {
	if c.JWKSURI != "" {
		remote, err := a.remoteKeys(c.JWKSURI, "")
		if err != nil {
			return fmt.Errorf("%s: %w", label("jwks_uri"), err)
		}
		built.Keys = remote
		return nil
	}
	if c.JWKS == "" {
		return nil
	}
	if !inlineJSON(c.JWKS) {
		held, err := a.fileKeys(label("jwks"), c.JWKS)
		built.Keys = held
		return err
	}
	set, err := keys.ParseSet([]byte(c.JWKS))
	if err != nil {
		return fmt.Errorf("%s: %w", label("jwks"), err)
	}
	built.Keys = keys.NewHeld(set)
	return nil
}

// inlineJSON tells a JSON object from the path of a file and from a
// placeholder, whose name never begins with a quote.
func inlineJSON(text string) bool {
	inner, found := strings.CutPrefix(strings.TrimSpace(text), "{")
	inner = strings.TrimSpace(inner)
	return found && (strings.HasPrefix(inner, `"`) || inner == "}")
}

// remotes has the keys behind urls by url and issuer: a reload keeps what was fetched,
// also while the server that has them is down.
var remotes = caddy.NewUsagePool()

// pooledKeys are keys in the pool. They hold nothing of a configuration.
type pooledKeys struct{ *keys.Remote }

// Destruct has nothing to close: a fetch under way ends by itself.
func (pooledKeys) Destruct() error { return nil }

// remoteKeys finds or makes the keys behind a url, or those of an issuer whose
// metadata names one, for as long as the app lives.
func (a *App) remoteKeys(url, issuer string) (*keys.Remote, error) {
	name := url + " " + issuer
	value, _, err := remotes.LoadOrNew(name, func() (caddy.Destructor, error) {
		remote, err := keys.NewRemote(keys.RemoteConfig{URL: url, Issuer: issuer, Now: time.Now, Report: reportFetch})
		return pooledKeys{remote}, err
	})
	if err != nil {
		return nil, err
	}
	a.leased = append(a.leased, name)
	return value.(pooledKeys).Remote, nil
}

// reportFetch logs to whatever Caddy logs to at that moment: the keys outlive
// the configuration that asked for them.
func reportFetch(err error) {
	caddy.Log().Named(optionName).Error("keys cannot be fetched; those known stay in force", zap.Error(err))
}

// releaseKeys gives the keys behind urls back.
func (a *App) releaseKeys() {
	for _, name := range a.leased {
		_, _ = remotes.Delete(name) // its Destruct never fails
	}
	a.leased = nil
}
