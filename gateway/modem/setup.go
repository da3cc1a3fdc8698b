package modem

import (
	"strings"
	"time"

	"crosspoint/gateway/jack"
)

// A setting is one line of what a modem is told as it is taken up.
type setting struct {
	text string
	// refusal is what is wrong if the modem answers ERROR; empty: nothing, for
	// not every modem has everything.
	refusal string
}

// identify asks the modem who it is.
var identify = []setting{
	{text: "ATE0"},
	{text: "ATQ0V1"},
	{text: "ATI3"},
	{text: "AT+GMI"},
	{text: "AT+GMM"},
	{text: "ATI"},
}

// setUp finds out what modem it is and what it can do, and tells it how to be.
func (m *Modem) setUp() {
	m.become(settingUp)
	var said []string
	for _, s := range identify {
		m.order(s.text, answerWait, func(ok bool, lines []string) {
			if ok {
				said = append(said, lines...)
			}
		})
	}
	m.order("AT+FCLASS=8", answerWait, func(ok bool, _ []string) {
		m.family = recognise(said)
		m.model = model(said)
		if !ok {
			m.refuse("it has no voice mode (AT+FCLASS=8 is refused): it is a data or fax modem")
		}
	})
	m.order("AT+VSM=?", answerWait, func(ok bool, lines []string) {
		c, err := choose(lines)
		if err != nil {
			m.refuse(err.Error())
			return
		}
		m.coding = c
		m.configure(m.ready)
	})
}

// model is what a modem says of itself, for people: the first line that is
// more than a number.
func model(said []string) string {
	for _, s := range said {
		if s = strings.TrimSpace(s); strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'z' }) {
			return s
		}
	}
	return ""
}

// settings are the modem's in voice mode. They are given again after each
// call, for some modems forget them as they go on-hook.
func (m *Modem) settings() []setting {
	all := []setting{
		{"AT+FCLASS=8", "it has no voice mode any more (AT+FCLASS=8 is refused)"},
		{vsm(m.coding), "it refuses the compression that it offers (" + vsm(m.coding) + ")"},
		{text: "AT+VLS=0"},
		{text: "ATS0=0"}, // no answering by itself
		{text: "ATM0"},   // no loudspeaker
		{text: "AT&D2"},  // on-hook when the line to us breaks
		{text: m.family.silenceOff},
		{text: "AT+VGT=128"},
		{text: "AT+VGR=128"},
		{text: "AT+VIT=0"}, // no hanging up for want of data
		{text: "AT+VNH=1"}, // nor for anything else
	}
	if m.cfg.RTSCTS {
		all = append(all, setting{text: "AT+IFC=2,2"}, setting{text: "AT+FLO=2"}) // V.250, and IS-101 before it
	}
	if c := m.family.callerID[m.cfg.CallerID]; c != "" {
		all = append(all, setting{text: c})
	}
	if text, needed := m.reporting(); needed {
		all = append(all, setting{text: text})
	}
	return append(all, setting{text: "AT+VCID=1"})
}

// configure gives all settings, and then calls done.
func (m *Modem) configure(done func()) {
	for _, s := range m.settings() {
		m.order(s.text, answerWait, func(ok bool, _ []string) {
			switch {
			case s.text == timed || s.text == untimed:
				m.reportsAsked(s.text, ok)
			case ok:
			case s.refusal != "":
				m.refuse(s.refusal)
			case s.text == "AT+VCID=1":
				m.log.Info("modem gives no caller ID", "at", m.Name())
			}
		})
	}
	m.orders[len(m.orders)-1].then = after(m.orders[len(m.orders)-1].then, done)
}

func after(first func(bool, []string), done func()) func(bool, []string) {
	return func(ok bool, lines []string) { first(ok, lines); done() }
}

// ready takes the modem into service.
func (m *Modem) ready() {
	m.problem = ""
	first := !m.up
	m.up = true
	m.become(idle)
	if first {
		m.log.Info("modem in service", "at", m.Name(), "family", m.family.name, "model", m.model, "vsm", m.coding.number, "law", m.coding.law)
		m.changed(jack.Change{What: jack.Up})
	}
	m.publish()
	m.rest()
}

// rest waits for work.
func (m *Modem) rest() {
	m.next = time.Now().Add(alive)
	m.reconcile()
}

// refuse gives up a modem that cannot do what is needed, for a while.
func (m *Modem) refuse(why string) {
	m.orders, m.expires = nil, time.Time{}
	m.become(refused)
	m.next = time.Now().Add(refusedRetry)
	m.trouble(why)
	m.down()
}
