package tone

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/dsp"
	"crosspoint/internal/sounds"
	"crosspoint/media/g711"
)

const rate = dsp.SampleRate

// A line is what a Detector is shown, put together piece by piece.
type line struct {
	pcm []int16
	c   Country
}

func newLine(t testing.TB, code string) *line {
	c, err := Lookup(code)
	if err != nil {
		t.Fatal(err)
	}
	return (&line{c: c}).quiet(0.5)
}

func (l *line) quiet(seconds float64) *line {
	l.pcm = append(l.pcm, make([]int16, int(seconds*rate))...)
	return l
}

func (l *line) play(t Tone, seconds float64) *line {
	pcm := make([]int16, int(seconds*rate))
	NewGenerator(t).Read(pcm)
	l.pcm = append(l.pcm, pcm...)
	return l
}

func (l *line) from(s interface{ Read([]int16) int }, seconds float64) *line {
	pcm := make([]int16, int(seconds*rate))
	s.Read(pcm)
	l.pcm = append(l.pcm, pcm...)
	return l
}

// noise adds noise, and the µ-law.
func (l *line) noise(level float64) *line {
	r := rand.New(rand.NewPCG(1, 2))
	rms := math.Sqrt(dsp.MeanSquare(level))
	for i, s := range l.pcm {
		l.pcm[i] = g711.MuLaw.DecodeSample(g711.MuLaw.EncodeSample(dsp.Clip(float64(s) + rms*r.NormFloat64())))
	}
	return l
}

// events is what the detector tells, silence and what has ended left out.
func (l *line) events(d *Detector) (began []Event) {
	for pcm := l.pcm; len(pcm) > 0; {
		n := min(160, len(pcm))
		for _, e := range d.Detect(pcm[:n]) {
			if e.On && e.Kind != Silence {
				began = append(began, e)
			}
		}
		pcm = pcm[n:]
	}
	return began
}

func (l *line) hears() string {
	var names []string
	for _, e := range l.events(NewDetector(Config{Country: l.c})) {
		names = append(names, e.Kind.String())
	}
	return strings.Join(names, ", ")
}

// change is t with other frequencies, lengths and levels.
func change(t Tone, frequency, length, level float64) Tone {
	out := Tone{Loop: t.Loop}
	for _, p := range t.Parts {
		q := Part{Level: p.Level + level, For: time.Duration(float64(p.For) * length)}
		for _, f := range p.Hz {
			q.Hz = append(q.Hz, f*frequency)
		}
		out.Parts = append(out.Parts, q)
	}
	return out
}

// distinct are countries that have little in common.
var distinct = []string{"us", "uk", "de", "fr", "jp", "au", "it", "es"}

// TestEveryTone plays each tone of each country, and expects that tone and
// nothing else; in some countries also off by what exchanges may be off, weak,
// and for long.
func TestEveryTone(t *testing.T) {
	conditions := map[string]func(Tone) Tone{
		"clean":      func(t Tone) Tone { return t },
		"1% higher":  func(t Tone) Tone { return change(t, 1.01, 1, 0) },
		"1% lower":   func(t Tone) Tone { return change(t, 0.99, 1, 0) },
		"5% slower":  func(t Tone) Tone { return change(t, 1, 1.05, 0) },
		"5% faster":  func(t Tone) Tone { return change(t, 1, 0.95, 0) },
		"12 dB less": func(t Tone) Tone { return change(t, 1, 1, -12) },
	}
	codes := Codes()
	if raced {
		codes = distinct
	}
	for _, code := range codes {
		c, _ := Lookup(code)
		for _, tone := range []struct {
			kind Kind
			tone Tone
			by   float64 // seconds by which it must be known
		}{
			{Dial, c.Dial, 2.2}, {Dial, c.Stutter, 3.2}, {Ringback, c.Ringback, 2.7}, {Busy, c.Busy, 4.8},
			{Congestion, c.Congestion, 4.8}, {Congestion, c.Unobtainable, 3}, {SIT, c.SIT, 4.2}, {Howler, c.Howler, 0.8},
		} {
			if tone.tone.Silent() {
				continue
			}
			want := tone.kind.String()
			if tone.kind == Congestion && fmt.Sprint(c.Congestion) == fmt.Sprint(c.Busy) {
				want = Busy.String() // Japan has one for both
			}
			for name, condition := range conditions {
				if name != "clean" && (raced || !slices.Contains(distinct, code)) {
					continue
				}
				l := newLine(t, code).play(condition(tone.tone), tone.by).quiet(0.3).noise(-55)
				if got := l.hears(); strings.Split(got, ", ")[0] != want || strings.Contains(got, Voice.String()) {
					t.Errorf("%s %s, %s: heard %q", code, want, name, got)
				}
			}
			if raced || !slices.Contains(distinct, code) {
				continue
			}
			long := newLine(t, code).play(tone.tone, 11).noise(-55).hears()
			for _, got := range strings.Split(long, ", ") {
				if got != want {
					t.Errorf("%s %s for 11 s: heard %q", code, want, long)
					break
				}
			}
		}
	}
}

