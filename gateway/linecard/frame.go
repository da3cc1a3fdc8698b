package linecard

// Octets of RFC 1662 §4.2.
const (
	flagOctet   = 0x7e // begins and ends a frame
	escapeOctet = 0x7d // the next octet was XORed with flipOctet
	flipOctet   = 0x20
)

// MaxContent is the most octets of content that a frame carries: the media of
// 32 ports at 20 ms with some room for later minor versions (§3.1).
const MaxContent = 5400

const (
	fcsSize = 2
	fcsInit = 0xffff
	fcsGood = 0xf0b8 // RFC 1662 appendix C.1: the FCS over content and FCS
)

// fcsTable is the table of RFC 1662 appendix C.2 for x^16+x^12+x^5+1, least
// significant bit first.
var fcsTable = func() (t [256]uint16) {
	for i := range t {
		v := uint16(i)
		for range 8 {
			if v&1 != 0 {
				v = v>>1 ^ 0x8408
			} else {
				v >>= 1
			}
		}
		t[i] = v
	}
	return t
}()

func fcs(sum uint16, p []byte) uint16 {
	for _, b := range p {
		sum = sum>>8 ^ fcsTable[byte(sum)^b]
	}
	return sum
}

// AppendFrame appends content as one frame: flag, content and FCS-16 with
// octet stuffing, flag (§3.1). It allocates only to grow dst.
func AppendFrame(dst, content []byte) []byte {
	dst = append(dst, flagOctet)
	dst = appendStuffed(dst, content)
	sum := ^fcs(fcsInit, content)
	dst = appendStuffed(dst, []byte{byte(sum), byte(sum >> 8)}) // RFC 1662 §3.1: low octet first
	return append(dst, flagOctet)
}

func appendStuffed(dst, p []byte) []byte {
	for _, b := range p {
		if b == flagOctet || b == escapeOctet {
			dst = append(dst, escapeOctet, b^flipOctet)
		} else {
			dst = append(dst, b)
		}
	}
	return dst
}

// A Frame is what stood between two flags, without its FCS. Content is valid
// until the next call of the decoder.
type Frame struct {
	Content []byte
	Damaged bool // the FCS is wrong: only ParseMedia may still make sense of it
}

// FrameErrors counts what a Decoder has thrown away or found damaged.
type FrameErrors struct {
	BadFCS  uint64 // frames with a wrong frame check sequence
	Resyncs uint64 // aborted, too long or too short frames: the decoder waited for the next flag
}

// A Decoder finds the frames in a stream of octets. It resynchronises at each
// flag, trusts no length, and never fails. Its zero value is ready.
type Decoder struct {
	Errors  FrameErrors
	buf     [MaxContent + fcsSize]byte
	n       int
	escaped bool
	skip    bool // what comes until the next flag belongs to no frame
}

// Next consumes octets of in up to the end of a frame and returns the frame
// and the octets not yet looked at. A nil Content means that in held no end of
// frame. It does not allocate.
func (d *Decoder) Next(in []byte) (Frame, []byte) {
	for i, b := range in {
		switch {
		case b == flagOctet:
			if f, ok := d.end(); ok {
				return f, in[i+1:]
			}
		case d.skip:
		case b == escapeOctet && !d.escaped:
			d.escaped = true
		case d.n == len(d.buf):
			d.skip = true
		default:
			if d.escaped {
				b ^= flipOctet
				d.escaped = false
			}
			d.buf[d.n] = b
			d.n++
		}
	}
	return Frame{}, nil
}

// end takes what stands before a flag. Flags may stand together or be shared
// by two frames (RFC 1662 §4.1).
func (d *Decoder) end() (Frame, bool) {
	n, broken := d.n, d.skip || d.escaped
	d.n, d.skip, d.escaped = 0, false, false
	if n == 0 && !broken {
		return Frame{}, false
	}
	if broken || n < headerSize+fcsSize {
		d.Errors.Resyncs++
		return Frame{}, false
	}
	f := Frame{Content: d.buf[: n-fcsSize : n-fcsSize]}
	if fcs(fcsInit, d.buf[:n]) != fcsGood {
		d.Errors.BadFCS++
		f.Damaged = true
	}
	return f, true
}

// Reset forgets a frame begun, as after the line was opened anew.
func (d *Decoder) Reset() { d.n, d.escaped, d.skip = 0, false, false }
