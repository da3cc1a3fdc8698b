package sipleg

import (
	"net/netip"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/sdp"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/media"
	"crosspoint/media/g711"
	"crosspoint/media/rtp"
)

// audio is a leg's media: the RTP session, our side of the offers and answers
// about it, and what they came to.
type audio struct {
	session *rtp.Session
	desc    sdp.Session
	agreed  sdp.Agreed
	settled bool       // agreed is valid
	first   []g711.Law // preferred order; empty: the offerer's
	held    bool       // the party holds us
	legacy  bool       // the party reads descriptions of 1999 only
	either  bool       // it may: a hold is told in both forms
	last    sdp.Prefs  // what our last description says
	closed  bool
}

// open binds the leg's RTP ports. What the party does there is posted to the
// leg's inbox.
func (l *Leg) openAudio() error {
	s, err := rtp.Open(l.agent.cfg.RTP, rtp.Config{
		OnDigit: func(digit byte, d time.Duration) {
			l.in.Put(func() { l.deliver(leg.Digit{Of: l.of(), Digit: digit, For: d, Relayed: true}) })
		},
		OnSilent: func(since time.Duration) { l.in.Put(func() { l.silent(since) }) },
		OnHeard:  func() { l.in.Put(func() { l.heard() }) },
		Meter:    true,
		Log:      l.log,
	})
	if err != nil {
		return err
	}
	l.audio.session = s
	return nil
}

// at gives the descriptions their address: the one bound, or, if that is
// unspecified, the one that signalling uses towards the party.
func (a *audio) at(flow wire.Flow) {
	local := a.session.LocalAddr()
	if local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(flow.Local().Addr(), local.Port())
	}
	a.desc.RTP = local
}

// stream is what call control joins; it stays usable, and silent, after close.
func (a *audio) stream() media.Stream { return a.session }

// prefs are what an offer or answer of ours may say.
func (a *audio) prefs(d sdp.Direction) sdp.Prefs {
	return sdp.Prefs{
		Laws: a.first, OfferersChoice: len(a.first) == 0, Direction: d,
		ZeroAddress: a.legacy || a.either, Bare: a.legacy,
	}
}

// prefer puts a law first.
func (a *audio) prefer(law g711.Law) {
	a.first = []g711.Law{law, g711.MuLaw}
	if law == g711.MuLaw {
		a.first[1] = g711.ALaw
	}
	if !a.settled {
		a.session.SetFormat(rtp.Format{Law: law})
	}
}

// probe tells what an offer would come to, without answering it. The error is
// a leg.Cause.
func (a *audio) probe(offer []byte) (sdp.Agreed, error) {
	trial := a.desc
	_, agreed, err := trial.Answer(offer, a.prefs(sdp.SendRecv))
	return agreed, err
}

// answer answers an offer and talks by it from now on.
func (a *audio) answer(offer []byte, d sdp.Direction, flow wire.Flow) ([]byte, error) {
	p := a.prefs(d)
	body, agreed, err := a.desc.Answer(offer, p)
	if err == nil {
		p.Laws, p.NoEvents = []g711.Law{agreed.Law}, !agreed.Events
		a.last = p
		a.apply(agreed, flow)
	}
	return body, err
}

// offer makes an offer of all that we can.
func (a *audio) offer(d sdp.Direction) []byte {
	a.last = a.prefs(d)
	return a.desc.Offer(a.last)
}

// offerAgain offers what our last description said, but for the direction: a
// refresh changes nothing (RFC 4028 §7.4), and a hold nothing else.
func (a *audio) offerAgain(d sdp.Direction) []byte {
	a.last.Direction, a.last.ZeroAddress, a.last.Bare = d, a.legacy || a.either, a.legacy
	return a.desc.Offer(a.last)
}

// accept reads the answer to our offer and talks by it from now on.
func (a *audio) accept(answer []byte, flow wire.Flow) error {
	agreed, err := a.desc.ReadAnswer(answer)
	if err == nil {
		a.apply(agreed, flow)
	}
	return err
}

