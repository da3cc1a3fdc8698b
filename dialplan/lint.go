package dialplan

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// Lint returns what is not wrong but probably not meant, or risky: each with the
// line and the remedy. All are warnings.
func (p *Plan) Lint() []tomlfile.Problem {
	l := linter{plan: p}
	l.phones()
	l.fraud()
	l.forwards()
	l.outside()
	l.names()
	l.rings()
	l.rules()
	l.loops()
	if len(p.config.Tests) == 0 && len(p.config.Phones) > 0 {
		l.warn(p.config.Pos, "the plan has no [[test]]: write some of the calls that must work, and some that must not")
	}
	return tomlfile.Sort(l.problems)
}

type linter struct {
	plan     *Plan
	problems []tomlfile.Problem
}

func (l *linter) warn(at tomlfile.Pos, format string, args ...any) {
	l.problems = append(l.problems, at.Warning(format, args...))
}

// minSecret is the length under which a password is found by trying: attackers
// of SIP phones try dictionaries and all short words at hundreds a second.
const minSecret = 10

// phones finds weak passwords and phones whose place nobody knows.
func (l *linter) phones() {
	secrets := map[string]*Phone{}
	for i := range l.plan.config.Phones {
		phone := &l.plan.config.Phones[i]
		secret, at := phone.Secret, phone.Key("secret")
		if secret == "" {
			continue
		}
		switch other := secrets[secret]; {
		case strings.EqualFold(secret, phone.Extension) || strings.EqualFold(secret, phone.User) || strings.EqualFold(secret, phone.Name):
			l.warn(at, "phone %s: its secret is its own name: whoever finds the exchange calls at your expense; write a random one", phone.Extension)
		case len(secret) < minSecret || strings.Trim(secret, "0123456789") == "":
			l.warn(at, "phone %s: its secret is easily guessed: write at least %d random letters and digits", phone.Extension, minSecret)
		case other != nil:
			l.warn(at, "phone %s has the same secret as phone %s (%s): give each its own", phone.Extension, other.Extension, other.Pos)
		}
		secrets[secret] = phone
	}
}

// fraud finds who may make dear calls.
func (l *linter) fraud() {
	p, reported := l.plan, map[string]bool{}
	f := &p.config.Features
	forwards := f.ForwardAlways != "" || f.ForwardBusy != "" || f.ForwardNoAnswer != ""
	for i := range p.config.Phones {
		e := p.extensions[p.config.Phones[i].Extension]
		o := e.owner()
		who, at := "phone "+e.number, o.permissionAt(p)
		if class := p.classes[e.phone.Class]; class != nil {
			who = fmt.Sprintf("class %q", class.Name)
		}
		if all := Local | National | International | Premium; e.phone.LineFlash && e.allow&all != all {
			l.warn(e.phone.Key("line_flash"), "phone %s may give hook-flashes to the exchange of a line, and dial there whatever it likes, also what its permissions (%s) refuse", e.number, e.allow)
		}
		dear := e.allow & (International | Premium)
		if dear == 0 || e.toll > 0 || reported[who] {
			continue
		}
		reported[who] = true
		how := "whoever gets hold of a password calls them at your expense"
		if forwards {
			how += ", and can forward other calls there"
		}
		l.warn(at, "%s may call %s numbers without a limit: %s; add toll_per_day = \"1h\", or take them out of allow", who, dear, how)
	}
	for i := range p.config.Peers {
		peer := &p.config.Peers[i]
		for _, a := range peer.Addresses {
			if prefix, err := netip.ParsePrefix(a); err == nil && prefix.Bits() < 16 {
				l.warn(peer.Key("addresses"), "peer %q: %s lets in millions of addresses without a password: name the peer's own", peer.Name, a)
			}
		}
	}
}

// forwards finds phones that send whoever calls them on to dear numbers: a
// caller from outside then talks at the office's expense.
func (l *linter) forwards() {
	p := l.plan
	for i := range p.config.Phones {
		phone := &p.config.Phones[i]
		if p.extensions[phone.Extension].toll > 0 {
			continue
		}
		f := &phone.Forward
		for _, to := range [...]struct{ key, number string }{
			{"always", f.Always}, {"busy", f.Busy}, {"no_answer", f.NoAnswer}, {"unreachable", f.Unreachable},
		} {
			if to.number == "" {
				continue
			}
			route, _ := p.Match(Query{From: Caller{Kind: FromPhone, Name: phone.Extension, Number: phone.Extension}, Dialed: to.number})
			if len(route.Stages) == 0 || route.Stages[0].Targets[0].Kind != ToTrunk {
				continue // it is refused, or another phone's own matter
			}
			if dear := route.Class & (International | Premium); dear != 0 {
				l.warn(f.Key(to.key), "phone %s: its calls are forwarded to %s, which is %s: whoever calls it from outside talks at your expense; forward to a number nearby, or add toll_per_day = \"1h\"", phone.Extension, to.number, dear)
			}
		}
	}
}

// outside finds calls from outside that ring nobody, and emergency calls that
// nobody hears of.
func (l *linter) outside() {
	p := l.plan
	for i := range p.config.Lines {
		line := &p.config.Lines[i]
		if line.Kind == "fxs" || len(line.Incoming) > 0 || l.covered(door{FromLine, line.Name}) {
			continue
		}
		l.warn(line.Pos, "line %q: calls from it ring nobody: add incoming = \"…\"", line.Name)
	}
	for i := range p.config.Peers {
		peer := &p.config.Peers[i]
		if len(peer.Incoming) > 0 || peer.Context != "" || len(peer.Addresses) == 0 || l.covered(door{FromPeer, peer.Name}) {
			continue
		}
		l.warn(peer.Pos, "peer %q: calls from it ring nobody: add incoming = \"…\", or an [[incoming]] for the numbers that it dials", peer.Name)
	}
	if len(p.emergency.trunks) == 0 {
		return
	}
	if len(p.emergency.notify) == 0 {
		l.warn(p.config.Emergency.Pos, "emergency: nobody here is told of an emergency call: add notify = [\"…\"], the extensions that meet the ambulance")
	}
	if p.emergency.place == "" {
		for i := range p.config.Phones {
			if phone := &p.config.Phones[i]; phone.Place == "" {
				l.warn(p.config.Emergency.Pos, "emergency: nobody knows where phone %s is: add place to it, or to [emergency]", phone.Extension)
				break
			}
		}
	}
}

