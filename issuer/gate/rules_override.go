package gate

// Overrides returns a function that tells whether one of rules is for a method
// and for the very paths of a pattern, whatever its wildcards are called: such
// a rule is to be the only one. A rule for a subtree does not count, nor one
// that covers more paths or fewer.
func Overrides(rules []Rule) func(method, pattern string) bool {
	byPaths := make(map[string][]*Rule)
	for i := range rules {
		if parsed, err := parsePattern(rules[i].Pattern); err == nil { // NewRules tells of the others
			text := parsed.muxText()
			byPaths[text] = append(byPaths[text], &rules[i])
		}
	}
	return func(method, pattern string) bool {
		parsed, err := parsePattern(pattern)
		if err != nil {
			return false
		}
		for _, rule := range byPaths[parsed.muxText()] {
			if rule.covers(method) {
				return true
			}
		}
		return false
	}
}
