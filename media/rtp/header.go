package rtp

import "encoding/binary"

// A header is what we use of an RTP packet's fixed header (RFC 3550 §5.1).
type header struct {
	marker    bool
	kind      uint8 // payload type
	seq       uint16
	timestamp uint32
	ssrc      uint32
}

// parseHeader reads a packet of version 2 and returns its payload, without
// contributing sources, extension and padding. Not ok: it is none, or is cut
// short.
func parseHeader(b []byte) (h header, payload []byte, ok bool) {
	const version, padding, extension, word = 2, 0x20, 0x10, 4
	if len(b) < headerSize || b[0]>>6 != version {
		return h, nil, false
	}
	h.marker, h.kind = b[1]&0x80 != 0, b[1]&0x7f
	h.seq = binary.BigEndian.Uint16(b[2:])
	h.timestamp = binary.BigEndian.Uint32(b[4:])
	h.ssrc = binary.BigEndian.Uint32(b[8:])
	at := headerSize + word*int(b[0]&0x0f)
	if b[0]&extension != 0 { // §5.3.1: its length is that of what follows its first word
		if len(b) < at+word {
			return h, nil, false
		}
		at += word + word*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	if len(b) < at {
		return h, nil, false
	}
	payload = b[at:]
	if b[0]&padding != 0 {
		if len(payload) == 0 {
			return h, nil, false
		}
		pad := int(payload[len(payload)-1])
		if pad == 0 || pad > len(payload) {
			return h, nil, false
		}
		payload = payload[:len(payload)-pad]
	}
	return h, payload, true
}
