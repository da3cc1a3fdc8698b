package linesim

import (
	"strings"

	"crosspoint/media/g711"
	"crosspoint/media/tone"
)

// modemCodec is one octet a sample, both ways.
type modemCodec interface {
	EncodeSample(int16) byte
	DecodeSample(byte) int16
}

var (
	muLaw     modemCodec = g711.MuLaw
	aLaw      modemCodec = g711.ALaw
	signed8   modemCodec = linear8(0)
	unsigned8 modemCodec = linear8(0x80)
)

// linear8 is 8-bit linear; its value is the code of silence.
type linear8 byte

func (l linear8) EncodeSample(s int16) byte { return byte(s>>8) ^ byte(l) }
func (l linear8) DecodeSample(c byte) int16 { return int16(c^byte(l)) << 8 }

// codings are what the modem offers.
func (m *Modem) codings() []modemCoding {
	if m.has(NoCompanding) {
		return []modemCoding{{128, "8-BIT LINEAR", unsigned8}}
	}
	return m.dialect.vsm
}

// codec is the compression that is set.
func (m *Modem) codec() modemCodec {
	for _, c := range m.codings() {
		if c.number == m.vsm && c.codec != nil {
			return c.codec
		}
	}
	return muLaw
}

// begin starts a stream; false: ERROR.
func (m *Modem) begin(mode modemMode) bool {
	if !m.voice {
		return false
	}
	m.say("CONNECT")
	m.mode, m.ending, m.started, m.play = mode, false, false, m.play[:0]
	m.parser = modemParser{}
	m.sense.spoken = m.clock
	return true
}

// octet takes an octet of a stream.
func (m *Modem) octet(c byte) {
	p := &m.parser
	if !p.shield {
		if c == modemDLE {
			p.shield = true
			return
		}
		p.pairs = 0
		m.code(c)
		return
	}
	p.shield = false
	switch c {
	case modemDLE:
		p.pairs++
		m.code(modemDLE)
		return
	case modemSUB:
		m.code(modemDLE)
		m.code(modemDLE)
	case modemETX:
		if m.has(TripleStop) && p.pairs == 0 {
			break
		}
		m.endOf(playing, duplex)
	case '!':
		m.endOf(recording)
	case '^':
		if !m.has(TripleStop) {
			m.endOf(duplex)
		}
	case modemCAN:
		m.play = m.play[:0]
		m.endOf(playing)
	}
	p.pairs = 0
}

// code takes a sample to be played.
func (m *Modem) code(c byte) {
	if m.mode == playing || m.mode == duplex {
		m.play = append(m.play, c)
		m.started = true
	}
}

// endOf ends the stream if it is one of these.
func (m *Modem) endOf(modes ...modemMode) {
	for _, mode := range modes {
		if m.mode != mode {
			continue
		}
		if mode == playing { // what has come is played first
			m.ending = true
			return
		}
		m.mode, m.play = commands, m.play[:0]
		if !m.has(SilentEnd) {
			m.tell(modemETX)
		}
		m.over()
	}
}

// over answers the end of a stream.
func (m *Modem) over() {
	m.parser = modemParser{}
	if m.has(StrayU) {
		m.send([]byte("u"))
	}
	m.say("OK")
}

// sound is what the modem puts on the line in a step: samples of the host, or
// tones of its own.
func (m *Modem) sound() {
	if m.mode == playing || m.mode == duplex {
		m.playOut()
		return
	}
	n := 0
	for n < len(m.in) {
		switch {
		case m.keys.Busy():
			n += m.keys.Read(m.in[n:])
		case m.beep.Playing():
			n += m.beep.Read(m.in[n:])
		case len(m.beeps) > 0:
			m.beep.Start(m.beeps[0])
			m.beeps = m.beeps[1:]
		default:
			if m.sounding && m.clock >= m.flash {
				m.sounding = false
				m.say("OK")
			}
			return
		}
	}
}

// playOut plays what the host has sent. When there is nothing, the host is
// told, at most each 100 ms.
func (m *Modem) playOut() {
	n := min(len(m.in), len(m.play))
	codec := m.codec()
	for i, c := range m.play[:n] {
		m.in[i] = codec.DecodeSample(c)
	}
	m.play = m.play[:copy(m.play, m.play[n:])]
	switch {
	case n == len(m.in):
	case m.ending:
		m.ending, m.mode = false, commands
		m.over()
	case m.started && m.clock-m.short >= 800:
		m.short = m.clock
		m.tell('u')
	}
}

// record sends what the line says.
func (m *Modem) record() {
	codec := m.codec()
	shielded := make([]byte, 0, 2*stepSamples)
	for _, s := range m.out {
		c := codec.EncodeSample(s)
		if c == modemDLE {
			shielded = append(shielded, modemDLE)
		}
		shielded = append(shielded, c)
	}
	m.send(shielded)
	if m.has(FalseDialTone) && m.clock%16000 < stepSamples {
		m.tell('d')
	}
}

// modemDial is a call that the modem makes or answers by itself (ATD, ATA).
type modemDial struct {
	state  dialState
	digits string
	at     uint64    // clock as the state began
	hears  tone.Kind // of the exchange, the latest
	rings  bool      // ringback was heard
	quiet  uint64    // clock since which there is no ringback
}

type dialState uint8

const (
	dialNone      dialState = iota
	dialTone                // waits for dial tone
	dialDigits              // sends the number
	dialWaiting             // for the answer
	dialAnswering           // ATA
)

// startDial is ATD. A ';' at its end goes back to commands after the digits.
func (m *Modem) startDial(digits string) bool {
	if strings.Trim(digits, "0123456789*#ABCD,W-!@;") != "" {
		return false
	}
	m.lift()
	m.sense.ear.Reset()
	m.sense.ear.ExpectDial()
	m.dial = modemDial{state: dialTone, digits: strings.NewReplacer("!", "", "@", "", ";", "").Replace(digits), at: m.clock}
	return true
}

// dialOn goes on with the call.
func (m *Modem) dialOn() {
	d := &m.dial
	waited := m.clock - d.at
	end := func(text string) {
		if text != "VCON" {
			m.hangUp()
		}
		m.dial = modemDial{}
		m.say("%s", text)
	}
	switch d.state {
	case dialTone:
		switch {
		case d.hears == tone.Dial:
			_ = m.keys.Dial(d.digits) // of digits that were checked
			d.state, d.at = dialDigits, m.clock
		case waited > 5*8000:
			end("NO DIALTONE")
		}
	case dialDigits:
		if !m.keys.Busy() {
			m.sense.ear.Reset()
			d.state, d.at, d.hears = dialWaiting, m.clock, 0
		}
	case dialWaiting:
		switch {
		case d.hears == tone.Busy || d.hears == tone.Congestion:
			end("BUSY")
		case d.hears == tone.Voice, d.rings && d.quiet > 0 && m.clock-d.quiet > 8000:
			end("VCON")
		case waited > 60*8000:
			end("NO ANSWER")
		}
	case dialAnswering:
		if waited > 8000/2 {
			end("VCON")
		}
	}
}
