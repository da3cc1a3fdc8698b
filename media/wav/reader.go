package wav

import (
	"encoding/binary"
	"io"

	"github.com/zaf/g711"
)

// A Reader gives the samples of a WAV file, one block after the other.
type Reader struct {
	r      io.Reader
	format Format
	left   int64 // bytes of audio that the header promises; streams may say too much
	buf    []byte
}

const readBlock = 4096

// NewReader reads the header up to the first sample. An error that wraps
// ErrFormat says what is wrong with the file.
func NewReader(r io.Reader) (*Reader, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, notEOF(err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, bad("it does not begin with RIFF and WAVE")
	}
	rd := &Reader{r: r}
	for {
		id, size, err := chunk(r)
		if err != nil {
			return nil, notEOF(err)
		}
		switch id {
		case "fmt ":
			if err := rd.readFormat(size); err != nil {
				return nil, err
			}
		case "data":
			if rd.format.Channels == 0 {
				return nil, bad("its audio begins before its format is told")
			}
			rd.left = size
			if size == 0xffffffff || size == 0 {
				rd.left = 1<<63 - 1 // written by a program that could not seek back
			}
			return rd, nil
		default:
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return nil, notEOF(err)
			}
		}
	}
}

// chunk reads the name and size of the next chunk.
func chunk(r io.Reader) (id string, size int64, err error) {
	var b [chunkHeader]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", 0, err
	}
	return string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:])), nil
}

func (r *Reader) readFormat(size int64) error {
	body := make([]byte, min(size, extSize))
	if _, err := io.ReadFull(r.r, body); err != nil {
		return notEOF(err)
	}
	if _, err := io.CopyN(io.Discard, r.r, size+size&1-int64(len(body))); err != nil {
		return notEOF(err)
	}
	var err error
	r.format, err = parseFormat(body)
	return err
}

// Format is what the header says.
func (r *Reader) Format() Format { return r.format }

// Read fills pcm with the next samples, those of the channels in turn, and
// tells how many. At the end it returns io.EOF, also where the file has been
// cut off.
func (r *Reader) Read(pcm []int16) (int, error) {
	if r.buf == nil {
		r.buf = make([]byte, readBlock)
	}
	width := r.format.Encoding.bytes()
	total := 0
	for total < len(pcm) {
		want := min(int64(len(pcm)-total)*int64(width), int64(len(r.buf)), r.left)
		if want < int64(width) {
			break
		}
		n, err := io.ReadFull(r.r, r.buf[:want])
		r.left -= int64(n)
		total += r.decode(pcm[total:], r.buf[:n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			r.left = 0
		} else if err != nil {
			return total, err
		}
	}
	if total == 0 && len(pcm) > 0 {
		return 0, io.EOF
	}
	return total, nil
}

// decode turns the bytes of whole samples into linear ones.
func (r *Reader) decode(pcm []int16, b []byte) int {
	switch r.format.Encoding {
	case MuLaw:
		for i, c := range b {
			pcm[i] = g711.DecodeUlawFrame(c)
		}
		return len(b)
	case ALaw:
		for i, c := range b {
			pcm[i] = g711.DecodeAlawFrame(c)
		}
		return len(b)
	}
	n := len(b) / 2
	for i := range n {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return n
}
