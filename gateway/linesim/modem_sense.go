package linesim

import (
	"fmt"

	"crosspoint/gateway/callerid"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// modemSense is what the modem notices of its line.
type modemSense struct {
	ring     settled
	ringEnd  uint64 // clock of the last ring's end
	rung     bool
	polarity settled
	lost     int // steps without loop current
	ear      *tone.Detector
	keys     *dtmf.Detector
	receiver *callerid.Receiver
	display  display
	silent   int    // steps of silence while on-hook
	spoken   uint64 // clock as anything was last heard, off-hook
}

// rang tells that the line rang in the last 6 s.
func (s *modemSense) rang(clock uint64) bool { return s.rung && clock-s.ringEnd < 6*8000 }

// watch tells the host what happens on the line.
func (m *Modem) watch() {
	s, l := &m.sense, m.line
	if m.takeID() {
		return
	}
	if s.ring.see(l.ringVoltage, debounce) && !m.offHook {
		m.tellRing(s.ring.now)
	}
	m.ringLater()
	turned := l.battery && s.polarity.see(l.reversed, debounce)
	if !m.offHook {
		m.receiveCallerID()
		return
	}
	s.receiver = nil
	if m.voice && turned {
		m.tell('L')
	}
	m.watchLoop()
	m.listen()
}

func (m *Modem) watchLoop() {
	s := &m.sense
	if !m.line.battery {
		s.lost++
		return
	}
	if s.lost >= 8 && m.voice && !m.has(NoLoopEvents) {
		m.tell('l')
	}
	s.lost = 0
}

// listen tells of tones and digits.
func (m *Modem) listen() {
	for _, e := range m.sense.keys.Detect(m.out[:]) {
		if e.Down && m.voice && m.clock >= m.deaf {
			m.tell(e.Digit)
		}
	}
	for _, e := range m.sense.ear.Detect(m.out[:]) {
		d := &m.dial
		if e.On {
			d.hears = e.Kind
		}
		if e.Kind == tone.Ringback {
			d.rings = true
			d.quiet = 0
			if !e.On {
				d.quiet = m.clock
			}
		}
		code, known := map[tone.Kind]byte{tone.Dial: 'd', tone.Busy: 'b', tone.Congestion: 'K', tone.Ringback: 'r',
			tone.Answer: 'a', tone.FaxCalling: 'c', tone.SIT: 'J'}[e.Kind]
		if e.On && known && m.voice && m.dial.state == dialNone {
			m.tell(code)
		}
	}
}

// takeID has a modem that knows the Japanese standard answer the activation
// signal by itself; its host learns of the message only. True: it is at it.
func (m *Modem) takeID() bool {
	s, l := &m.sense, m.line
	if m.offHook || !m.callerID || !l.idKind.PrimaryAnswer() || !m.knows(l.idKind) {
		s.display = display{}
		return false
	}
	if s.display.taking {
		if id, ok, _ := s.display.take(m.out[:]); ok {
			m.tellCaller(id)
		}
		return true
	}
	bell, primary := s.display.rings(l.ringVoltage)
	return primary || l.ringVoltage && !bell
}

// receiveCallerID listens between the rings while there is something to hear.
func (m *Modem) receiveCallerID() {
	s := &m.sense
	s.silent++
	for _, v := range m.out {
		if v > 32 || v < -32 {
			s.silent = 0
			break
		}
	}
	if s.silent > 100 || m.line.ringVoltage {
		s.receiver = nil
		return
	}
	if s.receiver == nil {
		s.receiver = callerid.NewReceiver()
	}
	if id, ok := s.receiver.Receive(m.out[:]); ok && m.callerID && m.knows(m.line.idKind) {
		m.tellCaller(id)
	}
}

// tellCaller sends the lines of a formatted caller ID (V.253 §9.2.3).
func (m *Modem) tellCaller(id callerid.CallerID) {
	field := func(name, value string, absent callerid.Absence) {
		if value == "" && absent != 0 {
			value = string(rune(absent))
		}
		if value != "" {
			m.say("%s%s%s", name, m.dialect.field, value)
		}
	}
	if id.Time != (callerid.Time{}) {
		field("DATE", fmt.Sprintf("%02d%02d", id.Time.Month, id.Time.Day), 0)
		field("TIME", fmt.Sprintf("%02d%02d", id.Time.Hour, id.Time.Minute), 0)
	}
	number := id.NumberAbsent
	if id.Number == "" && number == 0 {
		number = callerid.Unavailable
	}
	field("NMBR", id.Number, number)
	field("NAME", id.Name, id.NameAbsent)
}
