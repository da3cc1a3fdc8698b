package callerid

import (
	"fmt"

	"crosspoint/media/dtmf"
	"crosspoint/media/fsk"
)

const (
	longest   = 2 + 255 + 1 // bytes of a message
	memory    = 2 * longest // characters kept: seizure and noise come before the message
	preamble  = 20          // bits of mark by which the beginning of a message is known for an error's sake
	maxDigits = 64
)

// A Receiver finds a caller ID in what an idle line says. It knows all the
// standards of this package and needs not be told which one: it listens for
// Bell 202, V.23 and DTMF at once. It belongs to one goroutine and allocates
// only for what it finds. Make it with NewReceiver.
type Receiver struct {
	modems [2]listener
	dtmf   *dtmf.Detector
	digits []byte
	done   bool
	err    error // the best account of what went wrong so far
}

// A listener is one modem with what it has heard.
type listener struct {
	modem *fsk.Demodulator
	name  string
	heard []byte
	begun int // characters since the one that followed the marks, that one included; 0: none yet
	ntt   frameNTT
}

// NewReceiver is a Receiver that has heard nothing.
func NewReceiver() *Receiver {
	r := &Receiver{dtmf: dtmf.NewDetector(dtmf.Limits{}), digits: make([]byte, 0, maxDigits)}
	for i, s := range []fsk.Standard{fsk.Bell202, fsk.V23} {
		r.modems[i] = listener{modem: fsk.NewDemodulator(s, 0), name: s.Name, heard: make([]byte, 0, memory),
			ntt: frameNTT{octets: make([]byte, 0, nttLongest+3)}}
	}
	return r
}

// Receive takes the next samples, any number of them. ok is true once: when a
// message has been heard whole and right. After that nothing is listened to.
func (r *Receiver) Receive(pcm []int16) (id CallerID, ok bool) {
	if r.done {
		return CallerID{}, false
	}
	for i := range r.modems {
		m := &r.modems[i]
		for _, c := range m.modem.Demodulate(pcm) {
			id, ok := m.take(c)
			if !ok {
				id, ok = r.frame(m, c.Value)
			}
			if ok {
				r.done = true
				return id, true
			}
			r.blame(m)
		}
	}
	for _, e := range r.dtmf.Detect(pcm) {
		if !e.Down {
			continue
		}
		if id, ok := r.digit(e.Digit); ok {
			r.done = true
			return id, true
		}
	}
	return CallerID{}, false
}

// Err tells why there is no caller ID, as far as the signal said: it wraps
// ErrChecksum, ErrTruncated, ErrFormat or ErrNothing. It is nil after a
// success, and is asked when no more can come: at the second ring, or when the
// wait is over.
func (r *Receiver) Err() error {
	switch {
	case r.done:
		return nil
	case r.err != nil:
		return r.err
	}
	for i := range r.modems {
		if m := &r.modems[i]; m.ntt.begun() { // which takes more to begin than others
			return fmt.Errorf("caller ID frame ends after %d characters (%s): %w", len(m.ntt.octets), m.name, ErrTruncated)
		}
	}
	for i := range r.modems {
		if m := &r.modems[i]; m.begun > 0 {
			return m.cut()
		}
	}
	if len(r.digits) > 0 {
		return fmt.Errorf("caller ID digits %q have no C or # at their end: %w", r.digits, ErrTruncated)
	}
	return fmt.Errorf("caller ID: %w", ErrNothing)
}

// Failed is what was wrong with a message that came to its end; nil if none
// has. The exchange has no more to say then.
func (r *Receiver) Failed() error {
	if r.done {
		return nil
	}
	return r.err
}

// Reset forgets everything: the line is to be heard anew.
func (r *Receiver) Reset() { *r = *NewReceiver() }

// take adds a character. A message is where its own length and checksum say it
// is, whatever noise preceded it.
func (m *listener) take(c fsk.Char) (CallerID, bool) {
	if len(m.heard) == memory {
		m.heard = m.heard[:copy(m.heard, m.heard[memory-longest:])]
	}
	m.heard = append(m.heard, c.Value)
	if c.Idle >= preamble && known(c.Value) {
		m.begun = 1
	} else if m.begun > 0 {
		m.begun++
	}
	for from := max(0, len(m.heard)-longest); from < len(m.heard)-2; from++ {
		b := m.heard[from:]
		if !known(b[0]) || 2+int(b[1])+1 != len(b) {
			continue
		}
		if id, err := Parse(b); err == nil {
			return id, true
		}
	}
	return CallerID{}, false
}

// frame adds a character to what may be a frame of NTT.
func (r *Receiver) frame(m *listener, c byte) (CallerID, bool) {
	if !m.ntt.take(c) {
		return CallerID{}, false
	}
	id, err := parseNTT(m.ntt.octets)
	m.ntt.reset()
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w (%s)", err, m.name)
	}
	return id, err == nil
}

// blame notes what is wrong with the message that has just ended, if one has.
func (r *Receiver) blame(m *listener) {
	if m.begun < 3 || m.begun > len(m.heard) {
		return
	}
	b := m.heard[len(m.heard)-m.begun:]
	if 2+int(b[1])+1 != len(b) {
		return
	}
	if _, err := Parse(b); err != nil && r.err == nil {
		r.err = fmt.Errorf("%w (%s)", err, m.name)
	}
}

// cut is the error of a message that did not come to its end.
func (m *listener) cut() error {
	n := min(m.begun, len(m.heard))
	b := m.heard[len(m.heard)-n:]
	if len(b) < 2 {
		return fmt.Errorf("caller ID of %d bytes (%s): %w", len(b), m.name, ErrTruncated)
	}
	_, err := Parse(b)
	if err == nil {
		return fmt.Errorf("caller ID (%s): %w", m.name, ErrFormat)
	}
	return fmt.Errorf("%w (%s)", err, m.name)
}

// digit adds a DTMF digit. The letters that begin a caller ID begin it anew.
func (r *Receiver) digit(d byte) (CallerID, bool) {
	begins := d == 'A' || d == 'D' || d == 'B'
	if len(r.digits) == 0 && !begins || len(r.digits) == maxDigits {
		r.digits = r.digits[:0]
		return CallerID{}, false
	}
	r.digits = append(r.digits, d)
	if d != 'C' && d != '#' {
		return CallerID{}, false
	}
	id, err := ParseDTMF(string(r.digits))
	if err != nil && r.err == nil {
		r.err = err
	}
	r.digits = r.digits[:0]
	return id, err == nil
}
