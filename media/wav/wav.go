// Package wav reads and writes WAV files of telephone audio: 16-bit PCM, µ-law
// and A-law, any number of channels. A Writer streams, so a recording that is
// cut off can be heard up to there; Load takes whatever file an operator has
// for an announcement or music and makes 8 kHz mono of it.
//
// A file from outside cannot make it panic or use more memory than the bytes
// that are really there deserve.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Encoding is how samples stand in the file: the format tag of its header.
type Encoding uint16

const (
	PCM16 Encoding = 1 // linear, little-endian
	ALaw  Encoding = 6 // ITU-T G.711
	MuLaw Encoding = 7 // ITU-T G.711

	extensible Encoding = 0xfffe // the real tag stands further back
)

func (e Encoding) String() string {
	switch e {
	case PCM16:
		return "16-bit PCM"
	case ALaw:
		return "A-law"
	case MuLaw:
		return "µ-law"
	}
	return fmt.Sprintf("format %#x", uint16(e))
}

// bytes is the size of one sample.
func (e Encoding) bytes() int {
	if e == PCM16 {
		return 2
	}
	return 1
}

// Format describes a file. In what a Writer is given zero fields stand for
// 16-bit PCM, one channel, 8000 samples a second.
type Format struct {
	Encoding Encoding
	Channels int
	Rate     int // samples a second of each channel
}

func (f Format) String() string {
	return fmt.Sprintf("%s, %d Hz, %d channels", f.Encoding, f.Rate, f.Channels)
}

// ErrFormat is what all errors about a file's contents wrap.
var ErrFormat = errors.New("not a WAV file that can be played")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

const (
	maxChannels = 32
	minRate     = 4000
	maxRate     = 192000
	chunkHeader = 8
	fmtSize     = 16 // of the chunk that every file has
	extSize     = 40 // of the extensible one
)

// parseFormat reads the body of a "fmt " chunk.
func parseFormat(b []byte) (Format, error) {
	if len(b) < fmtSize {
		return Format{}, bad("its format chunk has %d bytes instead of %d", len(b), fmtSize)
	}
	f := Format{
		Encoding: Encoding(binary.LittleEndian.Uint16(b)),
		Channels: int(binary.LittleEndian.Uint16(b[2:])),
		Rate:     int(binary.LittleEndian.Uint32(b[4:])),
	}
	if f.Encoding == extensible && len(b) >= extSize {
		f.Encoding = Encoding(binary.LittleEndian.Uint16(b[24:]))
	}
	width := int(binary.LittleEndian.Uint16(b[14:]))
	switch f.Encoding {
	case PCM16, ALaw, MuLaw:
	default:
		return Format{}, bad("it is %s; convert it: sox IN.wav -e signed -b 16 OUT.wav", f.Encoding)
	}
	if width != 8*f.Encoding.bytes() {
		return Format{}, bad("its samples have %d bits; convert it: sox IN.wav -b 16 OUT.wav", width)
	}
	if f.Channels < 1 || f.Channels > maxChannels || f.Rate < minRate || f.Rate > maxRate {
		return Format{}, bad("it says %s", f)
	}
	return f, nil
}

// put writes the body of a "fmt " chunk.
func (f Format) put(b []byte) []byte {
	block := f.Channels * f.Encoding.bytes()
	b = binary.LittleEndian.AppendUint16(b, uint16(f.Encoding))
	b = binary.LittleEndian.AppendUint16(b, uint16(f.Channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.Rate*block))
	b = binary.LittleEndian.AppendUint16(b, uint16(block))
	return binary.LittleEndian.AppendUint16(b, uint16(8*f.Encoding.bytes()))
}

// notEOF says what an end of file in the header means.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bad("it ends before its audio begins")
	}
	return err
}
