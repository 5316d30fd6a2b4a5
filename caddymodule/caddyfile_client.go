package caddymodule

import (
	"fmt"
)

// client reads
//
//	client <client_id> {
//		name           <text>
//		secret         <text> { id <text>; expires <RFC 3339 time> }
//		secret_hash    <phc-string> { ... }
//		jwks           <file-or-inline-json>
//		jwks_uri       <url>
//		tls_client_auth             <subject_dn|san_dns|san_uri|san_ip|san_email> <value>
//		self_signed_tls_client_auth <pem-file>
//		scopes         <scope>...
//		roles          <role>...
//		resources      <identifier>...
//		subject        <text>
//		token_lifetime <duration>
//		claims         <name> <value>
//		require        dpop|mtls
//		allow_bridge
//		introspect     any|own|none
//		disabled
//	}
func (r *appReader) client(l line) error {
	path := fmt.Sprintf("clients[%d]", len(r.app.Clients))
	r.marks[path] = l.words[0]
	client := Client{ID: l.words[0].Text}
	err := readBlock(fmt.Sprintf("client %q", client.ID), l.block, r.clientSubdirectives(path, &client))
	r.app.Clients = append(r.app.Clients, client)
	return err
}

func (r *appReader) clientSubdirectives(path string, client *Client) []subdirective {
	within := fmt.Sprintf("client %q", client.ID)
	secret := func(l line) error { return r.secret(path, within, client, l) }
	return append(r.credentialSubdirectives(path, client), []subdirective{
		{grammar: "name <text>", words: exactly(1), read: r.marks.text(path+".name", &client.Name)},
		{grammar: "secret <text> { ... }", words: exactly(1), repeats: true, block: true, secret: true, read: secret},
		{grammar: "secret_hash <phc-string> { ... }", words: exactly(1), repeats: true, block: true, secret: true, read: secret},
		{
			grammar: "scopes <scope>...", words: atLeast(1), repeats: true,
			read: r.marks.list(path+".scopes", &client.Scopes),
		},
		{
			grammar: "roles <role>...", words: atLeast(1), repeats: true,
			read: r.marks.list(path+".roles", &client.Roles),
		},
		{
			grammar: "resources <identifier>...", words: atLeast(1), repeats: true,
			read: r.marks.list(path+".resources", &client.Resources),
		},
		{grammar: "subject <text>", words: exactly(1), read: r.marks.text(path+".subject", &client.Subject)},
		{
			grammar: "token_lifetime <duration>", words: exactly(1),
			read: r.marks.duration(within, &client.TokenLifetime, judgeLifetime),
		},
		{
			grammar: "claims <name> <value>", words: exactly(2), repeats: true,
			read: func(l line) error { return r.claim(path, within, client, l) },
		},
		{grammar: "require dpop|mtls", words: exactly(1), read: r.marks.text(path+".require", &client.Require)},
		{grammar: "allow_bridge", words: exactly(0), read: r.allowBridge(path, client)},
		{
			grammar: "introspect any|own|none", words: exactly(1),
			read: r.marks.text(path+".introspect", &client.Introspect),
		},
		{grammar: "disabled", words: exactly(0), read: switchOn(&client.Disabled)},
	}...)
}

// credentialSubdirectives are those by which a client proves who it is without
// a secret.
func (r *appReader) credentialSubdirectives(path string, client *Client) []subdirective {
	return []subdirective{
		{grammar: "jwks <file-or-inline-json>", words: exactly(1), json: true, read: r.marks.text(path+".jwks", &client.JWKS)},
		{grammar: "jwks_uri <url>", words: exactly(1), read: r.marks.text(path+".jwks_uri", &client.JWKSURI)},
		{
			grammar: "tls_client_auth <subject_dn|san_dns|san_uri|san_ip|san_email> <value>", words: exactly(2),
			read: func(l line) error {
				name := &client.TLSClientAuth
				name.Kind, name.Value = l.words[0].Text, l.words[1].Text
				r.marks[path+".tls_client_auth.kind"], r.marks[path+".tls_client_auth.value"] = l.words[0], l.words[1]
				return nil
			},
		},
		{
			grammar: "self_signed_tls_client_auth <pem-file>", words: exactly(1),
			read: r.marks.text(path+".self_signed_tls_client_auth", &client.SelfSigned),
		},
	}
}

// secret reads a `secret` or a `secret_hash` with its block.
func (r *appReader) secret(path, within string, client *Client, l line) error {
	path = fmt.Sprintf("%s.secrets[%d]", path, len(client.Secrets))
	r.marks[path] = l.words[0]
	var secret Secret
	if l.name.Text == "secret" {
		secret.Secret = l.words[0].Text
	} else {
		secret.Hash = l.words[0].Text
	}
	err := readBlock(within+": "+l.name.Text, l.block, []subdirective{
		{grammar: "id <text>", words: exactly(1), read: r.marks.text(path+".id", &secret.ID)},
		{grammar: "expires <RFC 3339 time>", words: exactly(1), read: r.marks.text(path+".expires", &secret.Expires)},
	})
	client.Secrets = append(client.Secrets, secret)
	return err
}

// allowBridge reads a word of its own, which is a mistake beside others.
func (r *appReader) allowBridge(path string, client *Client) func(line) error {
	return func(l line) error {
		r.marks[path+".allow_bridge"] = l.name
		client.AllowBridge = true
		return nil
	}
}

func (r *appReader) claim(path, within string, client *Client, l line) error {
	name, value := l.words[0], l.words[1]
	if _, twice := client.Claims[name.Text]; twice {
		return atToken(name, fmt.Errorf("%s: claims: %q stands twice: expected each claim once", within, name.Text))
	}
	if client.Claims == nil {
		client.Claims = make(map[string]string)
	}
	r.marks[path+".claims."+name.Text] = name
	client.Claims[name.Text] = value.Text
	return nil
}
