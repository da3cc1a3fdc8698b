package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// Compile checks a Config and makes the Plan of it. Any problem that is not a
// warning makes it useless: the Plan is nil then. The Config must not be
// changed afterwards.
func Compile(config Config) (*Plan, []tomlfile.Problem) {
	p, problems := compile(config)
	if !tomlfile.Fatal(problems) {
		problems = tomlfile.Sort(append(problems, p.runTests()...))
	}
	if tomlfile.Fatal(problems) {
		return nil, problems
	}
	return p, problems
}

// compile makes the Plan without running its tests.
func compile(config Config) (*Plan, []tomlfile.Problem) {
	c := compiler{plan: &Plan{
		config: config, ring: config.Ring,
		domains: map[string]bool{}, contexts: map[string]*context{}, extensions: map[string]*extension{},
		classes: map[string]*Class{}, lines: map[string]*Line{}, peers: map[string]*Peer{},
		trunks: map[string]*Trunk{}, schedules: map[string]*schedule{},
	}}
	c.office()
	c.rings()
	c.declareContexts()
	c.declare()
	c.hardware()
	c.phones()
	c.mailboxes()
	c.services()
	c.rules()
	c.includes()
	c.emergency()
	if !tomlfile.Fatal(c.problems) {
		c.places()
	}
	return c.plan, tomlfile.Sort(c.problems)
}

// A compiler collects what is wrong while it makes the plan.
type compiler struct {
	plan     *Plan
	problems []tomlfile.Problem
	order    int
}

// wrong reports a problem at a table's key; an empty key is the table itself.
func (c *compiler) wrong(at tomlfile.Pos, key, format string, args ...any) {
	c.problems = append(c.problems, at.KeyProblem(key, format, args...))
}

// office compiles what is said of the office as a whole.
func (c *compiler) office() {
	p, config := c.plan, &c.plan.config
	if p.ring == 0 {
		p.ring = DefaultRing
	}
	switch {
	case config.Country == "":
	case !knownCountry(config.Country):
		c.wrong(config.Pos, "country", "country = %q is no country: write its two letters of ISO 3166, such as us, gb or de", config.Country)
	default:
		p.country = country{region: strings.ToUpper(config.Country), area: config.Area, met: new(meanings)}
	}
	if config.Area != "" {
		if digits, ok := telephoneNumber(config.Area); !ok || strings.Trim(digits, "0123456789") != "" {
			c.wrong(config.Pos, "area", "area = %q is no area code: write its digits without the trunk prefix, such as 201 or 30", config.Area)
		} else if config.Country == "" {
			c.wrong(config.Pos, "area", "an area code needs the country: add country = \"us\" or another")
		}
	}
	p.zone = c.zone(config.Pos, config.TimeZone)
	for _, d := range config.Domains {
		p.domains[domain(d)] = true
	}
	for i := range config.Schedules {
		s := &config.Schedules[i]
		if c.unique(s.Pos, "name", "schedule", s.Name, p.schedules[s.Name] != nil) {
			p.schedules[s.Name] = c.schedule(s)
		}
	}
	for i := range config.Classes {
		if class := &config.Classes[i]; c.unique(class.Pos, "name", "class", class.Name, p.classes[class.Name] != nil) {
			p.classes[class.Name] = class
		}
	}
}

// unique reports a name that is used before, and tells whether it is not.
func (c *compiler) unique(at tomlfile.Pos, key, what, name string, used bool) bool {
	if used {
		c.wrong(at, key, "there is another %s %q: give one of them another %s", what, name, key)
	}
	return !used
}

// declareContexts makes the contexts by name, so that all else may refer to them.
func (c *compiler) declareContexts() {
	p := c.plan
	for _, name := range []string{officeContext, incomingContext} {
		p.contexts[name] = &context{name: name, used: true}
		p.lists = append(p.lists, p.contexts[name])
	}
	p.office, p.incoming = p.contexts[officeContext], p.contexts[incomingContext]
	for i := range p.config.Contexts {
		from := &p.config.Contexts[i]
		name, err := contextName(from.Name)
		if err != nil {
			c.wrong(from.Pos, "name", "context: %v", err)
			continue
		}
		if own := p.contexts[name]; own == p.office || own == p.incoming {
			if own == p.incoming || own.pos.Line > 0 {
				c.wrong(from.Pos, "name", "every plan has a context %q: give this one another name", name)
				continue
			}
			own.pos = from.Pos // [[context]] name = "office" says what the office includes
			continue
		}
		if c.unique(from.Pos, "name", "context", name, p.contexts[name] != nil) {
			p.contexts[name] = &context{name: name, pos: from.Pos}
			p.lists = append(p.lists, p.contexts[name])
		}
	}
}

