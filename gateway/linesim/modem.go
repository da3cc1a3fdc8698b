package linesim

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// ModemConfig is one simulated voice modem (ITU-T V.253) with a line of its own
// in the town, named and numbered after those of the cards. The zero value is
// a modem that follows the recommendation.
type ModemConfig struct {
	Name       string       // empty: "modem1", "modem2" …
	Family     string       // whose dialect it speaks: "v253", "conexant", "usr" or "lucent". Empty: "v253"
	Quirks     []ModemQuirk // what it does against the recommendation, beside what its family does
	SkewPPM    float64      // by how much its crystal is fast, in parts per million
	Link       string       // where Start puts a symbolic link to its terminal; empty: in a new directory
	Impairment Impairment   // of its serial line
}

// A ModemQuirk is a fault that real modems have. Its text is its name.
type ModemQuirk string

const (
	TripleStop     ModemQuirk = "triple-stop"     // overhears DLE ETX and DLE ^; DLE DLE DLE ETX ends a stream
	NoLoopEvents   ModemQuirk = "no-loop-events"  // never tells of a loop-current interruption
	FalseDialTone  ModemQuirk = "false-dial-tone" // tells of dial tone each 2 s while audio flows
	Forgetful      ModemQuirk = "forgetful"       // leaves voice mode, and forgets its settings, as it goes on-hook
	GarbledEcho    ModemQuirk = "garbled-echo"    // echoes TA for AT
	StrayU         ModemQuirk = "stray-u"         // puts a "u" before the OK that follows a stream
	LateOffHook    ModemQuirk = "late-off-hook"   // closes the loop 1.2 s after it said so
	SilentEnd      ModemQuirk = "silent-end"      // ends a stream without DLE ETX
	DeafAfterBeep  ModemQuirk = "deaf-after-beep" // tells of no digit for 2 s after a tone of its own
	HalfDuplex     ModemQuirk = "half-duplex"     // has no +VTR
	NoVoice        ModemQuirk = "no-voice"        // has no +FCLASS=8
	NoCompanding   ModemQuirk = "no-companding"   // has neither law
	RefusesOffHook ModemQuirk = "refuses-offhook" // answers ERROR to +VLS=1
	NoCadence      ModemQuirk = "no-cadence"      // answers ERROR to +VDR
	MuteCadence    ModemQuirk = "mute-cadence"    // takes +VDR, and reports no cadence
)

var modemQuirks = []ModemQuirk{TripleStop, NoLoopEvents, FalseDialTone, Forgetful, GarbledEcho, StrayU, LateOffHook,
	SilentEnd, DeafAfterBeep, HalfDuplex, NoVoice, NoCompanding, RefusesOffHook, NoCadence, MuteCadence}

// A Modem is one simulated voice modem.
type Modem struct {
	sim   *Sim
	cfg   ModemConfig
	line  *Line
	path  atomic.Pointer[string]
	cable atomic.Pointer[Impairment]

	// All below belongs to the Sim.
	dialect  *modemDialect
	terminal *terminal // nil: reached by Open
	wire     *modemWire
	pending  []byte // taken from the wire, not yet read
	epoch    time.Time
	steps    int64
	due      time.Time
	clock    uint64    // samples since the start
	deafTill time.Time // it answers nothing until then
	modemState
	in, out [stepSamples]int16 // of this step: to the line, from the line
}

// modemState is what a modem keeps in its memory until it is reset.
type modemState struct {
	echo     bool
	voice    bool // +FCLASS=8
	vsm      int
	callerID bool
	cadence  modemCadence
	standard string // of Conexant's !4886
	parser   modemParser
	mode     modemMode
	offHook  bool
	liftAt   uint64 // clock when the loop is closed
	flash    uint64 // clock until which it is open
	ending   bool   // playing: DLE ETX has come
	play     []byte // codes to be played
	started  bool   // something has come to play
	short    uint64 // clock of the last underrun that was told
	keys     *dtmf.Generator
	beeps    []tone.Tone
	beep     tone.Generator
	sounding bool   // OK follows when all is sounded
	deaf     uint64 // clock until which digits are not told
	dial     modemDial
	sense    modemSense
}

// modemMode is what the octets to and from the host are.
type modemMode uint8

const (
	commands  modemMode = iota // lines of text
	playing                    // +VTX: samples from the host
	recording                  // +VRX: samples to the host
	duplex                     // +VTR: both
)

