package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// optionName is the name of the global option and of the app.
const optionName = "oauth2"

// appReader reads the global option.
type appReader struct {
	app   App
	marks marks
}

// parseOption reads the global option:
//
//	oauth2 {
//		issuer         <url>
//		token_lifetime <duration>
//		signing        <alg> { ... }
//		scope_alias    <alias>
//		resource       <identifier> { ... }
//		role           <name> <scope>...
//		client         <client_id> { ... }
//		trusted_issuer <url> { ... }
//		assertion_audience issuer|endpoint
//		dpop           { nonce on|off; max_age <duration> }
//		limits         { token_failures <count> <duration> }
//		store          storage|redis <url> { ... }
//	}
//
// What one line says of another is judged at the end, so that they may stand
// in any order.
func parseOption(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next()
	option := readLine(d)
	if existing != nil {
		return nil, atToken(option.name, errors.New("oauth2 stands twice: expected one block with everything in it"))
	}
	shape := subdirective{grammar: optionName + " { ... }", words: exactly(0), block: true}
	if err := shape.checkLine("", option); err != nil {
		return nil, err
	}
	if !option.hasBlock {
		return nil, atToken(option.name, errors.New("oauth2: missing block: expected `oauth2 { ... }`"))
	}
	r := &appReader{marks: marks{"": option.name}}
	if err := readBlock(optionName, option.block, r.subdirectives()); err != nil {
		return nil, err
	}
	if err := (checker{adapting: true}).app(&r.app); err != nil {
		return nil, r.marks.locate(err)
	}
	value, err := json.Marshal(&r.app)
	if err != nil {
		return nil, atToken(option.name, fmt.Errorf("encoding the option: %w", err))
	}
	return httpcaddyfile.App{Name: optionName, Value: value}, nil
}

func (r *appReader) subdirectives() []subdirective {
	return []subdirective{
		{grammar: "issuer <url>", words: exactly(1), read: r.marks.text("issuer", &r.app.Issuer)},
		{
			grammar: "token_lifetime <duration>", words: exactly(1),
			read: r.marks.duration(optionName, &r.app.TokenLifetime, judgeLifetime),
		},
		{grammar: "signing <alg> { ... }", words: count{0, 1}, block: true, read: r.signing},
		{
			grammar: "scope_alias <alias>", words: exactly(1), repeats: true,
			read: r.marks.list("scope_aliases", &r.app.ScopeAliases),
		},
		{grammar: "resource <identifier> { ... }", words: exactly(1), repeats: true, block: true, read: r.resource},
		{grammar: "role <name> <scope>...", words: atLeast(2), repeats: true, read: r.role},
		{grammar: "client <client_id> { ... }", words: exactly(1), repeats: true, block: true, read: r.client},
		{grammar: "trusted_issuer <url> { ... }", words: exactly(1), repeats: true, block: true, read: r.trustedIssuer},
		{
			grammar: "assertion_audience issuer|endpoint", words: exactly(1),
			read: r.marks.text("assertion_audience", &r.app.AssertionAudience),
		},
		{grammar: "dpop { ... }", words: exactly(0), block: true, read: r.dpop},
		{grammar: "limits { ... }", words: exactly(0), block: true, read: r.limits},
		{grammar: "store storage|redis <url> { ... }", words: count{1, 2}, block: true, secret: true, read: r.store},
	}
}

// signing reads
//
//	signing <alg> {
//		rotate_every  <duration>|never
//		publish_ahead <duration>
//	}
//
// where the algorithm may be left out if there is a block.
func (r *appReader) signing(l line) error {
	signing := &r.app.Signing
	if len(l.words) == 0 && !l.hasBlock {
		return atToken(l.name, errors.New("oauth2: signing: missing word: expected `signing <alg> { ... }`"))
	}
	if len(l.words) > 0 {
		signing.Algorithm, r.marks["signing.alg"] = l.words[0].Text, l.words[0]
	}
	return readBlock("signing", l.block, []subdirective{
		{grammar: "rotate_every <duration>|never", words: exactly(1), read: readRotation(&signing.RotateEvery)},
		{
			grammar: "publish_ahead <duration>", words: exactly(1),
			read: r.marks.duration("signing", &signing.PublishAhead, judgePeriod),
		},
	})
}

