package openapi_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
)

const schemes = "components: {securitySchemes: {o: {type: oauth2, flows: {}}}}\n"

// large is a document of many operations as generators write them, two for each
// path, with the schemas and answers that make up most of real ones.
func large(operations int) []byte {
	var text strings.Builder
	text.WriteString("openapi: 3.1.0\ninfo: {title: large, version: '1'}\nservers: [{url: https://api.example.com/v1}]\npaths:\n")
	for i := range operations / 2 {
		fmt.Fprintf(&text, `  /resources%d/{id}/items/{item}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: item, in: path, required: true, schema: {type: integer, format: int64}}
    get:
      operationId: getItem%d
      description: Reads one item; see also the others.
      security:
        - oauth: [resources:read, "items%d:read"]
        - oauth: [admin]
      responses:
        "200":
          description: one item
          content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}
    put:
      operationId: putItem%d
      security: [{oauth: ["items%d:write"]}]
      responses: {"204": {description: written}}
`, i, i, i, i, i)
	}
	text.WriteString(`components:
  schemas:
    Item: {type: object, properties: {parent: {$ref: "#/components/schemas/Item"}}}
  securitySchemes:
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /t, scopes: {}}}}
`)
	return []byte(text.String())
}

func TestLarge(t *testing.T) {
	t.Parallel()
	rules, err := openapi.Rules(large(2000), nil)
	if err != nil || len(rules) != 2000 {
		t.Fatalf("%d rules, %v", len(rules), err)
	}
	found, err := gate.NewRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	rule, ok := found.Match("PUT", "/v1/resources999/7/items/8")
	if !ok || rule.Scopes.String() != "items999:write" || rule.Origin != "openapi PUT /resources999/{id}/items/{item}" {
		t.Errorf("%+v", rule)
	}
}

// What is no text, or more of it than any API needs, is refused before it costs
// work and memory: a file that somebody changed must not end the process.
//
// Not in parallel: it counts what is allocated.
func TestBounds(t *testing.T) {
	head, tail := "openapi: 3.1.0\nsecurity: [{o: [a]}]\n", "paths: {/a: {get: {}}}\n"+schemes
	item := "{get: {}, put: {}, post: {}, delete: {}, head: {}, patch: {}}"
	bomb := func(inner string) string {
		text := "x-0: &a0 [" + strings.Repeat(inner+",", 9) + "]\n"
		for i := range 12 {
			text += fmt.Sprintf("x-%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9))
		}
		return text
	}
	numbered := func(format string, count int) string {
		var text strings.Builder
		for i := range count {
			fmt.Fprintf(&text, format, i)
		}
		return text.String()
	}
	for name, test := range map[string]struct{ document, want string }{
		"empty":             {"", "is empty"},
		"blank":             {" \n\t\n", "is empty"},
		"mark":              {"\ufeff", "is empty"},
		"size":              {head + tail + strings.Repeat("#", openapi.MaxSize), "expected at most 4194304"},
		"nul":               {head + tail + "\x00", "no text in UTF-8"},
		"nul in a string":   {head + "paths: {\"/a\\0b\": {get: {}}}\n" + schemes, `GET /a\x00b`},
		"utf-8":             {head + "paths: {/\xff: {get: {}}}\n", "no text in UTF-8"},
		"utf-8 in json":     {`{"openapi":"3.1.0","paths":{"/` + "\xff" + `":{"get":{}}}}`, "no text in UTF-8"},
		"utf-16":            {"\xff\xfeo\x00p\x00e\x00n\x00", "no text in UTF-8"},
		"flow":              {head + "x: [" + strings.Repeat("[],", 1_300_000) + "]\n" + tail, "too complex"},
		"members":           {head + "x: {" + strings.Repeat("a:,", 1_300_000) + "}\n" + tail, "too complex"},
		"values":            {`{"openapi":"3.1.0","x":[` + strings.Repeat("0,", 2_000_000) + "0]}", "too complex"},
		"depth":             {head + "x: " + strings.Repeat("[", 100_000), "depth"},
		"depth in json":     {`{"openapi":"3.1.0","x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}", "too complex"},
		"more depth":        {`{"openapi":"3.1.0","x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}", "depth"},
		"bomb of security":  {"openapi: 3.1.0\n" + bomb("{o: [a]}") + "security: *a12\n" + tail, "expected an object, found a list"},
		"bomb of merges":    {"openapi: 3.1.0\n" + bomb("{get: {}}") + "paths:\n  /a: {<<: *a12}\n", "expected an object, found a list"},
		"merges":            {"openapi: 3.1.0\nx-0: &a0 {get: {}}\npaths: {/a: {<<: [" + strings.Repeat("*a0,", 140_000) + "]}}\n" + schemes, "a list of 140000"},
		"merged members":    {"openapi: 3.1.0\nx-0: &a0 {" + numbered("x-%d: ,", 50_000) + "get: {}}\npaths:\n" + numbered("  /%d: {<<: *a0}\n", 9000) + schemes, "an object of 50001 members"},
		"members of a path": {"openapi: 3.1.0\npaths:\n  /: &a0 {" + numbered("x-%d: ,", 50_000) + "get: {}}\n" + numbered("  /%d: *a0\n", 9000) + schemes, "an object of 50001 members"},
		"operations":        {head + "x: &x " + item + "\npaths:\n" + numbered("  /%d: *x\n", 90_000) + schemes, "more than 10000 operations"},
		"base paths":        {head + "servers: [" + numbered("{url: /%d},", 100) + "]\npaths:\n" + numbered("  /%d: {get: {}}\n", 101) + schemes, "more than 10000 operations"},
		"servers":           {head + "servers: [" + numbered("{url: /%d},", 101) + "]\n" + tail, "servers: line 3: a list of 101: expected at most 100"},
		"alternatives":      {"openapi: 3.1.0\nsecurity: [" + strings.Repeat("{o: [a]},", 50_000) + "]\n" + tail, "security: line 2: a list of 50000"},
		"scopes":            {"openapi: 3.1.0\nsecurity: [{o: [" + numbered("a%d,", 200_000) + "]}]\n" + tail, "a list of 200000"},
		"scopes of several": {"openapi: 3.1.0\nsecurity: [{" + numbered("o%d: &s [a,b],", 1) + numbered("p%d: [c],", 1) + "}]\n" + tail, "it is not among"},
		"path":              {`{"openapi":"3.1.0","paths":{"/` + strings.Repeat("a", 3000) + `":{"get":{}}}}`, "expected at most 2048 bytes"},
		"url":               {head + "servers: [{url: /" + strings.Repeat("a", 3000) + "}]\n" + tail, "expected a url of at most 2048 bytes"},
		"variables":         {head + "servers: [{url: '" + strings.Repeat("{v}", 600) + "', variables: {v: {default: " + strings.Repeat("a", 1_000_000) + "}}}]\n" + tail, "expected at most 2048 bytes"},
		"comments":          {head + strings.Repeat("#\n", 1_000_000) + tail, "too complex"},
		"text":              {head + "x: " + strings.Repeat("a ", 2_000_000) + "\n" + tail, ""},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rules, err := openapi.Rules([]byte(test.document), nil)
		runtime.ReadMemStats(&after)
		if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 400 {
			t.Errorf("%s: %d MiB", name, made)
		}
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (err == nil || rules != nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %.300v, want %s", name, err, test.want)
		}
		t.Logf("%-18s %4d MiB", name, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}

func BenchmarkRules(b *testing.B) {
	document := large(1000)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openapi.Rules(document, nil); err != nil {
			b.Fatal(err)
		}
	}
}
