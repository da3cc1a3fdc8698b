package linecard

import (
	"fmt"
	"time"
)

// Wanted is what a SET order asks of a port, one octet (§7.1).
type Wanted uint8

const (
	WantOffHook  Wanted = 1 << 0 // FXO: close the loop. E&M: seize, or answer
	WantRing     Wanted = 1 << 1 // FXS: ring with the order's cadence
	WantReversed Wanted = 1 << 2 // FXS: feed reversed polarity
	WantAudio    Wanted = 1 << 3 // exchange MEDIA for this port
	WantBlocked  Wanted = 1 << 4 // E&M: tell the far end that the timeslot is out of service
)

// MaxCadence is the most on and off times of a ringing cadence.
const MaxCadence = 16

// A Set order names the whole wanted state of a port, so that the newest
// order alone decides.
type Set struct {
	Want    Wanted
	Cadence []time.Duration // on, off, on, off … in ms; needed with WantRing only
}

// Append appends the content of a SET frame.
func (m Set) Append(b []byte, port uint8, seq uint16) []byte {
	b = Header{Type: TypeSet, Port: port, Seq: seq}.Append(b)
	n := min(len(m.Cadence), MaxCadence)
	b = append(b, byte(m.Want), byte(n))
	for _, d := range m.Cadence[:n] {
		b = appendMillis(b, d)
	}
	return b
}

// ParseSet reads the payload of a SET.
func ParseSet(payload []byte) (Set, error) {
	r := reader{b: payload}
	m := Set{Want: Wanted(r.u8())}
	n := int(r.u8())
	if n > MaxCadence {
		return m, fmt.Errorf("cadence of %d times: at most %d", n, MaxCadence)
	}
	for range n {
		m.Cadence = append(m.Cadence, r.millis())
	}
	return m, r.err
}

// AppendTimed appends the content of a FLASH or DROP frame that lasts d, in
// whole milliseconds.
func AppendTimed(b []byte, t Type, port uint8, seq uint16, d time.Duration) []byte {
	return appendMillis(Header{Type: t, Port: port, Seq: seq}.Append(b), d)
}

// ParseTimed reads the payload of a FLASH or DROP.
func ParseTimed(payload []byte) (time.Duration, error) {
	r := reader{b: payload}
	d := r.millis()
	return d, r.err
}

// Configure sets how media travel in this session (§6.1).
type Configure struct {
	Tick  uint8 // ms, one of those that HELLO offers
	Codec uint8 // RTP payload type, one of those that HELLO offers
}

// Append appends the content of a CONFIGURE frame.
func (m Configure) Append(b []byte, seq uint16) []byte {
	return append(Header{Type: TypeConfigure, Seq: seq}.Append(b), m.Tick, m.Codec)
}

// ParseConfigure reads the payload of a CONFIGURE.
func ParseConfigure(payload []byte) (Configure, error) {
	r := reader{b: payload}
	m := Configure{Tick: r.u8(), Codec: r.u8()}
	return m, r.err
}

// Signalling is what the bits of a timeslot stand for (§5.5). Its numbers are
// those of jack.Signalling.
type Signalling uint8

const (
	SignallingEM        Signalling = 1
	SignallingFXOLoop   Signalling = 2
	SignallingFXOGround Signalling = 3
	SignallingFXSLoop   Signalling = 4
	SignallingFXSGround Signalling = 5
)

// Append appends the content of a SIGNALLING frame.
func (m Signalling) Append(b []byte, port uint8, seq uint16) []byte {
	return append(Header{Type: TypeSignalling, Port: port, Seq: seq}.Append(b), byte(m))
}

// ParseSignalling reads the payload of a SIGNALLING.
func ParseSignalling(payload []byte) (Signalling, error) {
	r := reader{b: payload}
	m := Signalling(r.u8())
	return m, r.err
}

// Timing sets how a port tells pulses, flashes, hang-ups and loop drops apart
// (§5.4). A zero field leaves the card's default.
type Timing struct {
	PulseMax    time.Duration // FXS: longest loop break that is a dial pulse; default 90 ms
	FlashMin    time.Duration // FXS: shortest loop break that is a hook-flash; default 300 ms
	FlashMax    time.Duration // FXS: longest loop break that is a hook-flash; default 1000 ms
	LoopDropMin time.Duration // FXO: shortest loss of loop current that counts; default 80 ms
}

// Append appends the content of a TIMING frame.
func (m Timing) Append(b []byte, port uint8, seq uint16) []byte {
	b = Header{Type: TypeTiming, Port: port, Seq: seq}.Append(b)
	for _, d := range [...]time.Duration{m.PulseMax, m.FlashMin, m.FlashMax, m.LoopDropMin} {
		b = appendMillis(b, d)
	}
	return b
}

// ParseTiming reads the payload of a TIMING.
func ParseTiming(payload []byte) (Timing, error) {
	r := reader{b: payload}
	m := Timing{PulseMax: r.millis(), FlashMin: r.millis(), FlashMax: r.millis(), LoopDropMin: r.millis()}
	return m, r.err
}

// Reason is why a card refuses an order.
type Reason uint8

const (
	ReasonUnknownOrder Reason = 1 // the card's version does not know the type
	ReasonNoPort       Reason = 2 // the card has no such port
	ReasonWrongKind    Reason = 3 // the order does not fit the kind of port
	ReasonNoSession    Reason = 4 // no HELLO yet, or the watchdog ended the session
	ReasonBadArgument  Reason = 5
	ReasonFault        Reason = 6 // the port does not work
)

var reasons = [...]string{"", "unknown order", "no such port", "not for this kind of port", "no session",
	"bad argument", "port out of order"}

func (r Reason) String() string {
	if int(r) < len(reasons) && r != 0 {
		return reasons[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// AppendAck appends the content of an ACK to the order with this port and seq.
func AppendAck(b []byte, port uint8, seq uint16) []byte {
	return Header{Type: TypeAck, Port: port, Seq: seq}.Append(b)
}

// A Nak refuses an order.
type Nak struct {
	Reason Reason
	Text   string // what the card adds for people; may be empty
}

// Append appends the content of a NAK to the order with this port and seq.
func (m Nak) Append(b []byte, port uint8, seq uint16) []byte {
	b = append(Header{Type: TypeNak, Port: port, Seq: seq}.Append(b), byte(m.Reason))
	return appendOctets(b, m.Text)
}

// ParseNak reads the payload of a NAK.
func ParseNak(payload []byte) (Nak, error) {
	r := reader{b: payload}
	m := Nak{Reason: Reason(r.u8()), Text: string(r.octets())}
	return m, r.err
}
