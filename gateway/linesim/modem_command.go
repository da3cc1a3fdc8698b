package linesim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

const (
	modemDLE = 0x10
	modemSUB = 0x1a
	modemETX = 0x03
	modemCAN = 0x18
)

// modemParser keeps what has come of a line, or of a shielded pair.
type modemParser struct {
	line   []byte
	shield bool
	pairs  int // DLE DLE in a row, before this octet
}

// read takes octets of the host as far as there is room for what they bring.
func (m *Modem) read() {
	for m.room() {
		if len(m.pending) == 0 {
			if m.wire == nil {
				return
			}
			if m.pending = m.wire.take(m.pending[:0], modemInput); len(m.pending) == 0 {
				return
			}
		}
		c := m.pending[0]
		m.pending = m.pending[1:]
		if m.mode == commands {
			m.letter(c)
		} else {
			m.octet(c)
		}
	}
}

// room tells whether the modem can take an octet now.
func (m *Modem) room() bool {
	if m.sounding || m.mode == playing && m.ending {
		return false
	}
	return len(m.play) < modemPlay
}

// letter takes an octet of a command line.
func (m *Modem) letter(c byte) {
	p := &m.parser
	switch {
	case p.shield: // the end of a stream that is over, or a key of a host that thinks otherwise
		p.shield = false
	case c == modemDLE:
		p.shield = true
	case c == '\r':
		line := string(p.line)
		p.line = p.line[:0]
		m.command(line)
	case c == 0x7f || c == '\b':
		p.line = p.line[:max(0, len(p.line)-1)]
	case c >= ' ' && c <= '~' && len(p.line) < 128:
		p.line = append(p.line, c)
	}
}

// command carries out one line: AT and commands after it.
func (m *Modem) command(line string) {
	if m.dial.state != dialNone && line == "" { // any key ends a call attempt
		m.hangUp()
		m.say("NO CARRIER")
		return
	}
	if m.echo {
		text := line
		if m.has(GarbledEcho) && len(text) >= 2 {
			text = "TA" + text[2:]
		}
		m.send([]byte(text + "\r"))
	}
	rest, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(line)), "AT")
	if !ok {
		if line != "" {
			m.say("ERROR")
		}
		return
	}
	ok = true
	for rest != "" && ok && !m.sounding && m.mode == commands && m.dial.state == dialNone {
		var one string
		one, rest = cutCommand(rest)
		ok = m.one(one)
	}
	switch {
	case !ok:
		m.say("ERROR")
	case m.sounding || m.mode != commands || m.dial.state != dialNone: // it answers by itself
	default:
		m.say("OK")
	}
}

// cutCommand parts the first command from those that follow (V.250 §5.2).
func cutCommand(s string) (one, rest string) {
	switch {
	case s[0] == '+' || s[0] == '!' || s[0] == '#':
		one, rest, _ = strings.Cut(s, ";")
		return one, rest
	case s[0] == 'D':
		return s, ""
	}
	n := 1
	if s[0] == '&' || s[0] == '%' || s[0] == '\\' {
		n = min(2, len(s))
	}
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[0] == 'S' && (s[n] == '=' || s[n] == '?')) {
		n++
	}
	return s[:n], strings.TrimPrefix(s[n:], ";")
}

// one carries out one command; false: ERROR.
func (m *Modem) one(c string) bool {
	switch c[0] {
	case '+':
		name, value, set := strings.Cut(c, "=")
		return m.extended(strings.TrimSuffix(name, "?"), value, set)
	case '!':
		if name, value, _ := strings.Cut(c, "="); m.dialect.setsCallerID && name == "!4886" {
			m.standard = value
			return true
		}
		return false
	case '#':
		return false
	case 'E':
		m.echo = !strings.HasSuffix(c, "0")
	case 'Z':
		m.hangUp()
		m.reset()
	case 'H':
		m.hangUp()
	case 'I':
		m.identify(c)
	case 'A':
		return m.answer()
	case 'D':
		return m.startDial(strings.Trim(c[1:], "TP "))
	case '&':
		if c == "&F" || c == "&F0" {
			m.hangUp()
			m.reset()
		}
	case 'L', 'M', 'N', 'O', 'P', 'Q', 'S', 'T', 'V', 'W', 'X', 'Y', '%', '\\':
	default:
		return false
	}
	return true
}

func (m *Modem) identify(c string) {
	switch c {
	case "I3":
		m.say("%s", m.dialect.model)
	case "I", "I0":
		m.say("%s voice modem", m.dialect.maker)
	default:
		m.say("56000")
	}
}

// extended carries out a command of V.250 or V.253.
func (m *Modem) extended(name, value string, set bool) bool {
	switch name {
	case "+GMI", "+FMI", "+FMFR":
		m.say("%s", m.dialect.maker)
	case "+GMM", "+FMM", "+FMDL":
		m.say("%s", m.dialect.model)
	case "+GMR", "+FMR", "+FREV":
		m.say("1.0")
	case "+FCLASS":
		return m.class(value, set)
	case "+VSM":
		return m.compression(value, set)
	case "+VLS":
		return m.lineSelect(value, set)
	case "+VCID":
		m.callerID = value == "1" || value == "2"
	case "+VSD", "+VGT", "+VGR", "+VRA", "+VRN", "+VIT", "+VNH", "+VTD", "+IFC", "+FLO", "+VPR", "+VGM", "+VGS", "+VBT":
	case "+VDR":
		return m.distinctive(value, set)
	case "+VTS":
		return m.voice && m.offHook && m.tones(value)
	case "+VTX":
		return m.begin(playing)
	case "+VRX":
		return m.begin(recording)
	case "+VTR":
		return !set && !m.has(HalfDuplex) && m.begin(duplex)
	default:
		return false
	}
	return true
}

