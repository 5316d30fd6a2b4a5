package gate

import "testing"

// FuzzExtract: a reason means no token; a token that was found is found again
// in its plainest spelling, and one field more is always too many.
func FuzzExtract(f *testing.F) {
	for _, seed := range []string{"", "Bearer x", "bearer  x ", "Bearer", "Bearer a,b", "Basic YTpi", "Bearer\tx", "x.y.z", "Bearer \x00", "dpop x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		kind, raw, reason := extract([]string{field})
		if reason != "" {
			if raw != "" {
				t.Fatalf("a token and the reason %s", reason)
			}
			return
		}
		if same, again, reason := extract([]string{map[scheme]string{schemeBearer: "Bearer ", schemeDPoP: "DPoP "}[kind] + raw}); reason != "" || again != raw || same != kind {
			t.Fatalf("%q became %q (%s)", raw, again, reason)
		}
		if _, _, reason := extract([]string{field, field}); reason != ReasonDuplicate {
			t.Fatalf("two fields: %s", reason)
		}
	})
}
