package caddymodule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// text is a client for people: what has the default is left out.
func (a *clientAnswer) text() string {
	var text strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-15s %s\n", name+":", value)
		}
	}
	list := func(name string, values []string) { line(name, strings.Join(values, " ")) }
	line("client_id", a.ID)
	line("name", a.Name)
	line("state", a.state())
	line("origin", a.Origin)
	line("subject", a.Subject)
	list("scopes", a.Scopes)
	list("roles", a.Roles)
	list("resources", a.Resources)
	if a.TokenLifetime != 0 {
		line("token_lifetime", time.Duration(a.TokenLifetime).String())
	}
	line("require", a.Require)
	line("introspect", a.Introspect)
	if a.AllowBridge {
		line("allow_bridge", "true")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Claims)) {
		line("claim", name+" "+a.Claims[name])
	}
	if missing := a.Undeclared; missing != nil {
		list("undeclared", slices.Concat(missing.Scopes, missing.Roles, missing.Resources))
	}
	if a.Made != nil {
		line("made", moment(a.Made))
		line("changed", moment(a.Changed))
	}
	if len(a.Secrets) > 0 {
		text.WriteString(secretTable(a.Secrets))
	}
	return text.String()
}

// secretTable is what there is to know of secrets.
func secretTable(secrets []secretAnswer) string {
	cells := [][]string{{"SECRET", "MADE", "EXPIRES", "LAST USED", "FROM", "USES", "USE"}}
	for i := range secrets {
		one := &secrets[i]
		expires := "never"
		if one.Expires != nil {
			expires = moment(one.Expires)
		}
		cells = append(cells, []string{one.ID, moment(one.Made), expires, moment(one.LastUsed), cmp.Or(one.LastAddress, "-"), fmt.Sprint(one.Uses), one.Verdict})
	}
	var text strings.Builder
	writeTable(&text, cells)
	return text.String()
}
