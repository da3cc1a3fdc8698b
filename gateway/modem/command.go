package modem

import (
	"strings"
	"time"
)

// A command is one line to the modem, and what to do with its answer.
type command struct {
	text string
	wait time.Duration
	// then is called once: ok tells how the modem answered; lines are what it
	// said before.
	then  func(ok bool, lines []string)
	lines []string
}

// final are the results that end a command. Others are of no use to us.
var final = map[string]bool{
	"OK": true, "CONNECT": true, "VCON": true,
	"ERROR": false, "NO CARRIER": false, "BUSY": false, "NO ANSWER": false, "NO DIALTONE": false, "NO DIAL TONE": false,
	"NO LINE": false, "LINE IN USE": false, "DELAYED": false, "BLACKLISTED": false,
}

// result reads the end of an answer. Some modems put a stray character or two
// of an event before it ("uOK").
func result(line string) (ok, is bool) {
	line = strings.ToUpper(strings.TrimSpace(line))
	if strings.HasPrefix(line, "CONNECT") {
		return true, true
	}
	if ok, is = final[line]; is {
		return ok, true
	}
	for _, word := range []string{"OK", "ERROR", "CONNECT"} {
		if strings.HasSuffix(line, word) && len(line)-len(word) <= 2 {
			return word != "ERROR", true
		}
	}
	return false, false
}

// echo tells that a line is our own, however garbled: modems have been seen to
// swap its first letters before ATE0 is obeyed.
func echo(line string) bool {
	line = strings.ToUpper(line)
	return strings.HasPrefix(line, "AT") || strings.HasPrefix(line, "TA")
}

// order queues a command.
func (m *Modem) order(text string, wait time.Duration, then func(ok bool, lines []string)) {
	m.orders = append(m.orders, command{text: text, wait: wait, then: then})
	if len(m.orders) == 1 {
		m.transmit()
	}
}

func (m *Modem) transmit() {
	c := &m.orders[0]
	m.link.send(c.text + "\r")
	m.expires = time.Now().Add(c.wait)
}

// answered ends the command under way.
func (m *Modem) answered(ok bool) {
	if len(m.orders) == 0 {
		return // of what woke the modem
	}
	c := m.orders[0]
	m.orders = append(m.orders[:0], m.orders[1:]...)
	m.expires = time.Time{}
	m.log.Debug("modem", "command", c.text, "ok", ok, "answer", c.lines)
	before := len(m.orders)
	c.then(ok, c.lines)
	if before > 0 && len(m.orders) > 0 && m.expires.IsZero() && m.link != nil {
		m.transmit()
	}
}

// overdue gives the modem up: it did not answer a command.
func (m *Modem) overdue() {
	m.part("it did not answer " + m.orders[0].text)
}
