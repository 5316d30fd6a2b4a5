package report

import (
	"slices"
	"strings"
)

// Filter tells which rows are wanted: those of one of the gates, at one of the
// sites. None named means all.
type Filter struct {
	Gates []string // resources
	Sites []string // as rows have them, or a part of that: a host, a listen address
}

func (f *Filter) everything() bool { return len(f.Gates)+len(f.Sites) == 0 }

func (f *Filter) wants(row *Row) bool {
	return (len(f.Gates) == 0 || slices.ContainsFunc(f.Gates, func(name string) bool { return spelled(name) == row.Gate })) &&
		(len(f.Sites) == 0 || slices.ContainsFunc(f.Sites, row.stands))
}

// stands tells whether the gate of the row is at a site.
func (r *Row) stands(site string) bool {
	site = spelled(site)
	return site == r.Site || slices.Contains(strings.FieldsFunc(r.Site, func(c rune) bool { return c == ' ' || c == ',' }), site)
}

// spelled writes a name as rows have it.
func spelled(name string) string { return string(appendConfigured(nil, name)) }
