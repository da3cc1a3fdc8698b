package dialplan

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	case s.busy(e.number) && busy.to != "":
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
	return s.emit(Stage{Targets: targets, RingFor: e.ring, Pos: e.phone.Key("find_me")})
}

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
	if len(targets) == 0 {
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
		f = s.link(f, Any, s.emit(Stage{Targets: targets[i : i+1], RingFor: ring, Pos: e.pos}))
	}
	return f
}

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

// service is a code that a phone dialled.
func (s *search) service(v *service, dialed string, o owner) fragment {
	argument := strings.TrimPrefix(dialed, v.code)
	if o.ext == nil || o.ext.phone == nil {
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("service %s is for phones only, not for %s", v.name, o), Pos: v.pos})
	}
	if len(s.stack) > 0 {
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("calls cannot be forwarded to service %s", v.name), Pos: v.pos})
	}
	s.taken("service "+v.name, v.pos, "code "+v.code)
	if v.name == FeatureWithhold {
		s.withheld = true
		return s.call(argument, o)
	}
	s.class |= Internal
	return s.emit(Stage{Targets: []Target{{Kind: ToFeature, Name: v.name, Number: argument, Pos: v.pos}}, Pos: v.pos})
}

// ruled does what a rule says.
func (s *search) ruled(r *rule, name, number string, o owner) fragment {
	switch {
	case r.refusal != nil:
		s.taken(name, r.pos, fmt.Sprintf("matches %s: refused, %q", number, r.refusal.Reason))
		refusal := *r.refusal
		return s.reject(&refusal)
	case len(r.trunks) > 0:
		return s.trunks(r, name, number, o)
	}
	if number == "" {
		number = "the call"
	}
	s.taken(name, r.pos, fmt.Sprintf("matches %s: to %s", number, strings.Join(r.places, ", ")))
	o.rule = r
	if r.together && len(r.places) > 1 {
		return s.together(r.places, o, r.to, r.ring)
	}
	var f fragment
	for _, p := range r.places {
		if len(r.places) == 1 {
			return s.place(p, o)
		}
		ring := r.ring
		if ring == 0 {
			ring = s.plan.ring
		}
		if targets := s.targets(p, o); len(targets) > 0 {
			f = s.link(f, Any, s.emit(Stage{Targets: targets, RingFor: ring, Pos: r.to}))
		}
	}
	return f
}

// trunks dials a number on the trunks of a rule, in order.
func (s *search) trunks(r *rule, name, number string, o owner) fragment {
	digits := r.rewrite(number)
	if o.door.kind == FromStranger || s.query.From.Kind == FromStranger {
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: "a stranger reaches no trunk", Pos: r.pos})
	}
	class, why := r.class, "as the rule says"
	public := publicNumber{country: s.plan.country, digits: digits}
	if class == 0 {
		class, why = public.mean().class, public.mean().why
	}
	if refusal := s.never(o, number, digits); refusal != nil {
		return s.reject(refusal)
	}
	verdict := fmt.Sprintf("matches %s: %s on %s takes %q, %s", number, digits, trunkList(r.trunks), class, why)
	if o.allow&class == 0 {
		s.step(name, r.pos, verdict)
		return s.denied(o, class, digits)
	}
	if refusal := s.allowance(class, o); refusal != nil {
		s.step(name, r.pos, verdict)
		return s.reject(refusal)
	}
	s.taken(name, r.pos, verdict)
	s.class |= class
	var f fragment
	for _, t := range r.inTurn(s.query.Turn) {
		if s.full(t) {
			continue
		}
		target := Target{Kind: ToTrunk, Name: t.Name, Number: public.format(t.Format), From: s.shown(r, t, o), Pos: r.to}
		f = s.link(f, Failure|Unreachable, s.emit(Stage{Targets: []Target{target}, RingFor: r.ring, Pos: r.pos}))
	}
	return f
}

func trunkList(trunks []*Trunk) string {
	list := make([]string, len(trunks))
	for i, t := range trunks {
		list[i] = t.Name
	}
	return strings.Join(list, ", ")
}

// rewrite makes of the dialled number the one for the trunk.
func (r *rule) rewrite(number string) string {
	if r.replace != "" {
		return r.replace
	}
	return r.prepend + number[min(r.strip, len(number)):]
}

// inTurn returns the trunks in the order of trying: as written, or beginning
// with the one whose share the turn falls into.
func (r *rule) inTurn(turn uint32) []*Trunk {
	if r.weights == nil {
		return r.trunks
	}
	sum := 0
	for _, w := range r.weights {
		sum += w
	}
	share := int(turn % uint32(sum))
	for i, w := range r.weights {
		if share -= w; share < 0 {
			order := []*Trunk{r.trunks[i]}
			order = append(order, r.trunks[:i]...)
			return append(order, r.trunks[i+1:]...)
		}
	}
	return r.trunks
}

// full tells whether a trunk has all its calls.
func (s *search) full(t *Trunk) bool {
	if t.MaxCalls == 0 || s.query.Usage == nil || s.query.Usage(t.Name).Calls < t.MaxCalls {
		return false
	}
	reason := fmt.Sprintf("trunk %s has all the calls that it may have at once (%d)", t.Name, t.MaxCalls)
	s.step("trunk "+t.Name, t.Key("max_calls"), "passed over: "+reason)
	s.refusal = &Refusal{Status: 503, Q850: 34, Reason: reason, Pos: t.Key("max_calls")}
	return true
}

// allowance holds a toll call against the day's allowance of the owner.
func (s *search) allowance(class Permission, o owner) *Refusal {
	if class&toll == 0 || o.ext == nil || o.ext.toll == 0 || s.query.Usage == nil {
		return nil
	}
	left := o.ext.toll - s.query.Usage(o.ext.number).Toll
	if left <= 0 {
		return &Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("%s has talked its %v of toll calls today", o, o.ext.toll), Pos: o.tollAt(s.plan)}
	}
	if s.draft.MaxTalk == 0 || left < s.draft.MaxTalk {
		s.draft.MaxTalk = left.Round(time.Second)
	}
	return nil
}

func (o owner) tollAt(p *Plan) tomlfile.Pos {
	if class := p.classes[o.ext.phone.Class]; class != nil && !o.ext.phone.Has("toll_per_day") {
		return class.Key("toll_per_day")
	}
	return o.ext.phone.Key("toll_per_day")
}

// shown is how the caller is shown on a trunk.
func (s *search) shown(r *rule, t *Trunk, o owner) Presentation {
	shown := Presentation{Number: r.present.Number, Withheld: r.present.Withheld || t.Withhold || s.withheld}
	if o.ext != nil && o.ext.phone != nil && s.query.From.Kind == FromPhone {
		shown.Withheld = shown.Withheld || o.ext.phone.Withhold
		if shown.Number == "" {
			shown.Number = o.ext.phone.CallerID
		}
	}
	if shown.Number == "" {
		shown.Number = t.CallerID
	}
	return shown
}
