package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// places checks that every place that the file names can be reached from where
// it is named, and that no forwarding goes in a circle.
func (c *compiler) places() {
	p := c.plan
	for i := range p.config.Phones {
		c.phonePlaces(p.extensions[p.config.Phones[i].Extension])
	}
	for i := range p.config.Groups {
		g := &p.config.Groups[i]
		e := p.extensions[g.Extension]
		title := "group " + g.Extension
		for _, m := range g.Members {
			c.reach(g.Pos, "members", title, m, e.owner())
		}
		c.reach(g.Pos, "then", title, g.Then, e.owner())
	}
	for i := range p.config.Lines {
		l := &p.config.Lines[i]
		for _, place := range l.Incoming {
			c.reach(l.Pos, "incoming", fmt.Sprintf("line %q", l.Name), place, p.doorOwner(door{FromLine, l.Name}))
		}
	}
	for i := range p.config.Peers {
		peer := &p.config.Peers[i]
		for _, place := range peer.Incoming {
			c.reach(peer.Pos, "incoming", fmt.Sprintf("peer %q", peer.Name), place, p.doorOwner(door{FromPeer, peer.Name}))
		}
	}
	for _, l := range p.lists {
		for _, e := range l.entries {
			if e.rule != nil {
				c.rulePlaces(l, e)
			}
		}
	}
	c.circles()
}

func (c *compiler) phonePlaces(e *extension) {
	phone, f, title := e.phone, e.phone.Forward, "phone "+e.number
	for _, forward := range []struct{ key, to string }{
		{"always", f.Always}, {"busy", f.Busy}, {"no_answer", f.NoAnswer}, {"unreachable", f.Unreachable},
	} {
		c.reach(f.Pos, forward.key, title+": forward.", forward.to, e.owner())
	}
	for _, place := range phone.FindMe {
		c.reach(phone.Pos, "find_me", title, place, e.owner())
	}
	c.reach(phone.Pos, "hotline", title, phone.Hotline, e.owner())
}

// rulePlaces checks the places of a rule for those who may come to it.
func (c *compiler) rulePlaces(l *context, e *entry) {
	r := e.rule
	owners := []owner{{door: door{FromPhone, "any"}, context: c.plan.office, allow: ^Permission(0), rule: r}}
	if l == c.plan.incoming {
		owners = c.outside(r)
	}
	for _, place := range r.places {
		var refusal *Refusal
		for _, o := range owners {
			o.rule = r
			if refusal = c.plan.reaches(place, o); refusal == nil {
				break
			}
		}
		if refusal != nil {
			c.problems = append(c.problems, r.to.Problem("%s: to = %q: %s%s", e.name, place, refusal.Reason, c.meant(place, refusal, c.plan.trunkNames())))
		}
	}
}

// outside lists those outside who may come to a rule.
func (c *compiler) outside(r *rule) []owner {
	var owners []owner
	for d := range r.from {
		owners = append(owners, c.plan.doorOwner(d))
	}
	if r.from == nil {
		for i := range c.plan.config.Lines {
			owners = append(owners, c.plan.doorOwner(door{FromLine, c.plan.config.Lines[i].Name}))
		}
		for i := range c.plan.config.Peers {
			owners = append(owners, c.plan.doorOwner(door{FromPeer, c.plan.config.Peers[i].Name}))
		}
	}
	if owners == nil {
		owners = []owner{c.plan.doorOwner(door{FromStranger, ""})}
	}
	return owners
}

// reach reports a place that its owner cannot reach.
func (c *compiler) reach(at tomlfile.Pos, key, title, place string, o owner) {
	if place == "" {
		return
	}
	if refusal := c.plan.reaches(place, o); refusal != nil {
		if !strings.HasSuffix(title, ".") {
			title += ": "
		}
		c.wrong(at, key, "%s%s = %q: %s%s", title, key, place, refusal.Reason, c.meant(place, refusal, nil))
	}
}

// meant suggests what a place that is not there was to be.
func (c *compiler) meant(place string, refusal *Refusal, more []string) string {
	if refusal.Status != 404 && refusal.Status != 484 || strings.HasSuffix(refusal.Reason, "?") {
		return ""
	}
	known := append(c.phoneNames(), names(c.plan.config.Groups, func(g Group) string { return g.Extension })...)
	return tomlfile.Meant(place, append(known, more...))
}

// reaches returns why a place cannot be reached on behalf of an owner, at any
// time and whoever calls. Nil: it can.
func (p *Plan) reaches(place string, o owner) *Refusal {
	s := search{plan: p, query: &Query{From: Caller{Kind: o.door.kind, Name: o.door.name}}, checking: true}
	if f := s.place(place, o); !f.empty() {
		return nil
	}
	return s.refusal
}

// circles reports phones that always forward to each other.
func (c *compiler) circles() {
	p, reported := c.plan, map[string]bool{}
	for i := range p.config.Phones {
		way := []string{p.config.Phones[i].Extension}
		for !reported[way[0]] {
			e := p.extensions[way[len(way)-1]]
			if e == nil || e.phone == nil || e.phone.Forward.Always == "" || e.always.schedule != nil {
				break
			}
			next := e.phone.Forward.Always
			if n, err := ParseNumber(next); err == nil {
				next = n.User
			}
			if at := slices.Index(way, next); at >= 0 {
				for _, w := range way {
					reported[w] = true
				}
				circle := strings.Join(append(way[at:], next), " to ")
				c.wrong(e.phone.Forward.Pos, "always", "phone %s: calls are forwarded in a circle: %s; let one of them ring", e.number, circle)
				break
			}
			way = append(way, next)
		}
	}
}
