package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/zaf/g711"
)

const (
	headerSize = 12 + chunkHeader + fmtSize + chunkHeader
	riffAt     = 4              // where the size of everything stands
	dataAt     = headerSize - 4 // where the size of the audio stands
	maxData    = math.MaxUint32 - headerSize
)

// ErrFull: a WAV file cannot hold more than 4 GiB.
var ErrFull = errors.New("the WAV file has reached 4 GiB, all that its header can count")

// A Writer writes a WAV file. The sizes in its header are put right by Close,
// and before that they say "as far as the file goes".
type Writer struct {
	w      io.WriteSeeker
	format Format
	size   int64 // bytes of audio
	buf    []byte
	err    error // the first; nothing is written after it
}

// NewWriter writes the header. Close does not close w.
func NewWriter(w io.WriteSeeker, f Format) (*Writer, error) {
	if f.Encoding == 0 {
		f.Encoding = PCM16
	}
	if f.Channels == 0 {
		f.Channels = 1
	}
	if f.Rate == 0 {
		f.Rate = 8000
	}
	switch f.Encoding {
	case PCM16, ALaw, MuLaw:
	default:
		return nil, fmt.Errorf("cannot write a WAV file as %s", f.Encoding)
	}
	if f.Channels < 0 || f.Channels > maxChannels || f.Rate < minRate || f.Rate > maxRate {
		return nil, fmt.Errorf("cannot write a WAV file of %s", f)
	}
	b := make([]byte, 0, headerSize)
	b = append(b, "RIFF\xff\xff\xff\xffWAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, fmtSize)
	b = f.put(b)
	b = append(b, "data\xff\xff\xff\xff"...)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	return &Writer{w: w, format: f}, nil
}

// Write adds linear samples, those of the channels in turn.
func (w *Writer) Write(pcm []int16) error {
	if w.err != nil {
		return w.err
	}
	n := len(pcm) * w.format.Encoding.bytes()
	if w.size+int64(n) > maxData {
		w.err = ErrFull
		return w.err
	}
	if cap(w.buf) < n {
		w.buf = make([]byte, n)
	}
	b := w.buf[:n]
	switch w.format.Encoding {
	case MuLaw:
		for i, s := range pcm {
			b[i] = g711.EncodeUlawFrame(s)
		}
	case ALaw:
		for i, s := range pcm {
			b[i] = g711.EncodeAlawFrame(s)
		}
	default:
		for i, s := range pcm {
			binary.LittleEndian.PutUint16(b[2*i:], uint16(s))
		}
	}
	wrote, err := w.w.Write(b)
	w.size += int64(wrote)
	w.err = err
	return err
}

// Close puts the header right. It returns the first error of all.
func (w *Writer) Close() error {
	if w.err != nil && w.err != ErrFull {
		return w.err
	}
	if w.size%2 != 0 { // chunks have even lengths
		if _, err := w.w.Write([]byte{0}); err != nil {
			return err
		}
	}
	all := headerSize - chunkHeader + w.size + w.size%2
	for _, field := range []struct{ at, value int64 }{{riffAt, all}, {dataAt, w.size}} {
		if _, err := w.w.Seek(field.at, io.SeekStart); err != nil {
			return err
		}
		if err := binary.Write(w.w, binary.LittleEndian, uint32(field.value)); err != nil {
			return err
		}
	}
	if _, err := w.w.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	return w.err
}