// covered tells whether an [[incoming]] is for the door.
func (l *linter) covered(d door) bool {
	return slices.ContainsFunc(l.plan.incoming.entries, func(e *entry) bool { return e.rule.from == nil || e.rule.from[d] })
}

// names finds what nothing refers to.
func (l *linter) names() {
	p := l.plan
	for _, c := range p.lists {
		if len(c.entries) == 0 && len(c.includes) == 0 && c != p.office && c != p.incoming {
			l.warn(c.pos, "context %q has no rules: no number of it leads anywhere; add [[rule]] context = %[1]q, or take it out", c.name)
		}
	}
	for i := range p.config.Schedules {
		if s := &p.config.Schedules[i]; !p.schedules[s.Name].used {
			l.warn(s.Pos, "schedule %q is used by nothing: take it out, or write when = %[1]q in a rule", s.Name)
		}
	}
	classes, trunks := map[string]bool{}, map[string]bool{}
	for i := range p.config.Phones {
		classes[p.config.Phones[i].Class] = true
	}
	for i := range p.config.Classes {
		if c := &p.config.Classes[i]; !classes[c.Name] {
			l.warn(c.Pos, "class %q is used by no phone: take it out, or write class = %[1]q in a phone", c.Name)
		}
	}
	for i := range p.config.Rules {
		for _, to := range p.config.Rules[i].To {
			trunks[to] = true
		}
	}
	for _, to := range p.config.Emergency.To {
		trunks[to] = true
	}
	for i := range p.config.Trunks {
		if t := &p.config.Trunks[i]; !trunks[t.Name] {
			l.warn(t.Pos, "trunk %q is used by no rule: take it out, or write to = %[1]q in a rule", t.Name)
		}
	}
}

// rings finds distinctive rings that nothing rings with, and callers' sides do
// not ask for.
func (l *linter) rings() {
	config := &l.plan.config
	for i := range config.Rings {
		if r := &config.Rings[i]; !isBuiltIn(r.Name) && !l.plan.ringsUsed[r.Name] && r.AlertInfo == "" {
			l.warn(r.Pos, "distinctive ring %q is used by nothing: take it out, or write calls_ring = %[1]q where it is meant", r.Name)
		}
	}
}

// samples is how many numbers of a rule's pattern are tried.
const samples = 64

// rules finds rules that others stand before: for each a few of its numbers are
// looked up as any caller at any time.
func (l *linter) rules() {
	for _, c := range l.plan.lists {
		for _, e := range c.entries {
			if e.rule == nil || e.paths == nil {
				continue
			}
			if number, by := c.hides(e); by != nil {
				l.warn(e.rule.pos, "%s seems never to be reached: its numbers, such as %s, go to %s; make its pattern more specific, or take it out", e.name, number, by)
			}
		}
	}
}

// hides returns who takes the numbers of an entry, if none of those tried comes
// to it.
func (c *context) hides(e *entry) (number string, by *entry) {
	random := rand.New(rand.NewPCG(1, uint64(e.order)))
	for range samples {
		number = e.paths[random.IntN(len(e.paths))].sample(random)
		v := unconditional{wanted: e}
		c.root.walk(number, &v)
		if v.found == e {
			return "", nil
		}
		by = v.found
	}
	return number, by
}

// unconditional finds the entry that surely decides: the wanted one, or one
// before it that has no conditions.
type unconditional struct{ wanted, found *entry }

func (u *unconditional) visit(e *entry) bool {
	if e == u.wanted || e.conditions() == 0 {
		u.found = e
		return true
	}
	return false
}

// sample draws a number that the path matches.
func (p path) sample(random *rand.Rand) string {
	var b strings.Builder
	for _, s := range p.sets {
		n := random.IntN(s.size())
		for c := 0; c < 256; c++ {
			if s.has(byte(c)) {
				if n == 0 {
					b.WriteByte(byte(c))
					break
				}
				n--
			}
		}
	}
	if p.open {
		for range 1 + random.IntN(6) {
			b.WriteByte('0' + byte(random.IntN(10)))
		}
	}
	return b.String()
}

// loops finds phones that hand a call round when all are busy or nobody answers.
// The call ends then, but after much ringing.
func (l *linter) loops() {
	p, reported := l.plan, map[string]bool{}
	for i := range p.config.Phones {
		start := p.config.Phones[i].Extension
		way := []string{start}
		for !reported[start] {
			e := p.extensions[way[len(way)-1]]
			if e == nil || e.phone == nil {
				break
			}
			next := e.phone.Forward.NoAnswer
			if p.extensions[next] == nil {
				break
			}
			if at := slices.Index(way, next); at >= 0 {
				for _, w := range way {
					reported[w] = true
				}
				l.warn(e.phone.Forward.Key("no_answer"), "phone %s: a call that nobody answers goes round: %s; it ends there: let the last one lead elsewhere", e.number, strings.Join(append(way[at:], next), " to "))
				break
			}
			way = append(way, next)
		}
	}
}