// includes resolves what contexts include, and the order of searching.
func (c *compiler) includes() {
	p := c.plan
	for i := range p.config.Contexts {
		from := &p.config.Contexts[i]
		name, _ := contextName(from.Name)
		own := p.contexts[name]
		if own == nil {
			continue
		}
		for _, include := range from.Include {
			other := p.contexts[strings.ToLower(include)]
			if other == nil || other == own {
				c.wrong(from.Pos, "include", "context %q includes %q, which is no other context%s", from.Name, include, tomlfile.Suggest(include, c.contextNames()))
				continue
			}
			own.includes = append(own.includes, other)
			other.used = true
		}
	}
	circular := false
	for _, l := range p.lists {
		if circle := l.order(l, nil); circle != "" && !circular {
			circular = true // the others of the circle are reported by it
			c.wrong(l.pos, "include", "context %q includes itself: %s; take one of the includes out", l.name, circle)
		}
		l.root.sort()
		slices.SortStableFunc(l.any, byConditions)
	}
}

// order lists the contexts that are searched for own, depth first, and returns
// the way by which one includes itself.
func (l *context) order(own *context, way []string) string {
	if slices.Contains(own.search, l) {
		return ""
	}
	way = append(way, l.name)
	own.search = append(own.search, l)
	for _, i := range l.includes {
		if slices.Contains(way, i.name) {
			return strings.Join(append(way, i.name), " includes ")
		}
		if circle := i.order(own, way); circle != "" {
			return circle
		}
	}
	return ""
}

func (c *compiler) contextNames() []string {
	var names []string
	for _, l := range c.plan.lists {
		names = append(names, l.name)
	}
	return names
}

// when compiles a reference to a schedule.
func (c *compiler) when(at tomlfile.Pos, owner, when string) condition {
	if when == "" {
		return condition{}
	}
	name, not := strings.CutPrefix(when, "not ")
	name = strings.TrimSpace(name)
	s := c.plan.schedules[name]
	if s == nil {
		c.wrong(at, "when", "%s: when = %q names no schedule%s", owner, when, tomlfile.Suggest(name, names(c.plan.config.Schedules, func(s Schedule) string { return s.Name })))
		return condition{}
	}
	s.used = true
	return condition{schedule: s, not: not}
}

func names[T any](list []T, name func(T) string) []string {
	var all []string
	for _, v := range list {
		all = append(all, name(v))
	}
	return all
}

// add puts an entry into a context.
func (c *compiler) add(l *context, e *entry) {
	c.order++
	e.order = c.order
	l.entries = append(l.entries, e)
	for _, p := range e.paths {
		l.root.insert(p, e)
	}
	if e.paths == nil {
		l.any = append(l.any, e)
	}
}

// exactly returns the entry of a context whose pattern is exactly the number.
func (l *context) exactly(number string) *entry {
	n := &l.root
	for i := range len(number) {
		var s set
		s.add(number[i])
		j := slices.IndexFunc(n.edges, func(e edge) bool { return e.set == s })
		if j < 0 {
			return nil
		}
		n = n.edges[j].node
	}
	if len(n.leaves) == 0 {
		return nil
	}
	return n.leaves[0]
}

// at says where an entry stands, for messages about another.
func (e *entry) at() tomlfile.Pos {
	switch {
	case e.rule != nil:
		return e.rule.pos
	case e.ext != nil:
		return e.ext.pos
	}
	return e.service.pos
}

func (e *entry) String() string {
	if at := e.at().String(); at != "" {
		return fmt.Sprintf("%s (%s)", e.name, at)
	}
	return e.name
}
