package dtmf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/dsp"
	"crosspoint/internal/sounds"
	"crosspoint/media/g711"
)

// A press is one digit as a sloppy telephone might send it. Zero values are nominal.
type press struct {
	digit     byte
	lowOff    float64 // share by which the frequencies are off
	highOff   float64
	low, high float64 // dBm0
	on        time.Duration
	gap       time.Duration // an interruption in its middle
	after     time.Duration // silence
}

func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

func samples(d time.Duration) int { return int(d.Seconds()*rate + 0.5) }

// pcm is the press between silences, with µ-law between telephone and receiver.
func (p press) pcm(noise float64, r *rand.Rand) []int16 {
	lowHz, highHz, _ := Frequencies(p.digit)
	var a, b dsp.Osc
	a.Tune(lowHz * (1 + p.lowOff))
	b.Tune(highHz * (1 + p.highOff))
	lead := 400 + r.IntN(200) // so that blocks fall anywhere
	on, gap := samples(p.on), samples(p.gap)
	out := make([]int16, lead+on+samples(p.after))
	for i := range out {
		var x float64
		if at := i - lead; at >= 0 && at < on && (at < (on-gap)/2 || at >= (on+gap)/2) {
			x = dsp.Peak(p.low)*a.Next() + dsp.Peak(p.high)*b.Next()
		}
		x += noise * r.NormFloat64()
		out[i] = g711.MuLaw.DecodeSample(g711.MuLaw.EncodeSample(dsp.Clip(x)))
	}
	return out
}

// nominal is a press well within all limits.
func nominal(digit byte) press {
	return press{digit: digit, low: -10, high: -10, on: ms(60), after: ms(100)}
}

// hear is the digits in pcm, in the order in which they ended.
func hear(d *Detector, pcm []int16) string {
	var s strings.Builder
	for _, e := range d.Detect(pcm) {
		if !e.Down {
			s.WriteByte(e.Digit)
		}
	}
	return s.String()
}

// TestLimits holds the detector to ITU-T Q.24 with every digit, many times.
func TestLimits(t *testing.T) {
	all := func(change func(*press)) func(press) press {
		return func(p press) press { change(&p); return p }
	}
	off := func(low, high float64) func(press) press {
		return all(func(p *press) { p.lowOff, p.highOff = low, high })
	}
	levels := func(low, high float64) func(press) press {
		return all(func(p *press) { p.low, p.high = low, high })
	}
	lasts := func(on float64) func(press) press { return all(func(p *press) { p.on = ms(on) }) }
	for _, c := range []struct {
		name   string
		change func(press) press
		snr    float64 // dB, 0: no noise
		accept bool
		rate   float64 // share of digits that must come out so
	}{
		{"nominal", lasts(60), 0, true, 1},
		{"frequencies 1.5% up", off(.015, .015), 0, true, 1},
		{"frequencies 1.5% down", off(-.015, -.015), 0, true, 1},
		{"frequencies 1.5% apart", off(-.015, .015), 0, true, 1},
		{"frequencies 1.5% together", off(.015, -.015), 0, true, 1},
		{"both 3.5% up", off(.035, .035), 0, false, 1},
		{"both 3.5% down", off(-.035, -.035), 0, false, 1},
		{"low 3.5% up", off(.035, 0), 0, false, 1},
		{"low 3.5% down", off(-.035, 0), 0, false, 1},
		{"high 3.5% up", off(0, .035), 0, false, 1},
		{"high 3.5% down", off(0, -.035), 0, false, 1},
		{"low weaker by 4 dB", levels(-14, -10), 0, true, 1},
		{"high weaker by 8 dB", levels(-10, -18), 0, true, 1},
		{"low weaker by 7 dB", levels(-17, -10), 0, false, 1},
		{"high weaker by 11 dB", levels(-10, -21), 0, false, 1},
		{"0 dBm0 each", levels(0, -0.5), 0, true, 1},
		{"-25 dBm0 each", levels(-25, -25), 0, true, 1},
		{"-42 dBm0 each", levels(-42, -42), 0, true, 1},
		{"-48 dBm0 each", levels(-48, -48), 0, false, 1},
		{"40 ms", lasts(40), 0, true, 1},
		{"23 ms", lasts(23), 0, false, 1},
		{"40 ms at 15 dB S/N", lasts(40), 15, true, 0.999},
		{"50 ms at 15 dB S/N", lasts(50), 15, true, 1},
		{"23 ms at 15 dB S/N", lasts(23), 15, false, 1},
		{"1.5% at 15 dB S/N", off(.015, -.015), 15, true, 0.999},
		{"3.5% at 15 dB S/N", off(.035, .035), 15, false, 0.999},
		{"8 dB twist at 15 dB S/N", levels(-10, -18), 15, true, 0.999},
		{"interrupted for 10 ms", all(func(p *press) { p.on, p.gap = ms(80), ms(10) }), 0, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			total, wrong, times := 0, 0, 40
			if raced {
				times = 8
			}
			for range times {
				for _, digit := range []byte(Digits) {
					p := c.change(nominal(digit))
					noise := 0.0
					if c.snr > 0 {
						power := dsp.MeanSquare(p.low) + dsp.MeanSquare(p.high)
						noise = math.Sqrt(power / math.Pow(10, c.snr/10))
					}
					want := ""
					if c.accept {
						want = string(digit)
					}
					total++
					if got := hear(NewDetector(Limits{}), p.pcm(noise, r)); got != want {
						wrong++
						if wrong <= 3 {
							t.Logf("%c was heard as %q", digit, got)
						}
					}
				}
			}
			if share := 1 - float64(wrong)/float64(total); share < c.rate {
				t.Errorf("%d of %d digits came out wrong", wrong, total)
			}
		})
	}
}

