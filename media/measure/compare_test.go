package measure

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"crosspoint/internal/dsp"
	"crosspoint/internal/sounds"
	"crosspoint/media/g711"
)

func signal(seed uint64, level, seconds float64) []int16 {
	pcm := make([]int16, int(seconds*rate))
	NewSignal(seed, level).Read(pcm)
	return pcm
}

func through(law g711.Law, pcm []int16) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = law.DecodeSample(law.EncodeSample(s))
	}
	return out
}

func delayed(pcm []int16, samples int) []int16 {
	if samples < 0 {
		return pcm[-samples:]
	}
	return append(make([]int16, samples), pcm...)
}

// scaled is pcm louder by some dB, with noise of a level.
func scaled(pcm []int16, gain, noise float64) []int16 {
	r := rand.New(rand.NewPCG(1, 2))
	rms := math.Sqrt(dsp.MeanSquare(noise))
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = dsp.Clip(float64(s)*math.Pow(10, gain/20) + rms*r.NormFloat64())
	}
	return out
}

func about(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %.2f, not %.2f", what, got, want)
	}
}

func TestThroughG711(t *testing.T) {
	sent := signal(1, -15, 4)
	for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
		for _, delay := range []int{0, 1, 777, 12345, -4321} {
			r := Compare(sent, delayed(through(law, sent), delay))
			if r.Delay != delay || r.Lost != 0 || r.Slips != 0 || r.Inverted || !r.Heard() {
				t.Errorf("%v, delay %d: %+v", law, delay, r)
			}
			about(t, "gain", r.Gain, 0, 0.05)
			about(t, "level", r.Level, -15, 0.2)
			about(t, "sent", r.Sent, -15, 0.2)
			if r.SNR < 34 || r.Median < 34 {
				t.Errorf("%v: SNR %.1f dB, median %.1f dB", law, r.SNR, r.Median)
			}
		}
	}
}

// TestGainAndNoise tells the two apart.
func TestGainAndNoise(t *testing.T) {
	sent := signal(1, -15, 5)
	for _, c := range []struct{ gain, noise float64 }{{0, -60}, {-6, -45}, {-20, -50}, {3, -30}, {-12, -32}} {
		r := Compare(sent, delayed(scaled(sent, c.gain, c.noise), 500))
		about(t, "gain", r.Gain, c.gain, 0.1)
		about(t, "SNR", r.SNR, -15+c.gain-c.noise, 0.5)
		if r.Delay != 500 || r.Lost > 0 {
			t.Errorf("%+v: %+v", c, r)
		}
	}
	inverted := make([]int16, len(sent))
	for i, s := range sent {
		inverted[i] = -s
	}
	if r := Compare(sent, inverted); !r.Inverted || r.Gain < -0.01 || r.SNR < 60 {
		t.Errorf("inverted: %+v", r)
	}
}

// TestSlips leaves frames out and puts frames in, as jitter buffers do.
func TestSlips(t *testing.T) {
	sent := signal(1, -15, 10)
	arrived := through(g711.MuLaw, sent)
	cut := func(at, n int) []int16 { return append(append([]int16{}, arrived[:at]...), arrived[at+n:]...) }
	gap := make([]int16, 160)
	for _, c := range []struct {
		name  string
		got   []int16
		slips int
		lost  int // at most
		delay int
	}{
		{"a frame left out", cut(50000, 160), 1, 1, 0},
		{"three samples left out", cut(50003, 3), 1, 1, 0},
		{"a frame put in", append(append(append([]int16{}, arrived[:30000]...), gap...), arrived[30000:]...), 1, 2, 160},
		{"a frame repeated", append(append([]int16{}, arrived[:30400]...), arrived[30240:]...), 1, 2, 160},
		{"a frame lost and silence in its place", append(append(append([]int16{}, arrived[:30000]...), gap...), arrived[30160:]...), 0, 2, 0},
		{"a second lost", append(append(append([]int16{}, arrived[:30000]...), make([]int16, 8000)...), arrived[38000:]...), 0, 52, 0},
		{"left out and put in", append(append(append([]int16{}, cut(20000, 160)[:50000]...), gap...), cut(20000, 160)[50000:]...), 2, 3, 0},
	} {
		r := Compare(sent, delayed(c.got, 333))
		if r.Slips != c.slips || r.Lost > c.lost || r.Delay != 333+c.delay && r.Delay != 333-160+c.delay {
			t.Errorf("%s: %+v", c.name, r)
		}
		if r.SNR < 34 || r.Median < 34 {
			t.Errorf("%s: SNR %.1f dB, median %.1f dB", c.name, r.SNR, r.Median)
		}
	}
}

