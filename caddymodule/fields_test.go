package caddymodule

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

// Operators who write JSON have nothing but the doc comments: each field that
// JSON reaches has one.
func TestFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	declared := declaredStructs(t)
	seen := make(map[reflect.Type]bool)
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] || typ.PkgPath() != reflect.TypeFor[App]().PkgPath() {
			return
		}
		seen[typ] = true
		source, ok := declared[typ.Name()]
		if !ok {
			t.Fatalf("no declaration of %s found", typ.Name())
		}
		for i := range typ.NumField() {
			field := typ.Field(i)
			if !field.IsExported() {
				continue
			}
			if field.Tag.Get("json") == "" {
				t.Errorf("%s.%s has no JSON name", typ.Name(), field.Name)
			}
			if !strings.Contains(source[field.Name], ".") {
				t.Errorf("%s.%s has no doc comment", typ.Name(), field.Name)
			}
			walk(field.Type)
		}
	}
	walk(reflect.TypeFor[App]())
	walk(reflect.TypeFor[Issuer]())
	walk(reflect.TypeFor[Gate]())
	walk(reflect.TypeFor[MatchCaller]())
	if len(seen) < 9 {
		t.Errorf("only %d structs were reached", len(seen))
	}
}

// declaredStructs are the structs of the package with the doc comments of
// their fields.
func declaredStructs(t *testing.T) map[string]map[string]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	structs := make(map[string]map[string]string)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if structure, ok := spec.Type.(*ast.StructType); ok {
				structs[spec.Name.Name] = docsOf(structure)
			}
			return true
		})
	}
	return structs
}

func docsOf(structure *ast.StructType) map[string]string {
	docs := make(map[string]string)
	for _, field := range structure.Fields.List {
		for _, name := range field.Names {
			docs[name.Name] = field.Doc.Text()
		}
	}
	return docs
}
