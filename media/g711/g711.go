// Package g711 names the two companding laws of ITU-T G.711 and converts whole
// blocks of samples between them and 16-bit linear PCM. The tables are those
// of github.com/zaf/g711; nothing here allocates.
package g711

import zaf "github.com/zaf/g711"

// A Law is one of the two companding laws of ITU-T G.711. The zero value is MuLaw.
type Law uint8

const (
	MuLaw Law = iota // PCMU, RTP payload type 0 (RFC 3551 §4.5.14)
	ALaw             // PCMA, RTP payload type 8 (RFC 3551 §4.5.14)
)

// SampleRate is the number of samples a second of both laws.
const SampleRate = 8000

// FrameSize is the number of samples, and of bytes, in the 20 ms frame in which
// the exchange handles audio.
const FrameSize = 160

// String is the encoding name of RFC 3551, as session descriptions carry it.
func (l Law) String() string {
	if l == ALaw {
		return "PCMA"
	}
	return "PCMU"
}

// Silence is the code of a zero sample.
func (l Law) Silence() byte {
	if l == ALaw {
		return 0xd5
	}
	return 0xff
}

var (
	decodeTable [2][256]int16
	encodeTable [2][65536]byte
	crossTable  [2][256]byte
)

func init() { // the tables are constants that Go cannot spell
	for i := range 256 {
		decodeTable[MuLaw][i] = zaf.DecodeUlawFrame(uint8(i))
		decodeTable[ALaw][i] = zaf.DecodeAlawFrame(uint8(i))
		crossTable[MuLaw][i] = zaf.Ulaw2AlawFrame(uint8(i))
		crossTable[ALaw][i] = zaf.Alaw2UlawFrame(uint8(i))
	}
	for i := range 65536 {
		encodeTable[MuLaw][i] = zaf.EncodeUlawFrame(int16(i))
		encodeTable[ALaw][i] = zaf.EncodeAlawFrame(int16(i))
	}
}

// DecodeSample is one code as a linear sample.
func (l Law) DecodeSample(b byte) int16 { return decodeTable[l][b] }

// EncodeSample is one linear sample as a code.
func (l Law) EncodeSample(s int16) byte { return encodeTable[l][uint16(s)] }

// Decode writes the linear samples of src to dst and tells how many: the
// shorter of the two lengths.
func (l Law) Decode(dst []int16, src []byte) int {
	n := min(len(dst), len(src))
	t := &decodeTable[l]
	for i := range n {
		dst[i] = t[src[i]]
	}
	return n
}

// Encode writes the codes of src to dst and tells how many: the shorter of the
// two lengths.
func (l Law) Encode(dst []byte, src []int16) int {
	n := min(len(dst), len(src))
	t := &encodeTable[l]
	for i := range n {
		dst[i] = t[uint16(src[i])]
	}
	return n
}

// Convert rewrites codes of this law as codes of the other, by the table of
// G.711, and tells how many. dst and src may be the same slice.
func (l Law) Convert(dst, src []byte) int {
	n := min(len(dst), len(src))
	t := &crossTable[l]
	for i := range n {
		dst[i] = t[src[i]]
	}
	return n
}
