package e2e

import "strings"

// replace puts texts in place of the words of a Caddyfile, in turn.
func replace(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

func contains(text, part string) bool { return strings.Contains(text, part) }
