package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
)

// The ladder of a scene: in words as it is expected, and as it has passed.

// same compares the ladders of the calls that have ended in this scene with what
// is expected, as figures.
func (s *trial) same(want string) {
	s.t.Helper()
	for range 40 { // a phone that does not answer at all is waited for
		if s.settle(); len(s.Office.Exchange.Calls()) == 0 {
			break
		}
		time.Sleep(time.Second)
	}
	expected := s.arrows(want)
	passed := s.inOrder(expected)
	expected = place100(expected, passed)
	got := new(leg.Ladder)
	for _, r := range passed {
		got.Add(s.letterOf(r.From), s.letterOf(r.To), r.Text)
	}
	figure := new(leg.Ladder)
	for _, r := range expected {
		figure.Add(s.letterOf(r.From), s.letterOf(r.To), r.Text)
	}
	if g, w := got.Figure(false), figure.Figure(false); g != w {
		s.t.Errorf("%s: the ladder is\n%s\nwant\n%s", s.title, g, w)
	}
}

func (s *trial) letterOf(column string) string {
	for i, a := range s.people {
		if a.name() == column {
			return letter(i)
		}
	}
	return column
}

// inOrder are the rungs of the calls of this scene in the order of time. What
// happened at once has none: it is put into that of the expected ladder.
func (s *trial) inOrder(expected []leg.Rung) []leg.Rung {
	rungs := s.passed()
	var ordered []leg.Rung
	for len(rungs) > 0 {
		next := 0
		if len(ordered) < len(expected) {
			next = s.first(rungs, expected[len(ordered)])
		}
		ordered = append(ordered, rungs[next].Rung)
		rungs = slices.Delete(rungs, next, next+1)
	}
	return ordered
}

// drawn is an arrow in the ladder of one of the scene's calls.
type drawn struct {
	leg.Rung
	call int
}