func (s *Sim) addModem(i int, cfg ModemConfig) error {
	if cfg.Name == "" {
		cfg.Name = fmt.Sprintf("modem%d", i+1)
	}
	dialect, ok := modemDialects[cfg.Family]
	if !ok {
		return fmt.Errorf("linesim: modem %s: family %q is not v253, conexant, usr or lucent", cfg.Name, cfg.Family)
	}
	for _, q := range cfg.Quirks {
		if !slices.Contains(modemQuirks, q) {
			return fmt.Errorf("linesim: modem %s: no quirk %q: there are %v", cfg.Name, q, modemQuirks)
		}
	}
	if cfg.SkewPPM < -100000 || cfg.SkewPPM > 100000 {
		return fmt.Errorf("linesim: modem %s: a clock skew of %v ppm is no crystal: at most 100000", cfg.Name, cfg.SkewPPM)
	}
	l, err := s.addLine("")
	if err != nil {
		return err
	}
	m := &Modem{sim: s, cfg: cfg, line: l, dialect: dialect, epoch: time.Now()}
	m.cable.Store(&cfg.Impairment)
	m.due = m.epoch.Add(stepTime)
	m.reset()
	s.modems = append(s.modems, m)
	return nil
}

// reset is the state after power-up.
func (m *Modem) reset() {
	m.modemState = modemState{echo: true, vsm: m.dialect.vsm[0].number, standard: "00", keys: dtmf.NewGenerator(dtmf.Timing{})}
	m.sense.ear = tone.NewDetector(tone.Config{Country: m.sim.country})
	m.sense.keys = dtmf.NewDetector(dtmf.Limits{})
}

func (m *Modem) has(q ModemQuirk) bool {
	return slices.Contains(m.cfg.Quirks, q) || slices.Contains(m.dialect.quirks, q)
}

// Name is the modem's name: "modem1".
func (m *Modem) Name() string { return m.cfg.Name }

// Line is the town's line that the modem is on.
func (m *Modem) Line() *Line { return m.line }

// Path is where a host finds the modem, "/tmp/linesim-…/modem1". Empty without Start.
func (m *Modem) Path() string {
	if p := m.path.Load(); p != nil {
		return *p
	}
	return ""
}

// Open is the host's end of the line to a modem without a terminal, for
// modem.Config.Open. A line opened before is cut.
func (m *Modem) Open() (rw io.ReadWriteCloser, err error) {
	err = errors.New("the simulated town is closed")
	m.sim.do(func() {
		if m.terminal != nil {
			err = fmt.Errorf("modem %s is on a terminal: open %s", m.cfg.Name, m.Path())
			return
		}
		m.disconnect()
		ours, theirs := net.Pipe()
		m.wire = newModemWire(m, ours)
		rw, err = theirs, nil
	})
	return rw, err
}

// Impair spoils the octets on the modem's serial line from now on.
func (m *Modem) Impair(im Impairment) { m.cable.Store(&im) }

// Hang has the modem do nothing for a time, as if its firmware had crashed; it
// then starts anew.
func (m *Modem) Hang(d time.Duration) {
	m.sim.do(func() {
		m.sim.note(m.cfg.Name, "hangs for %v", d)
		m.deafTill = time.Now().Add(d)
		m.reset()
	})
}

// ModemStatus is how a modem stands.
type ModemStatus struct {
	OffHook bool
	Voice   bool   // in voice mode
	Mode    string // "commands", "playing", "recording", "duplex"
	VSM     int    // the compression that is set
}

// Status tells how the modem stands.
func (m *Modem) Status() (st ModemStatus) {
	m.sim.do(func() {
		st = ModemStatus{OffHook: m.offHook, Voice: m.voice, VSM: m.vsm,
			Mode: [...]string{"commands", "playing", "recording", "duplex"}[m.mode]}
	})
	return st
}

// Modem is the modem with this name: "modem1". Nil: there is none.
func (s *Sim) Modem(name string) *Modem {
	for _, m := range s.modems {
		if m.cfg.Name == name {
			return m
		}
	}
	return nil
}

// Modems are all modems, in order.
func (s *Sim) Modems() []*Modem { return s.modems }

func (m *Modem) attachTerminal() error {
	t, err := newTerminal(m.cfg.Name, m.cfg.Link)
	if err != nil {
		return err
	}
	m.path.Store(&t.link)
	m.terminal = t
	rw, err := t.open()
	if err != nil {
		return err
	}
	m.wire = newModemWire(m, rw)
	return nil
}

func (m *Modem) disconnect() {
	if m.wire != nil {
		w := m.wire
		m.wire = nil
		w.close()
	}
}

func (m *Modem) destroy() {
	m.disconnect()
	if m.terminal != nil {
		m.terminal.remove()
	}
}