// TestDialToneSoon seizes a line: dial tone must be known in 400 to 600 ms.
func TestDialToneSoon(t *testing.T) {
	for _, code := range Codes() {
		l := newLine(t, code)
		if len(l.c.Dial.Parts) > 1 {
			continue // Italy's has a cadence
		}
		at := len(l.pcm)
		d := NewDetector(Config{Country: l.c})
		d.ExpectDial()
		got := l.play(l.c.Dial, 2).events(d)
		if len(got) != 1 || got[0].Kind != Dial {
			t.Errorf("%s: heard %v", code, got)
			continue
		}
		limit := 440.0
		for _, other := range []Tone{l.c.Ringback, l.c.Busy, l.c.Congestion} {
			if fmt.Sprint(other.Parts[0].Hz) == fmt.Sprint(l.c.Dial.Parts[0].Hz) {
				limit = 700
			}
		}
		if code == "in" || code == "au" || code == "cn" || code == "br" {
			limit = 950 // a beat of their other tones lasts longer
		}
		if after := float64(int(got[0].At)-at) / 8; after < 300 || after > limit {
			t.Errorf("%s: dial tone is sure after %.0f ms", code, after)
		}
		if off := math.Abs(float64(int(got[0].Since) - at)); off > 160 {
			t.Errorf("%s: dial tone is told to have begun %v samples away", code, off)
		}
	}
}

// TestRingbackIsNoDialTone hears ringback first after dialling.
func TestRingbackIsNoDialTone(t *testing.T) {
	for _, code := range distinct {
		l := newLine(t, code)
		if got := l.play(l.c.Ringback, 9).hears(); got != Ringback.String() {
			t.Errorf("%s: heard %q", code, got)
		}
	}
}

// TestEnds tells when a tone is over: dial tone at the first digit, ringback when someone answers.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		code string
		line func(l *line) *line
		kind Kind
		ends float64 // seconds
		by   float64
	}{
		{"us", func(l *line) *line { return l.play(l.c.Dial, 1.5).quiet(1) }, Dial, 2, 2.1},
		{"us", func(l *line) *line { return l.play(l.c.Ringback, 7).from(sounds.NewSpeech(1, -18), 3) }, Ringback, 7.5, 8},
		{"de", func(l *line) *line { return l.play(l.c.Ringback, 6).quiet(9) }, Ringback, 6.5, 11.3},
		{"us", func(l *line) *line { return l.play(l.c.Busy, 4).from(sounds.NewSpeech(1, -18), 3) }, Busy, 4.5, 5.2},
	} {
		l := c.line(newLine(t, c.code))
		ended := 0
		for _, e := range NewDetector(Config{Country: l.c}).Detect(l.pcm) {
			if e.Kind != c.kind || e.On {
				continue
			}
			ended++
			if at := float64(e.At) / rate; at < c.ends || at > c.by {
				t.Errorf("%s %v ended at %.2f s", c.code, c.kind, at)
			}
		}
		if ended != 1 {
			t.Errorf("%s %v ended %d times", c.code, c.kind, ended)
		}
	}
}

