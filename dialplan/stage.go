package dialplan

import (
	"time"

	"crosspoint/internal/tomlfile"
)

// A fragment is a part of a route that is being made: where it begins, and by
// which outcomes of which stages a call leaves it.
type fragment struct {
	first int // its first stage, counted from 1; 0: the fragment is empty
	exits []exit
}

type exit struct {
	stage int // index
	on    Condition
}

func (f fragment) empty() bool { return f.first == 0 }

// emit adds a stage. The call leaves it by any outcome.
func (s *search) emit(stage Stage) fragment {
	if len(s.diversions) > 0 {
		stage.Reason, stage.By = s.diversions[0].Reason, s.diversions[0].By
		stage.Diversions = append([]Diversion(nil), s.diversions...)
	}
	stage.Ring = s.ring()
	s.stages = append(s.stages, stage)
	return fragment{first: len(s.stages), exits: []exit{{len(s.stages) - 1, Any}}}
}

// link lets a call that leaves f by one of the outcomes go on to next, which may
// be empty. A link to f's own exits only: what next leaves by, the whole leaves
// by.
func (s *search) link(f fragment, on Condition, next fragment) fragment {
	switch {
	case f.empty():
		return next
	case next.empty():
		return f
	}
	joined := fragment{first: f.first}
	for _, e := range f.exits {
		stage := &s.stages[e.stage]
		for bit := range conditions {
			if e.on&on&(1<<bit) != 0 {
				stage.On |= 1 << bit
				stage.next[bit] = next.first - 1
			}
		}
		if e.on &^= on; e.on != 0 {
			joined.exits = append(joined.exits, e)
		}
	}
	joined.exits = append(joined.exits, next.exits...)
	return joined
}

// finish takes the ring time from stages that nothing follows when nobody
// answers: there the caller decides how long it rings. Not so in a list of
// phones whose ring time somebody has written: each has it, the last too.
func (s *search) finish() {
	for i := range s.stages {
		if s.stages[i].On&NoAnswer == 0 && !s.stages[i].listed {
			s.stages[i].RingFor = 0
		}
	}
}

// together makes one stage of several places, or takes the only one with all
// that follows it. A ring time of 0 is until the caller gives up.
func (s *search) together(places []string, o owner, at tomlfile.Pos, ring time.Duration) fragment {
	if len(places) == 1 && !s.flat {
		return s.place(places[0], o)
	}
	var targets []Target
	for _, p := range places {
		targets = append(targets, s.targets(p, o)...)
	}
	if len(targets) == 0 {
		return fragment{}
	}
	return s.emit(Stage{Targets: targets, RingFor: ring, Pos: at.At()})
}

// targets returns what a place rings at first, without what follows.
func (s *search) targets(place string, o owner) []Target {
	stages, flat, diversions := s.stages, s.flat, s.diversions
	s.stages, s.flat = nil, true
	f := s.place(place, o)
	var found []Target
	if !f.empty() {
		found = s.stages[f.first-1].Targets
	}
	s.stages, s.flat, s.diversions = stages, flat, diversions
	return found
}
