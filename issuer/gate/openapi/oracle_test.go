package openapi_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
)

// kinRefuses are examples in which kin-openapi finds fault with what decides
// nothing about access.
var kinRefuses = []string{"odd.yaml", "version.yaml"}

// kinOverlooks are operations that it does not see: a reference to a reference.
var kinOverlooks = map[string]string{"references.yaml": "/d"}

// What others read in the same documents we read too: the operations, and what
// each asks for.
func TestKinOpenAPIAgrees(t *testing.T) {
	t.Parallel()
	examples := append(validExamples(t), example{name: "large", document: string(large(200))})
	for _, example := range examples {
		document, err := openapi3.NewLoader().LoadFromData([]byte(example.document))
		if (err != nil) != slices.Contains(kinRefuses, example.name) {
			t.Errorf("%s: %v", example.name, err)
		}
		if err != nil {
			continue
		}
		rules, err := openapi.Rules([]byte(example.document), nil)
		if err != nil {
			t.Fatal(err)
		}
		ours := make(map[string]string)
		for i := range rules {
			name := strings.TrimPrefix(rules[i].Origin, "openapi ")
			_, ours[name], _ = strings.Cut(strings.TrimSpace(show(rules[i:i+1])), ": ")
		}
		for name, theirs := range kinReads(document) {
			if path, twin := ours[name]; !twin && !strings.Contains(name, "{id}.") {
				t.Errorf("%s: %s is missing", example.name, name)
			} else if twin && sorted(path) != sorted(theirs) {
				t.Errorf("%s: %s: %s, kin-openapi reads %s", example.name, name, path, theirs)
			}
			delete(ours, name)
		}
		maps.DeleteFunc(ours, func(name, _ string) bool { return strings.HasSuffix(name, " "+kinOverlooks[example.name]) })
		for name := range ours {
			t.Errorf("%s: %s is in no document", example.name, name)
		}
	}
}

// kinReads spells what kin-openapi makes of a document as show does, with our
// rules about schemes that no token satisfies.
func kinReads(document *openapi3.T) map[string]string {
	all := make(map[string]string)
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			requirements, said := document.Security, document.Security != nil
			if operation.Security != nil {
				requirements, said = *operation.Security, true
			}
			all[method+" "+path] = kinNeeds(document, requirements, said)
		}
	}
	return all
}

func kinNeeds(document *openapi3.T, requirements openapi3.SecurityRequirements, said bool) string {
	if !said {
		return "token"
	}
	needs, token := []string{}, false
	for _, requirement := range requirements {
		if len(requirement) == 0 {
			return "public"
		}
		var scopes []string
		fit := true
		for name, more := range requirement {
			scheme := document.Components.SecuritySchemes[name].Value
			fit = fit && (scheme.Type == "oauth2" || scheme.Type == "openIdConnect" || strings.EqualFold(scheme.Scheme, "bearer"))
			scopes = append(scopes, more...)
		}
		token = token || fit && len(scopes) == 0
		if fit {
			needs = append(needs, strings.Join(scopes, " "))
		}
	}
	switch {
	case len(requirements) == 0:
		return "public"
	case token:
		return "token"
	}
	return strings.Join(needs, " | ")
}

// sorted spells "b a | c" and "c | a b" alike.
func sorted(needs string) string {
	alternatives := strings.Split(needs, " | ")
	for i, scopes := range alternatives {
		words := strings.Fields(scopes)
		slices.Sort(words)
		alternatives[i] = strings.Join(slices.Compact(words), " ")
	}
	slices.Sort(alternatives)
	return strings.Join(alternatives, " | ")
}
