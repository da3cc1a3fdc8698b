package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// place leads the call to a place that the file names, on behalf of an owner.
func (s *search) place(place string, o owner) fragment {
	o.written = true
	if o.context == s.plan.incoming || o.rule != nil {
		o.context = s.plan.office
	}
	return s.call(place, o)
}

// call leads the call to a number on behalf of an owner.
func (s *search) call(dialed string, o owner) fragment {
	n, err := ParseNumber(dialed)
	if err != nil {
		return s.reject(&Refusal{Status: 484, Q850: 28, Reason: fmt.Sprintf("%q cannot be called: %v", clip(dialed), err), Pos: o.at(s.plan)})
	}
	return s.dial(n, o)
}

// extension rings a phone or group of ours, on behalf of an owner.
func (s *search) extension(e *extension, o owner) fragment {
	if o.allow&Internal == 0 {
		return s.denied(o, Internal, "extension "+e.number)
	}
	if slices.Contains(s.stack, e.number) {
		way := strings.Join(append(slices.Clone(s.stack), e.number), " to ")
		return s.reject(&Refusal{Status: 482, Q850: 25, Reason: "the call is forwarded in a circle: " + way, Pos: e.pos})
	}
	s.class |= Internal
	s.taken("extension "+e.number, e.pos, e.kind())
	if s.checking {
		return s.emit(Stage{Targets: []Target{{Kind: ToPhone, Name: e.number}}})
	}
	s.stack = append(s.stack, e.number)
	defer func() { s.stack = s.stack[:len(s.stack)-1] }()
	if refusal := s.plan.screens(e, s.query.From); refusal != nil {
		return s.reject(refusal)
	}
	if e.group != nil {
		defer s.named(e.group.CallsRing, e.group.Key("calls_ring"))()
		return s.group(e)
	}
	return s.phone(e)
}

func (e *extension) kind() string {
	if e.group != nil {
		return "a group"
	}
	return "a phone"
}

// owner is the extension as one on whose behalf its calls are forwarded.
func (e *extension) owner() owner {
	return owner{door: door{FromPhone, e.number}, context: e.context, allow: e.allow, ext: e}
}

// phone rings a phone and goes where its forwarding leads.
func (s *search) phone(e *extension) fragment {
	set, file := s.settings(e.number), e.phone.Forward
	switch {
	case set.ForwardAlways != "":
		return s.forward(set.ForwardAlways, e, "unconditional", "set from the phone", e.pos, false)
	case file.Always != "" && e.always.holds(s.query.At):
		return s.forward(file.Always, e, "unconditional", "forward.always", file.Key("always"), true)
	case file.Always != "":
		s.step("forward.always of "+e.number, file.Key("always"), fmt.Sprintf("passed over: it holds %s, not at %s", e.always.during(), s.at()))
	}
	if s.flat {
		return s.sets(e, set)
	}
	return s.follow(e, set)
}

// follow rings the phone's sets, and links what busy, no answer and absence lead
// to.
func (s *search) follow(e *extension, set Settings) fragment {
	file := e.phone.Forward
	busy, noAnswer, gone := s.onBusy(e, set), s.onNoAnswer(e, set), forwarding{}
	if file.Unreachable != "" {
		gone = forwarding{file.Unreachable, "forward.unreachable", file.Key("unreachable"), true}
	}
	switch {
	case set.DoNotDisturb:
		s.step("extension "+e.number, e.pos, "do not disturb is set at the phone")
		s.refusal = &Refusal{Status: 486, Q850: 17, Reason: fmt.Sprintf("phone %s does not want to be disturbed", e.number), Pos: e.pos}
		return s.lead(busy, e, "do-not-disturb")
	case busy.to != "" && s.inUse(e) && s.callWaiting(e) != WaitingOn:
		s.step("extension "+e.number, e.pos, "it is in a call")
		return s.lead(busy, e, "user-busy")
	}
	f, rest := s.sets(e, set), e.phone.FindMe
	if f.empty() { // it has no set of its own
		for _, place := range rest {
			f = s.link(f, Any, s.findMe(place, e))
		}
		rest = nil
	}
	own := branching{search: s, ext: e, own: f}
	own.on(Busy, busy, "user-busy")
	if gone.to != "" {
		own.on(Unreachable, gone, "unavailable")
	}
	own.on(NoAnswer|Unreachable, noAnswer, "no-answer")
	f = own.whole()
	for _, place := range rest {
		f = s.link(f, Any, s.findMe(place, e))
	}
	return f
}

// A forwarding is where a call goes, and which line says so.
type forwarding struct {
	to, key string
	at      tomlfile.Pos
	written bool // in the file
}

