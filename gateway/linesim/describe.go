package linesim

import (
	"fmt"
	"strings"
	"time"
)

// statusText shows cards, lines and telephones as a table.
func (s *Sim) statusText() string {
	var b strings.Builder
	for _, c := range s.cards {
		st := c.Status()
		state := "unplugged"
		switch {
		case st.Session:
			state = "taken up by a host"
		case st.Plugged:
			state = "waits for a host"
		}
		fmt.Fprintf(&b, "%-6s %s", c.cfg.Name, state)
		if path := c.Path(); path != "" {
			fmt.Fprintf(&b, " at %s", path)
		}
		if st.Alarm != "" {
			fmt.Fprintf(&b, ", span: %s", st.Alarm)
		}
		fmt.Fprintf(&b, ": ticks late %d, missing %d, dropped %d, frames damaged %d\n", st.Late, st.Missing, st.Dropped, st.BadFCS)
	}
	for _, m := range s.modems {
		b.WriteString(m.text() + "\n")
	}
	for _, l := range s.town.lines {
		st := l.Status()
		hook := "on-hook"
		if st.OffHook {
			hook = "off-hook"
		}
		fmt.Fprintf(&b, "%-6s %s %s, %s", l.name, l.number, hook, st.State)
		if st.Dialed != "" {
			fmt.Fprintf(&b, ", dialed %s", st.Dialed)
		}
		b.WriteString("\n")
	}
	for _, p := range s.phones {
		fmt.Fprintf(&b, "%-6s %s\n", p.name, p.Status().text())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// text is how a telephone stands, in words.
func (st PhoneStatus) text() string {
	what := "on-hook"
	switch {
	case st.OffHook && st.Hears != "":
		what = "off-hook, hears " + st.Hears
	case st.OffHook:
		what = "off-hook"
	case st.Ringing:
		what = fmt.Sprintf("ringing, ring %d", st.Rings)
	}
	switch {
	case st.Cadence == nil:
	case st.Ringing:
		what += fmt.Sprintf(" (%v s)", st.Cadence)
	default:
		what += fmt.Sprintf(", rang last (%v s)", st.Cadence)
	}
	if st.HasID {
		what += ", caller ID " + describe(st.CallerID)
	}
	if st.Lamp {
		what += ", lamp on"
	}
	return what
}

// Directory lists the town's numbers, one a line, for people.
func (t *Town) Directory() string { return t.text() }

func (t *Town) text() string {
	var b strings.Builder
	for _, s := range t.Subscribers() {
		fmt.Fprintf(&b, "%-10s %s", s.Number, s.behaviour())
		if s.Name != "" {
			fmt.Fprintf(&b, " (%s)", s.Name)
		}
		b.WriteString("\n")
	}
	for _, l := range t.lines {
		fmt.Fprintf(&b, "%-10s line %s\n", l.number, l.name)
		for _, f := range l.Config().Further {
			fmt.Fprintf(&b, "%-10s line %s", f.Number, l.name)
			if f.Cadence != nil {
				fmt.Fprintf(&b, ", rings %v", f.Cadence.heard())
			}
			b.WriteString("\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// who is the subscriber's number, or that there is none to be told.
func (s Subscriber) who() string {
	if s.Number == "" {
		return "no number"
	}
	return s.Number
}

// behaviour is what a subscriber does, in words.
func (s Subscriber) behaviour() string {
	switch {
	case s.Busy:
		return "is busy"
	case s.Congested:
		return "cannot be reached: congestion tone"
	case s.Intercepted:
		return "is out of service: information tone"
	case s.NoAnswer:
		return "never answers"
	}
	answer := s.Answer
	if answer == 0 {
		answer = time.Second
	}
	what := fmt.Sprintf("answers after %v", answer)
	switch {
	case s.Echo:
		what += ", says back what it hears"
	case len(s.Plays) > 0:
		what += fmt.Sprintf(", plays for %v", time.Duration(len(s.Plays))*(time.Second/8000))
	}
	if s.HangUp > 0 {
		what += fmt.Sprintf(", hangs up after %v", s.HangUp)
	}
	if s.CallBack > 0 {
		what += fmt.Sprintf(", calls back %v after you hang up", s.CallBack)
	}
	return what
}

func (t *Town) callsText() string {
	var b strings.Builder
	for _, c := range t.Calls() {
		arrow := "->"
		if c.Incoming {
			arrow = "<-"
		}
		state := "under way"
		if !c.Ended.IsZero() {
			state = c.Why
		}
		talked := time.Duration(0)
		if !c.Answered.IsZero() {
			end := c.Ended
			if end.IsZero() {
				end = time.Now()
			}
			talked = end.Sub(c.Answered).Round(time.Millisecond)
		}
		line := c.Line
		if l := t.Line(line); c.Incoming && c.Called != l.number {
			line += " " + c.Called
		}
		fmt.Fprintf(&b, "%s %s %s %s: talked %v, %s\n", c.Placed.Format("15:04:05"), line, arrow, Subscriber{Number: c.Number}.who(), talked, state)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