// TestPause sends the shortest digits with the shortest pause, also the same digit twice.
func TestPause(t *testing.T) {
	for _, digits := range []string{Digits, "1122334455", "0000000000", "DD##**CC"} {
		for _, on := range []float64{40, 50} {
			g := NewGenerator(Timing{On: ms(on), Off: ms(40)})
			if err := g.Dial(digits); err != nil {
				t.Fatal(err)
			}
			pcm := make([]int16, 16000)
			g.Read(pcm)
			if got := hear(NewDetector(Limits{}), pcm); got != digits {
				t.Errorf("%v ms on, 40 ms off: %q was heard as %q", on, digits, got)
			}
		}
	}
}

// TestPositions compares what the events say with what was sent.
func TestPositions(t *testing.T) {
	g := NewGenerator(Timing{On: ms(80), Off: ms(120), Level: -12, Twist: -3})
	if err := g.Dial(Digits); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 2000+16*1600)
	g.Read(pcm[2000:])
	d := NewDetector(Limits{})
	var got []Event
	for _, block := range blocksOf(pcm, 160) {
		got = append(got, d.Detect(block)...)
	}
	if len(got) != 2*len(Digits) {
		t.Fatalf("%d events for %d digits", len(got), len(Digits))
	}
	for i, e := range got {
		want := uint64(2000 + i/2*1600)
		if !e.Down {
			want += 640
			if diff := e.Duration - ms(80); diff.Abs() > ms(8) {
				t.Errorf("%c lasted %v", e.Digit, e.Duration)
			}
		}
		if e.Digit != Digits[i/2] || e.Down != (i%2 == 0) {
			t.Errorf("event %d is %c, down %v", i, e.Digit, e.Down)
		}
		if diff := math.Abs(float64(e.At) - float64(want)); diff > 40 {
			t.Errorf("%c down=%v at %d, not %d", e.Digit, e.Down, e.At, want)
		}
		if e.Down && e.Sure > want+360 {
			t.Errorf("%c was sure only after %d samples", e.Digit, e.Sure-want)
		}
		if math.Abs(e.Twist+3) > 0.5 || math.Abs(e.Level-dsp.Level(dsp.MeanSquare(-12)+dsp.MeanSquare(-15))) > 0.7 {
			t.Errorf("%c has level %.1f, twist %.1f", e.Digit, e.Level, e.Twist)
		}
	}
}

func blocksOf(pcm []int16, n int) (blocks [][]int16) {
	for len(pcm) > 0 {
		k := min(n, len(pcm))
		blocks = append(blocks, pcm[:k])
		pcm = pcm[k:]
	}
	return blocks
}

// TestBlocks shows the same audio in blocks of every size.
func TestBlocks(t *testing.T) {
	g := NewGenerator(Timing{})
	if err := g.Dial("90210#*"); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 12000)
	g.Read(pcm)
	want := fmt.Sprint(NewDetector(Limits{}).Detect(pcm))
	for _, size := range []int{1, 7, 31, 32, 33, 160, 999} {
		d := NewDetector(Limits{})
		var got []Event
		for _, b := range blocksOf(pcm, size) {
			got = append(got, d.Detect(b)...)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("blocks of %d samples give %v, not %s", size, got, want)
		}
	}
}

