package dialplan

import (
	"fmt"
	"strings"

	"crosspoint/internal/tomlfile"
)

// rules compiles rules and incoming rules into their contexts.
func (c *compiler) rules() {
	p := c.plan
	for i := range p.config.Rules {
		c.rule(&p.config.Rules[i])
	}
	for i := range p.config.Incoming {
		c.incomingRule(&p.config.Incoming[i])
	}
	p.refused = c.callerPatterns(p.config.Screening.Refuse, func(text string, err error) {
		c.wrong(p.config.Screening.Pos, "refuse", "screening: refuse = %q: %v", text, err)
	})
}

func (c *compiler) rule(from *Rule) {
	p := c.plan
	label := from.Name
	if label == "" {
		label = from.Dial
	}
	title := fmt.Sprintf("rule %q", label)
	l := p.office
	if from.Context != "" {
		if l = p.contexts[strings.ToLower(from.Context)]; l == nil {
			c.wrong(from.Pos, "context", "%s: context = %q is no context%s", title, from.Context, orAdd(tomlfile.Meant(from.Context, c.contextNames()), fmt.Sprintf("[[context]] name = %q", from.Context)))
			return
		}
		if l == p.incoming {
			c.wrong(from.Pos, "context", "%s: rules for calls from outside are written [[incoming]]", title)
			return
		}
	}
	paths, err := parsePattern(from.Dial)
	if err != nil {
		c.wrong(from.Pos, "dial", "%s: dial = %q: %v", title, from.Dial, err)
		return
	}
	r := &rule{
		name: label, pattern: from.Dial, pos: from.Pos.At(), to: from.Key("to"),
		strip: from.Strip, replace: from.Replace, class: permission(from.Class), ring: from.Ring, weights: from.Weights,
		present: Presentation{Number: from.CallerID, Withheld: from.Withhold},
		when:    c.when(from.Pos, title, from.When), from: c.doors(from.Pos, title, from.From),
		callers: c.callerPatterns(from.Caller, func(text string, err error) {
			c.wrong(from.Pos, "caller", "%s: caller = %q: %v", title, text, err)
		}),
	}
	c.rewriting(from, r, paths, title)
	c.action(from.Pos, title, r, from.To, from.Refuse, from.Status)
	c.ruledRing(from.Pos, title, r, from.CallsRing)
	if len(from.Weights) > 0 {
		c.weights(from, r, title)
	}
	if len(r.trunks) == 0 && (from.Strip > 0 || from.Prepend != "" || from.Replace != "") {
		c.wrong(from.Pos, "to", "%s changes the number, but leads to no trunk: strip, prepend and replace are for trunks", title)
	}
	c.insert(l, &entry{name: title, rule: r, paths: paths})
}

// rewriting checks strip, prepend and replace.
func (c *compiler) rewriting(from *Rule, r *rule, paths []path, title string) {
	for key, digits := range map[string]string{"prepend": from.Prepend, "replace": from.Replace} {
		if digits == "" {
			continue
		}
		plain, ok := telephoneNumber(digits)
		if !ok {
			c.wrong(from.Pos, key, "%s: %s = %q is not digits", title, key, digits)
		}
		if key == "prepend" {
			r.prepend = plain
		} else {
			r.replace = plain
		}
	}
	if from.Replace != "" && (from.Strip > 0 || from.Prepend != "") {
		c.wrong(from.Pos, "replace", "%s: replace puts another number in the place of the whole one: keep either it, or strip and prepend", title)
	}
	if from.Strip < 0 {
		c.wrong(from.Pos, "strip", "%s: strip = %d: write how many digits are taken from the front", title, from.Strip)
	}
	for _, p := range paths {
		if n := len(p.sets); from.Strip >= n && !p.open || p.open && from.Strip > n {
			c.wrong(from.Pos, "strip", "%s: strip = %d takes away all that %q is sure to have", title, from.Strip, from.Dial)
			break
		}
	}
}

// action compiles what a rule does.
func (c *compiler) action(at tomlfile.Pos, title string, r *rule, to []string, refuse string, status int) {
	if status != 0 && (refuse == "" || status < 400 || status > 699) {
		c.wrong(at, "status", "%s: status = %d: it is the SIP status of refuse, from 400 to 699", title, status)
	}
	switch {
	case refuse != "" && len(to) > 0:
		c.wrong(at, "refuse", "%s has both to and refuse: keep one", title)
		return
	case refuse != "":
		if status == 0 {
			status = 403
		}
		r.refusal = &Refusal{Status: status, Reason: refuse, Phrase: refuse, Pos: at.Key("refuse")}
		return
	case len(to) == 0:
		c.wrong(at, "", "%s does nothing: add to = \"…\", a trunk or an extension, or refuse = \"…\"", title)
		return
	}
	for _, name := range to {
		if t := c.plan.trunks[name]; t != nil {
			r.trunks = append(r.trunks, t)
		} else {
			r.places = append(r.places, name)
		}
	}
	if len(r.trunks) > 0 && len(r.places) > 0 {
		known := c.plan.trunkNames()
		c.wrong(at, "to", "%s: to mixes trunks and places, and %q is no trunk%s", title, r.places[0], tomlfile.Suggest(r.places[0], known))
	}
}

