package modem

import (
	"strings"
	"time"

	"crosspoint/gateway/jack"
)

// line takes a line of text (sink).
func (m *Modem) line(text string) {
	now := time.Now()
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "RING") {
		m.rung()
		return
	}
	if m.report(text) || m.caller.take(text, now) {
		return
	}
	ok, is := result(text)
	switch {
	case m.state == waking:
		if is && ok {
			m.become(settling)
			m.next = now.Add(settleTime)
		}
	case m.state == settling:
	case m.state == stopping && is:
		m.stopped()
	case m.state == starting && is && ok && !strings.Contains(strings.ToUpper(text), "CONNECT"):
		// an OK that was meant for an earlier command
	case is:
		m.answered(ok)
	case len(m.orders) > 0 && !echo(text):
		if c := &m.orders[0]; len(c.lines) < 64 {
			c.lines = append(c.lines, text)
		}
	}
}

// event takes what followed a DLE (sink), V.253 table 18 and what makers have
// added to it.
func (m *Modem) event(code byte) {
	switch code {
	case etx, '^':
		if m.decoder.data {
			m.decoder.command()
			if m.state == streaming { // the modem has ended the stream by itself; an answer follows
				m.stops = 1
				m.become(stopping)
				m.next = time.Now().Add(stopWait)
			}
		}
		return
	case 'u':
		m.talk.underrun()
		return
	case 'o':
		m.talk.overrun()
		return
	}
	if !m.up {
		return
	}
	m.log.Debug("modem", "event", string(rune(code)))
	switch code {
	case 'R':
		if !m.offHook {
			m.rung()
		}
	case 'l':
		m.changed(jack.Change{What: jack.LoopDrop})
	case 'L':
		m.turned = !m.turned
		m.changed(jack.Change{What: jack.Polarity})
	case 'd', 'i':
		if !m.family.liesDialTone {
			m.hears(jack.DialTone)
		}
	case 'b':
		m.hears(jack.BusyTone)
	case 'K':
		m.hears(jack.CongestionTone)
	case 'r':
		m.hears(jack.RingbackTone)
	}
}

func (m *Modem) hears(t jack.Tone) { m.changed(jack.Change{What: jack.Heard, Tone: t}) }

// tellCaller tells of the caller ID that has come.
func (m *Modem) tellCaller() {
	c := m.caller
	m.caller = caller{}
	if m.up {
		m.changed(jack.Change{What: jack.CallerID, Caller: c.Caller})
	}
}