// TestDialTone dials while the exchange's dial tone leaks back as loud as 3 dB below the digits.
func TestDialTone(t *testing.T) {
	for _, dial := range [][]float64{{350, 440}, {425}, {440}, {400}, {413, 438}} {
		g := NewGenerator(Timing{On: ms(60), Off: ms(60), Level: -10})
		if err := g.Dial(Digits); err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, 20000)
		g.Read(pcm)
		level := -10.0
		if len(dial) > 1 {
			level = -13
		}
		for _, hz := range dial {
			var o dsp.Osc
			o.Tune(hz)
			for i := range pcm {
				pcm[i] = dsp.Clip(float64(pcm[i]) + dsp.Peak(level)*o.Next())
			}
		}
		if got := hear(NewDetector(Limits{}), pcm); got != Digits {
			t.Errorf("over dial tone %v: %q", dial, got)
		}
	}
}

// TestTalkOff listens to speech and music, in which there are no digits.
func TestTalkOff(t *testing.T) {
	minutes := 10
	if testing.Short() || raced {
		minutes = 1
	}
	type source interface{ Read([]int16) int }
	heard := map[string]int{}
	for i := range uint64(minutes) {
		for name, s := range map[string]source{"speech": sounds.NewSpeech(i, -15), "music": sounds.NewMusic(i, -15)} {
			d := NewDetector(Limits{})
			var block [160]int16
			for range 60 * 50 {
				s.Read(block[:])
				for j, v := range block {
					block[j] = g711.MuLaw.DecodeSample(g711.MuLaw.EncodeSample(v))
				}
				for _, e := range d.Detect(block[:]) {
					if e.Down {
						heard[name]++
					}
				}
			}
		}
	}
	if heard["speech"] > 0 || heard["music"] > 0 {
		t.Errorf("%d minutes each: %d digits in speech, %d in music", minutes, heard["speech"], heard["music"])
	}
}

// TestTonesAreNoDigits shows single tones, call progress tones and noise.
func TestTonesAreNoDigits(t *testing.T) {
	for _, hz := range [][]float64{{697}, {1209}, {941, 1000}, {350, 440}, {480, 620}, {440, 480}, {1100}, {2100},
		{697, 770, 1209}, {697, 1209, 1477}, {950}, {1400}, {1800}, {1300, 2100}} {
		pcm := make([]int16, 16000)
		for _, f := range hz {
			var o dsp.Osc
			o.Tune(f)
			for i := range pcm {
				pcm[i] = dsp.Clip(float64(pcm[i]) + dsp.Peak(-10)*o.Next())
			}
		}
		if e := NewDetector(Limits{}).Detect(pcm); len(e) > 0 {
			t.Errorf("%v Hz: %v", hz, e)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, 20*rate)
	for i := range pcm {
		pcm[i] = int16(3000 * r.NormFloat64())
	}
	if e := NewDetector(Limits{}).Detect(pcm); len(e) > 0 {
		t.Errorf("noise: %v", e)
	}
}

func TestReset(t *testing.T) {
	g := NewGenerator(Timing{On: time.Second})
	if err := g.Dial("5"); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 4010)
	g.Read(pcm)
	d := NewDetector(Limits{})
	d.Detect(pcm)
	if digit, ok := d.Sounding(); !ok || digit != '5' {
		t.Error("5 does not sound")
	}
	d.Reset()
	if _, ok := d.Sounding(); ok {
		t.Error("something sounds after Reset")
	}
	if e := d.Detect(make([]int16, 4000)); len(e) > 0 {
		t.Errorf("after Reset: %v", e)
	}
	g.Stop()
	if err := g.Dial("6"); err != nil {
		t.Fatal(err)
	}
	g.Read(pcm)
	if e := d.Detect(pcm); len(e) != 1 || e[0].Digit != '6' || math.Abs(float64(e[0].At)-8010) > 40 {
		t.Errorf("after Reset and 8010 samples: %v", e)
	}
}

func TestDetectAllocatesNothing(t *testing.T) {
	g := NewGenerator(Timing{})
	d := NewDetector(Limits{})
	var block [160]int16
	if err := g.Dial(strings.Repeat("159D", 10)); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(300, func() {
		g.Read(block[:])
		d.Detect(block[:])
	}); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

func BenchmarkDetect(b *testing.B) {
	for name, s := range map[string]interface{ Read([]int16) int }{"speech": sounds.NewSpeech(1, -15), "digits": func() *Generator {
		g := NewGenerator(Timing{})
		_ = g.Dial("0123456789")
		return g
	}()} {
		b.Run(name, func(b *testing.B) {
			pcm := make([]int16, 2*rate)
			s.Read(pcm)
			d := NewDetector(Limits{})
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 160) % len(pcm) {
				d.Detect(pcm[i : i+160])
			}
		})
	}
}
