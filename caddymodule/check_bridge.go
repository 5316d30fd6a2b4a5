package caddymodule

import (
	"fmt"
	"slices"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// bridges judges the bridges of a gate.
func (c checker) bridges(root place, g *Gate) error {
	var kinds []string
	for i, bridge := range g.Bridges {
		p := root.sub(fmt.Sprintf("bridges[%d]", i), "bridge")
		if !slices.Contains(g.issuers(), self) {
			return p.errorf("lets clients of our own issuer in: expected `self` among the gate's issuers")
		}
		if err := c.text(place{path: p.path + ".kind", label: p.label}, bridge.Kind, oneOf(string(gate.BridgeBasic), string(gate.BridgeAPIKey))); err != nil {
			return err
		}
		if slices.Contains(kinds, bridge.Kind) {
			return p.errorf("%q stands twice: expected one bridge of each kind", bridge.Kind)
		}
		kinds = append(kinds, bridge.Kind)
		if err := c.keyHeader(p.sub("header", bridge.Kind), bridge, g.IdentityHeaders); err != nil {
			return err
		}
		if bridge.Until == "" {
			continue
		}
		if err := c.text(p.sub("until", bridge.Kind+": until"), bridge.Until, judgeUntil); err != nil {
			return err
		}
	}
	return nil
}

// keyHeader judges where API keys are looked for: nowhere that the gate itself
// writes or removes.
func (c checker) keyHeader(p place, bridge Bridge, identity IdentityHeaders) error {
	kind, known := c.read(bridge.Kind)
	switch {
	case !known:
		return nil
	case kind == string(gate.BridgeBasic) && bridge.Header != "":
		return p.errorf("header %q: expected none, since Basic stands in Authorization", bridge.Header)
	case kind == string(gate.BridgeBasic):
		return nil
	case bridge.Header == "":
		return p.errorf("header is missing: expected the name of the one with the key, such as X-Api-Key")
	}
	return c.text(p, bridge.Header, func(name string) error {
		switch {
		case !headerToken(name):
			return fmt.Errorf("header %q: expected a header name (RFC 9110 section 5.1)", name)
		case slices.Contains(reservedHeaders, fold(name)):
			return fmt.Errorf("header %q has a meaning of its own: expected another one, such as X-Api-Key", name)
		}
		if identity.Off {
			return nil
		}
		for _, taken := range []string{
			headerName(identity.Client, defaultClientHeader),
			headerName(identity.Scope, defaultScopeHeader),
			headerName(identity.Issuer, defaultIssuerHeader),
		} {
			if value, known := c.read(taken); known && fold(value) == fold(name) {
				return fmt.Errorf("header %q is an identity header, which no client may bring: expected another one, such as X-Api-Key", name)
			}
		}
		return nil
	})
}

// bridgeClient judges a client that may use a bridge.
func (c checker) bridgeClient(p place, cl Client) error {
	if !cl.AllowBridge {
		return nil
	}
	p = p.sub("allow_bridge", "allow_bridge")
	switch {
	case cl.Require != "":
		return p.errorf("beside require %s: expected one or the other, since a secret that is sent to an API is bound to nothing", cl.Require)
	case len(cl.Secrets) == 0:
		return p.errorf("the client has no secret: expected `secret` or `secret_hash`")
	}
	return nil
}

func judgeUntil(text string) error {
	_, err := parseUntil(text)
	return err
}

// parseUntil reads a moment, or a date, whose first moment in UTC it is. Without
// one it is zero.
func parseUntil(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if parsed, err := time.Parse(layout, text); err == nil {
			return parsed, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: expected a date or an RFC 3339 time, such as 2027-06-30 or 2027-06-30T00:00:00Z", text)
}