// passed are the arrows of all calls by time. One that a party has taken along
// from call to call is in the ladders of both, and counts once.
func (s *trial) passed() (all []drawn) {
	counted := make(map[string]int)
	for call, r := range s.Office.Exchange.Ended()[s.before:] {
		here := make(map[string]int)
		for _, r := range r.Ladder.Rungs() {
			key := fmt.Sprint(r.At.UnixNano(), r.From, r.To, r.Text)
			if here[key]++; here[key] > counted[key] {
				counted[key]++
				all = append(all, drawn{r, call})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b drawn) int { return a.At.Compare(b.At) })
	return all
}

// place100 puts each 100 where it has passed: it is sent 10 ms after the INVITE,
// whatever passes elsewhere meanwhile. Among the arrows of its party it keeps its
// place.
func place100(expected, passed []leg.Rung) []leg.Rung {
	moved := slices.Clone(expected)
	for i, r := range passed {
		if r.Text != "100" || i >= len(moved) {
			continue
		}
		nth := 0 // among the arrows of its party
		for _, before := range passed[:i] {
			if party(before) == r.To {
				nth++
			}
		}
		at := slices.IndexFunc(moved, func(m leg.Rung) bool {
			if party(m) == r.To {
				nth--
			}
			return nth < 0
		})
		if at >= 0 && moved[at].Text == "100" {
			hundred := moved[at]
			moved = slices.Insert(slices.Delete(moved, at, at+1), i, hundred)
		}
	}
	return moved
}

// first is the index of an arrow among those of the earliest moment; 0: it is not
// there. Arrows of one party in one call and of one direction keep their order;
// others may cross on the wire.
func (s *trial) first(rungs []drawn, want leg.Rung) int {
	type way struct {
		call int
		from string
	}
	behind := make(map[way]bool) // in which the party has another arrow before it
	for i, r := range rungs {
		switch {
		case !r.At.Equal(rungs[0].At):
			return 0
		case party(r.Rung) != party(want) || behind[way{r.call, r.From}]:
		case r.From == want.From && r.Text == want.Text:
			return i
		default:
			behind[way{r.call, r.From}] = true
		}
	}
	return 0
}

func party(r leg.Rung) string {
	if r.From == leg.Us {
		return r.To
	}
	return r.From
}

// arrows are a ladder in words, one act a line: "A calls 501", "B is called",
// "B rings, unless B is analog". What
// that is on the wire is the telephone's.
func (s *trial) arrows(words string) (all []leg.Rung) {
	s.t.Helper()
	for line := range strings.Lines(words) {
		words := strings.Split(strings.TrimSpace(line), ", unless ")
		name, act, ok := strings.Cut(words[0], " ")
		if !ok || slices.ContainsFunc(words[1:], s.holds) {
			continue
		}
		a := s.who(name)
		drawn, ok := a.draws(act)
		if !ok {
			s.t.Fatalf("nobody knows what it looks like when %s %s", name, act)
		}
		for arrow := range strings.SplitSeq(drawn, ", ") {
			switch {
			case strings.HasPrefix(arrow, "> "):
				all = append(all, leg.Rung{From: a.name(), To: leg.Us, Text: arrow[2:]})
			case strings.HasPrefix(arrow, "< "):
				all = append(all, leg.Rung{From: leg.Us, To: a.name(), Text: arrow[2:]})
			}
		}
	}
	return all
}

// holds tells whether a condition of a ladder holds: "C is analog", "B and C are
// sip", "B or C is analog".
func (s *trial) holds(condition string) bool {
	words := strings.Fields(condition)
	kind, either := words[len(words)-1], slices.Contains(words, "or")
	for _, name := range words[:len(words)-2] {
		if name == "and" || name == "or" {
			continue
		}
		is := s.cast[name[0]-'A']
		if (is == kind || kind == "sip" && is != "analog") == either {
			return either
		}
	}
	return !either
}

// draws are the arrows of what a SIP phone does or has done to it, > to the
// exchange and < from it. # is the number in the act.
func (a *sipPerson) draws(act string) (string, bool) {
	act, n := numbered(act)
	arrows, ok := map[string]string{
		"calls #":        "> INVITE, < 407, > ACK, > INVITE",
		"waits":          "< 100",
		"is called":      "< INVITE",
		"rings":          "> 180",
		"hears ringing":  "< 180",
		"hears the line": "< 183 (SDP)",
		"answers":        "> 200, < ACK",
		"is answered":    "< 200, > ACK",
		"is connected":   "< 200",
		"refuses":        "> 486, < ACK",
		"is busy":        "< INVITE, > 486, < ACK",
		"is let go":      "< CANCEL",
		"rings no more":  "> 200, > 487, < ACK",
		"hangs up":       "> BYE, < 200",
		"is told":        "< BYE, > 200",
		"is sent away":   "< BYE",
		"gives up":       "> CANCEL, < 200, < 487, > ACK",
		"is refused #":   "< #, > ACK",
		"misses #":       "< #, > ACK",
	}[act]
	if !ok {
		arrows, ok = a.drawsService(act)
	}
	if act == "is gone" {
		if a.p.Legacy {
			return "< INVITE", true
		}
		return "", true
	}
	return withNumber(arrows, n), ok
}

// numbered puts # for the number in an act.
func numbered(act string) (string, string) {
	words := strings.Fields(act)
	for i, w := range words {
		if strings.Trim(w, "0123456789*#") == "" {
			words[i] = "#"
			return strings.Join(words, " "), w
		}
	}
	return act, ""
}

// draws are the arrows of an analog telephone.
func (a *analogPerson) draws(act string) (string, bool) {
	act, n := numbered(act)
	arrows, ok := map[string]string{
		"calls #":        "> off-hook, < dial tone, > dials #",
		"waits":          "",
		"is called":      "< ring",
		"rings":          "",
		"hears ringing":  "< ringback",
		"hears the line": "< progress",
		"answers":        "> off-hook",
		"is answered":    "< answer",
		"is connected":   "< answer",
		"is busy":        "", // the exchange sees that, and does not ring it
		"is gone":        "",
		"is let go":      "< ringing stopped",
		"rings no more":  "",
		"refuses":        "",
		"hangs up":       "> on-hook",
		"gives up":       "> on-hook",
		"is told":        "< loop-current drop, < busy tone",
	}[act]
	if !ok {
		arrows, ok = a.drawsService(act)
	}
	if act == "is refused #" {
		if n == "486" || n == "600" {
			return "< busy tone", true
		}
		return "< congestion tone", true
	}
	if act == "misses #" {
		return "< busy tone", true
	}
	return withNumber(arrows, n), ok
}
