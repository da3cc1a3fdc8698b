package linecard

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// mediaHeaderSize: header, clock, mask, header check.
const mediaHeaderSize = headerSize + 4 + 4 + 2

// wireFlip is XORed into each µ-law octet on the wire. The codes near zero
// are 0x7d, 0x7e, 0xfd and 0xfe: unflipped, a quiet line would be all escapes
// and twice as long (§6.2).
const wireFlip = 0x7f

// Media is the content of a MEDIA frame: one tick of every port in Mask.
// Samples are still as on the wire: Get and Put convert.
type Media struct {
	Seq     uint16
	Clock   uint32 // card: counter at the first sample. Host: counter at which the card shall play it
	Mask    uint32 // bit n-1: port n
	Samples []byte // of the ports in Mask, lowest first, each one tick long
}

// ErrNotMedia: a MEDIA frame whose header does not fit its own check or its length.
var ErrNotMedia = errors.New("not a media frame: header check or length is wrong")

// BeginMedia appends the header of a MEDIA frame; the samples of the ports in
// mask follow, by PutSamples.
func BeginMedia(b []byte, seq uint16, clock, mask uint32) []byte {
	at := len(b)
	b = Header{Type: TypeMedia, Seq: seq}.Append(b)
	b = binary.BigEndian.AppendUint32(b, clock)
	b = binary.BigEndian.AppendUint32(b, mask)
	sum := ^fcs(fcsInit, b[at:])
	return append(b, byte(sum), byte(sum>>8))
}

// PutSamples appends µ-law samples as they stand on the wire.
func PutSamples(b, mulaw []byte) []byte {
	at := len(b)
	b = append(b, mulaw...)
	for i := at; i < len(b); i++ {
		b[i] ^= wireFlip
	}
	return b
}

// GetSamples writes the µ-law codes of samples on the wire to dst.
func GetSamples(dst, wire []byte) {
	for i, s := range wire[:min(len(wire), len(dst))] {
		dst[i] = s ^ wireFlip
	}
}

// ParseMedia reads the content of a MEDIA frame whose ticks are tick samples
// long. A damaged frame is good enough when its header is whole and its length
// right: a wrong sample is a click, a lost tick is a gap (§6.3, after RFC
// 3828). It does not allocate; Samples is part of content.
func ParseMedia(content []byte, tick int) (Media, error) {
	if len(content) < mediaHeaderSize || Type(content[0]) != TypeMedia ||
		fcs(fcsInit, content[:mediaHeaderSize]) != fcsGood {
		return Media{}, ErrNotMedia
	}
	m := Media{
		Seq:     binary.BigEndian.Uint16(content[2:]),
		Clock:   binary.BigEndian.Uint32(content[4:]),
		Mask:    binary.BigEndian.Uint32(content[8:]),
		Samples: content[mediaHeaderSize:],
	}
	if len(m.Samples) != tick*bits.OnesCount32(m.Mask) {
		return Media{}, ErrNotMedia
	}
	return m, nil
}
