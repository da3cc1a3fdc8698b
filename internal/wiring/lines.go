package wiring

import (
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/internal/tomlfile"
)

// lineConfig is what the gateway needs to know of the office's lines.
func (o *Office) lineConfig(b *book) gateway.Config {
	c := gateway.Config{Country: b.parties.Country, Accept: o, Complete: o.complete, Log: o.log, Rings: b.plan.Cadences()}
	for _, l := range b.parties.Lines {
		c.Lines = append(c.Lines, o.line(b, l))
	}
	for _, t := range b.parties.Trunks {
		if t.Peer == "" {
			hunt, _ := gateway.ParseHunt(t.Hunt) // checked with the file
			c.Trunks = append(c.Trunks, gateway.TrunkConfig{Name: t.Name, Lines: t.Lines, Hunt: hunt, Access: t.Access})
		}
	}
	return c
}

func (o *Office) line(b *book, l dialplan.Line) gateway.LineConfig {
	answer, _ := gateway.ParseAnswerRule(l.Answer) // checked with the file
	tail, _ := l.EchoTail()                        // this too
	c := gateway.LineConfig{
		Name: l.Name, Port: o.cfg.Port(l.Card, l.Port), Country: l.Country,
		CallerID: callerIDStandard(l.CallerIDKind, or(l.Country, b.parties.Country)), ReceiveGain: l.GainIn, SendGain: l.GainOut, EchoTail: tail,
		BusiedOut: l.BusiedOut,
		FXO: gateway.FXO{
			MinLoopDrop: l.LoopDrop, FlashTime: l.Flash,
			DialToneWait: l.DialToneWait, BlindDial: l.DialTone == "blind", Pulse: l.Dialing == "pulse", Answer: answer,
			PolarityHangup: l.PolarityReversal, Silence: l.Silence, Guard: l.Guard, CallerIDWait: l.CallerIDWait,
		},
		FXS: gateway.FXS{Extension: l.Extension, ReverseOnAnswer: l.PolarityReversal, NoCallerID: l.CallerIDKind == "none", NoFlash: l.Has("hook_flash") && !l.HookFlash,
			FlashMin: l.FlashMin, FlashMax: l.FlashMax, PlainRing: l.Has("distinctive_rings") && !l.Distinctive},
	}
	for i, n := range l.Numbers {
		c.FXO.Numbers[i] = gateway.RingNumber{Ring: n.Ring, Number: n.Number}
	}
	if l.CallerIDKind == "none" {
		c.FXO.CallerIDWait = -time.Second
	}
	switch c.GroundStart = l.Signalling == "ground-start"; l.Kind {
	case "fxo":
		c.Kind = jack.FXO
	case "fxs":
		c.Kind = jack.FXS
	case "tdm":
		c.Kind, c.TDM = jack.TDM, trunkOverTimeslot(l)
		if l.Echo == "on" { // absent is off: a timeslot has four wires
			c.EchoTail = defaultTail
		}
	}
	for _, p := range b.parties.Phones {
		if p.Extension == l.Extension {
			c.FXS.Name = p.Name
		}
	}
	c.FXS.Hotline, c.FXS.HotlineAfter = b.plan.Hotline(l.Extension)
	return c
}

// CheckLines finds what the gateway would refuse of a plan's lines.
func CheckLines(parties dialplan.Config, plan *dialplan.Plan) (problems []tomlfile.Problem) {
	o := &Office{cfg: Config{Port: func(string, int) jack.Port { return nil }}}
	b := newBook(parties, plan)
	for _, l := range parties.Lines {
		if err := o.line(b, l).Check(parties.Country, plan.Cadences()); err != nil {
			problems = append(problems, l.Problem("%v", err))
		}
	}
	return problems
}

// defaultTail is the echo canceller's where the file says "on", as an analog line
// has it without a word.
const defaultTail = 32 * time.Millisecond

// trunkOverTimeslot is what the file says of E&M signalling.
func trunkOverTimeslot(l dialplan.Line) gateway.TDM {
	t := gateway.TDM{
		Immediate: l.Signalling == "immediate-start", WinkWait: l.WinkWait, Pulse: l.Dialing == "pulse",
		Digits: l.Digits, Guard: l.Guard, KeepGlare: l.Glare == "keep",
	}
	if t.Digits == 0 && len(l.Incoming) > 0 { // whatever was dialled, the same rings
		t.Digits = -1
	}
	return t
}

// complete tells a line what the plan knows of the digits dialled on it.
func (o *Office) complete(line, digits string) gateway.Completeness {
	b := o.now()
	plan := b.plan
	from, _ := plan.Caller(line)
	for _, l := range b.parties.Lines {
		if l.Name == line && l.Extension != "" {
			from, _ = plan.Caller(l.Extension)
		}
	}
	switch plan.Complete(from, digits) {
	case dialplan.Complete:
		return gateway.Complete
	case dialplan.CompleteOrMore:
		return gateway.CompleteOrMore
	case dialplan.Partial:
		return gateway.Partial
	}
	return gateway.Impossible
}
