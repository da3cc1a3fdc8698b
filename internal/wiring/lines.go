package wiring

import (
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
)

// lineConfig is what the gateway needs to know of the office's lines.
func (o *Office) lineConfig(b *book) gateway.Config {
	c := gateway.Config{Country: b.parties.Country, Accept: o, Complete: o.complete, Log: o.log}
	for _, l := range b.parties.Lines {
		c.Lines = append(c.Lines, o.line(b, l))
	}
	for _, t := range b.parties.Trunks {
		if t.Peer == "" {
			hunt, _ := gateway.ParseHunt(t.Hunt) // checked with the file
			c.Trunks = append(c.Trunks, gateway.TrunkConfig{Name: t.Name, Lines: t.Lines, Hunt: hunt})
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
		FXO: gateway.FXO{
			DialToneWait: l.DialToneWait, BlindDial: l.DialTone == "blind", Pulse: l.Dialing == "pulse", Answer: answer,
			PolarityHangup: l.PolarityReversal, Silence: l.Silence, Guard: l.Guard, CallerIDWait: l.CallerIDWait,
		},
		FXS: gateway.FXS{Extension: l.Extension, ReverseOnAnswer: l.PolarityReversal, NoCallerID: l.CallerIDKind == "none"},
	}
	if l.CallerIDKind == "none" {
		c.FXO.CallerIDWait = -time.Second
	}
	switch l.Kind {
	case "fxo":
		c.Kind = jack.FXO
	case "fxs":
		c.Kind = jack.FXS
	}
	for _, p := range b.parties.Phones {
		if p.Extension == l.Extension {
			c.FXS.Name = p.Name
		}
	}
	c.FXS.Hotline, c.FXS.HotlineAfter = b.plan.Hotline(l.Extension)
	return c
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
