package fsk

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"crosspoint/internal/dsp"
	"crosspoint/internal/sounds"
	"crosspoint/media/g711"
)

// burst is a message as caller identification sends it, with silence around it.
func burst(t testing.TB, s Standard, level float64, data []byte) []int16 {
	m := NewModulator(s, level)
	m.Seizure(300)
	m.Mark(180)
	m.Send(data...)
	m.Mark(2)
	pcm := make([]int16, 800, 20000)
	var block [160]int16
	for {
		n := m.Read(block[:])
		pcm = append(pcm, block[:n]...)
		if n < len(block) {
			return append(pcm, make([]int16, 800)...)
		}
	}
}

func noise(r *rand.Rand, pcm []int16, rms float64) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(float64(s) + rms*r.NormFloat64())
	}
	return out
}

func message() []byte {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	return data
}

// hear is what came after the marks.
func hear(d *Demodulator, pcm []int16) (data []byte) {
	begun := false
	for len(pcm) > 0 {
		n := min(len(pcm), 37)
		for _, c := range d.Demodulate(pcm[:n]) {
			begun = begun || c.Idle > 100
			if begun && !c.Framing {
				data = append(data, c.Value)
			}
		}
		pcm = pcm[n:]
	}
	return data
}

func TestLevels(t *testing.T) {
	for _, s := range []Standard{Bell202, V23} {
		for _, level := range []float64{0, -13.5, -30, -40} {
			got := hear(NewDemodulator(s, 0), companded(burst(t, s, level, message())))
			if !bytes.Equal(got, message()) {
				t.Errorf("%s at %v dBm0: heard %d bytes % x", s.Name, level, len(got), got)
			}
		}
		if got := hear(NewDemodulator(s, 0), burst(t, s, -50, message())); len(got) > 0 {
			t.Errorf("%s at -50 dBm0: heard % x", s.Name, got)
		}
	}
}

// companded is pcm through the µ-law.
func companded(pcm []int16) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = g711.MuLaw.DecodeSample(g711.MuLaw.EncodeSample(s))
	}
	return out
}

// TestNoise counts the messages of 40 bytes that arrive whole.
func TestNoise(t *testing.T) {
	const tries = 50
	for _, s := range []Standard{Bell202, V23} {
		for _, c := range []struct {
			snr   float64 // dB, with the noise of the whole band
			whole int
		}{{20, tries}, {12, tries}, {10, tries}, {8, 44}} {
			r := rand.New(rand.NewPCG(1, uint64(c.snr)))
			pcm := burst(t, s, -20, message()[:40])
			rms := math.Sqrt(dsp.MeanSquare(-20 - c.snr))
			whole := 0
			for range tries {
				if bytes.HasPrefix(hear(NewDemodulator(s, 0), noise(r, pcm, rms)), message()[:40]) {
					whole++
				}
			}
			if whole < c.whole {
				t.Errorf("%s at %v dB S/N: %d of %d messages", s.Name, c.snr, whole, tries)
			}
		}
	}
}

// TestClock sends with bit clocks and carriers that are off by 1 %.
func TestClock(t *testing.T) {
	for _, s := range []Standard{Bell202, V23} {
		for _, off := range []float64{-.01, .01} {
			fast := Standard{s.Name, s.Mark, s.Space, s.Baud * (1 + off)}
			if got := hear(NewDemodulator(s, 0), burst(t, fast, -20, message())); !bytes.Equal(got, message()) {
				t.Errorf("%s with the clock off by %v: %d bytes", s.Name, off, len(got))
			}
			high := Standard{s.Name, s.Mark * (1 + off), s.Space * (1 - off), s.Baud}
			if got := hear(NewDemodulator(s, 0), burst(t, high, -20, message())); !bytes.Equal(got, message()) {
				t.Errorf("%s with frequencies off by %v: %d bytes", s.Name, off, len(got))
			}
		}
	}
}

// TestSlope sends through a line that takes 6 dB more of one frequency than of
// the other, and through one with hum and a constant offset.
func TestSlope(t *testing.T) {
	for _, s := range []Standard{Bell202, V23} {
		pcm := burst(t, s, -13.5, message())
		low, high := dsp.LowPass(1300), dsp.HighPass(2000)
		var hum dsp.Osc
		hum.Tune(50)
		var dull, bright, humming []int16
		for _, v := range pcm {
			dull = append(dull, dsp.Clip(low.Next(float64(v))))
			bright = append(bright, dsp.Clip(high.Next(float64(v))))
			humming = append(humming, dsp.Clip(float64(v)+dsp.Peak(-25)*hum.Next()+300))
		}
		for name, line := range map[string][]int16{"dull": dull, "bright": bright, "humming": humming} {
			if got := hear(NewDemodulator(s, 0), line); !bytes.HasPrefix(got, message()) {
				t.Errorf("%s on a %s line: %d bytes", s.Name, name, len(got))
			}
		}
	}
}

