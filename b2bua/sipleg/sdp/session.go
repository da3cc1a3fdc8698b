package sdp

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/media/g711"
)

// A Session is our side of one leg's media. It belongs to one goroutine.
type Session struct {
	RTP  netip.AddrPort // where we receive RTP
	RTCP netip.AddrPort // where we receive RTCP; not valid: the port above RTP's
	ID   uint64         // o= session id; zero: the time of the first description
	Name string         // o= user name and s= session name; empty is "crosspoint"

	version uint64 // of o=
	body    []byte // last description without o=
	sent    offer  // our last offer that is not answered
	remote  []byte // last description that was read
	formats pts
}

// offer is what an answer to it is read against.
type offer struct {
	prefs Prefs
	open  bool
}

// pts is how payload types are numbered on this leg: once by who offered
// first, and kept (RFC 3264 §8.3.2).
type pts struct {
	mu, a, event uint8
	mapped       bool
}

// Offer makes an offer with all that we can. The same offer again has the same
// version (RFC 3264 §8).
func (s *Session) Offer(p Prefs) []byte {
	s.sent = offer{prefs: p, open: true}
	pt := s.numbers(p)
	var formats []codec
	for _, law := range p.laws() {
		formats = append(formats, codec{pt: pt.of(law), law: law})
	}
	if !p.NoEvents {
		formats = append(formats, codec{pt: pt.event, events: true})
	}
	return s.describe([]stream{{kind: "audio", proto: "RTP/AVP", port: 1}}, 0, formats, p.Direction, false, p)
}

// numbers are the payload types of an offer of ours: those in use if there are.
func (s *Session) numbers(p Prefs) pts {
	n := s.formats
	if !n.mapped {
		return pts{mu: 0, a: 8, event: p.eventPT(), mapped: true}
	}
	return n
}

func (n pts) of(law g711.Law) uint8 {
	if law == g711.ALaw {
		return n.a
	}
	return n.mu
}

// Answer reads an offer and answers it: our audio stream for its first usable
// one, port 0 for all others (RFC 3264 §6). The error is a leg.Cause: 488 if no
// codec is common or there is no audio, 400 for what is no description.
func (s *Session) Answer(text []byte, p Prefs) ([]byte, Agreed, error) {
	d, err := parse(text)
	if err != nil {
		return nil, Agreed{}, err
	}
	if d.audio < 0 {
		return nil, Agreed{}, refuse(488, "no audio stream in the offer")
	}
	st := d.media[d.audio]
	law, ok := choose(st.codecs, p)
	if !ok {
		return nil, Agreed{}, leg.BearerNotOffered.Because("no codec in common: the offer has %s", strings.Join(st.formats, " "))
	}
	a := s.agree(st, law, p)
	a.Direction = direction(p.Direction.Sends() && st.direction.Receives() && a.Hold != HeldZero, p.Direction.Receives() && st.direction.Sends())
	a.Changed = s.changed(text)
	s.sent.open = false
	s.keep(st.codecs, p)
	formats := []codec{{pt: a.RecvPT, law: law}}
	if a.Events {
		formats = append(formats, codec{pt: a.EventPT, events: true})
	}
	// With c=0.0.0.0 the offerer says that it receives nothing, not that it
	// sends nothing: the answer has the attribute's reverse.
	said := direction(p.Direction.Sends() && st.direction.Receives(), p.Direction.Receives() && st.direction.Sends())
	return s.describe(d.media, d.audio, formats, said, st.mux, p), a, nil
}

// ReadAnswer reads the answer to our last offer. A provisional response may
// have carried it before; the same again is no change. The error is a
// leg.Cause.
func (s *Session) ReadAnswer(text []byte) (Agreed, error) {
	d, err := parse(text)
	if err != nil {
		return Agreed{}, err
	}
	if d.audio < 0 {
		return Agreed{}, refuse(488, "the answer refuses the audio stream")
	}
	st := d.media[d.audio]
	p := s.sent.prefs
	p.OfferersChoice = true // the answerer's first is what it prefers to receive
	law, ok := choose(st.codecs, p)
	if !ok {
		return Agreed{}, leg.BearerNotOffered.Because("no codec in common: the answer has %s", strings.Join(st.formats, " "))
	}
	a := s.agree(st, law, p)
	a.Direction = direction(p.Direction.Sends() && st.direction.Receives() && a.Hold != HeldZero, p.Direction.Receives() && st.direction.Sends())
	// What we receive is numbered as we offered.
	n := s.numbers(p)
	a.RecvPT, a.RecvEvent = n.of(law), n.event
	if a.Hold != HeldZero && !p.Direction.Sends() && (a.Hold == HeldSendOnly || p.Direction == Inactive) {
		a.Hold = NotHeld // our offer left it no other answer (RFC 3264 §6.1)
	}
	a.Changed = s.changed(text)
	s.formats = n
	return a, nil
}