// apply hands what was agreed to the RTP session. A host name in a description
// is not looked up: the audio comes from where the signalling does, or will
// tell where it comes from.
func (a *audio) apply(g sdp.Agreed, flow wire.Flow) {
	a.agreed, a.settled = g, true
	if a.closed {
		return
	}
	a.session.SetFormat(formatOf(g))
	a.session.SetDirection([...]rtp.Direction{sdp.SendRecv: rtp.SendRecv, sdp.SendOnly: rtp.SendOnly, sdp.RecvOnly: rtp.RecvOnly, sdp.Inactive: rtp.Inactive}[g.Direction])
	remote, control := g.Remote, g.RTCP
	if !remote.IsValid() && g.RemoteHost != "" && flow.Valid() {
		remote = netip.AddrPortFrom(flow.Remote().Addr(), g.RemotePort)
		control = netip.AddrPort{}
	}
	a.session.SetRemote(remote, control)
}

// formatOf is what was agreed about packets.
func formatOf(g sdp.Agreed) rtp.Format {
	f := rtp.Format{Law: g.Law, AudioPT: g.PT}
	if g.Events {
		f.EventPT, f.EventPTIn = g.EventPT, g.RecvEvent
	}
	if g.Ptime != 20*time.Millisecond {
		f.PTime = g.Ptime
	}
	return f
}

// close gives the ports back.
func (a *audio) close() {
	if a.session != nil && !a.closed {
		a.closed = true
		a.session.Close()
	}
}

// watchAudio begins to look whether the party is heard.
func (l *Leg) watchAudio() { l.audio.session.Watch(l.agent.cfg.Silence) }

func (l *Leg) silent(since time.Duration) {
	if l.state != talking {
		return
	}
	l.log.Warn("nothing is heard from the party though it should speak: is a firewall or NAT in the way of RTP?",
		"name", l.name, "for", since, "signalled", l.audio.agreed.Remote, "our port", l.audio.desc.RTP)
	l.deliver(leg.Silent{Of: l.of(), For: since})
}

func (l *Leg) heard() {
	if l.state == talking {
		l.deliver(leg.Heard{Of: l.of()})
	}
}

// holding compares what a new description says about hold with what was said
// before, and tells call control of a change.
func (l *Leg) holding() {
	held := l.audio.agreed.Hold != sdp.NotHeld
	if held == l.audio.held || l.state != talking {
		l.audio.held = held
		return
	}
	l.audio.held = held
	if held {
		l.deliver(leg.Held{Of: l.of()})
	} else {
		l.deliver(leg.Resumed{Of: l.of()})
	}
}

// direction is what we would do with the party's audio: all, unless we hold it.
func (l *Leg) direction() sdp.Direction {
	if l.modify.hold {
		return sdp.SendOnly
	}
	return sdp.SendRecv
}

// description is the session description in a message; nil: none. The error is
// a leg.Cause with the status to refuse it with (RFC 3261 §8.2.3).
func description(msg headed) ([]byte, error) {
	body := msg.Body()
	if len(body) == 0 {
		return nil, nil
	}
	if e := value(msg, "Content-Encoding"); e != "" && e != "identity" {
		return nil, leg.Cause{Status: 415}.Because("body encoded as %s", e)
	}
	kind := ""
	if h := msg.ContentType(); h != nil {
		kind = h.Value()
	}
	switch mediaType(kind) {
	case sdp.ContentType, "":
		return body, nil
	case "multipart/mixed", "multipart/alternative":
		if part := sdpPart(kind, body); part != nil {
			return part, nil
		}
	}
	if param(value(msg, "Content-Disposition"), "handling") == "optional" {
		return nil, nil
	}
	return nil, leg.Cause{Status: 415}.Because("body of type %s", kind)
}

// digit sends a DTMF digit as RFC 4733 event, or as tones if the party knows none.
func (l *Leg) digit(digit byte, d time.Duration) {
	if d <= 0 {
		d = 100 * time.Millisecond
	}
	if err := l.audio.session.SendDigit(digit, d); err != nil {
		l.log.Debug("digit not sent", "digit", string(digit), "err", err)
	}
}