// advance lives the step that is due, by the modem's own crystal.
func (m *Modem) advance(now time.Time) {
	if m.due.After(now) {
		return
	}
	m.step(now)
	m.steps++
	next := m.epoch.Add(time.Duration(float64(m.steps+1) * float64(stepTime) / (1 + m.cfg.SkewPPM*1e-6)))
	if now.Sub(next) > longestStall {
		m.epoch, m.steps = now, 0
		next = now.Add(stepTime)
	}
	if soonest := now.Add(catchUpPause); next.Before(soonest) {
		next = soonest
	}
	m.due = next
}

// step lives 10 ms.
func (m *Modem) step(now time.Time) {
	deaf := now.Before(m.deafTill)
	if !deaf {
		m.read()
	} else if m.wire != nil {
		m.pending = m.wire.take(m.pending[:0], 1<<16)[:0]
	}
	clear(m.in[:])
	if !deaf {
		m.sound()
	}
	loop := m.offHook && m.clock >= m.liftAt && m.clock >= m.flash || m.sense.display.taking
	if !loop {
		clear(m.in[:])
	}
	m.line.step(loop, m.in[:], m.out[:])
	m.clock += stepSamples
	if deaf {
		return
	}
	m.watch()
	m.dialOn()
	if m.mode == recording || m.mode == duplex {
		m.record()
	}
}

// say sends text, as an answer of its own lines.
func (m *Modem) say(format string, args ...any) {
	m.send([]byte("\r\n" + fmt.Sprintf(format, args...) + "\r\n"))
}

// tell sends an event (V.253 table 18).
func (m *Modem) tell(code byte) { m.send([]byte{modemDLE, code}) }

func (m *Modem) send(p []byte) {
	if m.wire != nil {
		m.wire.send(p)
	}
}

// modemDialect is what differs between families.
type modemDialect struct {
	name, maker, model string
	vsm                []modemCoding
	vsmLine            string // of a coding with number and name
	ringEvent          bool   // in voice mode RING is an event, not a line
	field              string // between a caller ID field and its value
	setsCallerID       bool   // !4886 chooses the standard
	quirks             []ModemQuirk
}

// modemCoding is a row of +VSM=?. One without codec is listed, as real modems
// list it, and refused.
type modemCoding struct {
	number int
	name   string
	codec  modemCodec
}

var modemDialects = func() map[string]*modemDialect {
	v253 := &modemDialect{name: "v253", maker: "Crosspoint", model: "linesim voice modem", field: " = ", ringEvent: true,
		vsm: []modemCoding{{4, "G.711 ULAW", muLaw}, {5, "G.711 ALAW", aLaw}, {0, "SIGNED PCM", signed8}, {1, "UNSIGNED PCM", unsigned8}}, vsmLine: `%d,"%s",8,0,(8000),(0),(0)`}
	return map[string]*modemDialect{
		"": v253, "v253": v253,
		"conexant": {name: "conexant", maker: "CONEXANT", model: "CX93001-EIS_V0.2013-V92", field: " = ", setsCallerID: true,
			vsm:     []modemCoding{{131, "Mu-Law", muLaw}, {132, "A-Law", aLaw}, {128, "8-BIT LINEAR", unsigned8}, {129, "IMA ADPCM", nil}, {133, "14-bit linear", nil}},
			vsmLine: `%d,"%s",8,0,8000,0,0`},
		"usr": {name: "usr", maker: "U.S. Robotics", model: "USR5637 56K Faxmodem", field: "=",
			vsm:     []modemCoding{{131, "8-BIT ULAW", muLaw}, {130, "8-BIT ALAW", aLaw}, {128, "8-BIT LINEAR", unsigned8}, {132, "IMA ADPCM", nil}},
			vsmLine: `%d,"%s",(8000)`, quirks: []ModemQuirk{NoLoopEvents, FalseDialTone}},
		"lucent": {name: "lucent", maker: "LUCENT Technologies", model: "Agere Venus", field: " = ",
			vsm:     []modemCoding{{131, "8-BIT ULAW", muLaw}, {130, "8-BIT ALAW", aLaw}, {128, "8-BIT LINEAR", unsigned8}, {129, "16-BIT LINEAR", nil}},
			vsmLine: `%d,"%s",(7200,8000,11025)`},
	}
}()

// knows tells whether the modem reads this standard of caller ID.
func (m *Modem) knows(s callerid.Standard) bool {
	if !m.dialect.setsCallerID {
		return true
	}
	want := map[callerid.Standard]string{callerid.Bellcore: "00", callerid.ETSI: "02", callerid.ETSIAlert: "02", callerid.BT: "03",
		callerid.DTMFA: "05", callerid.DTMFD: "05", callerid.DTMFHash: "05", callerid.NTT: "01"}
	return strings.TrimLeft(m.standard, "0") == strings.TrimLeft(want[s], "0")
}