// TestNothingElse plays what fools detectors of energy alone.
func TestNothingElse(t *testing.T) {
	digits := Tone{Parts: []Part{{Hz: []float64{770, 1336}, Level: -8, For: 500 * ms}, {For: 500 * ms}}}
	blips := Tone{Parts: []Part{{Hz: []float64{800}, Level: -15, For: 480 * ms}, {For: 480 * ms}}}
	for _, code := range distinct {
		for name, l := range map[string]*line{
			"digits at busy's tempo":   newLine(t, code).play(digits, 10),
			"a beat of another pitch":  newLine(t, code).play(blips, 10),
			"hiss":                     newLine(t, code).quiet(10).noise(-35),
			"hiss below all":           newLine(t, code).quiet(5).noise(-60),
			"hum":                      newLine(t, code).play(steady(-25, 50, 150), 5),
			"busy's frequency, uneven": newLine(t, code).play(uneven(newLine(t, code).c.Busy), 30),
		} {
			for _, e := range l.events(NewDetector(Config{Country: l.c})) {
				if e.Kind != Voice && e.Kind != Other {
					t.Errorf("%s, %s: %v at %.1f s", code, name, e.Kind, float64(e.At)/rate)
				}
			}
		}
	}
}

// uneven is a tone whose sounds have ever other lengths.
func uneven(t Tone) Tone {
	out := Tone{}
	r := rand.New(rand.NewPCG(9, 9))
	for range 40 {
		p := t.Parts[0]
		p.For = time.Duration(150+r.IntN(700)) * ms
		out.Parts = append(out.Parts, p, Part{For: time.Duration(150+r.IntN(700)) * ms})
	}
	return out
}

// TestTalkOff listens to speech and music, alone and both at once, as in a conference.
func TestTalkOff(t *testing.T) {
	minutes := uint64(3)
	if testing.Short() || raced {
		minutes = 1
	}
	for i := range minutes {
		speech := (&line{}).from(sounds.NewSpeech(i, -15), 60)
		music := (&line{}).from(sounds.NewMusic(i, -15), 60)
		both := &line{}
		for j := range speech.pcm {
			both.pcm = append(both.pcm, speech.pcm[j]/2+music.pcm[j]/2)
		}
		for _, code := range distinct {
			c, _ := Lookup(code)
			for name, l := range map[string]*line{"speech": speech, "music": music, "both": both} {
				voice := false
				for _, e := range l.events(NewDetector(Config{Country: c})) {
					voice = voice || e.Kind == Voice
					if e.Kind != Voice && e.Kind != Other {
						t.Errorf("%s, %s %d: %v at %.1f s", code, name, i, e.Kind, float64(e.At)/rate)
					}
				}
				if !voice && name != "music" {
					t.Errorf("%s, %s %d: no voice", code, name, i)
				}
			}
		}
	}
}

// TestCall follows a call from dial tone to the far end's hanging up.
func TestCall(t *testing.T) {
	l := newLine(t, "us")
	l.play(l.c.Dial, 1).quiet(2).play(l.c.Ringback, 14).from(sounds.NewSpeech(3, -20), 10).quiet(1).play(l.c.Busy, 5)
	d := NewDetector(Config{})
	d.ExpectDial()
	var got []Kind
	for _, e := range l.noise(-50).events(d) {
		got = append(got, e.Kind)
	}
	if !slices.Equal(got, []Kind{Dial, Ringback, Voice, Busy}) {
		t.Errorf("heard %v", got)
	}
}

// TestFax hears the tones of fax machines and modems.
func TestFax(t *testing.T) {
	reversing := Tone{} // V.25 with echo suppressors disabled: 2100 Hz whose phase is reversed each 450 ms
	var pcm []int16
	var o dsp.Osc
	o.Tune(2100)
	for n := range 3 * rate {
		sign := 1.0
		if n/(450*8)%2 == 1 {
			sign = -1
		}
		pcm = append(pcm, dsp.Clip(sign*dsp.Peak(-13)*o.Next()))
	}
	for _, c := range []struct {
		name string
		line *line
		want string
	}{
		{"CNG", newLine(t, "us").play(cadence(-13, hz(1100), 500, 3000), 7), "fax calling tone, fax calling tone"},
		{"CNG at its limit", newLine(t, "de").play(cadence(-25, hz(1135), 430, 3000), 3), "fax calling tone"},
		{"answer", newLine(t, "us").play(steady(-13, 2100), 3), "answer tone"},
		{"answer at its limit", newLine(t, "us").play(steady(-13, 2085), 3).noise(-45), "answer tone"},
		{"answer with reversals", &line{pcm: append(newLine(t, "us").pcm, pcm...)}, "answer tone"},
		{"too short", newLine(t, "us").play(cadence(-13, hz(1100), 200, 3000), 7), ""},
		{"beside", newLine(t, "us").play(cadence(-13, hz(1300), 600, 2000), 7), ""},
	} {
		c.line.play(reversing, 0)
		if got := c.line.hears(); got != c.want {
			t.Errorf("%s: heard %q", c.name, got)
		}
	}
}

