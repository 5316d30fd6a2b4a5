package caddymodule

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page has each event with its data, and each word that these can be.
func TestEventsDocumentation(t *testing.T) {
	t.Parallel()
	page := readPage(t, "events.md")
	row := regexp.MustCompile("(?m)^\\| `(oauth2_\\w+)` \\|[^|]*\\| ([^|]*) \\|$")
	documented := make(map[string]string)
	for _, found := range row.FindAllStringSubmatch(page, -1) {
		documented[found[1]] = strings.NewReplacer("`", "", ",", "").Replace(found[2])
	}
	emitted := make(map[string]string)
	e := &emitter{queue: make(chan happening, maxEvents)}
	app := &App{events: e, Issuer: "https://a.example"}
	app.emitKeyRotated("a")
	app.emitTokenRevoked("a", "a", byClient)
	app.emitTokenRevoked("a", "a", byOperator)
	for _, change := range []string{clientAdded, clientRemoved, clientEnabled, clientDisabled} {
		app.emitClientChanged("a", change, byConfiguration)
	}
	for _, change := range []string{clientChanged, secretAdded, secretRemoved} {
		app.emitClientChanged("a", change, byOperator)
	}
	close(e.queue)
	for one := range e.queue {
		var names []string
		for name := range one.data {
			names = append(names, name)
			if !strings.Contains(page, "\n| `"+name+"` |") {
				t.Errorf("%s is not explained", name)
			}
		}
		slices.Sort(names)
		emitted[one.name] = strings.Join(names, " ")
		for _, word := range []any{one.data["change"], one.data["origin"]} {
			if text, ok := word.(string); ok && !strings.Contains(page, "`"+text+"`") {
				t.Errorf("the word %s is not explained", text)
			}
		}
	}
	for name, data := range emitted {
		names := strings.Fields(documented[name])
		slices.Sort(names)
		if strings.Join(names, " ") != data {
			t.Errorf("%s has %s, documented are %v", name, data, names)
		}
	}
	if len(documented) != len(emitted) {
		t.Errorf("%d events are documented, %d are there", len(documented), len(emitted))
	}
}