// TestFraming breaks a stop bit.
func TestFraming(t *testing.T) {
	m := NewModulator(Bell202, -13.5)
	m.Mark(80)
	m.Send('a')
	m.queue[len(m.queue)-1] = 0
	m.Mark(20)
	m.Send('b')
	m.Mark(3)
	pcm := make([]int16, 1200)
	m.Read(pcm)
	got := NewDemodulator(Bell202, 0).Demodulate(pcm)
	if len(got) != 2 || !got[0].Framing || got[1].Framing || got[1].Value != 'b' || got[1].Idle != 20 {
		t.Errorf("heard %+v", got)
	}
}

// TestCarrier listens to what is no modem.
func TestCarrier(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	hiss := noise(r, make([]int16, 80000), 1000)
	music := make([]int16, 80000)
	sounds.NewMusic(1, -15).Read(music)
	for name, pcm := range map[string][]int16{"silence": make([]int16, 8000), "noise": hiss, "music": music} {
		d := NewDemodulator(Bell202, 0)
		marks := 0
		for _, c := range d.Demodulate(pcm) {
			if c.Idle >= 40 && !c.Framing {
				marks++
			}
		}
		if marks > 0 {
			t.Errorf("%d messages begin in %s", marks, name)
		}
	}
	d := NewDemodulator(Bell202, 0)
	pcm := burst(t, Bell202, -20, message())
	d.Demodulate(pcm[:len(pcm)-800])
	if !d.Carrier() {
		t.Error("no carrier in a burst")
	}
	d.Demodulate(pcm[len(pcm)-800:])
	if d.Carrier() || d.Clock() != uint64(len(pcm)) {
		t.Errorf("carrier %v at %d", d.Carrier(), d.Clock())
	}
}

// TestPositions compares when characters begin with when they were sent.
func TestPositions(t *testing.T) {
	pcm := burst(t, Bell202, -13.5, message())
	first := 800 + 480*8000/1200
	n := 0
	for _, c := range NewDemodulator(Bell202, 0).Demodulate(pcm) {
		if int(c.At) < first-20 {
			continue
		}
		if want := float64(first) + float64(n)*10*8000/1200; math.Abs(float64(c.At)-want) > 3 {
			t.Fatalf("character %d begins at %d, not %v", n, c.At, want)
		}
		n++
	}
	if n != 256 {
		t.Errorf("%d characters", n)
	}
}

// TestContinuous looks for jumps: the phase may move by no more than the higher frequency.
func TestContinuous(t *testing.T) {
	pcm := burst(t, Bell202, 0, message())
	limit := 2*math.Pi*2200/8000*dsp.Peak(0) + 2
	for i := 801; i < len(pcm)-800; i++ {
		if d := math.Abs(float64(pcm[i]) - float64(pcm[i-1])); d > limit {
			t.Fatalf("jump by %v at %d", d, i)
		}
	}
	if level := dsp.Level(dsp.Energy(pcm[800:len(pcm)-800]) / float64(len(pcm)-1600)); math.Abs(level) > 0.05 {
		t.Errorf("sent at %.2f dBm0", level)
	}
}

func TestModulatorEnds(t *testing.T) {
	m := NewModulator(V23, -13.5)
	m.Send('x')
	pcm := make([]int16, 100)
	if n := m.Read(pcm); n != 67 || m.Busy() { // 10 bits of 6.67 samples
		t.Errorf("a character lasts %d samples", n)
	}
	if n := m.Read(pcm); n != 0 {
		t.Errorf("%d samples of nothing", n)
	}
	m.Mark(1000)
	m.Stop()
	if m.Busy() {
		t.Error("busy after Stop")
	}
}

func TestAllocatesNothing(t *testing.T) {
	pcm := burst(t, Bell202, -20, message())
	d, m := NewDemodulator(Bell202, 0), NewModulator(Bell202, -20)
	d.Demodulate(pcm)
	m.Mark(10000)
	var block [160]int16
	at := 0
	if n := testing.AllocsPerRun(200, func() {
		at = (at + 160) % (len(pcm) - 160)
		d.Demodulate(pcm[at : at+160])
		m.Read(block[:])
	}); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

func FuzzDemodulate(f *testing.F) {
	f.Add([]byte{1, 2, 3, 250, 255, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		pcm := make([]int16, len(b))
		for i, v := range b {
			pcm[i] = int16(v)<<8 | int16(v)
		}
		d := NewDemodulator(V23, 0)
		for _, c := range d.Demodulate(pcm) {
			if c.Idle < 0 || c.At > uint64(len(pcm)) {
				t.Errorf("%+v of %d samples", c, len(pcm))
			}
		}
	})
}

func BenchmarkDemodulate(b *testing.B) {
	pcm := burst(b, Bell202, -20, message())
	d := NewDemodulator(Bell202, 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 160) % (len(pcm) - 160) {
		d.Demodulate(pcm[i : i+160])
	}
}
