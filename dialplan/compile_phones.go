package dialplan

import (
	"fmt"
	"slices"
	"strings"

	"crosspoint/internal/tomlfile"
)

// phones compiles phones and groups into the office's context.
func (c *compiler) phones() {
	p := c.plan
	for i := range p.config.Phones {
		phone := &p.config.Phones[i]
		if e := c.extension(phone.Pos, phone.Extension); e != nil {
			e.phone = phone
		}
	}
	for i := range p.config.Groups {
		group := &p.config.Groups[i]
		if e := c.extension(group.Pos, group.Extension); e != nil {
			e.group = group
		}
	}
	for i := range p.config.Lines {
		l := &p.config.Lines[i]
		if l.Kind != "fxs" || l.Extension == "" {
			continue
		}
		switch e := p.extensions[l.Extension]; {
		case e == nil || e.phone == nil:
			c.wrong(l.Pos, "extension", "line %q: there is no phone %q%s", l.Name, l.Extension, orAdd(tomlfile.Meant(l.Extension, c.phoneNames()), fmt.Sprintf("[[phone]] extension = %q", l.Extension)))
		default:
			e.hasSet = true
		}
	}
	users := map[string]*Phone{}
	for i := range p.config.Phones { // all are known now
		phone := &p.config.Phones[i]
		if e := p.extensions[phone.Extension]; e != nil && e.phone == phone {
			c.phone(e)
			c.user(phone, users)
		}
	}
	for i := range p.config.Groups {
		group := &p.config.Groups[i]
		if e := p.extensions[group.Extension]; e != nil && e.group == group {
			c.group(e)
		}
	}
}

// orAdd ends a message by what was meant, or by what to add.
func orAdd(meant, table string) string {
	if meant == "" {
		return "; add " + table
	}
	return meant + " Or add " + table
}

func (c *compiler) phoneNames() []string {
	return names(c.plan.config.Phones, func(p Phone) string { return p.Extension })
}

// extension declares a number of the office.
func (c *compiler) extension(at tomlfile.Pos, number string) *extension {
	p := c.plan
	n, err := ParseNumber(number)
	switch {
	case number == "":
		return nil // reported as the file was read, or not from a file
	case err != nil || n.User != number || n.Context != "" || n.Host != "" || strings.HasPrefix(number, "+"):
		c.wrong(at, "extension", "extension = %q: an extension is digits, or a name without blanks, and nothing else", number)
		return nil
	case p.extensions[number] != nil:
		c.wrong(at, "extension", "extension %q is taken (%s): give one of them another", number, p.extensions[number].pos)
		return nil
	case p.trunks[number] != nil || p.lines[number] != nil || p.peers[number] != nil:
		c.wrong(at, "extension", "extension %q has the name of a line, trunk or peer: give one of them another", number)
		return nil
	}
	e := &extension{number: number, pos: at.At(), context: p.office, ring: p.ring}
	p.extensions[number] = e
	c.add(p.office, &entry{name: "extension " + number, ext: e, paths: literal(number)})
	return e
}

// user checks that two phones do not register as one.
func (c *compiler) user(phone *Phone, users map[string]*Phone) {
	user := phone.User
	if user == "" {
		user = phone.Extension
	}
	if phone.Secret == "" && phone.User != "" {
		c.wrong(phone.Pos, "user", "phone %s has a user and no secret: add secret, or take user out", phone.Extension)
	}
	if phone.Secret == "" {
		return
	}
	if other := users[user]; other != nil {
		c.wrong(phone.Pos, "user", "phone %s registers as %q, and so does phone %s (%s): give it another user", phone.Extension, user, other.Extension, other.Pos)
	}
	users[user] = phone
}

