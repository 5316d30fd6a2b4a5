package caddymodule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// sites tells where the gates of a configuration stand. A gate cannot know that
// itself: it may be one of several for its resource. All is taken from the
// configuration, and nothing from requests: there are as many names as gates.
type sites struct {
	names map[*Gate]string
	gates map[string]*Gate
}

// findSites looks for the gates among the routes. It is for the time when
// requests come: then the http app has been made, whichever app starts first.
func findSites(ctx caddy.Context) *sites {
	found := &sites{names: make(map[*Gate]string), gates: make(map[string]*Gate)}
	module, err := ctx.AppIfConfigured("http")
	if err != nil {
		return found // no site, no request
	}
	routes := looked{http: module.(*caddyhttp.App)}
	all := new(coverage)
	routes.walk(all)
	var order []*Gate
	places := make(map[*Gate][]string)
	for i := range all.Gates {
		one := &all.Gates[i]
		if places[one.gate] == nil {
			order = append(order, one.gate)
		}
		// In a named route, one gate stands at several places.
		if where := placeOf(one, routes.http); !slices.Contains(places[one.gate], where) {
			places[one.gate] = append(places[one.gate], where)
		}
	}
	for _, g := range order {
		found.add(g, cut(strings.Join(places[g], ", "), maxSite))
	}
	return found
}

// maxSite bounds the name of a site, in bytes: each row of the report has it.
const maxSite = 120

// placeOf names the place of a gate by the matchers before it and the addresses
// that the server listens at, such as `api.example.com /orders/* :8443`. Those at the
// port of https go without saying.
func placeOf(one *coveredGate, app *caddyhttp.App) string {
	listen := slices.Clone(app.Servers[one.Server].Listen)
	if one.Where != "" {
		usual := fmt.Sprintf(":%d", cmp.Or(app.HTTPSPort, caddyhttp.DefaultHTTPSPort))
		listen = slices.DeleteFunc(listen, func(address string) bool { return strings.HasSuffix(address, usual) })
	}
	return strings.TrimSpace(cut(one.Where, maxSite/2) + " " + cut(strings.Join(listen, ","), maxSite/3))
}

// add names a gate. Of two at one place, each gets a name of its own.
func (s *sites) add(g *Gate, name string) {
	name = strings.ToValidUTF8(name, "")
	unique := name
	for i := 2; s.gates[unique] != nil; i++ {
		unique = fmt.Sprintf("%s (%d)", name, i)
	}
	s.names[g], s.gates[unique] = unique, g
}

// siteOf names the place of a gate; empty: it stands where nobody looks for it, such
// as in handle_response.
func (a *App) siteOf(g *Gate) string {
	if a.sites == nil {
		return ""
	}
	return a.sites().names[g]
}

// gateAt is the gate for a resource at a site; nil: it is not there.
func (a *App) gateAt(resource, site string) *gate.Gate {
	if g := a.sites().gates[site]; g != nil && g.Resource == resource {
		return g.gate
	}
	return nil
}
