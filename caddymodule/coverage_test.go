package caddymodule

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What is told of whole configurations, and that nothing is written for it. A
// line of the question is a flag, or "-".
func TestCoverageGolden(t *testing.T) {
	for _, c := range commandCases(t, "coverage") {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			folder, _ := stored(t, "batch", "sleeping")
			t.Setenv("STORAGE", folder)
			t.Setenv("TESTDATA", "testdata/coverage")
			before := contents(t, folder)
			arguments := []string{"coverage", "--config", writeCaddyfile(t, c.caddyfile), "--adapter", "caddyfile"}
			for _, flag := range c.asked {
				if flag != "-" {
					arguments = append(arguments, flag)
				}
			}
			status, stdout, stderr := oauth2(t, arguments...)
			c.compare(t, "exit status "+status+"\n"+steady(stdout+stderr))
			if after := contents(t, folder); !maps.Equal(before, after) {
				t.Errorf("files before: %v, after: %v", slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
			}
		})
	}
}

// The members that scripts rely on.
func TestCoverageJSON(t *testing.T) {
	folder, _ := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, "OPTIONS\napi.example.com {\n\toauth2_gate orders:write\n\treverse_proxy 127.0.0.1:9000\n}\n")
	status, stdout, _ := oauth2(t, "coverage", "--config", path, "--adapter", "caddyfile", "--json")
	var answer map[string][]map[string]any
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || status != "0" {
		t.Fatalf("status %s, %v\n%s", status, err, stdout)
	}
	if names := slices.Sorted(maps.Keys(answer)); !slices.Equal(names, []string{"findings", "gates", "warnings"}) {
		t.Errorf("members %v", names)
	}
	if len(answer["gates"]) != 1 || len(answer["findings"]) != 0 || !strings.Contains(stdout, `"kind": "issuer_unused"`) {
		t.Errorf("answer:\n%s", stdout)
	}
}

// A script can tell which bridges are still there, and until when.
func TestCoverageBridges(t *testing.T) {
	folder, _ := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, `OPTIONS
api.example.com {
	oauth2_gate {
		bridge basic {
			until 2099-06-30T12:00:00+02:00
		}
		bridge api_key X-Api-Key
	}
	handle {
		oauth2_gate {
			bridge basic {
				until 2020-01-01
			}
		}
		oauth2_gate
	}
}
`)
	asked := []string{"coverage", "--config", path, "--adapter", "caddyfile"}
	_, stdout, stderr := oauth2(t, append(asked, "--json")...)
	var answer coverage
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	var got [][]coveredBridge
	for _, one := range answer.Gates {
		got = append(got, one.Bridges)
	}
	want := [][]coveredBridge{
		{{Kind: "basic", Until: "2099-06-30T10:00:00Z"}, {Kind: "api_key", Header: "X-Api-Key"}},
		{{Kind: "basic", Until: "2020-01-01T00:00:00Z", Ended: true}}, {},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	_, stdout, _ = oauth2(t, asked...)
	for _, line := range []string{"bridge basic until 2099-06-30T10:00:00Z", "bridge api_key X-Api-Key without an end", "bridge basic, which ended at 2020-01-01T00:00:00Z"} {
		if !strings.Contains(stdout, "\n  "+line+"\n") {
			t.Errorf("no %q in\n%s", line, stdout)
		}
	}
}

// Whoever coverage says can pass, does: what it calls enough is what the gate
// asks for, whatever the shape of the rule.
func TestCoverageAgreesWithGate(t *testing.T) {
	folder, signer := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, `OPTIONS
api.example.com {
	oauth2_gate {
		require GET /a orders:read
		require GET /b orders:read orders:write
		require GET /c orders:admin
		require_any GET /d orders:admin orders:write
		require GET /e orders:write orders:admin
	}
	reverse_proxy 127.0.0.1:9000
}
`)
	_, stdout, _ := oauth2(t, "coverage", "--config", path, "--adapter", "caddyfile", "--json")
	var answer coverage
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || len(answer.Gates) != 1 || len(answer.Gates[0].Rules) != 5 {
		t.Fatalf("%v\n%s", err, stdout)
	}
	for _, rule := range answer.Gates[0].Rules {
		status, _, _ := oauth2(t, "explain", "--config", path, "--adapter", "caddyfile",
			"--request", "GET https://api.example.com"+rule.Pattern, "--token", explainToken(t, signer, "scope=orders:read,orders:write"))
		if (status == "0") != slices.Contains(rule.Clients, "batch") {
			t.Errorf("%s: clients %v, and status %s", rule.Pattern, rule.Clients, status)
		}
	}
}