// dpop reads
//
//	dpop {
//		nonce   on|off
//		max_age <duration>
//	}
func (r *appReader) dpop(l line) error {
	if !l.hasBlock {
		return atToken(l.name, errors.New("oauth2: dpop: missing block: expected `dpop { nonce on|off; max_age <duration> }`"))
	}
	return readBlock("dpop", l.block, []subdirective{
		{grammar: "nonce on|off", words: exactly(1), read: readSwitch("dpop", &r.app.DPoP.Nonce)},
		{
			grammar: "max_age <duration>", words: exactly(1),
			read: r.marks.duration("dpop", &r.app.DPoP.MaxAge, judgeProofAge),
		},
	})
}

// limits reads
//
//	limits {
//		token_failures <count> <duration>
//	}
func (r *appReader) limits(l line) error {
	if !l.hasBlock {
		return atToken(l.name, errors.New("oauth2: limits: missing block: expected `limits { token_failures <count> <duration> }`"))
	}
	return readBlock("limits", l.block, []subdirective{
		{grammar: "token_failures <count> <duration>", words: exactly(2), read: readFailures(&r.app.Limits.TokenFailures)},
	})
}

func readFailures(into *FailureLimit) func(line) error {
	return func(l line) error {
		count, err := strconv.Atoi(l.words[0].Text)
		if err != nil || count < 1 {
			return atToken(l.words[0], fmt.Errorf("limits: token_failures: %q: expected a number above 0", l.words[0].Text))
		}
		period, err := caddy.ParseDuration(l.words[1].Text)
		if err != nil || judgePeriod(period) != nil {
			return atToken(l.words[1], fmt.Errorf(
				"limits: token_failures: %q: expected a duration from 1s to %s, such as 1m", l.words[1].Text, longest))
		}
		into.Count, into.Duration = Count(count), Duration(period)
		return nil
	}
}

func readRotation(into *RotationPeriod) func(line) error {
	return func(l line) error {
		if l.words[0].Text == "never" {
			*into = NeverRotate
			return nil
		}
		period, err := caddy.ParseDuration(l.words[0].Text)
		if err != nil || judgePeriod(period) != nil {
			return atToken(l.words[0], fmt.Errorf(
				"signing: rotate_every: %q: expected a duration from 1s to %s, such as 30d, or never", l.words[0].Text, longest))
		}
		*into = RotationPeriod(period)
		return nil
	}
}

// resource reads
//
//	resource <identifier> {
//		scopes         <scope>...
//		token_lifetime <duration>
//	}
func (r *appReader) resource(l line) error {
	path := fmt.Sprintf("resources[%d]", len(r.app.Resources))
	within := fmt.Sprintf("resource %q", l.words[0].Text)
	r.marks[path] = l.words[0]
	resource := Resource{Identifier: l.words[0].Text}
	err := readBlock(within, l.block, []subdirective{
		{
			grammar: "scopes <scope>...", words: atLeast(1), repeats: true,
			read: r.marks.list(path+".scopes", &resource.Scopes),
		},
		{
			grammar: "token_lifetime <duration>", words: exactly(1),
			read: r.marks.duration(within, &resource.TokenLifetime, judgeLifetime),
		},
	})
	r.app.Resources = append(r.app.Resources, resource)
	return err
}

// role reads
//
//	role <name> <scope>...
func (r *appReader) role(l line) error {
	path := fmt.Sprintf("roles[%d]", len(r.app.Roles))
	r.marks[path] = l.words[0]
	role := Role{Name: l.words[0].Text}
	r.marks.append(path+".scopes", &role.Scopes, l.words[1:])
	r.app.Roles = append(r.app.Roles, role)
	return nil
}
