package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// Match decides where a call goes. It depends on nothing but the query.
func (p *Plan) Match(q Query) (Route, Trail) {
	s := search{plan: p, query: &q}
	route := s.route()
	return route, s.trail
}

// A search is one Match at work. Methods that find places return a fragment of
// the route; an empty one means that the call does not go there, and s.refusal
// says why.
type search struct {
	plan  *Plan
	query *Query
	trail Trail

	stages      []Stage
	refusal     *Refusal // why the latest place was not taken
	rule        string   // who decided first
	pos         tomlfile.Pos
	class       Permission
	withheld    bool
	undisturbed bool
	draft       Route    // what is known of the route but its stages
	stack       []string // extensions through which the call is being led
	depth       int
	diversions  []Diversion // latest first
	flat        bool        // targets are wanted, not what follows them
	checking    bool        // can the place be reached at all, whoever calls and when?
	undialed    bool        // nothing was dialled: the number is the line's own
	callersRing Ring        // how telephones ring if nothing below says
	ruledRing   Ring        // as a rule or group says; zero: none does
}

// maxDepth bounds how often rules and forwardings can lead on.
const maxDepth = 16

func (s *search) route() Route {
	q := s.query
	o, refusal := s.caller()
	if refusal != nil {
		return s.refused(refusal)
	}
	number, err := ParseNumber(s.dialed())
	switch {
	case err == errNoNumber && q.From.Kind != FromPhone && strings.TrimSpace(q.Dialed) == "":
	case err != nil:
		return s.refused(&Refusal{Status: 484, Q850: 28, Reason: fmt.Sprintf("%q cannot be called: %v", clip(q.Dialed), err)})
	}
	if n := s.plan.emergency.number(number); n != "" && o.ext != nil {
		return s.emergencyRoute(n, o.ext)
	}
	with := q.From
	if q.With != nil {
		with = *q.With
	}
	s.callersRing = s.ringFor(with)
	if refusal := s.limits(o); refusal != nil {
		return s.refused(refusal)
	}
	f := s.dial(number, o)
	if f.empty() {
		return s.refused(s.refusal)
	}
	s.finish()
	r := s.draft
	r.Stages, r.Rule, r.Pos, r.Class = s.stages, s.rule, s.pos, s.class
	if s.withheld {
		r.From.Withheld = true
	}
	r.Undisturbed = s.undisturbed
	return r
}

// dialed is what was dialled; on a line without digits that is the line's own
// number, if the file tells it.
func (s *search) dialed() string {
	from := s.query.From
	if from.Kind == FromLine && strings.TrimSpace(s.query.Dialed) == "" {
		if l := s.plan.lines[from.Name]; l != nil && l.Kind != "fxs" {
			s.undialed = true
			return l.Number
		}
	}
	return s.query.Dialed
}

// caller finds what holds for who calls.
func (s *search) caller() (owner, *Refusal) {
	p, from := s.plan, s.query.From
	o := owner{door: door{from.Kind, from.Name}, context: p.incoming, allow: Internal}
	known := true
	switch from.Kind {
	case FromPhone:
		if o.ext = p.extensions[from.Name]; o.ext != nil && o.ext.phone != nil {
			s.withheld = s.settings(from.Name).Withhold
			return o.ext.owner(), nil
		}
		known = false
	case FromLine:
		if l := p.lines[from.Name]; l == nil {
			known = false
		} else if e := p.extensions[l.Extension]; l.Kind == "fxs" && e != nil {
			return e.owner(), nil // its telephone calls
		} else if l.Has("allow") || len(l.Allow) > 0 {
			o.allow = permissions(l.Allow)
		}
	case FromPeer:
		peer := p.peers[from.Name]
		if known = peer != nil; !known {
			break
		}
		if peer.Has("allow") || len(peer.Allow) > 0 {
			o.allow = permissions(peer.Allow)
		}
		if peer.Context != "" {
			o.context = p.contexts[strings.ToLower(peer.Context)]
		}
	default:
		o.door.name = ""
	}
	if !known {
		return o, &Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("there is no %s %q in this plan", from.Kind, from.Name)}
	}
	return o, s.officeScreening()
}

// officeScreening refuses callers from outside who are on the office's list.
func (s *search) officeScreening() *Refusal {
	from := s.query.From
	pattern, ok := s.plan.screened(s.plan.refused, from)
	if !ok {
		return nil
	}
	at := s.plan.config.Screening.Key("refuse")
	s.taken("screening", at, fmt.Sprintf("%q refuses %s", pattern.text, from))
	return &Refusal{Status: 403, Q850: 21, Phrase: terminatingFailure, Reason: fmt.Sprintf("calls from %s are refused: %q is on the office's list", from, pattern.text), Pos: at}
}

