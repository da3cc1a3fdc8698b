package dialplan

import (
	"cmp"
	"slices"
)

// misses adds to the trail each rule whose pattern the number does not match,
// with what is missing, in the order of the file.
func (s *search) misses(l *context, number string) {
	for _, l := range l.search {
		for _, e := range l.entries {
			if e.rule != nil && e.paths != nil && !matchesAny(e.paths, number) {
				s.step(e.name, e.at(), "passed over: "+e.rule.pattern+" "+miss(e.paths, number))
			}
		}
	}
}

// nearest adds the few rules that came closest to a number that none is for.
func (s *search) nearest(l *context, number string) {
	type near struct {
		entry *entry
		at    int
	}
	var all []near
	for _, l := range l.search {
		for _, e := range l.entries {
			if at := furthest(e.paths, number); e.rule != nil && at > 0 && !matchesAny(e.paths, number) {
				all = append(all, near{e, at})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(b.at, a.at) })
	for _, n := range all[:min(3, len(all))] {
		s.step(n.entry.name, n.entry.at(), "passed over: "+n.entry.rule.pattern+" "+miss(n.entry.paths, number))
	}
}

// furthest is how many digits of the number fit the best of the paths.
func furthest(paths []path, number string) int {
	best := 0
	for _, p := range paths {
		at := 0
		for at < len(number) && at < len(p.sets) && p.sets[at].has(number[at]) {
			at++
		}
		best = max(best, at)
	}
	return best
}
