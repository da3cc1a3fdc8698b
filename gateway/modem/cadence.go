package modem

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"crosspoint/gateway/jack"
)

// A modem tells of a ring by RING, when it is over, whatever its length was. With
// ring cadence reports (+VDR of ITU-T V.253) it says how long each was, and each
// pause before one, in tenths of a second:
//
//	modem                driver
//	 |--DRON=8------------->|  RingOn, RingOff: it was 0.8 s
//	 |--DROF=4------------->|  RingOn
//	 |--DRON=8------------->|  RingOff
//	 |--RING--------------->|  half a second after the last: known already
//
// They are asked for only where somebody wants to know. Some modems say the pause
// before the first ring too, others tell all of a ring at its end.

const (
	// timed asks for reports, and a RING half a second after each ring beside them,
	// for a modem that takes the command and gives no reports. Half a second is in
	// the range of each (Conexant: 0 to 6).
	timed   = "AT+VDR=1,5"
	untimed = "AT+VDR=0,0"
	// reportedFor is how long after a report a RING stands for the same ring.
	reportedFor = 2 * time.Second
	// reportWait is how long after a RING its report may come, of a modem that says
	// RING as it begins.
	reportWait = 2500 * time.Millisecond
	// longPause is longer than the pauses between the rings of a call.
	longPause = 6500 * time.Millisecond
	// openBurst is how long a ring goes on at the most of which only the pause
	// before it was told.
	openBurst = 6 * time.Second
)

// cadence is how a modem tells of rings.
type cadence struct {
	wanted   bool      // somebody wants to know how long they are
	asked    bool      // the modem was told so, and has answered
	timed    bool      // it obeys
	owesUp   bool      // Up waits for its answer
	reported time.Time // when it gave a report last
	missing  time.Time // when the report of a RING is given up; zero: none is waited for
	silent   bool      // it obeys, but gives no reports
}

var reportLine = regexp.MustCompile(`^DR(ON|OF)\s*=\s*(\d{1,4})$`)

// TimeRings implements jack.RingTimer.
func (m *Modem) TimeRings(on bool) {
	m.inbox.Put(func() {
		m.cadence.wanted = on
		m.reconcile()
	})
}

// reporting is the setting of reports, if the modem has to be told.
func (m *Modem) reporting() (text string, needed bool) {
	switch {
	case m.cadence.wanted:
		return timed, true
	case m.cadence.asked:
		return untimed, true
	}
	return "", false
}

// askReports tells the modem, between calls, what is wanted by now.
func (m *Modem) askReports() {
	text, _ := m.reporting()
	m.order(text, answerWait, func(ok bool, _ []string) {
		m.reportsAsked(text, ok)
		m.rest()
	})
}

// reportsAsked notes how the modem took the setting.
func (m *Modem) reportsAsked(text string, ok bool) {
	c := &m.cadence
	was := c.asked
	c.asked, c.timed = text == timed, text == timed && ok
	if c.asked && !c.timed && !was {
		m.log.Warn("modem " + m.Name() + ": it can't tell how long it rings (" + timed + " is refused): a line with several numbers needs another model, or a line card")
	}
	if c.owesUp && m.up {
		c.owesUp = false
		m.changed(jack.Change{What: jack.Up})
	}
}

// report takes a line that tells of a ring's length; false: it is none.
func (m *Modem) report(text string) bool {
	r := reportLine.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(text)))
	if r == nil {
		return false
	}
	tenths, _ := strconv.Atoi(r[2])
	d := time.Duration(tenths) * 100 * time.Millisecond
	if !m.up || m.offHook || !m.cadence.timed {
		return true
	}
	c := &m.cadence
	rests := time.Since(c.reported) > longPause
	if r[1] == "OF" && rests {
		return true // what was before a call is no part of it, and nothing may follow
	}
	c.reported, c.missing, c.silent = time.Now(), time.Time{}, false
	if r[1] == "OF" {
		m.ringEnds(0)
		m.ringBegins(d, openBurst)
		return true
	}
	if m.ringing.IsZero() {
		m.ringBegins(0, openBurst)
	}
	m.ringEnds(d)
	return true
}

// ringBegins tells of a ring after a pause, if its length is known, that is taken to
// last for a time if nothing tells its end.
func (m *Modem) ringBegins(pause, lasts time.Duration) {
	m.ringing = time.Now().Add(lasts)
	m.changed(jack.Change{What: jack.RingOn, For: pause})
}

// ringEnds tells of the end of a ring, if there is one, and how long it was, if that
// is known.
func (m *Modem) ringEnds(d time.Duration) {
	if !m.ringing.IsZero() {
		m.ringing = time.Time{}
		m.changed(jack.Change{What: jack.RingOff, For: d})
	}
}

// rung takes a RING: of a ring that no report has told of, it is all there is.
func (m *Modem) rung() {
	c := &m.cadence
	switch {
	case !m.up:
	case c.timed && !c.silent && time.Since(c.reported) < reportedFor:
	case !m.ringing.IsZero():
		m.ringing = time.Now().Add(ringBurst)
	case !c.timed || c.silent:
		m.ringBegins(0, ringBurst)
	case c.missing.IsZero():
		c.missing = time.Now().Add(reportWait)
	}
}

// noReport takes a ring for what RING says, since no report has come.
func (m *Modem) noReport() {
	m.cadence.missing, m.cadence.silent = time.Time{}, true
	m.log.Warn("modem " + m.Name() + ": it takes " + timed + ", and does not tell how long it rings: a line with several numbers needs another model, or a line card")
	m.ringBegins(0, ringBurst)
}
