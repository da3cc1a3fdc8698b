package callerid

import (
	"fmt"
	"strings"
	"time"
)

// Number Display of NTT ("Technical Reference: Interfaces of the Telephone
// Service") is unlike the others: the telephone takes the message off-hook.
//
//	exchange              telephone
//	   |---polarity reversed-->|
//	   |---0.5 s rings ------->|  the activation signal (CAR); no bell rings
//	   |<----- off-hook -------|  the primary answer
//	   |------- V.23 --------->|
//	   |<----- on-hook --------|  reception is complete
//	   |---1 s rings --------->|  the bell rings
//	   |<----- off-hook -------|  the answer
//
// The message has 7-bit characters of JIS X 0201 with even parity, in a frame
// of the basic control procedure (JIS X 5002) with a CRC of 16 bits.
const (
	// ActivationBurst is how long each ring of the activation signal lasts,
	// and each pause. The ring of a call lasts twice as long.
	ActivationBurst = 500 * time.Millisecond
	// ActivationLimit is how long the activation signal is sent to a telephone
	// that does not answer it. Then the bell rings without caller ID.
	ActivationLimit = 6 * time.Second
	// CompletionLimit is how long after the primary answer the telephone may
	// still be off-hook.
	CompletionLimit = 7 * time.Second
)

// IsActivation tells by its length whether a ring is one of the activation
// signal. It allows for what line cards add and take off.
func IsActivation(ring time.Duration) bool {
	return ring >= ActivationBurst*3/5 && ring <= ActivationBurst*3/2
}

// Activation is the cadence of the activation signal.
func Activation() []time.Duration { return []time.Duration{ActivationBurst, ActivationBurst} }

// Characters of JIS X 5002, as of ASCII.
const (
	soh = 0x01
	stx = 0x02
	etx = 0x03
	dle = 0x10
)

const (
	nttHeader  = 0x07 // of all messages
	nttService = 0x40 // notification of who calls
	nttLongest = 320  // octets of a frame: more are noise
)

// Parameter types of NTT. Those of MDMF for the number and for its absence are
// the same.
const paramNTTDialed = 0x09

// buildNTT is the frame that tells c: its number or why there is none, and the
// number dialled. It has no name and no time.
func buildNTT(c CallerID) []byte {
	var body []byte
	if n := plain(c.Number); n != "" && c.NumberAbsent == 0 {
		body = appendParam(body, paramNumber, n)
	} else {
		why := c.NumberAbsent
		switch why {
		case Private, Payphone, ServiceConflict:
		default:
			why = Unavailable
		}
		body = appendParam(body, paramNumberAbsent, string(rune(why)))
	}
	if d := plain(c.Dialed); d != "" {
		body = appendParam(body, paramNTTDialed, d)
	}
	m := []byte{dle, soh, nttHeader, dle, stx, nttService}
	for _, b := range append([]byte{byte(len(body))}, body...) {
		if m = append(m, b); b == dle {
			m = append(m, dle)
		}
	}
	m = append(m, dle, etx)
	for i, b := range m {
		m[i] = evenParity(b)
	}
	crc := crc16(m[2:])
	return append(m, byte(crc), byte(crc>>8))
}

// evenParity is a character with the bit that makes the number of its ones even.
func evenParity(b byte) byte {
	p := b ^ b>>4
	p ^= p >> 2
	p ^= p >> 1
	return b&0x7f | p<<7&0x80
}

// crc16 is that of x^16+x^12+x^5+1, least significant bit first, from zero: over
// a frame and its CRC it is zero.
func crc16(octets []byte) (crc uint16) {
	for _, b := range octets {
		crc ^= uint16(b)
		for range 8 {
			low := crc & 1
			crc >>= 1
			crc ^= low * 0x8408
		}
	}
	return crc
}

// parseNTT reads a whole frame. Errors wrap ErrFormat or ErrChecksum. The
// length that is in it is passed over: the end and the CRC tell more.
func parseNTT(frame []byte) (CallerID, error) {
	if len(frame) < 4 {
		return CallerID{}, fmt.Errorf("caller ID frame of %d characters: %w", len(frame), ErrFormat)
	}
	if crc16(frame[2:]) != 0 {
		return CallerID{}, fmt.Errorf("caller ID frame of %d characters has a wrong CRC: %w", len(frame), ErrChecksum)
	}
	body, ok := contents(frame)
	if !ok {
		return CallerID{}, fmt.Errorf("caller ID frame begins with % x: %w", frame[:min(len(frame), 6)], ErrFormat)
	}
	var c CallerID
	for i := 0; i < len(body); {
		if i+2 > len(body) || i+2+int(body[i+1]) > len(body) {
			return CallerID{}, fmt.Errorf("caller ID parameter 0x%02x is longer than its frame: %w", body[i], ErrFormat)
		}
		kind, value := body[i], body[i+2:i+2+int(body[i+1])]
		i += 2 + len(value)
		switch kind {
		case paramNumber:
			c.Number = printable(value)
		case paramNTTDialed:
			c.Dialed = printable(value)
		case paramNumberAbsent:
			c.NumberAbsent = Unavailable
			if len(value) == 1 && strings.IndexByte("PCS", value[0]) >= 0 {
				c.NumberAbsent = Absence(value[0])
			}
		}
	}
	return c, c.check()
}

// contents are the parameters of a frame, without parity and doubled DLEs.
// False: it is a frame of another kind.
func contents(frame []byte) (body []byte, ok bool) {
	m := make([]byte, 0, len(frame))
	for _, b := range frame[2 : len(frame)-2] {
		m = append(m, b&0x7f)
	}
	if len(m) < 7 || [4]byte(m[:4]) != [4]byte{nttHeader, dle, stx, nttService} {
		return nil, false
	}
	for i := 4; i < len(m)-2; i++ {
		body = append(body, m[i])
		if m[i] == dle {
			i++
		}
	}
	return body[1:], len(body) > 0 // the length
}

// A frameNTT collects the characters of an NTT frame. The zero value waits for one.
type frameNTT struct {
	octets  []byte
	escaped bool // the last character was a DLE that means something
	check   int  // octets of the CRC still to come
}

// take adds a character, and tells whether the frame is whole now.
func (f *frameNTT) take(b byte) (whole bool) {
	c := b & 0x7f
	switch n := len(f.octets); {
	case f.check > 0:
		f.octets = append(f.octets, b)
		f.check--
		return f.check == 0
	case n == nttLongest, n == 0 && c != dle, n == 1 && c != dle && c != soh:
		f.octets = f.octets[:0]
		return false
	case n == 1 && c == dle:
		return false // the DLE before was noise
	}
	f.octets = append(f.octets, b)
	switch {
	case len(f.octets) <= 2:
		f.escaped = false
	case f.escaped:
		f.escaped = false
		switch c {
		case etx:
			f.check = 2
		case soh: // what preceded was noise
			f.octets = append(f.octets[:0], dle, b)
		}
	default:
		f.escaped = c == dle
	}
	return false
}

// begun tells whether the beginning of a frame was heard, and not its end.
func (f *frameNTT) begun() bool { return len(f.octets) > 2 }

func (f *frameNTT) reset() { f.octets, f.escaped, f.check = f.octets[:0], false, 0 }
