package issuer_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// allowed lists what packages that verify may import of this module.
func allowed(folder, imported string) bool {
	switch folder {
	case "gate":
		return imported == "token" || imported == "proof"
	case "gate/report":
		return imported == "token" || imported == "gate" // it reads verdicts; no gate knows of it
	case "gate/openapi":
		return imported == "gate" || imported == "token"
	case "proof":
		return imported == "token" || imported == "store"
	case "store":
		return imported == "token"
	}
	return true
}

const module = "github.com/dd99cb49/caddy-client-credentials"

// Who may import whom: the core knows nothing of Caddy, one package alone knows
// the JWT library, and the gate can reach neither the issuer nor a private key.
func TestImports(t *testing.T) {
	t.Parallel()
	forbidden := func(folder, imported string) string {
		switch {
		case strings.HasPrefix(imported, "github.com/caddyserver/"), strings.HasPrefix(imported, "go.uber.org/zap"),
			strings.HasPrefix(imported, "github.com/prometheus/"), strings.HasPrefix(imported, module+"/caddymodule"):
			return "the core knows nothing of Caddy"
		case strings.HasPrefix(imported, "github.com/golang-jwt/") && folder != "token":
			return "only the package token signs and parses"
		case strings.HasPrefix(imported, "go.yaml.in/") && folder != "gate/openapi":
			return "only the package openapi reads YAML"
		case strings.HasPrefix(imported, module) && !allowed(folder, strings.TrimPrefix(imported, module+"/issuer/")):
			return "the gate reaches neither the issuer nor a private key"
		case folder == "token" && strings.HasPrefix(imported, module):
			return "the words that all share know nobody"
		}
		return ""
	}
	sources := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		sources++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if why := forbidden(filepath.ToSlash(filepath.Dir(path)), imported); why != "" {
				t.Errorf("%s imports %s: %s", path, imported, why)
			}
		}
		return nil
	})
	if err != nil || sources < 20 {
		t.Fatalf("%d sources, %v", sources, err)
	}
}
