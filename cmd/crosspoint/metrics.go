package main

import (
	"cmp"
	"context"
	"flag"
	"maps"
	"runtime/debug"
	"slices"

	"crosspoint/b2bua/sipleg"
	"crosspoint/gateway"
	"crosspoint/internal/exposition"
)

// metrics implements informant: what the office does and has done since it was
// started, for monitoring. It asks no call, so it costs the same for one as for
// thousands.
func (o *office) metrics() string {
	<-o.ready
	var p exposition.Page
	version, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = orElse(info.Main.Version, version), info.GoVersion
	}
	p.Metric(exposition.Gauge, "crosspoint_build_info", "Always 1; the labels tell which program this is").
		Add(1, "version", version, "go", goVersion)
	p.One(exposition.Gauge, "crosspoint_calls_in_progress", "Calls that are being set up, talk or wait", float64(o.exchange.InProgress()))
	o.tally.show(&p)
	o.showPhones(&p)
	o.showLines(&p)
	o.showSIP(&p)
	o.showRTP(&p)
	showProcess(&p, o.started)
	return p.String()
}

// showPhones tells who is registered here, and where we are.
func (o *office) showPhones(p *exposition.Page) {
	cfg := o.inForce.Load()
	bindings := map[string]int{}
	all := 0
	for _, b := range o.registrar.List() {
		bindings[b.AOR]++
		all++
	}
	p.One(exposition.Gauge, "crosspoint_registrations", "Contacts that phones have registered; a phone may have several", float64(all))
	phones := p.Metric(exposition.Gauge, "crosspoint_phone_registered", "Whether a phone that may register has: 1, or 0")
	for _, phone := range cfg.Phones {
		if phone.Secret != "" {
			phones.Add(zeroOne(bindings[phone.Extension] > 0), "extension", phone.Extension)
		}
	}
	peers := p.Metric(exposition.Gauge, "crosspoint_peer_registered", "Whether the exchange is registered at a peer that it registers at: 1, or 0")
	for _, r := range o.agent.Registrations() {
		peers.Add(zeroOne(r.State == sipleg.Registered), "peer", r.Peer)
	}
	mailboxes := p.Metric(exposition.Gauge, "crosspoint_mailbox_subscribed", "Whether a peer tells the exchange of messages in its mailbox there: 1, or 0")
	for _, m := range o.agent.Mailboxes() {
		mailboxes.Add(zeroOne(m.State == sipleg.Subscribed), "peer", m.Peer)
	}
}

// lineStates are the values of the label state, one of which is a line's.
var lineStates = [...]string{"idle", "in_use", "busied_out", "failed"}

func lineState(s gateway.Status) string {
	switch {
	case s.Failed != "":
		return "failed"
	case s.BusiedOut:
		return "busied_out"
	case s.Ready:
		return "idle"
	}
	return "in_use"
}

// showLines tells of cards, telephone lines and trunks.
func (o *office) showLines(p *exposition.Page) {
	cards := p.Metric(exposition.Gauge, "crosspoint_card_up", "Whether a card or modem answers: 1, or 0")
	for _, c := range o.cards.view() {
		cards.Add(zeroOne(c.Up), "card", c.Name)
	}
	lines := o.gateway.Lines()
	states := p.Metric(exposition.Gauge, "crosspoint_line_state", "1 for the state that a telephone line is in, 0 for the others")
	for _, l := range lines {
		for _, s := range lineStates {
			states.Add(zeroOne(s == lineState(l)), "line", l.Line, "state", s)
		}
	}
	calls := p.Metric(exposition.Counter, "crosspoint_line_calls_total", "Calls of a telephone line, by direction seen from the exchange")
	for _, l := range lines {
		calls.Add(float64(l.Counts.Incoming), "line", l.Line, "direction", "in")
		calls.Add(float64(l.Counts.Outgoing), "line", l.Line, "direction", "out")
	}
	for _, m := range []struct {
		name, help string
		of         func(gateway.Counts) float64
	}{
		{"crosspoint_line_calls_answered_total", "Calls of a telephone line that were answered", func(c gateway.Counts) float64 { return float64(c.Answered) }},
		{"crosspoint_line_talk_seconds_total", "How long was talked on a telephone line", func(c gateway.Counts) float64 { return c.Talked.Seconds() }},
		{"crosspoint_line_no_number_total", "Calls on a telephone line with several numbers whose ring was none of theirs", func(c gateway.Counts) float64 { return float64(c.NoNumber) }},
		{"crosspoint_line_no_dial_tone_total", "Calls for which a telephone line gave no dial tone", func(c gateway.Counts) float64 { return float64(c.NoDialTone) }},
		{"crosspoint_line_no_wink_total", "Seizures of a timeslot that its far end gave no wink for", func(c gateway.Counts) float64 { return float64(c.NoWink) }},
		{"crosspoint_line_lost_seconds_total", "Audio lost between a card and the exchange", func(c gateway.Counts) float64 { return float64(c.LostTicks) * 0.02 }},
	} {
		metric := p.Metric(exposition.Counter, m.name, m.help)
		for _, l := range lines {
			metric.Add(m.of(l.Counts), "line", l.Line)
		}
	}
	o.showTrunks(p, lines)
}

