package linecard

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A HostHello opens a session: the card sets every port idle and answers with
// a CardHello. The same Session again only repeats the answer (§4.1).
type HostHello struct {
	Major, Minor uint8
	Session      uint32 // chosen at random by the host, never 0
}

// Append appends the content of a HELLO frame.
func (m HostHello) Append(b []byte) []byte {
	b = Header{Type: TypeHello}.Append(b)
	b = append(b, Magic...)
	b = append(b, m.Major, m.Minor)
	return binary.BigEndian.AppendUint32(b, m.Session)
}

// ErrNotHello: the frame does not open with the magic of this protocol.
var ErrNotHello = errors.New("not a line card's HELLO: the magic is missing")

// ParseHostHello reads the payload of a host's HELLO.
func ParseHostHello(payload []byte) (HostHello, error) {
	r := reader{b: payload}
	if string(r.take(4)) != Magic {
		return HostHello{}, ErrNotHello
	}
	m := HostHello{Major: r.u8(), Minor: r.u8(), Session: r.u32()}
	return m, r.err
}

// Kind is the kind of a port on the wire. Its numbers are those of jack.Kind.
type Kind uint8

const (
	KindFXO Kind = 1
	KindFXS Kind = 2
	KindTDM Kind = 3
)

// A PortInfo is one entry of a CardHello's port table.
type PortInfo struct {
	Kind       Kind
	Attributes uint8 // AttrPolarity
	State      State
}

// AttrPolarity: an FXO port that senses polarity, an FXS port that can reverse it.
const AttrPolarity uint8 = 1 << 0

// A CardHello answers a HostHello and is a snapshot at once: it says what the
// card is and the state of every port (§4.1).
type CardHello struct {
	Major, Minor uint8
	Session      uint32 // of the HostHello answered; 0: the card refuses the host's version
	Boot         uint32 // random at each start of the card: another value, and all state was lost
	Clock        uint32 // the card's sample counter now
	LastEvent    uint16 // sequence number of the last event included in the port states
	SampleRate   uint16 // Hz; 8000 in this version
	Buffer       uint16 // samples that the card's playout buffer holds
	Model        string
	Serial       string
	FrameTimes   []uint8 // tick lengths offered, ms; 20 is always among them
	Codecs       []uint8 // RTP payload types offered; 0 (PCMU) is always among them
	Ports        []PortInfo
}

const portEntrySize = 3

// Append appends the content of a HELLO frame.
func (m CardHello) Append(b []byte) []byte {
	b = Header{Type: TypeHello}.Append(b)
	b = append(b, Magic...)
	b = append(b, m.Major, m.Minor)
	b = binary.BigEndian.AppendUint32(b, m.Session)
	b = binary.BigEndian.AppendUint32(b, m.Boot)
	b = binary.BigEndian.AppendUint32(b, m.Clock)
	b = binary.BigEndian.AppendUint16(b, m.LastEvent)
	b = binary.BigEndian.AppendUint16(b, m.SampleRate)
	b = binary.BigEndian.AppendUint16(b, m.Buffer)
	b = appendOctets(b, m.Model)
	b = appendOctets(b, m.Serial)
	b = appendOctets(b, m.FrameTimes)
	b = appendOctets(b, m.Codecs)
	b = append(b, byte(len(m.Ports)), portEntrySize)
	for _, p := range m.Ports {
		b = append(b, byte(p.Kind), p.Attributes, byte(p.State))
	}
	return b
}

// ParseCardHello reads the payload of a card's HELLO. Of a card of another
// major version only the versions are read, for these never move (§2).
func ParseCardHello(payload []byte) (CardHello, error) {
	r := reader{b: payload}
	if string(r.take(4)) != Magic {
		return CardHello{}, ErrNotHello
	}
	m := CardHello{Major: r.u8(), Minor: r.u8()}
	if m.Major != Major || r.err != nil {
		return m, r.err
	}
	m.Session, m.Boot, m.Clock = r.u32(), r.u32(), r.u32()
	m.LastEvent, m.SampleRate, m.Buffer = r.u16(), r.u16(), r.u16()
	m.Model, m.Serial = string(r.octets()), string(r.octets())
	m.FrameTimes = append([]uint8(nil), r.octets()...)
	m.Codecs = append([]uint8(nil), r.octets()...)
	n, size := int(r.u8()), int(r.u8())
	if r.err == nil && (n > MaxPorts || size < portEntrySize) {
		return m, fmt.Errorf("HELLO with %d ports in entries of %d octets: at most %d, at least %d", n, size, MaxPorts, portEntrySize)
	}
	for range n {
		e := r.take(max(size, portEntrySize)) // later minor versions append to an entry
		m.Ports = append(m.Ports, PortInfo{Kind: Kind(e[0]), Attributes: e[1], State: State(e[2])})
	}
	return m, r.err
}

// A Ping asks whether the card is there, each second (§4.3).
type Ping struct{ Session uint32 }

// Append appends the content of a PING frame.
func (m Ping) Append(b []byte, seq uint16) []byte {
	return binary.BigEndian.AppendUint32(Header{Type: TypePing, Seq: seq}.Append(b), m.Session)
}

// ParsePing reads the payload of a PING.
func ParsePing(payload []byte) (Ping, error) {
	r := reader{b: payload}
	m := Ping{Session: r.u32()}
	return m, r.err
}

// A Pong answers a Ping. Another Boot or Session than the host's means that
// the card has started anew or has given the host up: the host begins again
// with HELLO.
type Pong struct {
	Session   uint32 // 0: the card has no session
	Boot      uint32
	Clock     uint32
	LastEvent uint16 // sequence number of the card's newest event
}

// Append appends the content of a PONG frame; seq is that of the PING.
func (m Pong) Append(b []byte, seq uint16) []byte {
	b = Header{Type: TypePong, Seq: seq}.Append(b)
	b = binary.BigEndian.AppendUint32(b, m.Session)
	b = binary.BigEndian.AppendUint32(b, m.Boot)
	b = binary.BigEndian.AppendUint32(b, m.Clock)
	return binary.BigEndian.AppendUint16(b, m.LastEvent)
}

// ParsePong reads the payload of a PONG.
func ParsePong(payload []byte) (Pong, error) {
	r := reader{b: payload}
	m := Pong{Session: r.u32(), Boot: r.u32(), Clock: r.u32(), LastEvent: r.u16()}
	return m, r.err
}
