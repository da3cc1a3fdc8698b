package modem

// Octets that V.253 §8 gives a meaning in data.
const (
	dle = 0x10
	sub = 0x1a // after dle: two dle of data
	etx = 0x03 // after dle: the end of the data
	can = 0x18 // after dle: what is buffered is thrown away
)

// sink takes what a decoder finds.
type sink interface {
	sample(code byte) // data
	event(code byte)  // what followed a DLE
	line(text string) // an answer, without its end
}

// maxLine is the longest answer that is kept; no modem sends longer ones.
const maxLine = 256

// A decoder parts what a modem sends into data, events and lines of text. The
// zero value reads text.
type decoder struct {
	data   bool // data flows; else text
	shield bool // the octet before was DLE
	text   []byte
	tail   [6]byte // of the data: an OK that no DLE ETX announced
	first  bool    // the next octet may be the LF of the line that began the data
}

// stream begins to read data, and command to read text.
func (d *decoder) stream()  { *d = decoder{data: true, first: true, text: d.text[:0]} }
func (d *decoder) command() { *d = decoder{text: d.text[:0]} }

// feed takes octets in any pieces. The sink may switch between data and text
// while it is told something.
func (d *decoder) feed(p []byte, to sink) {
	for _, c := range p {
		first := d.first
		d.first = false
		switch {
		case first && c == '\n':
		case d.shield:
			d.shield = false
			d.code(c, to)
		case c == dle:
			d.shield = true
		case d.data:
			d.tail = [6]byte{d.tail[1], d.tail[2], d.tail[3], d.tail[4], d.tail[5], c}
			to.sample(c)
		default:
			d.letter(c, to)
		}
	}
}

// code takes what follows a DLE.
func (d *decoder) code(c byte, to sink) {
	if d.data && c == dle {
		to.sample(dle)
		return
	}
	if d.data && c == sub {
		to.sample(dle)
		to.sample(dle)
		return
	}
	if c == dle { // the second of a pair begins nothing in text
		return
	}
	to.event(c)
}

// letter takes an octet of text. A line ends by CR, LF or both.
func (d *decoder) letter(c byte, to sink) {
	switch {
	case c == '\r' || c == '\n':
		if len(d.text) > 0 {
			line := string(d.text)
			d.text = d.text[:0]
			to.line(line)
		}
	case c < ' ' || c > '~': // XON, XOFF, noise of a bad cable
	case len(d.text) < maxLine:
		d.text = append(d.text, c)
	}
}

// ok tells that the data of late is an OK: the modem has left the stream
// without a word.
func (d *decoder) ok() bool { return d.tail == [6]byte{'\r', '\n', 'O', 'K', '\r', '\n'} }

// appendShielded appends data to be sent, each DLE doubled.
func appendShielded(to, data []byte) []byte {
	for _, c := range data {
		if c == dle {
			to = append(to, dle)
		}
		to = append(to, c)
	}
	return to
}
