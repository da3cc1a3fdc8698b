package linecard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Version of the protocol (§2). A peer of another major version is refused; a
// higher minor version only appends fields and adds types.
const (
	Major = 1
	Minor = 0
)

// MaxPorts is the most ports of a card. They are numbered from 1, as printed
// beside the jacks; port 0 in a message is the card itself.
const MaxPorts = 32

// Magic opens every HELLO.
const Magic = "CPLC"

// Type is the first octet of a frame's content (§3.2).
type Type uint8

const (
	TypeHello           Type = 0x01 // either way: who I am
	TypePing            Type = 0x02 // host: are you there?
	TypePong            Type = 0x03 // card
	TypeEvent           Type = 0x04 // card: something happened at a port
	TypeEventAck        Type = 0x05 // host: all events up to Seq have arrived
	TypeSnapshotRequest Type = 0x06 // host: tell the state of every port
	TypeSnapshot        Type = 0x07 // card
	TypeReport          Type = 0x08 // card: how full the playout buffer is
	TypeSet             Type = 0x10 // order: the wanted state of a port
	TypeFlash           Type = 0x11 // order: open the loop of an FXO port for a time; turn the hook of an E&M timeslot over
	TypeDrop            Type = 0x12 // order: take battery off an FXS port for a time
	TypeConfigure       Type = 0x13 // order: tick and codec of the session
	TypeTiming          Type = 0x14 // order: hook and pulse timing of a port
	TypeBye             Type = 0x15 // order: end of session, everything idle
	TypeSignalling      Type = 0x16 // order: what the bits of a timeslot stand for
	TypeAck             Type = 0x20 // card: order Seq is done
	TypeNak             Type = 0x21 // card: order Seq is refused
	TypeMedia           Type = 0x30 // either way: samples of one tick
)

var typeNames = map[Type]string{
	TypeHello: "HELLO", TypePing: "PING", TypePong: "PONG", TypeEvent: "EVENT", TypeEventAck: "EVENT-ACK",
	TypeSnapshotRequest: "SNAPSHOT-REQUEST", TypeSnapshot: "SNAPSHOT", TypeReport: "REPORT", TypeSet: "SET",
	TypeFlash: "FLASH", TypeDrop: "DROP", TypeConfigure: "CONFIGURE", TypeTiming: "TIMING", TypeBye: "BYE", TypeSignalling: "SIGNALLING",
	TypeAck: "ACK", TypeNak: "NAK", TypeMedia: "MEDIA",
}

func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("type %#02x", uint8(t))
}

// IsOrder tells whether a frame of this type is to be answered by ACK or NAK.
func (t Type) IsOrder() bool { return t >= 0x10 && t < 0x20 }

const headerSize = 4

// A Header opens the content of every frame: type, port, sequence.
type Header struct {
	Type Type
	Port uint8  // 1 to MaxPorts; 0 is the card itself
	Seq  uint16 // counts per purpose: orders, events, media
}

// Append appends the header's 4 octets. All numbers are big-endian.
func (h Header) Append(b []byte) []byte {
	return append(b, byte(h.Type), h.Port, byte(h.Seq>>8), byte(h.Seq))
}

// errShort: a message ends before its last mandatory field.
var errShort = errors.New("message too short")

// ParseHeader splits content into header and payload.
func ParseHeader(content []byte) (Header, []byte, error) {
	if len(content) < headerSize {
		return Header{}, nil, errShort
	}
	h := Header{Type: Type(content[0]), Port: content[1], Seq: binary.BigEndian.Uint16(content[2:])}
	return h, content[headerSize:], nil
}

// SeqAfter tells whether sequence number a comes after b, both modulo 2^16
// (serial number arithmetic of RFC 1982).
func SeqAfter(a, b uint16) bool { return int16(a-b) > 0 }

// reader takes fields off a payload; the first that is missing makes all the
// rest zero and err set.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || len(r.b) < n {
		r.err = errShort
		return make([]byte, n)[:n:n]
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) u8() uint8   { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

// octets takes a counted string: one octet of length, then as many octets.
func (r *reader) octets() []byte { return r.take(int(r.u8())) }

func (r *reader) millis() time.Duration { return time.Duration(r.u16()) * time.Millisecond }

// appendOctets cuts what does not fit a counted string.
func appendOctets[T string | []byte](b []byte, s T) []byte {
	n := min(len(s), 255)
	return append(append(b, byte(n)), s[:n]...)
}

// appendMillis writes whole milliseconds and cuts what does not fit 16 bits.
func appendMillis(b []byte, d time.Duration) []byte {
	return binary.BigEndian.AppendUint16(b, uint16(max(0, min(d.Milliseconds(), 0xffff))))
}