// TestNothingArrived compares with what is something else.
func TestNothingArrived(t *testing.T) {
	sent := signal(1, -15, 5)
	for name, got := range map[string][]int16{
		"nothing":           nil,
		"silence":           make([]int16, 40000),
		"another signal":    signal(2, -15, 5),
		"a frame":           sent[:160],
		"less than a frame": sent[:50],
	} {
		r := Compare(sent, got)
		if heard := r.Segments - r.Lost; heard > 1 || heard == 1 && name != "a frame" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, r := range []Result{Compare(nil, sent), Compare(nil, nil), Compare(make([]int16, 1000), make([]int16, 1000))} {
		if r.Heard() || !math.IsInf(r.SNR, -1) {
			t.Errorf("nothing sent: %+v", r)
		}
	}
}

// TestSpeech aligns what is not made for it, with pauses.
func TestSpeech(t *testing.T) {
	sent := make([]int16, 10*rate)
	sounds.NewSpeech(4, -15).Read(sent)
	r := Compare(sent, delayed(through(g711.MuLaw, sent), 2222))
	if r.Delay != 2222 || r.SNR < 30 || r.Lost > r.Segments/20 {
		t.Errorf("%+v", r)
	}
	about(t, "gain", r.Gain, 0, 0.1)
}

// TestOneOfTwo finds the sent signal below another party's.
func TestOneOfTwo(t *testing.T) {
	sent, other := signal(1, -20, 5), signal(2, -20, 5)
	mixed := make([]int16, len(sent))
	for i := range mixed {
		mixed[i] = sent[i] + other[i]
	}
	r := Compare(sent, mixed)
	about(t, "SNR", r.SNR, 0, 0.5)
	if r.Delay != 0 || float64(r.Lost) > 0.1*float64(r.Segments) {
		t.Errorf("%+v", r)
	}
}

// TestFast holds ten seconds of audio to milliseconds, with room for a busy machine.
func TestFast(t *testing.T) {
	sent := signal(1, -15, 10)
	got := delayed(through(g711.MuLaw, sent), 1000)
	best := time.Hour
	for range 3 {
		begin := time.Now()
		Compare(sent, got)
		best = min(best, time.Since(begin))
	}
	if best > time.Second {
		t.Errorf("comparing took %v", best)
	}
}

func BenchmarkCompare(b *testing.B) {
	sent := signal(1, -15, 10)
	got := delayed(through(g711.MuLaw, sent), 1000)
	for b.Loop() {
		Compare(sent, got)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add([]byte("abcdefgh"), []byte("cdefgh"), uint16(300))
	f.Fuzz(func(t *testing.T, a, b []byte, times uint16) {
		spread := func(b []byte) []int16 {
			pcm := make([]int16, 0, 1000)
			for i := 0; len(b) > 0 && i < int(times%1000); i++ {
				pcm = append(pcm, int16(b[i%len(b)])<<8-int16(i))
			}
			return pcm
		}
		r := Compare(spread(a), spread(b))
		if r.Lost > r.Segments || math.IsNaN(r.SNR) || math.IsNaN(r.Gain) || math.IsNaN(r.Level) {
			t.Errorf("%+v", r)
		}
	})
}