// limits holds the number of the caller's calls against what it may have.
func (s *search) limits(o owner) *Refusal {
	name, most, at := "", 0, tomlfile.Pos{}
	switch {
	case o.ext != nil && o.ext.phone != nil:
		name, most, at = o.ext.number, o.ext.phone.MaxCalls, o.ext.phone.Key("max_calls")
	case o.door.kind == FromPeer:
		peer := s.plan.peers[o.door.name]
		name, most, at = peer.Name, peer.MaxCalls, peer.Key("max_calls")
	}
	if most == 0 || s.query.Usage == nil || s.query.Usage(name).Calls < most {
		return nil
	}
	return &Refusal{Status: 503, Q850: 34, Reason: fmt.Sprintf("%s has all the calls that it may have at once (%d)", name, most), Pos: at}
}

// dial finds where a number leads on behalf of an owner.
func (s *search) dial(n Number, o owner) fragment {
	if s.depth++; s.depth > maxDepth {
		return s.reject(&Refusal{Status: 483, Q850: 25, Reason: "forwardings and rules lead on without an end", Pos: s.pos})
	}
	defer func() { s.depth-- }()
	if !s.plan.ours(n.Host) {
		return s.address(n, o)
	}
	if refusal := s.never(o, n.User); refusal != nil {
		return s.reject(refusal)
	}
	l, refusal := s.contextOf(&n, o)
	if refusal != nil {
		return s.reject(refusal)
	}
	c := candidates{search: s, owner: o}
	if s.query.Why && s.depth == 1 {
		s.misses(l, n.User)
	}
	if c.in(l, n.User) || c.translated(l, n) || c.whatever(l) {
		return c.found
	}
	if f, ok := s.fixed(o, l); ok {
		return f
	}
	return s.nothing(l, n, o)
}

// contextOf returns the numbering plan in which a number is looked up.
func (s *search) contextOf(n *Number, o owner) (*context, *Refusal) {
	if n.Context == "" {
		return o.context, nil
	}
	l := s.plan.contexts[n.Context]
	switch {
	case l == nil && n.Context[0] == '+': // the digits before a local number
		n.User, n.Context = n.Context+n.User, ""
		return o.context, nil
	case l == nil:
		return nil, &Refusal{Status: 404, Q850: 1, Reason: fmt.Sprintf("%s: there is no context %q%s", n, n.Context, tomlfile.Suggest(n.Context, s.plan.contextNames()))}
	case o.ext == nil && !slices.Contains(o.context.search, l):
		return nil, &Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("%s may not dial in context %q: only in %q and what it includes", o, l.name, o.context.name), Pos: l.pos.At()}
	}
	return l, nil
}

func (p *Plan) contextNames() []string {
	var names []string
	for _, l := range p.lists {
		if l != p.incoming {
			names = append(names, l.name)
		}
	}
	return names
}

// fixed is what rings for all calls of a line or peer.
func (s *search) fixed(o owner, l *context) (fragment, bool) {
	var places []string
	var at tomlfile.Pos
	switch {
	case l != s.plan.incoming:
	case o.door.kind == FromLine:
		line := s.plan.lines[o.door.name]
		places, at = line.Incoming, line.Key("incoming")
	case o.door.kind == FromPeer:
		peer := s.plan.peers[o.door.name]
		places, at = peer.Incoming, peer.Key("incoming")
	}
	if len(places) == 0 {
		return fragment{}, false
	}
	if s.rule == "" {
		s.rule, s.pos = o.String(), at
	}
	s.taken(o.String(), at, "incoming = "+strings.Join(places, " + "))
	return s.together(places, o, at, 0), true
}

