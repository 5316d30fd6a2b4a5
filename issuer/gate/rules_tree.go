package gate

import "strings"

// node is a place in the tree of paths; the edges are segments. Paths decide
// before methods do: rules that say otherwise are a conflict.
type node struct {
	literals map[string]*node
	wildcard *node // any one segment

	here    methodRules // the path ends here
	base    methodRules // so it does, and the rule is for the subtree below
	slash   methodRules // the path ends here with a slash
	subtree methodRules // anything behind the slash
}

// add puts a rule where its pattern ends.
func (n *node) add(r route) {
	for _, s := range r.pattern.segments {
		n = n.child(s)
	}
	switch r.pattern.end {
	case endHere:
		n.here.add(r.rule)
	case endSlash:
		n.slash.add(r.rule)
	case endSubtree:
		n.subtree.add(r.rule)
		n.base.add(r.rule)
	}
}

// child returns the node behind a segment and makes it where there is none.
func (n *node) child(s segment) *node {
	if s.wild {
		if n.wildcard == nil {
			n.wildcard = new(node)
		}
		return n.wildcard
	}
	if n.literals == nil {
		n.literals = make(map[string]*node)
	}
	next, ok := n.literals[s.literal]
	if !ok {
		next = new(node)
		n.literals[s.literal] = next
	}
	return next
}

// match finds the rule for the rest of a path, which is empty or begins with a
// slash; nil where there is none. Where the more specific way ends without a
// rule for the method, the less specific one is tried. It goes no deeper than
// patterns are long, whatever a stranger's path looks like.
func (n *node) match(method, path string) *Rule {
	switch path {
	case "":
		if rule := n.here.find(method); rule != nil {
			return rule
		}
		return n.base.find(method)
	case "/":
		if rule := n.slash.find(method); rule != nil {
			return rule
		}
		return n.subtree.find(method)
	}
	segment, rest := path[1:], ""
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		segment, rest = segment[:i], segment[i:]
	}
	if next, ok := n.literals[segment]; ok {
		if rule := next.match(method, rest); rule != nil {
			return rule
		}
	}
	if n.wildcard != nil {
		if rule := n.wildcard.match(method, rest); rule != nil {
			return rule
		}
	}
	return n.subtree.find(method)
}

// methodRules are the rules for one path, by method.
type methodRules struct {
	named map[string]*Rule
	every *Rule
}

func (m *methodRules) add(rule *Rule) {
	if len(rule.Methods) == 0 {
		m.every = rule
		return
	}
	if m.named == nil {
		m.named = make(map[string]*Rule)
	}
	for _, method := range rule.Methods {
		m.named[method] = rule
	}
}

// find returns the rule for a method. HEAD tells of a resource what GET does
// (RFC 9110 section 9.3.2) and needs the same, unless it has its own rule.
func (m *methodRules) find(method string) *Rule {
	if rule := m.named[method]; rule != nil {
		return rule
	}
	if method == "HEAD" {
		if rule := m.named["GET"]; rule != nil {
			return rule
		}
	}
	return m.every
}
