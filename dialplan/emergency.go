package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// emergency is the compiled Emergency. Every phone reaches its numbers, whatever
// its permissions, with and without the digits for an outside line.
type emergency struct {
	numbers  []string
	prefixes []string // that lead to an outside line; the empty one first
	trunks   []*Trunk
	notify   []string
	place    string
	pos      tomlfile.Pos
}

// emergency compiles the emergency numbers. A plan with a trunk has them, or
// says why not.
func (c *compiler) emergency() {
	p, from := c.plan, &c.plan.config.Emergency
	em := &p.emergency
	em.pos, em.place, em.notify = from.Pos.At(), from.Place, from.Notify
	for _, name := range from.To {
		if t := p.trunks[name]; t != nil {
			em.trunks = append(em.trunks, t)
		} else {
			c.wrong(from.Pos, "to", "emergency: there is no trunk %q%s", name, tomlfile.Suggest(name, p.trunkNames()))
		}
	}
	for _, name := range from.Notify {
		if p.extensions[name] == nil {
			c.wrong(from.Pos, "notify", "emergency: there is no extension %q to notify%s", name, tomlfile.Suggest(name, c.phoneNames()))
		}
	}
	switch {
	case from.None != "" && len(from.To) > 0:
		c.wrong(from.Pos, "none", "emergency has both to, the way to emergency numbers, and none, why there is no way: keep one")
	case from.None == "" && len(from.To) == 0 && len(p.config.Trunks) > 0:
		at := from.Pos
		if at.Line == 0 {
			at = p.config.Trunks[0].Pos
		}
		c.wrong(at, "", "a plan with a trunk needs a way to emergency numbers: add [emergency] to = [%q], or none = \"why there is no way\"", p.config.Trunks[0].Name)
	}
	p.outside = p.outsidePrefixes()
	if len(em.trunks) == 0 {
		return
	}
	c.emergencyNumbers(from)
	em.prefixes = append([]string{""}, p.outside...)
}

// emergencyNumbers takes the numbers from the file or the country, and refuses
// those that are something else.
func (c *compiler) emergencyNumbers(from *Emergency) {
	p, em := c.plan, &c.plan.emergency
	em.numbers = from.Numbers
	key := "numbers"
	if len(em.numbers) == 0 {
		em.numbers = p.country.emergencyNumbers()
		key = "to"
	}
	if len(em.numbers) == 0 && p.config.Country == "" {
		c.wrong(from.Pos, "", "emergency: the numbers are unknown: add numbers = [\"112\"], or country at the top of the file")
	}
	for _, n := range em.numbers {
		if digits, ok := telephoneNumber(n); !ok || digits != n || n[0] == '+' {
			c.wrong(from.Pos, key, "emergency: %q is no number that can be dialled", n)
			continue
		}
		if e := p.office.exactly(n); e != nil && e.rule == nil {
			remedy := "give it another number"
			if key != "numbers" {
				remedy += ", or say in [emergency] which are: numbers = [\"…\"]"
			}
			c.wrong(e.at(), "", "%s is an emergency number: %s", e.name, remedy)
		}
	}
}

// outsidePrefixes are the digits that rules to trunks strip from what phones
// dial: what people dial for an outside line.
func (p *Plan) outsidePrefixes() []string {
	var prefixes []string
	for i := range p.config.Rules {
		r := &p.config.Rules[i]
		if r.Strip == 0 || len(r.To) == 0 || p.trunks[r.To[0]] == nil {
			continue
		}
		paths, err := parsePattern(r.Dial)
		if err != nil {
			continue
		}
		for _, path := range paths {
			if prefix := path.prefix(r.Strip); prefix != "" && !slices.Contains(prefixes, prefix) {
				prefixes = append(prefixes, prefix)
			}
		}
	}
	return prefixes
}

// prefix returns the first n digits of a path, or "" if they are not fixed.
func (p path) prefix(n int) string {
	if n > len(p.sets) {
		return ""
	}
	var b strings.Builder
	for _, s := range p.sets[:n] {
		if s.size() != 1 {
			return ""
		}
		b.WriteString(s.String())
	}
	return b.String()
}

// number returns the emergency number in what was dialled, "" if it is none. The
// domain does not matter: a phone may know the exchange by a name that the file
// does not have. A number of a private plan is none.
func (em *emergency) number(dialed Number) string {
	if dialed.Context != "" && dialed.Context[0] != '+' {
		return ""
	}
	for _, n := range em.numbers {
		if prefix, ok := strings.CutSuffix(dialed.User, n); ok && slices.Contains(em.prefixes, prefix) {
			return n
		}
	}
	return ""
}

// emergencyRoute is the route of a phone's call to an emergency number.
func (s *search) emergencyRoute(number string, from *extension) Route {
	em := &s.plan.emergency
	r := Route{Emergency: true, Class: EmergencyCall, Rule: "emergency " + number, Pos: em.pos, Notice: &Notice{Extensions: em.notify, Place: em.place}}
	if from.phone.Place != "" {
		r.Notice.Place = from.phone.Place
	}
	for i, t := range em.trunks {
		stage := Stage{Targets: []Target{{Kind: ToTrunk, Name: t.Name, Number: number, Access: t.Access, Pos: t.Pos.At()}}, Pos: em.pos}
		if i < len(em.trunks)-1 {
			stage.On = Any
		}
		r.Stages = append(r.Stages, stage)
	}
	s.taken("emergency", em.pos, fmt.Sprintf("%s is an emergency number: no permission, schedule or limit holds it back", number))
	return r
}
