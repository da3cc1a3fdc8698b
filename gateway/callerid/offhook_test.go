package callerid

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/witness"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// A heard is what a telephone in use hears of an OffHook, and when.
type heard struct {
	pcm  []int16
	cut  [2]int // samples at which the voices were cut, and back
	over int
}

var waiting = tone.Tone{Parts: []tone.Part{{Hz: []float64{440}, Level: -13, For: 300 * time.Millisecond}}, Loop: -1}

// useTelephone plays an OffHook, in frames of 20 ms, to a telephone that says
// digits so long after the end of the alerting signal; what is said is heard with
// a delay.
func useTelephone(o *OffHook, digits string, after, length, delay time.Duration) heard {
	const casEnd = (300 + 20 + 80) * 8
	h := heard{cut: [2]int{-1, -1}}
	d := samples(delay)
	says := make([]int16, d+casEnd+samples(after))
	g := dtmf.NewGenerator(dtmf.Timing{On: length})
	_ = g.Dial(digits)
	keys := make([]int16, 4000)
	g.Read(keys)
	says = append(append(says, keys...), make([]int16, 40000)...)
	for at := 0; !o.Over() && at < 32000; at += 160 {
		o.Listen(says[at:at+160], uint64(at))
		if cut := o.Cut(); cut && h.cut[0] < 0 {
			h.cut[0] = at
		} else if !cut && h.cut[0] >= 0 && h.cut[1] < 0 {
			h.cut[1] = at
		}
		var frame [160]int16
		if !o.Over() {
			o.Speak(frame[:], uint64(at+d))
		}
		h.pcm = append(h.pcm, frame[:]...)
		h.over = at + 160
	}
	return h
}

// A telephone with a display answers, and is told who calls, by the modem of its
// country, without a seizure of the channel.
func TestOffHook(t *testing.T) {
	for _, s := range []Standard{Bellcore, ETSI, BT, DTMFA} {
		for _, delay := range []time.Duration{0, 60 * time.Millisecond, 200 * time.Millisecond} {
			for _, after := range []time.Duration{0, 50 * time.Millisecond, 100 * time.Millisecond} { // GR-30: up to 100 ms
				o := NewOffHook(waiting, joe, s)
				h := useTelephone(o, "D", after, 55*time.Millisecond, delay)
				if got, err := received(h.pcm); err != nil || got != joe || !o.Over() || !o.Acknowledged() {
					t.Errorf("%v, D %v after the signal, line of %v: %+v, %v, over %v", s, after, delay, got, err, o.Over())
				}
				modem := s
				if s != Bellcore {
					modem = ETSI
				}
				// From the end of the D to the marks: 50 to 500 ms (GR-30).
				length := samplesOf(NewSender(joe, Config{Standard: modem, OffHook: true}))
				marks := slices.IndexFunc(h.pcm[(300+20+80)*8:], func(v int16) bool { return v != 0 })
				pause := marks - samples(after+55*time.Millisecond)
				if pause < 400 || pause > 4000 {
					t.Errorf("%v, D %v after the signal, line of %v: the message follows %d ms after the D", s, after, delay, pause/8)
				}
				if end := (300+20+80)*8 + marks + length + samples(delay); h.over > end+320 {
					t.Errorf("%v: voices are back at %d ms, the message ends at %d ms", s, h.over/8, end/8)
				}
			}
		}
	}
}

func samplesOf(s *Sender) (n int) {
	var block [160]int16
	for s.Busy() {
		n += s.Read(block[:])
	}
	return n
}

// One that says nothing, or something else, is told nothing more, and the voices
// are back at once.
func TestOffHookWithoutDisplay(t *testing.T) {
	for name, c := range map[string]struct {
		digits string
		after  time.Duration
		length time.Duration
	}{
		"silence":      {"", 0, 0},
		"another key":  {"5", 20 * time.Millisecond, 60 * time.Millisecond},
		"A, for ADSI":  {"A", 20 * time.Millisecond, 60 * time.Millisecond},
		"too late":     {"D", 180 * time.Millisecond, 60 * time.Millisecond},
		"a held key":   {"D", 20 * time.Millisecond, 400 * time.Millisecond},
		"before":       {"D", -100 * time.Millisecond, 60 * time.Millisecond},
		"only a flick": {"D", 20 * time.Millisecond, 20 * time.Millisecond},
	} {
		o := NewOffHook(waiting, joe, Bellcore)
		h := useTelephone(o, c.digits, c.after, c.length, 60*time.Millisecond)
		if _, err := received(h.pcm[320*8:]); !errors.Is(err, ErrNothing) || o.Acknowledged() || !o.Over() {
			t.Errorf("%s: error %v, acknowledged %v", name, err, o.Acknowledged())
		}
		most := 600 // ms: the signals, 160 ms, and what the line and frames of 20 ms take
		if c.length > ackMost {
			most = 800
		}
		if h.cut[0] > 340*8 || h.over > (most+60)*8 {
			t.Errorf("%s: voices are cut from %d to %d ms", name, h.cut[0]/8, h.over/8)
		}
	}
}

// The tone alone cuts nobody off.
func TestWaitingToneAlone(t *testing.T) {
	o := NewWaitingTone(waiting)
	h := useTelephone(o, "D", 0, 60*time.Millisecond, 0)
	if h.cut[0] >= 0 || h.over > 320*8 || !o.Over() {
		t.Errorf("voices cut at %d, over at %d ms", h.cut[0]/8, h.over/8)
	}
}

// TestMinimodemOffHook has minimodem read what a telephone in use hears.
func TestMinimodemOffHook(t *testing.T) {
	witness.Need(t, "minimodem")
	for s, modem := range map[Standard]string{Bellcore: "callerid", ETSI: "1200 -M 1300 -S 2100"} {
		h := useTelephone(NewOffHook(waiting, joe, s), "D", 40*time.Millisecond, 60*time.Millisecond, 40*time.Millisecond)
		out := witness.Run(t, "", `minimodem --rx `+modem+` -q -R 8000 -f "$1"`, witness.WAV(t, append(h.pcm, make([]int16, 4000)...)))
		for _, want := range []string{"5551234", "Joe Example"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: minimodem does not tell %q: %q", s, want, out)
			}
		}
	}
}
