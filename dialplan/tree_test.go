package dialplan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// patterns draws patterns over few digits, so that many match the same number.
var patterns = rapid.Custom(func(t *rapid.T) string {
	piece := rapid.SampledFrom([]string{"1", "2", "3", "x", "z", "n", "[12]", "[23]", "[1-3]", "(1|2)", "(12|3)", "(1|)", "*"})
	p := strings.Join(rapid.SliceOfN(piece, 1, 5).Draw(t, "pieces"), "")
	if rapid.Bool().Draw(t, "open") {
		p += "."
	}
	return p
})

// all collects what a walk shows.
type all struct{ found []*entry }

func (a *all) visit(e *entry) bool {
	if !slices.Contains(a.found, e) {
		a.found = append(a.found, e)
	}
	return false
}

// naive finds the entries that match a number by looking at each, and orders
// them as the rules of precedence say.
func naive(entries []*entry, number string) []*entry {
	type match struct {
		e *entry
		p path
	}
	var matches []match
	for _, e := range entries {
		for _, p := range e.paths {
			if p.matches(number) {
				matches = append(matches, match{e, p})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int {
		before, same := a.p.before(b.p)
		switch {
		case same:
			return cmp.Compare(a.e.order, b.e.order)
		case before:
			return -1
		}
		return 1
	})
	var found []*entry
	for _, m := range matches {
		if !slices.Contains(found, m.e) {
			found = append(found, m.e)
		}
	}
	return found
}

func entriesOf(t *rapid.T, patterns []string) ([]*entry, *node) {
	root := &node{}
	var entries []*entry
	for i, pattern := range patterns {
		paths, err := parsePattern(pattern)
		if err != nil {
			continue // "(1|)" alone is the empty number
		}
		e := &entry{name: pattern, paths: paths, order: i, service: &service{}}
		entries = append(entries, e)
		for _, p := range paths {
			root.insert(p, e)
		}
	}
	root.sort()
	return entries, root
}

func TestTreeAgreesWithNaiveMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries, root := entriesOf(t, rapid.SliceOfN(patterns, 1, 30).Draw(t, "patterns"))
		number := rapid.StringMatching(`[1-3*]{1,7}`).Draw(t, "number")
		v := &all{}
		root.walk(number, v)
		want := naive(entries, number)
		if !slices.Equal(v.found, want) {
			t.Fatalf("%s: the tree finds %s, one by one %s", number, entryNames(v.found), entryNames(want))
		}
	})
}

func entryNames(entries []*entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, " %s", e.name)
	}
	return "[" + b.String() + " ]"
}

// A number is complete if a pattern matches it, and more can follow if a longer
// number matches that begins with it.
func TestExtentAgreesWithMatching(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries, root := entriesOf(t, rapid.SliceOfN(patterns, 1, 20).Draw(t, "patterns"))
		number := rapid.StringMatching(`[1-3*]{1,7}`).Draw(t, "number")
		for length := 1; length <= len(number); length++ {
			complete, more := root.extent(number[:length])
			if want := len(naive(entries, number[:length])) > 0; complete != want {
				t.Fatalf("%s: complete is %v, want %v", number[:length], complete, want)
			}
			if length < len(number) && len(naive(entries, number)) > 0 && !more {
				t.Fatalf("%s: it ends there, but %s matches", number[:length], number)
			}
		}
	})
}

func TestPrecedence(t *testing.T) {
	for _, test := range []struct {
		number string
		order  []string // patterns that match, the first decides
	}{
		{"2015", []string{"2015", "201x", "20zx", "2xxx", "2.", "[2-5]xxx", "nxxx", "zxxx", "xxxx", "."}},
		{"12", []string{"1x", "x2", "."}},
		{"1234", []string{"12.", "1xxx", "1."}},
	} {
		reversed := slices.Clone(test.order)
		slices.Reverse(reversed)
		_, root := entriesOf(nil, reversed)
		v := &all{}
		root.walk(test.number, v)
		want := make([]*entry, 0)
		for _, pattern := range test.order {
			i := slices.IndexFunc(v.found, func(e *entry) bool { return e.name == pattern })
			if i >= 0 {
				want = append(want, v.found[i])
			}
		}
		if len(want) != len(test.order) || !slices.Equal(v.found, want) {
			t.Errorf("%s: %s, want %s", test.number, entryNames(v.found), test.order)
		}
	}
}