// nothing is a number that no rule is for.
func (s *search) nothing(l *context, n Number, o owner) fragment {
	if n.User == "" || s.undialed && s.depth == 1 {
		return s.reject(&Refusal{Status: 404, Q850: 1, Reason: fmt.Sprintf("nothing rings for calls from %s", o), Pos: o.at(s.plan)})
	}
	if o.door.kind == FromStranger {
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("a stranger may not call %s: there is no [[incoming]] from = [\"strangers\"] for it", n)})
	}
	more := false
	for _, l := range l.search {
		_, m := l.root.extent(n.User)
		more = more || m
	}
	if !s.query.Why {
		s.nearest(l, n.User)
	}
	if more {
		return s.reject(&Refusal{Status: 484, Q850: 28, Reason: fmt.Sprintf("%s is incomplete: rules of context %q need more digits", n, l.name), Pos: s.whereOf(l)})
	}
	return s.reject(&Refusal{Status: 404, Q850: 1, Reason: fmt.Sprintf("no extension or rule of context %q is for %s%s", l.name, n, s.suggestion(n.User)), Pos: s.whereOf(l)})
}

// whereOf is where a context's rules are written: the office's own stand
// anywhere in the file.
func (s *search) whereOf(l *context) tomlfile.Pos {
	if at := l.pos.At(); at.File != "" {
		return at
	}
	return tomlfile.Pos{File: s.plan.config.File}
}

func (s *search) suggestion(user string) string {
	if _, telephone := telephoneNumber(user); telephone {
		return ""
	}
	known := names(s.plan.config.Phones, func(p Phone) string { return p.Extension })
	if n := tomlfile.Nearest(user, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// address is a call to a SIP address of another domain.
func (s *search) address(n Number, o owner) fragment {
	switch {
	case o.door.kind == FromStranger:
		return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("a stranger may not call %s through us: it is not our domain", n.Host)})
	case o.rule == nil && !o.written && o.allow&SIPAddress == 0:
		return s.denied(o, SIPAddress, fmt.Sprintf("%s (if that domain is this office, add it to domains in [sip])", n.Host))
	}
	if s.rule == "" {
		s.rule = n.Host
	}
	s.taken("address "+n.URI, o.at(s.plan), "a SIP address of another domain")
	s.class |= SIPAddress
	return s.emit(Stage{Targets: []Target{{Kind: ToSIPAddress, Name: n.Host, URI: n.URI, Pos: o.at(s.plan)}}, Pos: o.at(s.plan)})
}

// never refuses a number on the owner's list of those that it may not dial.
func (s *search) never(o owner, digits ...string) *Refusal {
	if o.ext == nil || len(o.ext.never) == 0 {
		return nil
	}
	pattern, ok := s.plan.listed(o.ext.never, false, digits...)
	if !ok {
		return nil
	}
	at := o.ext.phone.Key("never_dial")
	s.taken("never_dial of "+o.ext.number, at, fmt.Sprintf("%q is on the list", pattern.text))
	return &Refusal{Status: 403, Q850: 21, Phrase: originatingFailure, Reason: fmt.Sprintf("phone %s may not call %s: %q is on its never_dial list", o.ext.number, digits[0], pattern.text), Pos: at}
}

// denied refuses a call for want of a permission.
func (s *search) denied(o owner, class Permission, what string) fragment {
	return s.reject(&Refusal{Status: 403, Q850: 21, Reason: fmt.Sprintf("%s may not call %s: that takes allow %q, and it has %s", o, what, class, o.allow), Pos: o.permissionAt(s.plan)})
}

func (s *search) settings(extension string) Settings {
	if s.query.Settings == nil {
		return Settings{}
	}
	return s.query.Settings(extension)
}

func (s *search) busy(extension string) bool {
	return s.query.Busy != nil && s.query.Busy(extension)
}

// step adds to the trail what did not decide; taken what did.
func (s *search) step(what string, at tomlfile.Pos, verdict string) {
	s.trail = append(s.trail, Step{Rule: what, Pos: at.At(), Verdict: verdict, Indent: len(s.stack)})
}

func (s *search) taken(what string, at tomlfile.Pos, verdict string) {
	s.trail = append(s.trail, Step{Rule: what, Pos: at.At(), Verdict: verdict, Taken: true, Indent: len(s.stack)})
}

// reject notes why the call does not go to a place.
func (s *search) reject(r *Refusal) fragment {
	s.refusal = r
	s.step("refused", r.Pos, r.Reason)
	return fragment{}
}

// refused is the route of a call that goes nowhere.
func (s *search) refused(r *Refusal) Route {
	if n := len(s.trail); n == 0 || s.trail[n-1].Verdict != r.Reason {
		s.step("refused", r.Pos, r.Reason)
	}
	s.trail[len(s.trail)-1].Taken = true
	rule := s.rule
	pos := s.pos
	if pos.Line == 0 {
		pos = r.Pos
	}
	return Route{Refusal: r, Rule: rule, Pos: pos, Class: s.class}
}
