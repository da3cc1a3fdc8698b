package lab

import (
	"strings"
	"time"

	"crosspoint/gateway/jack"
)

// A townPerson is at the town's end of an FXO line: called as 71 and so on,
// by the place in the cast, or calling what the line is for. The town's exchange tells
// tones as hardware does that hears them by itself, and the answer by polarity.
type townPerson struct {
	l      *Lab
	w      *pair
	line   string
	code   byte
	inUse  bool // hears busy tone who calls
	absent bool // hears congestion tone who calls
	town   town
}

// town is what the town's exchange does with its line. It belongs to the pair.
type town struct {
	calling bool      // rings our line, or has been answered here
	lifted  time.Time // when the call began in which
	dialled bool      // what we dialled is known
}

func (p *townPerson) name() string { return p.line }
func (p *townPerson) mark() byte   { return p.code }

func (p *townPerson) doing() string {
	state := lineState(p.l, p.line)
	switch first, _, _ := strings.Cut(state, " "); first {
	case "calling":
		if t := p.now(); t.dialled && !p.inUse && !p.absent {
			return rings
		}
	case "talking":
		return talks
	case "ringing,":
		if p.now().calling {
			return waits
		}
	}
	return idle
}

func (p *townPerson) now() (t town) {
	p.w.set(func() { t = p.town })
	return t
}

func (p *townPerson) hooked() (at time.Time) {
	p.w.set(func() { at = p.w.hooked })
	return at
}

func (p *townPerson) call(string) {
	p.w.set(func() { p.town.calling = true })
	p.w.report(jack.Change{What: jack.RingOn})
}

func (p *townPerson) answer() {
	if p.doing() == rings {
		p.w.report(jack.Change{What: jack.Polarity})
	}
}

// hangUp: whoever is rung does not want the call, and the caller hears busy tone.
func (p *townPerson) hangUp() {
	is := p.doing()
	p.w.set(func() { p.town.calling = false })
	switch is {
	case rings:
		p.w.report(jack.Change{What: jack.Heard, Tone: jack.BusyTone})
	case talks:
		time.Sleep(time.Until(p.hooked().Add(700 * time.Millisecond))) // sooner the line is deaf: relays
		p.w.report(jack.Change{What: jack.LoopDrop, For: 500 * time.Millisecond})
	case waits:
		p.w.report(jack.Change{What: jack.RingOff})
		time.Sleep(6100 * time.Millisecond) // only then it is no pause between two rings
	}
}

func (p *townPerson) busy(is bool) { p.inUse = is }
func (p *townPerson) gone(is bool) { p.absent = is }
func (p *townPerson) close()       { p.w.cut() }

func (p *townPerson) speak(on bool) {
	if on {
		p.w.speak(p.code)
	} else {
		p.w.speak(0)
	}
}

func (p *townPerson) heard(mark byte) (n int) {
	p.w.set(func() { n = p.w.heard[mark] })
	return n
}

// serve is the town's exchange: dial tone for who goes off-hook, and then what
// becomes of the call. It is asked at each tick of the line.
func (p *townPerson) serve(w *pair) (tell jack.Tone, ok bool) {
	t := &p.town
	switch {
	case !w.state.OffHook || t.calling:
	case t.lifted != w.hooked:
		t.lifted, t.dialled = w.hooked, false
		return jack.DialTone, true
	case t.dialled:
	case !w.loud.IsZero() && time.Since(w.loud) > 300*time.Millisecond:
		t.dialled = true
		switch {
		case p.inUse:
			return jack.BusyTone, true
		case p.absent:
			return jack.CongestionTone, true
		}
		return jack.RingbackTone, true
	}
	return 0, false
}

// draws are the arrows of the line: of somebody who is called, or who calls.
func (p *townPerson) draws(act string) (string, bool) {
	act, _ = numbered(act)
	arrows, ok := map[string]string{
		"calls #":        "> ring",
		"waits":          "",
		"is called":      "< off-hook",
		"is dialled":     "> dial tone, < DTMF " + townNumber(p.line),
		"rings":          "> ringback",
		"hears ringing":  "",
		"hears the line": "",
		"answers":        "> answer (polarity)",
		"is answered":    "< off-hook",
		"is connected":   "< off-hook",
		"acks":           "",
		"refuses":        "> busy tone, < on-hook",
		"is let go":      "< on-hook",
		"rings no more":  "",
		"hangs up":       "> loop-current drop, < on-hook",
		"gives up":       "> ringing stopped",
		"is told":        "< on-hook",
		"is refused #":   "",
		"misses #":       "",
	}[act]
	if !ok {
		arrows, ok = p.drawsService(act)
	}
	return arrows, ok
}

// townNumber is the number of whoever is at the other end of a line.
func townNumber(line string) string { return "7" + string('1'+line[0]-'A') }

// townText is the line to the town, its trunk, and where its calls go.
func townText(line, port, incoming string) string {
	return strings.NewReplacer("NAME", line, "PORT", port, "INCOMING", incoming).Replace(`
[[line]]
name = "NAME"
card = "card1"
port = PORT
kind = "fxo"
echo = "off"
caller_id = "none"
answer = "polarity"
guard = "1ms"
incoming = "INCOMING"
[[trunk]]
name = "pstn-NAME"
lines = ["NAME"]
[[rule]]
dial = "`) + townNumber(line) + strings.NewReplacer("NAME", line).Replace(`"
to = "pstn-NAME"
class = "local"
`)
}
