package modem

import (
	"time"

	"crosspoint/gateway/jack"
)

// The methods of jack.Port. What a modem cannot do, because its line faces an
// exchange, does nothing.

// Name implements jack.Port.
func (m *Modem) Name() string {
	if m.cfg.Device == "" {
		return m.cfg.Name
	}
	return m.cfg.Name + " (" + m.cfg.Device + ")"
}

// Kind implements jack.Port: a modem is an FXO port.
func (m *Modem) Kind() jack.Kind { return jack.FXO }

// Attach implements jack.Port.
func (m *Modem) Attach(h jack.Handler) {
	m.inbox.Put(func() {
		m.handler = h
		switch {
		case !m.up:
		case m.cadence.wanted != m.cadence.asked:
			m.cadence.owesUp = true
		default:
			m.changed(jack.Change{What: jack.Up})
		}
	})
}

// SetHook implements jack.Port. The stream of audio begins as the modem is
// off-hook: Changed then reports OffHook.
func (m *Modem) SetHook(offHook bool) {
	m.inbox.Put(func() {
		m.want.offHook, m.want.refused = offHook, false
		m.want.flash = 0
		m.reconcile()
	})
}

// FlashHook implements jack.Port. The modem breaks the loop by itself, outside
// of the stream, which rests for that time. Pulses of a dial are too short for
// that: a line on a modem dials by tones.
func (m *Modem) FlashHook(d time.Duration) {
	m.inbox.Put(func() {
		if m.want.offHook {
			m.want.flash = d
			m.reconcile()
		}
	})
}

// SetAudio implements jack.Port. A modem has no audio while it is on-hook.
func (m *Modem) SetAudio(on bool) { m.inbox.Put(func() { m.want.audio = on }) }

// SetRing implements jack.Port.
func (m *Modem) SetRing(bool, []time.Duration) {}

// SetReversed implements jack.Port.
func (m *Modem) SetReversed(bool) {}

// DropLoop implements jack.Port.
func (m *Modem) DropLoop(time.Duration) {}

// ReadsCallerID implements jack.Reader.
func (m *Modem) ReadsCallerID() bool { return true }