// phone compiles what is said of a phone.
func (c *compiler) phone(e *extension) {
	p, phone := c.plan, e.phone
	e.hasSet = e.hasSet || phone.Secret != "" || len(phone.Contacts) > 0
	e.allow, e.toll = c.allowed(phone.Pos, phone.Allow), phone.Toll
	if phone.Class != "" {
		class := p.classes[phone.Class]
		switch {
		case class == nil:
			c.wrong(phone.Pos, "class", "phone %s: there is no class %q%s", phone.Extension, phone.Class, tomlfile.Suggest(phone.Class, names(p.config.Classes, func(x Class) string { return x.Name })))
		case len(phone.Allow) > 0:
			c.wrong(phone.Pos, "allow", "phone %s has both class and allow: keep one", phone.Extension)
		default:
			e.allow = c.allowed(class.Pos, class.Allow)
			if e.toll == 0 {
				e.toll = class.Toll
			}
		}
	}
	if phone.Context != "" {
		if e.context = p.contexts[strings.ToLower(phone.Context)]; e.context == nil {
			c.wrong(phone.Pos, "context", "phone %s: context = %q is no context%s", phone.Extension, phone.Context, tomlfile.Suggest(phone.Context, c.contextNames()))
			e.context = p.office
		}
		e.context.used = true
	}
	if phone.Ring > 0 {
		e.ring = phone.Ring
	}
	list := func(key string, list []string) []callerPattern {
		return c.callerPatterns(list, func(text string, err error) {
			c.wrong(phone.Pos, key, "phone %s: %s = %q: %v", phone.Extension, key, text, err)
		})
	}
	e.refuse, e.never = list("refuse", phone.Refuse), list("never_dial", phone.NeverDial)
	if phone.Has("accept") || len(phone.Accept) > 0 {
		if e.accept = list("accept", phone.Accept); e.accept == nil {
			c.wrong(phone.Pos, "accept", "phone %s: accept is empty, so that nobody could call it: name those who may, or take it out", phone.Extension)
		}
	}
	if phone.MaxCalls < 0 {
		c.wrong(phone.Pos, "max_calls", "phone %s: max_calls = %d: write how many calls it may have at once", phone.Extension, phone.MaxCalls)
	}
	for _, contact := range phone.Contacts {
		if n, err := ParseNumber(contact); err != nil || n.Host == "" {
			c.wrong(phone.Pos, "contacts", "phone %s: contact %q is no SIP address: write it such as sip:%s@192.0.2.7:5060", phone.Extension, contact, phone.Extension)
		}
	}
	c.callsRing(phone.Pos, "calls_ring", "phone "+phone.Extension, phone.CallsRing)
	c.forwarding(e)
}

// forwarding checks where a phone's calls may go.
func (c *compiler) forwarding(e *extension) {
	phone, f := e.phone, e.phone.Forward
	e.always = c.when(f.Pos, fmt.Sprintf("phone %s: forward", phone.Extension), f.When)
	if f.When != "" && f.Always == "" {
		c.wrong(f.Pos, "when", "phone %s: forward.when is about forward.always, which is not there", phone.Extension)
	}
	if f.After > 0 && f.NoAnswer == "" && len(phone.FindMe) == 0 {
		c.wrong(f.Pos, "after", "phone %s: forward.after needs no_answer or find_me: where does the call go then?", phone.Extension)
	}
	for _, s := range phone.Sets {
		if other := c.plan.extensions[s]; other == nil || other.phone == nil || s == phone.Extension {
			c.wrong(phone.Pos, "sets", "phone %s: set %q is no other phone%s", phone.Extension, s, tomlfile.Suggest(s, c.phoneNames()))
		}
	}
	if phone.RingSets != "" && len(phone.Sets) == 0 {
		c.wrong(phone.Pos, "ring_sets", "phone %s: ring_sets needs sets = [\"…\"]", phone.Extension)
	}
	if !e.hasSet && len(phone.Sets) == 0 && len(phone.FindMe) == 0 && f.Always == "" {
		c.wrong(phone.Pos, "extension", "phone %s cannot be rung: give it a secret with which it registers, contacts, an fxs line, sets, find_me or forward.always", phone.Extension)
	}
}

// group compiles a ring group.
func (c *compiler) group(e *extension) {
	g := e.group
	e.allow = c.allowed(g.Pos, g.Allow)
	if g.Ring > 0 {
		e.ring = g.Ring
	}
	c.callsRing(g.Pos, "calls_ring", "group "+g.Extension, g.CallsRing)
	if slices.Contains(g.Members, g.Extension) {
		c.wrong(g.Pos, "members", "group %s is a member of itself: take it out", g.Extension)
	}
	if len(g.On) > 0 && (g.Strategy == "" || g.Strategy == "together") && g.Then == "" {
		c.wrong(g.Pos, "on", "group %s rings all members together, so that nothing comes after them: add then, or strategy = \"in-turn\"", g.Extension)
	}
}

// allowed reads a list of permissions; an absent one is internal only.
func (c *compiler) allowed(at tomlfile.Pos, list []string) Permission {
	if len(list) == 0 && !at.Has("allow") {
		return Internal
	}
	return permissions(list)
}
