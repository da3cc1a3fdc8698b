package dialplan

import (
	"slices"
	"strings"
	"time"

	"crosspoint/internal/tomlfile"
)

// What a cadence may be. A bell needs a time to sound and one to be silent, caller
// ID two seconds between two rings (GR-30 §2.3: half a second of silence before
// and a message of up to a second); a longer pause than the longest of any country
// is taken for the caller having given up. The line-card protocol carries eight
// rings.
const (
	minBell    = 200 * time.Millisecond
	maxBell    = 5 * time.Second
	callerIDin = 2 * time.Second
	maxRings   = 8
)

// rings compiles the distinctive rings.
func (c *compiler) rings() {
	p := c.plan
	p.rings, p.ringsUsed = map[string]Ring{}, map[string]bool{}
	for _, r := range builtIn {
		p.rings[r.Name] = r
	}
	seen := map[string]bool{}
	for i := range p.config.Rings {
		from := &p.config.Rings[i]
		if !c.unique(from.Pos, "name", "distinctive ring", from.Name, seen[from.Name]) {
			continue
		}
		seen[from.Name] = true
		c.ring(from)
		r := Ring{Name: from.Name, AlertInfo: p.rings[from.Name].AlertInfo}
		if from.Has("alert_info") || from.AlertInfo != "" {
			r.AlertInfo = from.AlertInfo
		}
		p.rings[r.Name] = r
		p.ringOrder = append(p.ringOrder, r)
	}
}

// ring checks a definition.
func (c *compiler) ring(r *DistinctiveRing) {
	switch {
	case strings.Trim(strings.ToLower(r.Name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		c.wrong(r.Pos, "name", "distinctive ring %q: its name is letters, digits, - and _", r.Name)
	case !isBuiltIn(r.Name) && len(r.Cadence) == 0 && r.AlertInfo == "":
		c.wrong(r.Pos, "", "distinctive ring %q says nothing: add cadence, for analog telephones, or alert_info, for SIP phones", r.Name)
	}
	if r.Has("cadence") || len(r.Cadence) > 0 {
		c.cadence(r)
	}
	if r.AlertInfo != "" && !goodAlertInfo(r.AlertInfo) {
		c.wrong(r.Pos, "alert_info", "distinctive ring %q: alert_info = %q is no value of Alert-Info: write an address in angle brackets, and what the phones want after it, such as \"<http://office.example>;info=door\"", r.Name, r.AlertInfo)
	}
}

func (c *compiler) cadence(r *DistinctiveRing) {
	n, longest := len(r.Cadence), time.Duration(0)
	if n == 0 || n%2 != 0 || n > 2*maxRings {
		c.wrong(r.Pos, "cadence", "distinctive ring %q: cadence has %d times: write one to %d rings, each with the pause after it, such as [\"300ms\", \"200ms\", \"300ms\", \"4s\"]", r.Name, n, maxRings)
		return
	}
	for i, d := range r.Cadence {
		if d < minBell || d > maxBell {
			c.wrong(r.Pos, "cadence", "distinctive ring %q: cadence: %v is not from %v to %v", r.Name, d, minBell, maxBell)
			return
		}
		if i%2 == 1 {
			longest = max(longest, d)
		}
	}
	if longest < callerIDin {
		c.wrong(r.Pos, "cadence", "distinctive ring %q: cadence: its longest pause is %v; caller ID needs one of %v or more", r.Name, longest, callerIDin)
	}
}

// goodAlertInfo tells whether a text can be sent as Alert-Info.
func goodAlertInfo(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	end := strings.IndexByte(text, '>')
	return text[0] == '<' && end > 1 && (end == len(text)-1 || strings.ContainsRune("; ,", rune(text[end+1]))) && strings.ContainsAny(text[1:end], ":-")
}

// callsRing checks the name of a ring that somebody rings with.
func (c *compiler) callsRing(at tomlfile.Pos, key, title, name string) {
	c.plan.ringsUsed[name] = true
	if _, ok := c.plan.rings[name]; !ok && name != "" {
		c.wrong(at, key, "%s: %s = %q is no distinctive ring%s", title, key, name, orAdd(tomlfile.Meant(name, c.plan.ringNames()), "[[distinctive_ring]] name = \""+name+"\""))
	}
}

// ruledRing takes down how a rule lets telephones ring.
func (c *compiler) ruledRing(at tomlfile.Pos, title string, r *rule, name string) {
	c.callsRing(at, "calls_ring", title, name)
	if name != "" && len(r.places) == 0 {
		c.wrong(at, "calls_ring", "%s leads to no telephone: calls_ring is how those of the office ring", title)
	}
	r.callsRing, r.callsRingAt = name, at.Key("calls_ring")
}

// ringNames are the names that there are, those of the file last.
func (p *Plan) ringNames() []string {
	all := names(builtIn, func(r Ring) string { return r.Name })
	for _, r := range p.ringOrder {
		if !slices.Contains(all, r.Name) {
			all = append(all, r.Name)
		}
	}
	return all
}

// numbers checks the numbers of a line that rings differently for each.
func (c *compiler) numbers(l *Line) {
	title := "line \"" + l.Name + "\""
	if l.Number != "" && !publicDigits(l.Number) {
		c.wrong(l.Pos, "number", "%s: number = %q is no number: write it as the public network has it, such as \"+12015550101\"", title, l.Number)
	}
	if len(l.Numbers) == 0 {
		return
	}
	if l.Kind != "fxo" {
		c.wrong(l.Pos, "numbers", "%s is %s line: numbers, by how it rings, is for fxo lines", title, article[l.Kind])
		return
	}
	if l.Signalling == "ground-start" {
		c.wrong(l.Pos, "numbers", "%s: with ground-start a line does not tell how it rings: ask for loop-start, or for a line for each number", title)
	}
	if len(l.Numbers) > MaxNumbers {
		c.wrong(l.Pos, "numbers", "%s: numbers: a line has at most %d beside its own", title, MaxNumbers)
	}
	for i, n := range l.Numbers {
		c.callsRing(n.Pos, "ring", title+": numbers", n.Ring)
		if !publicDigits(n.Number) {
			c.wrong(n.Pos, "number", "%s: numbers: number = %q is no number: write it as the public network has it, such as \"+12015550102\"", title, n.Number)
		}
		for _, other := range l.Numbers[:i] {
			if other.Ring == n.Ring {
				c.wrong(n.Pos, "ring", "%s: numbers: %s and %s both ring as %q: how are they told apart?", title, other.Number, n.Number, n.Ring)
			}
		}
	}
}

// MaxNumbers is how many further numbers may share a line. A gateway's line has as many.
const MaxNumbers = 4

func publicDigits(text string) bool {
	_, ok := telephoneNumber(text)
	return ok
}