func (m *Modem) class(value string, set bool) bool {
	switch {
	case !set:
		m.say("%d", map[bool]int{false: 0, true: 8}[m.voice])
	case value == "?" && m.has(NoVoice):
		m.say("0,1")
	case value == "?":
		m.say("0,1,8")
	case value == "8" && m.has(NoVoice):
		return false
	case value == "8":
		m.voice = true
	default:
		m.voice = false
		if m.offHook {
			m.hangUp()
		}
	}
	return true
}

func (m *Modem) compression(value string, set bool) bool {
	if !m.voice {
		return false
	}
	codings := m.codings()
	if value == "?" {
		for _, c := range codings {
			m.say(m.dialect.vsmLine, c.number, c.name)
		}
		return true
	}
	number, _, _ := strings.Cut(value, ",")
	n, err := strconv.Atoi(number)
	for _, c := range codings {
		if set && err == nil && c.number == n && c.codec != nil {
			m.vsm = n
			return true
		}
	}
	return !set
}

func (m *Modem) lineSelect(value string, set bool) bool {
	switch {
	case value == "?":
		m.say("0,1,4,5")
	case !set || !m.voice:
		return false
	case value == "0":
		m.hangUp()
	case m.has(RefusesOffHook):
		return false
	case value == "1" || value == "5":
		m.lift()
	}
	return true
}

func (m *Modem) lift() {
	if !m.offHook {
		m.offHook, m.liftAt = true, m.clock
		if m.has(LateOffHook) {
			m.liftAt += 1200 * 8
		}
	}
}

// hangUp goes on-hook, whatever went on.
func (m *Modem) hangUp() {
	was := m.offHook
	m.offHook, m.mode, m.ending, m.play, m.sounding = false, commands, false, m.play[:0], false
	m.dial = modemDial{}
	m.keys.Stop()
	m.beep.Stop()
	m.beeps = nil
	if was && m.has(Forgetful) {
		m.voice, m.vsm, m.callerID = false, m.dialect.vsm[0].number, false
		m.cadence = modemCadence{}
	}
}

// answer is ATA.
func (m *Modem) answer() bool {
	if !m.line.ringVoltage && !m.sense.rang(m.clock) || !m.voice {
		return false
	}
	m.lift()
	m.dial = modemDial{state: dialAnswering, at: m.clock}
	return true
}

// tones is +VTS: digits, [f1,f2,time], {digit,time} and ! for a hook-flash,
// parted by commas. Times are in 10 ms.
func (m *Modem) tones(value string) bool {
	for rest := value; rest != ""; {
		var item string
		switch rest[0] {
		case '[', '{':
			end := strings.IndexAny(rest, "]}")
			if end < 0 {
				return false
			}
			item, rest = rest[:end], strings.TrimPrefix(rest[end+1:], ",")
		default:
			item, rest, _ = strings.Cut(rest, ",")
		}
		if !m.oneTone(item) {
			return false
		}
	}
	m.sounding = true
	if m.has(DeafAfterBeep) {
		m.deaf = m.clock + 2*8000
	}
	return true
}

func (m *Modem) oneTone(item string) bool {
	if item == "!" {
		m.flash = m.clock + 600*8
		m.line.note("modem flashes")
		return true
	}
	if item == "" {
		return true
	}
	if item[0] == '[' {
		f := strings.Split(item[1:]+",,", ",")
		first, _ := strconv.ParseFloat(f[0], 64)
		second, _ := strconv.ParseFloat(f[1], 64)
		units, err := strconv.Atoi(f[2])
		if err != nil {
			units = 100
		}
		part := tone.Part{Level: -13, For: time.Duration(units) * 10 * time.Millisecond}
		for _, hz := range []float64{first, second} {
			if hz > 0 && hz < 4000 {
				part.Hz = append(part.Hz, hz)
			}
		}
		m.beeps = append(m.beeps, tone.Tone{Parts: []tone.Part{part}, Loop: -1})
		return true
	}
	key := strings.TrimLeft(item, "{")[0]
	if _, _, ok := dtmf.Frequencies(key); !ok {
		return false
	}
	return m.keys.Dial(string(key)) == nil
}

// text is the modem for people.
func (m *Modem) text() string {
	st := m.Status()
	hook := "on-hook"
	if st.OffHook {
		hook = "off-hook"
	}
	where := ""
	if p := m.Path(); p != "" {
		where = " at " + p
	}
	return fmt.Sprintf("%-6s voice modem (%s) on line %s%s: %s, %s", m.cfg.Name, m.dialect.name, m.line.name, where, hook, st.Mode)
}