// choose takes the first codec of the preferred order that both have.
func choose(codecs []codec, p Prefs) (g711.Law, bool) {
	laws := p.laws()
	if p.OfferersChoice {
		for _, c := range codecs {
			if !c.events && slices.Contains(laws, c.law) {
				return c.law, true
			}
		}
		return 0, false
	}
	for _, law := range laws {
		for _, c := range codecs {
			if !c.events && c.law == law {
				return law, true
			}
		}
	}
	return 0, false
}

// agree gathers what the other side's stream says.
func (s *Session) agree(st stream, law g711.Law, p Prefs) Agreed {
	a := Agreed{Law: law, Ptime: st.ptime, Mux: st.mux, RemoteHost: st.host, RemotePort: uint16(st.port), Direction: p.Direction}
	first, other := true, true
	for _, c := range st.codecs {
		switch {
		case c.events && !a.Events && !p.NoEvents:
			a.EventPT, a.RecvEvent, a.Events = c.pt, c.pt, true
		case !c.events && c.law == law && first:
			a.PT, a.RecvPT, first = c.pt, c.pt, false
		case !c.events && c.law != law && other:
			a.OtherPT, a.HasOther, other = c.pt, true, false
		}
	}
	switch {
	case st.addr.IsValid() && st.addr.IsUnspecified():
		a.Hold = HeldZero
	case st.direction == SendOnly:
		a.Hold = HeldSendOnly
	case st.direction == Inactive:
		a.Hold = HeldInactive
	}
	if st.addr.IsValid() && !st.addr.IsUnspecified() {
		a.Remote = netip.AddrPortFrom(st.addr, uint16(st.port))
		switch {
		case st.mux:
			a.RTCP = a.Remote
		case st.rtcp.IsValid():
			a.RTCP = st.rtcp
		case st.rtcpPort != 0:
			a.RTCP = netip.AddrPortFrom(st.addr, uint16(st.rtcpPort))
		case st.port < 65535:
			a.RTCP = netip.AddrPortFrom(st.addr, uint16(st.port+1)) // RFC 3550 §11
		}
	}
	return a
}

// keep remembers how the other side numbers payload types, for our own offers.
func (s *Session) keep(codecs []codec, p Prefs) {
	n := s.numbers(p)
	for _, c := range slices.Backward(codecs) {
		switch {
		case c.events:
			n.event = c.pt
		case c.law == g711.ALaw:
			n.a = c.pt
		default:
			n.mu = c.pt
		}
	}
	n.mapped = true
	s.formats = n
}

func (s *Session) changed(text []byte) bool {
	if bytes.Equal(s.remote, text) {
		return false
	}
	s.remote = bytes.Clone(text)
	return true
}

// describe writes a description with our stream at one place and all others
// refused. The version of o= goes up if anything has changed.
func (s *Session) describe(media []stream, ours int, formats []codec, d Direction, mux bool, p Prefs) []byte {
	family, addr := "IP4", s.RTP.Addr()
	if addr.Is6() {
		family = "IP6"
	}
	name := s.Name
	if name == "" {
		name = "crosspoint"
	}
	var b bytes.Buffer
	conn := addr.String()
	if p.ZeroAddress && !d.Receives() {
		conn = "0.0.0.0"
		if addr.Is6() {
			conn = "::"
		}
	}
	fmt.Fprintf(&b, "s=%s\r\nc=IN %s %s\r\nt=0 0\r\n", name, family, conn)
	for i, m := range media {
		if i != ours {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", m.kind, m.proto, strings.Join(m.formats, " "))
			continue
		}
		s.audio(&b, m.proto, formats, d, mux, p)
	}
	if !bytes.Equal(b.Bytes(), s.body) {
		s.version++
		s.body = bytes.Clone(b.Bytes())
	}
	if s.ID == 0 {
		s.ID = uint64(time.Now().UnixMilli())
	}
	head := fmt.Sprintf("v=0\r\no=%s %d %d IN %s %s\r\n", name, s.ID, s.version, family, addr)
	return append([]byte(head), b.Bytes()...)
}

// audio writes our m= line and its attributes.
func (s *Session) audio(b *bytes.Buffer, proto string, formats []codec, d Direction, mux bool, p Prefs) {
	b.WriteString("m=audio " + strconv.Itoa(int(s.RTP.Port())) + " " + proto)
	for _, c := range formats {
		fmt.Fprintf(b, " %d", c.pt)
	}
	b.WriteString("\r\n")
	for _, c := range formats {
		if c.events {
			fmt.Fprintf(b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", c.pt, c.pt)
		} else {
			fmt.Fprintf(b, "a=rtpmap:%d %s/8000\r\n", c.pt, c.law)
		}
	}
	if mux {
		b.WriteString("a=rtcp-mux\r\n")
	} else if s.RTCP.IsValid() && s.RTCP.Port() != s.RTP.Port()+1 && !p.Bare {
		fmt.Fprintf(b, "a=rtcp:%d\r\n", s.RTCP.Port())
	}
	if !p.Bare {
		fmt.Fprintf(b, "a=ptime:%d\r\n", p.ptime().Milliseconds())
	}
	if d != SendRecv || !p.Bare {
		fmt.Fprintf(b, "a=%s\r\n", d)
	}
}
