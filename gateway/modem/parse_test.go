package modem

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/internal/serialpump"
	"crosspoint/media/g711"
)

// heardAll is a sink that keeps everything.
type heardAll struct {
	samples []byte
	events  []byte
	lines   []string
	d       *decoder
}

func (h *heardAll) sample(c byte) { h.samples = append(h.samples, c) }
func (h *heardAll) event(c byte) {
	h.events = append(h.events, c)
	if c == etx {
		h.d.command()
	}
}
func (h *heardAll) line(s string) {
	h.lines = append(h.lines, s)
	if s == "CONNECT" {
		h.d.stream()
	}
}

// TestDecoder: lines, a stream with every shielded pair, lines again; in pieces
// of any size.
func TestDecoder(t *testing.T) {
	const in = "ATE0\r\r\nOK\r\n\x10R\r\nRING\r\nAT+VTR\r\r\nCONNECT\r\n" +
		"\x01\x02\x10\x10\x10\x1a\x0d\x0a\x10b\x10\x10\x10u\x11\x13\x10\x03\r\nOK\r\n"
	for size := 1; size <= len(in); size++ {
		var d decoder
		h := &heardAll{d: &d}
		for p := range slices.Chunk([]byte(in), size) {
			d.feed(p, h)
		}
		if got := strings.Join(h.lines, "|"); got != "ATE0|OK|RING|AT+VTR|CONNECT|OK" {
			t.Fatalf("pieces of %d: lines %q", size, got)
		}
		if want := []byte("\x01\x02\x10\x10\x10\x0d\x0a\x10\x11\x13"); !bytes.Equal(h.samples, want) {
			t.Fatalf("pieces of %d: samples %x, not %x", size, h.samples, want)
		}
		if string(h.events) != "Rbu\x03" {
			t.Fatalf("pieces of %d: events %q", size, h.events)
		}
	}
}

