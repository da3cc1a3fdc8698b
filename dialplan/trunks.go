package dialplan

import (
	"fmt"
	"strings"
	"time"
)

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
	defer s.named(r.callsRing, r.callsRingAt)()
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
		target := Target{Kind: ToTrunk, Name: t.Name, Number: public.format(t.Format), Access: t.Access, From: s.shown(r, t, o), Pos: r.to}
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
