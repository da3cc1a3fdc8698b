package dialplan

import (
	"fmt"
	"slices"
)

// group rings the members of a group, and then goes where the group leads.
func (s *search) group(e *extension) fragment {
	g, o := e.group, e.owner()
	members := s.idle(e)
	f := fragment{}
	if g.Strategy == "in-turn" || g.Strategy == "rotate" {
		on := conditionsOf(g.On)
		if n := len(members); n > 0 && g.Strategy == "rotate" {
			turn := int(s.query.Turn % uint32(n))
			members = append(slices.Clone(members[turn:]), members[:turn]...)
		}
		for _, m := range members {
			if targets := s.targets(m, o); len(targets) > 0 {
				f = s.link(f, on, s.emit(Stage{Targets: targets, RingFor: e.ring, Pos: e.pos}))
			}
		}
	} else if len(members) > 0 {
		f = s.together(members, o, g.Key("members"), e.ring)
	}
	if g.Then == "" || s.flat {
		return f
	}
	s.step("then of "+e.number, g.Key("then"), "leads to "+g.Then)
	return s.link(f, conditionsOf(g.On), s.place(g.Then, o))
}

// idle returns the members of a group that are in no call. If all are in one,
// nobody is rung.
func (s *search) idle(e *extension) []string {
	members := make([]string, 0, len(e.group.Members))
	for _, m := range e.group.Members {
		if s.plan.extensions[m] != nil && s.busy(m) {
			s.step("member "+m, e.group.Key("members"), "passed over: it is in a call")
			continue
		}
		members = append(members, m)
	}
	if len(members) == 0 {
		s.refusal = &Refusal{Status: 486, Q850: 17, Reason: fmt.Sprintf("all phones of group %s are in a call", e.number), Pos: e.pos}
	}
	return members
}

// conditionsOf reads a list of outcomes; an absent one is all.
func conditionsOf(list []string) Condition {
	if len(list) == 0 {
		return Any
	}
	var c Condition
	for i, name := range conditionNames {
		if slices.Contains(list, name) {
			c |= 1 << i
		}
	}
	return c
}
