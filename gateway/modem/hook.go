package modem

import (
	"fmt"
	"strconv"
	"time"

	"crosspoint/gateway/jack"
)

// The way of a call through the states:
//
//	driver            modem
//	  |---AT+VLS=1----->|  lifting
//	  |<------OK--------|
//	  |----AT+VTR------>|  starting
//	  |<----CONNECT-----|  streaming: OffHook
//	  |<====samples====>|
//	  |-----DLE ^------>|  stopping
//	  |<--DLE ETX, OK---|
//	  |---AT+VLS=0----->|  dropping, and the settings again
//	  |<------OK--------|  idle

// reconcile goes on towards what is wanted, if nothing is under way.
func (m *Modem) reconcile() {
	if len(m.orders) > 0 {
		return
	}
	switch m.state {
	case idle:
		switch {
		case m.closing:
			m.part("")
		case m.want.offHook && !m.want.refused:
			m.lift()
		case m.cadence.wanted != m.cadence.asked:
			m.askReports()
		}
	case streaming:
		if !m.want.offHook || m.want.flash > 0 {
			m.stops = 0
			m.become(stopping)
			m.stop()
		}
	}
}

func (m *Modem) lift() {
	m.become(lifting)
	m.order("AT+VLS=1", hookWait, func(ok bool, _ []string) {
		if !ok {
			m.log.Warn(fmt.Sprintf("modem %s: it refuses to go off-hook (AT+VLS=1): is another telephone on the line in use?", m.Name()))
			m.want.refused = true
			m.drop()
			return
		}
		m.offHook = true
		m.ringEnds(0)
		m.start()
	})
}

// start begins the stream, unless the gateway has changed its mind.
func (m *Modem) start() {
	if !m.want.offHook {
		m.drop()
		return
	}
	m.become(starting)
	m.order("AT+VTR", hookWait, func(ok bool, _ []string) {
		if !ok {
			m.refuse("it has no duplex audio (AT+VTR is refused): a call over it would be heard one way only; use another model")
			return
		}
		m.become(streaming)
		m.talk.begin(m.link, m.coding.law)
		m.decoder.stream()
		m.changed(jack.Change{What: jack.OffHook})
		m.reconcile()
	})
}

// stop ends the stream. What a modem overhears is asked for otherwise: a plain
// end of data, one with another DLE before it, an abort.
func (m *Modem) stop() {
	ends := [stopTries]string{"\x10^", "\x10\x03", "\x10\x10\x10\x03", "\x10\x18\x10!"}
	if m.stops == stopTries {
		m.part("it does not end its stream")
		return
	}
	m.link.send(ends[m.stops])
	m.stops++
	m.next = time.Now().Add(stopWait)
}

// stopped goes on after the end of a stream, whoever wanted it.
func (m *Modem) stopped() {
	m.decoder.command()
	switch {
	case !m.want.offHook:
		m.drop()
	case m.want.flash > 0:
		m.flash()
	default: // the modem's own idea
		m.start()
	}
}

// flash breaks the loop. Register S29 is the length in units of 10 ms, where
// there is one.
func (m *Modem) flash() {
	m.become(flashing)
	units := int(m.want.flash / (10 * time.Millisecond))
	m.want.flash = 0
	m.order("ATS29="+strconv.Itoa(min(max(units, 1), 255)), answerWait, func(bool, []string) {})
	m.order("AT+VTS=!", hookWait, func(ok bool, _ []string) {
		if !ok {
			m.log.Warn(fmt.Sprintf("modem %s: it cannot flash (AT+VTS=! is refused)", m.Name()))
		}
		m.start()
	})
}

// drop goes on-hook.
func (m *Modem) drop() {
	m.become(dropping)
	m.order("AT+VLS=0", hookWait, func(ok bool, _ []string) {
		if !ok { // as good, where there is no voice mode any more
			m.order("ATH", hookWait, func(bool, []string) { m.dropped() })
			return
		}
		m.dropped()
	})
}

func (m *Modem) dropped() {
	m.offHook, m.turned = false, false
	if m.closing {
		m.part("")
		return
	}
	m.configure(m.ready)
}

func vsm(c coding) string { return fmt.Sprintf("AT+VSM=%d,8000", c.number) }
