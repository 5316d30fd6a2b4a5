package gate

import (
	"fmt"
	"testing"
)

func TestMatchAllocatesNothing(t *testing.T) {
	rules := mustRules(t, "* /", "GET /a/{id}/b", "POST /a/x/{rest...}")
	for _, path := range []string{"/", "/a/1/b", "/a/x/b", "/a/x/y", "/none/of/them/at/all"} {
		if n := testing.AllocsPerRun(100, func() { rules.Match("HEAD", path) }); n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

// The cost of a request must not grow with the configuration: compare the lines.
func BenchmarkMatch(b *testing.B) {
	for _, count := range []int{1, 100, 1000} {
		lines := make([]string, count)
		for i := range lines {
			lines[i] = fmt.Sprintf("GET /api/v1/res%d/{id}/items/{item}", i)
		}
		rules := mustRules(b, lines...)
		path := fmt.Sprintf("/api/v1/res%d/4711/items/42", count/2)
		b.Run(fmt.Sprintf("rules=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := rules.Match("GET", path); !ok {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkNewRules(b *testing.B) {
	lines := make([]string, 0, 1000)
	for i := range 250 {
		for _, form := range []string{"* /r%d/", "POST /r%d", "GET,PUT,DELETE /r%d/{id}", "* /r%d/{id}/items/{item}"} {
			lines = append(lines, fmt.Sprintf(form, i))
		}
	}
	list := readRules(lines...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewRules(list); err != nil {
			b.Fatal(err)
		}
	}
}
