package gate

import "testing"

func TestOverrides(t *testing.T) {
	t.Parallel()
	overrides := Overrides([]Rule{
		{Methods: []string{"GET"}, Pattern: "/orders/{id}"},
		{Methods: []string{"POST", "PUT"}, Pattern: "/orders/{id}"},
		{Pattern: "/admin/"},
		{Pattern: "/a%62c"},
		{Pattern: "/bad/*"},
	})
	for _, test := range []struct {
		method, pattern string
		want            bool
	}{
		{"GET", "/orders/{id}", true},
		{"GET", "/orders/{other}", true},
		{"HEAD", "/orders/{id}", true}, // a rule for GET is for HEAD too
		{"PUT", "/orders/{id}", true},
		{"DELETE", "/orders/{id}", false},
		{"GET", "/orders/{id}/", false},
		{"GET", "/orders/{id}/{$}", false},
		{"GET", "/orders/7", false},
		{"GET", "/orders", false},
		{"GET", "/admin/", true},
		{"GET", "/admin/{rest...}", true},
		{"GET", "/admin/{$}", false},
		{"GET", "/admin", false},
		{"GET", "/admin/users", false},
		{"GET", "/abc", true},
		{"GET", "/bad/*", false},
		{"GET", "", false},
	} {
		if got := overrides(test.method, test.pattern); got != test.want {
			t.Errorf("%s %s: %t", test.method, test.pattern, got)
		}
	}
	if Overrides(nil)("GET", "/") {
		t.Error("no rule overrides")
	}
}