func (c *compiler) weights(from *Rule, r *rule, title string) {
	sum := 0
	for _, w := range from.Weights {
		sum += w
		if w < 0 {
			sum = -1 << 30
		}
	}
	if len(from.Weights) != len(r.trunks) || sum <= 0 {
		c.wrong(from.Pos, "weights", "%s: weights needs one share for each trunk in to (%d), zero or more, and not all zero", title, len(r.trunks))
		r.weights = nil
	}
}

// doors compiles the names of callers.
func (c *compiler) doors(at tomlfile.Pos, title string, list []string) map[door]bool {
	if len(list) == 0 {
		return nil
	}
	p, doors := c.plan, map[door]bool{}
	for _, name := range list {
		switch e := p.extensions[name]; {
		case e != nil && e.phone != nil:
			doors[door{FromPhone, name}] = true
		case e != nil:
			for _, m := range e.group.Members {
				doors[door{FromPhone, m}] = true
			}
		case p.classes[name] != nil:
			for i := range p.config.Phones {
				if p.config.Phones[i].Class == name {
					doors[door{FromPhone, p.config.Phones[i].Extension}] = true
				}
			}
		case p.lines[name] != nil:
			doors[door{FromLine, name}] = true
		case p.peers[name] != nil:
			doors[door{FromPeer, name}] = true
		case p.trunks[name] != nil && p.trunks[name].Peer != "":
			doors[door{FromPeer, p.trunks[name].Peer}] = true
		case p.trunks[name] != nil:
			for _, l := range p.trunks[name].Lines {
				doors[door{FromLine, l}] = true
			}
		case name == "strangers":
			doors[door{FromStranger, ""}] = true
		default:
			known := append(append(p.Callers(), p.trunkNames()...), names(p.config.Classes, func(x Class) string { return x.Name })...)
			c.wrong(at, "from", "%s: from = %q is no phone, group, class, line, peer or trunk%s", title, name, tomlfile.Suggest(name, known))
		}
	}
	return doors
}

func (p *Plan) trunkNames() []string {
	return names(p.config.Trunks, func(t Trunk) string { return t.Name })
}

// incomingRule compiles an [[incoming]]: a rule of the context for calls from
// outside, for whatever was dialled if it does not say.
func (c *compiler) incomingRule(from *Incoming) {
	label := from.Name
	if label == "" {
		if label = from.Dialed; label == "" {
			label = "any number"
		}
	}
	title := fmt.Sprintf("incoming %q", label)
	var paths []path
	if from.Dialed != "" {
		var err error
		if paths, err = parsePattern(from.Dialed); err != nil {
			c.wrong(from.Pos, "dialed", "%s: dialed = %q: %v", title, from.Dialed, err)
			return
		}
	}
	r := &rule{
		name: label, pattern: from.Dialed, pos: from.Pos.At(), to: from.Key("to"), ring: from.Ring, together: true,
		when: c.when(from.Pos, title, from.When), from: c.doors(from.Pos, title, from.From),
		callers: c.callerPatterns(from.Caller, func(text string, err error) {
			c.wrong(from.Pos, "caller", "%s: caller = %q: %v", title, text, err)
		}),
	}
	if len(from.From) > 0 && len(r.from) == 0 {
		return // reported
	}
	c.action(from.Pos, title, r, from.To, from.Refuse, from.Status)
	c.ruledRing(from.Pos, title, r, from.CallsRing)
	if len(r.trunks) > 0 {
		c.wrong(from.Pos, "to", "%s leads from outside to trunk %q, and so out again: name a phone or group; a phone may forward its calls outside", title, r.trunks[0].Name)
	}
	c.insert(c.plan.incoming, &entry{name: title, rule: r, paths: paths})
}

// insert adds a rule to a context, if no other one is for exactly the same calls.
func (c *compiler) insert(l *context, e *entry) {
	if other := l.same(e); other != nil {
		c.wrong(e.rule.pos, "", "%s can never be reached: %s is for the same calls; take one of them out, or give them different from, caller or when", e.name, other)
		return
	}
	c.add(l, e)
}

// same returns an entry before e that is for exactly the same calls.
func (l *context) same(e *entry) *entry {
	if e.paths == nil {
		for _, other := range l.any {
			if other.sameConditions(e) {
				return other
			}
		}
		return nil
	}
	var covers *entry
	for _, p := range e.paths {
		found := l.root.at(p)
		ok := false
		for _, other := range found {
			if other.sameConditions(e) || other.rule == nil {
				covers, ok = other, true
			}
		}
		if !ok {
			return nil // this path is its own
		}
	}
	return covers
}

// at returns the entries whose pattern has exactly the path.
func (n *node) at(p path) []*entry {
	for _, s := range p.sets {
		found := false
		for _, e := range n.edges {
			if e.set == s {
				n, found = e.node, true
				break
			}
		}
		if !found {
			return nil
		}
	}
	if p.open {
		return n.open
	}
	return n.leaves
}

func (e *entry) sameConditions(f *entry) bool {
	if e.rule == nil || f.rule == nil || e.rule.when != f.rule.when || len(e.rule.from) != len(f.rule.from) || len(e.rule.callers) != len(f.rule.callers) {
		return false
	}
	for d := range e.rule.from {
		if !f.rule.from[d] {
			return false
		}
	}
	for i := range e.rule.callers {
		if e.rule.callers[i].text != f.rule.callers[i].text {
			return false
		}
	}
	return true
}