func (o *office) showTrunks(p *exposition.Page, lines []gateway.Status) {
	trunks := o.inForce.Load().Trunks
	calls := p.Metric(exposition.Gauge, "crosspoint_trunk_calls", "Calls to the outside on a trunk now")
	for _, t := range trunks {
		calls.Add(float64(o.exchange.CallsOf(t.Name)), "trunk", t.Name)
	}
	of := p.Metric(exposition.Gauge, "crosspoint_trunk_lines", "Telephone lines of a trunk, by state")
	for _, t := range trunks {
		if t.Peer != "" {
			continue
		}
		count := map[string]int{}
		for _, l := range lines {
			if slices.Contains(t.Lines, l.Line) {
				count[lineState(l)]++
			}
		}
		for _, s := range lineStates {
			of.Add(float64(count[s]), "trunk", t.Name, "state", s)
		}
	}
}

// showSIP tells of signalling.
func (o *office) showSIP(p *exposition.Page) {
	s := o.agent.Stats()
	p.One(exposition.Gauge, "crosspoint_sip_dialogs", "SIP legs of calls", float64(s.Dialogs))
	p.One(exposition.Gauge, "crosspoint_sip_connections", "TCP connections for SIP", float64(s.Wire.Connections))
	messages := p.Metric(exposition.Counter, "crosspoint_sip_messages_total", "SIP messages, repetitions counted each time")
	messages.Add(float64(s.Wire.Received), "direction", "in")
	messages.Add(float64(s.Wire.Sent), "direction", "out")
	for _, m := range []struct {
		name, help string
		n          int64
	}{
		{"crosspoint_sip_retransmissions_total", "SIP messages that were sent again: no answer came, or the same came again", s.Repeated},
		{"crosspoint_sip_messages_mended_total", "SIP messages received that had to be mended to be understood", s.Wire.Mended},
		{"crosspoint_sip_messages_refused_total", "SIP messages received that were malformed and answered so", s.Wire.Refused},
		{"crosspoint_sip_messages_dropped_total", "What was received by SIP sockets and is no SIP message", s.Wire.Dropped},
		{"crosspoint_sip_message_faults_total", "SIP messages whose handling failed by a fault of the exchange itself", s.Wire.Panics},
	} {
		p.One(exposition.Counter, m.name, m.help, float64(m.n))
	}
}

// showRTP tells of audio.
func (o *office) showRTP(p *exposition.Page) {
	t := o.rtp.Traffic()
	packets := p.Metric(exposition.Counter, "crosspoint_rtp_packets_total", "RTP packets, by direction seen from the exchange")
	packets.Add(float64(t.Received), "direction", "in")
	packets.Add(float64(t.Sent), "direction", "out")
	p.One(exposition.Counter, "crosspoint_rtp_packets_lost_total", "RTP packets that were lost on the way to the exchange", float64(t.Lost))
	dropped := p.Metric(exposition.Counter, "crosspoint_rtp_packets_dropped_total",
		"Packets on audio ports that were not heard: not from the party, malformed or oversized, or twice or out of sequence")
	dropped.Add(float64(t.Strangers), "reason", "stranger")
	dropped.Add(float64(t.Malformed), "reason", "malformed")
	dropped.Add(float64(t.Stale), "reason", "stale")
	p.One(exposition.Gauge, "crosspoint_rtp_port_pairs", "Pairs of RTP and RTCP ports that there are", float64(o.rtp.Size()))
	p.One(exposition.Gauge, "crosspoint_rtp_port_pairs_in_use", "Pairs of RTP and RTCP ports that parties of calls have", float64(o.rtp.InUse()))
	p.One(exposition.Counter, "crosspoint_rtp_ports_exhausted_total", "Parties of calls for which no pair of ports was left", float64(t.Refused))
}

func zeroOne(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// sortedOutcomes are the outcomes in an order that does not change.
func sortedOutcomes(of map[outcome]uint64) []outcome {
	return slices.SortedFunc(maps.Keys(of), func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.cause, b.cause), cmp.Compare(yes(a.answered), yes(b.answered)))
	})
}

func metricsCommand() command {
	var t target
	return command{name: "metrics", brief: "Prints what monitoring is told of a running exchange, in the text format of Prometheus",
		about: "With [metrics] listen in the office file the same is served by HTTP at /metrics.",
		flags: func(fs *flag.FlagSet) runner {
			fs.StringVar(&t.config, "config", "", "office `FILE` of the exchange to ask, for its [control] socket")
			fs.StringVar(&t.socket, "socket", "", "`PATH` of the control socket to ask")
			return func(ctx context.Context, c console, args []string) error {
				if err := none(args); err != nil {
					return err
				}
				a, err := t.asker()
				if err != nil {
					return err
				}
				text, err := a.text(ctx, "/metrics")
				c.printf("%s", text)
				return err
			}
		}}
}
