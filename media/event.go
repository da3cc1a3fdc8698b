package media

import "encoding/binary"

// A TelephoneEvent is the payload of an RFC 4733 §2.3 packet.
type TelephoneEvent struct {
	Code     byte   // 0-15 are DTMF digits (§3.2), 16 is a hook-flash
	End      bool   // the event is over
	Volume   byte   // level of the tone, 0..63 for 0..-63 dBm0
	Duration uint16 // since the packet's timestamp, in samples of 1/8000 s
}

const eventLength = 4 // bytes of payload

// eventDigits are the digits of RFC 4733 §3.2 by event code.
const eventDigits = "0123456789*#ABCD"

// ParseTelephoneEvent reads a payload; false: it is too short.
func ParseTelephoneEvent(b []byte) (TelephoneEvent, bool) {
	if len(b) < eventLength {
		return TelephoneEvent{}, false
	}
	return TelephoneEvent{
		Code:     b[0],
		End:      b[1]&0x80 != 0,
		Volume:   b[1] & 0x3f,
		Duration: binary.BigEndian.Uint16(b[2:]),
	}, true
}

// Put writes the payload to b, which has room for 4 bytes, and returns those 4.
func (e TelephoneEvent) Put(b []byte) []byte {
	b = b[:eventLength]
	b[0] = e.Code
	b[1] = e.Volume & 0x3f
	if e.End {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], e.Duration)
	return b
}

// Digit is the DTMF digit of the event, 0-9 * # A-D; false: it is none.
func (e TelephoneEvent) Digit() (byte, bool) {
	if int(e.Code) >= len(eventDigits) {
		return 0, false
	}
	return eventDigits[e.Code], true
}

// EventCode is the event code of a DTMF digit; false: it is none.
func EventCode(digit byte) (byte, bool) {
	if 'a' <= digit && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	for i := range len(eventDigits) {
		if eventDigits[i] == digit {
			return byte(i), true
		}
	}
	return 0, false
}
