package dialplan

import (
	"cmp"
	"slices"
)

// An entry is what a number can lead to: a rule, or an extension.
type entry struct {
	name    string // for the trail: `rule "local"`
	rule    *rule
	ext     *extension
	service *service
	paths   []path
	order   int // in the file
}

// A node is a place in the tree of a context's patterns. The tree is walked
// digit by digit, so that a lookup costs what the number is long, not what the
// rules are many.
type node struct {
	edges  []edge   // narrowest first
	leaves []*entry // whose pattern ends here
	open   []*entry // whose pattern goes on with any digits, one at least
}

type edge struct {
	set  set
	node *node
}

// insert adds a pattern's path.
func (n *node) insert(p path, e *entry) {
	for _, s := range p.sets {
		n = n.child(s)
	}
	list := &n.leaves
	if p.open {
		list = &n.open
	}
	if !slices.Contains(*list, e) {
		*list = append(*list, e)
	}
}

func (n *node) child(s set) *node {
	i, found := slices.BinarySearchFunc(n.edges, s, func(e edge, s set) int {
		switch {
		case e.set == s:
			return 0
		case less(e.set, s):
			return -1
		}
		return 1
	})
	if !found {
		n.edges = slices.Insert(n.edges, i, edge{s, &node{}})
	}
	return n.edges[i].node
}

// sort puts the entries of every place in order: those with more conditions
// before those with fewer, then as in the file.
func (n *node) sort() {
	slices.SortStableFunc(n.leaves, byConditions)
	slices.SortStableFunc(n.open, byConditions)
	for _, e := range n.edges {
		e.node.sort()
	}
}

func byConditions(a, b *entry) int {
	return cmp.Or(cmp.Compare(b.conditions(), a.conditions()), cmp.Compare(a.order, b.order))
}

func (e *entry) conditions() int {
	if e.rule == nil {
		return 0
	}
	n := 0
	if e.rule.from != nil {
		n++
	}
	if e.rule.callers != nil {
		n++
	}
	if e.rule.when.schedule != nil {
		n++
	}
	return n
}

// A visitor is shown what matches, the most specific first. It returns true to
// end the search.
type visitor interface{ visit(*entry) bool }

// walk shows v all entries that match the rest of a number, in order, and tells
// whether v ended the search. It allocates nothing.
func (n *node) walk(rest string, v visitor) bool {
	if rest == "" {
		for _, e := range n.leaves {
			if v.visit(e) {
				return true
			}
		}
		return false
	}
	for i := range n.edges {
		if n.edges[i].set.has(rest[0]) && n.edges[i].node.walk(rest[1:], v) {
			return true
		}
	}
	if len(n.open) == 0 || !allKeys(rest) {
		return false
	}
	for _, e := range n.open {
		if v.visit(e) {
			return true
		}
	}
	return false
}

func allKeys(s string) bool {
	for i := range len(s) {
		if !anyKey.has(s[i]) {
			return false
		}
	}
	return true
}

// extent tells whether the rest of a number is complete under n and whether it
// could go on. It allocates nothing.
func (n *node) extent(rest string) (complete, more bool) {
	if rest == "" {
		return len(n.leaves) > 0, len(n.edges) > 0 || len(n.open) > 0
	}
	for i := range n.edges {
		if n.edges[i].set.has(rest[0]) {
			c, m := n.edges[i].node.extent(rest[1:])
			complete, more = complete || c, more || m
		}
	}
	if len(n.open) > 0 && allKeys(rest) {
		complete, more = true, true
	}
	return complete, more
}