func (s *search) onBusy(e *extension, set Settings) forwarding {
	if set.ForwardBusy != "" {
		return forwarding{set.ForwardBusy, "set from the phone", e.pos, false}
	}
	f := e.phone.Forward
	return forwarding{f.Busy, "forward.busy", f.Key("busy"), true}
}

func (s *search) onNoAnswer(e *extension, set Settings) forwarding {
	if set.ForwardNoAnswer != "" {
		return forwarding{set.ForwardNoAnswer, "set from the phone", e.pos, false}
	}
	f := e.phone.Forward
	return forwarding{f.NoAnswer, "forward.no_answer", f.Key("no_answer"), true}
}

// branching links forwardings to the outcomes of a phone's own sets. Where a
// forwarding leads, the phone's others do not hold.
type branching struct {
	*search
	ext   *extension
	own   fragment
	tails []exit // of the forwardings
}

func (b *branching) on(outcomes Condition, to forwarding, reason string) {
	if b.own.empty() {
		return
	}
	next := b.lead(to, b.ext, reason)
	exits := b.link(b.own, outcomes, next).exits
	b.own.exits = exits[:len(exits)-len(next.exits)]
	b.tails = append(b.tails, next.exits...)
}

func (b *branching) whole() fragment {
	b.own.exits = append(b.own.exits, b.tails...)
	return b.own
}

func (s *search) lead(to forwarding, e *extension, reason string) fragment {
	if to.to == "" {
		return fragment{}
	}
	return s.forward(to.to, e, reason, to.key, to.at, to.written)
}

// forward leads the call elsewhere on behalf of the extension.
func (s *search) forward(to string, e *extension, reason, key string, at tomlfile.Pos, written bool) fragment {
	s.step(fmt.Sprintf("%s of %s", key, e.number), at, "leads to "+to)
	outer := s.diversions
	s.diversions = append([]Diversion{{By: e.number, Reason: reason, Pos: at.At()}}, outer...)
	defer func() { s.diversions = outer }()
	if written {
		return s.place(to, e.owner())
	}
	return s.call(to, e.owner())
}

// findMe is one of the places that are tried for a phone.
func (s *search) findMe(place string, e *extension) fragment {
	s.step("find_me of "+e.number, e.phone.Key("find_me"), "tries "+place)
	outer := s.diversions
	s.diversions = append([]Diversion{{By: e.number, Reason: "follow-me", Pos: e.phone.Key("find_me")}}, outer...)
	defer func() { s.diversions = outer }()
	targets := s.targets(place, e.owner())
	if len(targets) == 0 {
		return fragment{}
	}
	return s.emit(Stage{Targets: targets, RingFor: e.ring, Pos: e.phone.Key("find_me"), listed: s.plan.ringWritten(e) && targets[0].Kind == ToPhone})
}

// inUse tells that a phone is known to be in a call: its own set, or where it
// has none all those of its line.
func (s *search) inUse(e *extension) bool {
	if e.hasSet || len(e.phone.Sets) == 0 {
		return s.busy(e.number)
	}
	for _, set := range e.phone.Sets {
		if !s.busy(set) {
			return false
		}
	}
	return true
}

// ringWritten tells that the file says how long the phone rings.
func (p *Plan) ringWritten(e *extension) bool { return p.config.Ring > 0 || e.phone.Ring > 0 }

// sets rings the phone itself and the other sets of its line.
func (s *search) sets(e *extension, set Settings) fragment {
	if s.flat && set.DoNotDisturb {
		s.step("extension "+e.number, e.pos, "do not disturb is set at the phone")
		s.refusal = &Refusal{Status: 486, Q850: 17, Reason: fmt.Sprintf("phone %s does not want to be disturbed", e.number), Pos: e.pos}
		return fragment{}
	}
	var targets []Target
	if e.hasSet {
		targets = append(targets, Target{Kind: ToPhone, Name: e.number, Pos: e.pos})
	}
	for _, name := range e.phone.Sets {
		targets = append(targets, Target{Kind: ToPhone, Name: name, Pos: e.phone.Key("sets")})
	}
	if targets = s.offered(targets); len(targets) == 0 {
		return fragment{}
	}
	ring := e.ring
	if after := e.phone.Forward.After; after > 0 {
		ring = after
	}
	if e.phone.RingSets != "in-turn" {
		return s.emit(Stage{Targets: targets, RingFor: ring, Pos: e.pos})
	}
	var f fragment
	for i := range targets {
		f = s.link(f, Any, s.emit(Stage{Targets: targets[i : i+1], RingFor: ring, Pos: e.pos, listed: s.plan.ringWritten(e)}))
	}
	return f
}
