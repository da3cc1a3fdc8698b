package dialplan

import (
	"fmt"
	"slices"
)

// translations returns the other ways to write a public number: for a call from
// outside as + and digits, be it dialled as in the country or, as many providers
// send it, without the +; for a phone's + and digits as dialled by hand.
func (s *search) translations(n Number, o owner) []string {
	p := s.plan
	digits, telephone := telephoneNumber(n.User)
	switch {
	case !telephone || n.Context != "":
	case o.context == p.incoming && !n.Global():
		return []string{p.country.e164(digits), "+" + digits}
	case o.context != p.incoming && n.Global():
		national := p.country.national(digits)
		if len(p.outside) > 0 {
			return []string{p.outside[0] + national}
		}
		return []string{national}
	}
	return nil
}

// candidates tries the entries that match a number, the most specific first.
type candidates struct {
	*search
	owner  owner
	number string
	seen   []*entry
	found  fragment
}

// in searches a context and those that it includes.
func (c *candidates) in(l *context, number string) bool {
	if number == "" {
		return false
	}
	c.number = number
	for _, l := range l.search {
		if l.root.walk(number, c) {
			return true
		}
	}
	return false
}

// translated searches for the number in its other forms.
func (c *candidates) translated(l *context, n Number) bool {
	for _, number := range c.translations(n, c.owner) {
		if c.in(l, number) {
			return true
		}
	}
	return false
}

// whatever tries the entries for any number.
func (c *candidates) whatever(l *context) bool {
	for _, l := range l.search {
		for _, e := range l.any {
			if c.visit(e) {
				return true
			}
		}
	}
	return false
}

// visit takes an entry, or passes it over. What is taken decides, be it a
// refusal: a rule without permission must not fall through to a wider one.
func (c *candidates) visit(e *entry) bool {
	if slices.Contains(c.seen, e) {
		return false
	}
	c.seen = append(c.seen, e)
	if e.rule != nil {
		if why := c.passedOver(e.rule, c.owner); why != "" {
			c.step(e.name, e.at(), why)
			return false
		}
	}
	if c.rule == "" {
		c.search.rule, c.pos = e.label(), e.at()
	}
	switch {
	case e.ext != nil:
		c.found = c.extension(e.ext, c.owner)
	case e.service != nil:
		c.found = c.service(e.service, c.number, c.owner)
	default:
		c.found = c.ruled(e.rule, e.name, c.number, c.owner)
	}
	return true
}

func (e *entry) label() string {
	switch {
	case e.rule != nil:
		return e.rule.name
	case e.ext != nil:
		return e.ext.number
	}
	return e.service.name
}

// passedOver says why a rule is not for this call, "" if it is.
func (s *search) passedOver(r *rule, o owner) string {
	stranger := o.door.kind == FromStranger
	switch {
	case r.from != nil && !r.from[o.door] && o.door.name != "any":
		return fmt.Sprintf("passed over: it is not for %s", o)
	case r.from == nil && stranger:
		return "passed over: strangers need a rule with from = [\"strangers\"]"
	case s.checking:
		return ""
	case !r.when.holds(s.query.At):
		return fmt.Sprintf("passed over: it holds %s, not at %s", r.when.during(), s.at())
	}
	if r.callers != nil {
		if _, ok := s.plan.screened(r.callers, s.query.From); !ok {
			return fmt.Sprintf("passed over: it is not for callers such as %s", s.query.From)
		}
	}
	return ""
}

func (c condition) during() string {
	if c.not {
		return fmt.Sprintf("outside of %q", c.schedule.name)
	}
	return fmt.Sprintf("during %q", c.schedule.name)
}

func (s *search) at() string {
	if s.query.At.IsZero() {
		return "no time"
	}
	return s.query.At.In(s.plan.zone).Format("Mon 2006-01-02 15:04")
}