// TestWrongCountry names the tone that is there instead.
func TestWrongCountry(t *testing.T) {
	for _, hz := range []float64{425, 400, 450} {
		l := newLine(t, "us").play(steady(-13, hz), 3)
		got := l.events(NewDetector(Config{Country: l.c}))
		if len(got) != 1 || got[0].Kind != Other || math.Abs(got[0].Hz-hz) > 2 {
			t.Errorf("%v Hz in the us: %+v", hz, got)
		}
	}
}

// TestSilence tells of silence after the configured time, and of its end.
func TestSilence(t *testing.T) {
	d := NewDetector(Config{Silence: 2 * time.Second})
	l := (&line{}).play(steady(-20, 1000), 1).quiet(5).play(steady(-20, 1000), 1)
	var got []Event
	for _, e := range d.Detect(l.pcm) {
		if e.Kind == Silence {
			got = append(got, e)
		}
	}
	if len(got) != 2 || !got[0].On || got[1].On {
		t.Fatalf("silence %+v", got)
	}
	if at := float64(got[0].At) / rate; at < 3 || at > 3.1 {
		t.Errorf("sure at %.2f s", at)
	}
	if at := float64(got[1].At) / rate; at < 6 || at > 6.1 {
		t.Errorf("over at %.2f s", at)
	}
}

// TestBlocks shows the same audio in blocks of every size.
func TestBlocks(t *testing.T) {
	l := newLine(t, "uk")
	l.play(l.c.Dial, 1).quiet(1).play(l.c.Ringback, 4).play(l.c.Busy, 4)
	want := fmt.Sprint(NewDetector(Config{Country: l.c}).Detect(l.pcm))
	for _, size := range []int{1, 79, 80, 160, 1000} {
		d := NewDetector(Config{Country: l.c})
		var got []Event
		for pcm := l.pcm; len(pcm) > 0; {
			n := min(size, len(pcm))
			got = append(got, d.Detect(pcm[:n])...)
			pcm = pcm[n:]
		}
		if fmt.Sprint(got) != want {
			t.Errorf("blocks of %d give %v, not %s", size, got, want)
		}
	}
}

// TestReset forgets half a busy tone.
func TestReset(t *testing.T) {
	l := newLine(t, "us")
	l.play(l.c.Busy, 2.2)
	d := NewDetector(Config{})
	if got := l.events(d); len(got) > 0 {
		t.Fatalf("heard %v", got)
	}
	d.Reset()
	if got := l.events(d); len(got) > 0 {
		t.Errorf("after Reset: %v", got)
	}
	l = newLine(t, "us")
	if got := l.play(l.c.Busy, 4).events(d); len(got) != 1 || got[0].Kind != Busy {
		t.Errorf("then: %v", got)
	}
}

// TestCycles asks for more sounds.
func TestCycles(t *testing.T) {
	for _, cycles := range []int{2, 3, 6} {
		l := newLine(t, "us")
		got := l.play(l.c.Busy, 9).events(NewDetector(Config{Cycles: cycles}))
		if len(got) != 1 || math.Abs(float64(got[0].At)/rate-0.5-float64(cycles)) > 0.1 {
			t.Errorf("%d sounds: %+v", cycles, got)
		}
	}
}

func TestDetectAllocatesNothing(t *testing.T) {
	l := newLine(t, "us")
	l.play(l.c.Dial, 1).play(l.c.Busy, 5).from(sounds.NewSpeech(1, -15), 5).play(l.c.SIT, 1)
	d := NewDetector(Config{})
	at := 0
	if n := testing.AllocsPerRun(1000, func() {
		d.Detect(l.pcm[at : at+160])
		at = (at + 160) % (len(l.pcm) - 160)
	}); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

func BenchmarkDetect(b *testing.B) {
	l := newLine(b, "us").from(sounds.NewSpeech(1, -15), 5)
	d := NewDetector(Config{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 160) % (len(l.pcm) - 160) {
		d.Detect(l.pcm[i : i+160])
	}
}
