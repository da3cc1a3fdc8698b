package linesim

import (
	"fmt"
	"strconv"
	"time"

	"crosspoint/gateway/callerid"
)

func (s *Sim) lineNamed(args []string) (*Line, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("which line? There are %s", s.town.lineNames())
	}
	if l := s.town.Line(args[0]); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("no line %q: there are %s", args[0], s.town.lineNames())
}

// commandRing: ring LINE from NUMBER [name TEXT] [private] [outofarea] [payphone]
// [service] [noid] [badid] [for TIME] [dial DIGITS] [ring CADENCE]. LINE may be
// one of its numbers.
func (s *Sim) commandRing(args []string) error {
	l, err := s.lineNamed(args)
	if err != nil {
		return err
	}
	caller, err := s.caller(args[1:])
	if err != nil {
		return err
	}
	if caller.Number == "" && !caller.Withheld && caller.Absent == 0 && !caller.NoCallerID {
		return fmt.Errorf("ring: say who calls: ring %s from 5551234", l.name)
	}
	if known, ok := s.town.subscriber(caller.Number); ok { // a known one behaves as ever
		known.Withheld, known.Absent, known.NoCallerID, known.BadCallerID, known.GiveUp = caller.Withheld, caller.Absent, caller.NoCallerID, caller.BadCallerID, caller.GiveUp
		known.Dials, known.Cadence = caller.Dials, caller.Cadence
		if caller.Name != "" {
			known.Name = caller.Name
		}
		caller = known
	}
	return s.town.Ring(args[0], caller)
}

// caller reads what a ring command says of the caller.
func (s *Sim) caller(args []string) (caller Subscriber, err error) {
	caller.Plays = Signal(20 * time.Second)
	for ; len(args) > 0; args = args[1:] {
		word, value := args[0], ""
		switch word {
		case "from", "name", "for", "dial", "ring":
			if len(args) < 2 {
				return caller, fmt.Errorf("ring: what follows %q?", word)
			}
			value, args = args[1], args[1:]
		}
		switch word {
		case "from":
			caller.Number = value
		case "name":
			caller.Name = value
		case "for":
			if caller.GiveUp, err = time.ParseDuration(value); err != nil {
				return caller, fmt.Errorf("ring for %s: write a time such as 20s", value)
			}
		case "dial":
			caller.Dials = value
		case "ring":
			if caller.Cadence, err = ParseCadence(s.country, value); err != nil {
				return caller, fmt.Errorf("ring: %w", err)
			}
		case "private":
			caller.Withheld = true
		case "outofarea":
			caller.Absent = callerid.Unavailable
		case "payphone":
			caller.Absent = callerid.Payphone
		case "service":
			caller.Absent = callerid.ServiceConflict
		case "noid":
			caller.NoCallerID = true
		case "badid":
			caller.BadCallerID = true
		default:
			return caller, fmt.Errorf("ring: %q is not from, name, for, dial, ring, private, outofarea, payphone, service, noid or badid", word)
		}
	}
	return caller, nil
}

func (s *Sim) commandLine(what string, args []string) error {
	l, err := s.lineNamed(args)
	if err != nil {
		return err
	}
	switch what {
	case "hangup":
		if !l.HangUp() {
			return fmt.Errorf("line %s has no call", l.name)
		}
	case "cut", "mend":
		l.Cut(what == "cut")
	case "drop":
		d := 300 * time.Millisecond
		if len(args) > 1 {
			if d, err = time.ParseDuration(args[1]); err != nil || d <= 0 {
				return fmt.Errorf("drop %s: write a time such as 300ms", args[1])
			}
		}
		l.DropLoop(d)
	case "echo", "noise":
		return l.commandHybrid(what, args[1:])
	}
	return nil
}

// commandTrunk: block LINE, unblock LINE, wink LINE on|off.
func (s *Sim) commandTrunk(what string, args []string) error {
	l, err := s.lineNamed(args)
	if err != nil {
		return err
	}
	cfg, ok := l.Trunk()
	if !ok {
		return fmt.Errorf("%s: line %s is no trunk with E&M signalling", what, l.name)
	}
	switch {
	case what != "wink":
		cfg.Blocked = what == "block"
	case len(args) == 2 && (args[1] == "on" || args[1] == "off"):
		cfg.NoWink = args[1] == "off"
	default:
		return fmt.Errorf("wink %s: write on or off", l.name)
	}
	return l.SetTrunk(cfg)
}

// commandHybrid: echo LINE DB [TIME], noise LINE DBM0.
func (l *Line) commandHybrid(what string, args []string) error {
	cfg := l.Config()
	if len(args) == 0 {
		return fmt.Errorf("%s %s: write a level in dB", what, l.name)
	}
	level, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return fmt.Errorf("%s %s %s: write a level in dB", what, l.name, args[0])
	}
	if what == "noise" {
		cfg.Hybrid.Noise = level
		return l.Set(cfg)
	}
	cfg.Hybrid.ReturnLoss = level
	if len(args) > 1 {
		if cfg.Hybrid.Delay, err = time.ParseDuration(args[1]); err != nil {
			return fmt.Errorf("echo %s %s %s: write a time such as 4ms", l.name, args[0], args[1])
		}
	}
	return l.Set(cfg)
}

// subscriber is the one listed with this number.
func (t *Town) subscriber(number string) (sub Subscriber, ok bool) {
	t.sim.do(func() {
		for _, s := range t.subscribers {
			if s.Number == number {
				sub, ok = *s, true
			}
		}
	})
	return sub, ok
}