// TestStreamThatEndsWithoutDLE: a modem that leaves the stream without a word
// is noticed by its OK.
func TestStreamThatEndsWithoutDLE(t *testing.T) {
	var d decoder
	d.stream()
	d.feed([]byte("\nsamples\r\nOK\r\n"), &heardAll{d: &d})
	if !d.ok() {
		t.Error("not noticed")
	}
	d.stream()
	d.feed([]byte("\nsamples\r\nOH\r\n"), &heardAll{d: &d})
	if d.ok() {
		t.Error("noticed what is not there")
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\r\nCONNECT\r\n\x10\x10\x10\x03\r\nOK\r\n"), true)
	f.Add([]byte("\x10"), false)
	f.Fuzz(func(t *testing.T, in []byte, data bool) {
		var d decoder
		if data {
			d.stream()
		}
		h := &heardAll{d: &d}
		d.feed(in, h)
		if n := len(h.samples) + len(h.events); n > 2*len(in) {
			t.Errorf("%d of %d octets", n, len(in))
		}
		for _, l := range h.lines {
			if len(l) > maxLine {
				t.Errorf("a line of %d", len(l))
			}
			var c caller
			c.take(l, time.Time{})
			parseVSM(l)
			result(l)
			_ = echo(l)
		}
	})
}

// TestShield: what is sent comes back from a decoder as it was.
func TestShield(t *testing.T) {
	all := make([]byte, 512)
	for i := range all {
		all[i] = byte(i)
	}
	var d decoder
	d.stream()
	h := &heardAll{d: &d}
	d.feed(append([]byte{'\n'}, appendShielded(nil, all)...), h)
	if !bytes.Equal(h.samples, all) {
		t.Errorf("%x", h.samples)
	}
}

// TestVSM: what modems answer to AT+VSM=?.
func TestVSM(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		want        coding
	}{
		{"V.253", `0,"SIGNED PCM",8,0,8000,0,0|4,"G.711U",8,0,(8000),0,0|5,"G.711A",8,0,(8000),0,0`, coding{4, g711.MuLaw}},
		{"Conexant", `128,"8-BIT LINEAR",8,0,8000,0,0|129,"IMA ADPCM",4,0,8000,0,0|131,"Mu-Law",8,0,8000,0,0|132,"A-Law",8,0,8000,0,0`, coding{131, g711.MuLaw}},
		{"USRobotics", `128,"8-BIT LINEAR",(7200,8000,11025)|129,"16-BIT LINEAR",(7200,8000,11025)|130,"8-BIT ALAW",(8000)|131,"8-BIT ULAW",(8000)|132,"IMA ADPCM",(7200,8000)`, coding{131, g711.MuLaw}},
		{"with its name before it", `+VSM: 4,"u-law",8,0,(7200-11025)`, coding{4, g711.MuLaw}},
		{"A-law only", `5,"G.711 A-Law",8,0,8000,0,0`, coding{5, g711.ALaw}},
		{"A-law first", `130,"8-BIT ALAW",(8000)|131,"8-BIT ULAW",(8000)`, coding{131, g711.MuLaw}},
		{"without quotation marks", `131,ULAW,8000`, coding{131, g711.MuLaw}},
		{"without a rate", `131,"ULAW"`, coding{131, g711.MuLaw}},
	} {
		got, err := choose(strings.Split(c.lines, "|"))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v %v, not %+v", c.name, got, err, c.want)
		}
	}
	for name, lines := range map[string]string{
		"9600 only": `4,"ULAW",8,0,(9600)`, "ADPCM": `129,"IMA ADPCM",4,0,8000,0,0`, "nothing": "", "noise": `"",,,|x,"ULAW",8000|4`,
	} {
		if c, err := choose(strings.Split(lines, "|")); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestCallerSpellings: the same caller in the words of many makers.
func TestCallerSpellings(t *testing.T) {
	joe, secret, unknown := jack.Caller{Number: "5551234", Name: "Joe"}, jack.Caller{Withheld: true}, jack.Caller{}
	for lines, want := range map[string]jack.Caller{
		"DATE = 0412|TIME = 1310|NMBR = 5551234|NAME = Joe": joe,
		"DATE=0412|TIME=1310|NMBR=5551234|NAME=Joe":         joe,
		"NAME: Joe|DDN_NMBR= 5551234":                       joe,
		"FM:5551234|NAME=Joe":                               joe,
		"CALLER NUMBER: 5551234|CALLER NAME: Joe":           joe,
		"NBR=5551234|NAME=Joe":                              joe,
		"NMBR = P|NAME = P":                                 secret,
		"NMBR=PRIVATE":                                      secret,
		"NMBR = O|NAME = O":                                 unknown,
		"NMBR = OUT OF AREA":                                unknown,
		"NMBR = -":                                          unknown,
		"NMBR = O|NAME = Joe":                               {Name: "Joe"},
	} {
		var c caller
		now := time.Now()
		for _, l := range strings.Split(lines, "|") {
			if !c.take(l, now) {
				t.Errorf("%s: %q is none", lines, l)
			}
		}
		if c.Caller != want || c.tell.IsZero() {
			t.Errorf("%s: %+v, not %+v", lines, c, want)
		}
	}
	var c caller
	for _, l := range []string{"RING", "OK", "NAMES", "AT+VCID=1", ""} {
		if c.take(l, time.Now()) {
			t.Errorf("%q was taken for a caller", l)
		}
	}
}

func TestResults(t *testing.T) {
	for line, want := range map[string]string{
		"OK": "ok", "ok": "ok", "uOK": "ok", " OK ": "ok", "CONNECT": "ok", "CONNECT 8000": "ok", "VCON": "ok",
		"ERROR": "no", "BUSY": "no", "NO DIALTONE": "no", "NO CARRIER": "no",
		"BOOK IS OK": "", "56000": "", "CX93001": "", "RING": "",
	} {
		got := ""
		if ok, is := result(line); is {
			got = map[bool]string{true: "ok", false: "no"}[ok]
		}
		if got != want {
			t.Errorf("%q: %q, not %q", line, got, want)
		}
	}
}

func TestRecognise(t *testing.T) {
	for said, want := range map[string]string{
		"CX93001-EIS_V0.2013-V92": "Conexant", "U.S. Robotics 56K FAX USB V1.2.23": "USRobotics", "5637": "USRobotics",
		"LT V.90 Data+Fax Modem Lucent": "Lucent", "MT5634ZBA": "Lucent", "something else": "V.253", "": "V.253",
	} {
		if f := recognise([]string{"OK", said}); f.name != want {
			t.Errorf("%q is %s, not %s", said, f.name, want)
		}
	}
}

// answering is a handler that answers each tick.
type answering struct{ ticks int }

func (a *answering) Changed(jack.Change) {}
func (a *answering) Tick(rx, tx []byte, _ uint64) {
	a.ticks++
	copy(tx, rx)
}

// TestStreamDoesNotAllocate: a frame in, a tick, a frame out.
func TestStreamDoesNotAllocate(t *testing.T) {
	for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
		h := &answering{}
		m := &Modem{state: streaming, handler: h, coding: coding{4, law}}
		m.want.audio = true
		l := &link{Pump: serialpump.New(serialpump.Config{}), out: make([]byte, 0, 4096)}
		m.talk.begin(l, law)
		m.decoder.stream()
		frame := bytes.Repeat([]byte{dle, dle, 0x55, 0x2a}, jack.FrameSize/3)
		n := testing.AllocsPerRun(200, func() {
			m.decoder.feed(frame, m)
			l.out = l.out[:0]
		})
		if n != 0 || h.ticks < 190 {
			t.Errorf("%v: %v allocations in %d ticks", law, n, h.ticks)
		}
	}
}
