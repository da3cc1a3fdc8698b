package echo

import (
	"fmt"
	"math"
	"testing"
	"time"

	"crosspoint/internal/g168"
)

// The tests here follow the procedures of ITU-T G.168 §6.4.2 on echo paths of
// our own that have the shape of its annex D; `make bench-lines` measures on
// those of the annex. The limits are ours, where not said otherwise.

const second = 8000

// each runs f on each path at once.
func each(t *testing.T, f func(t *testing.T, h g168.Path)) {
	for i, h := range paths {
		t.Run(fmt.Sprintf("path%d", i+1), func(t *testing.T) { t.Parallel(); f(t, h) })
	}
}

// converged is a canceller that has heard 5 s of speech on the path.
func converged(cfg Config, h g168.Path) *Canceller {
	c := New(cfg)
	learn(c, h)
	return c
}

// learn lets a canceller hear 5 s of speech on the path, and its echo to the end.
func learn(c *Canceller, h g168.Path) {
	far := append(g168.CSS(100, -10, 5*second), make([]int16, second/8)...)
	run(c, far, g168.Sum(h.Through(far), nil))
}

// residual is the level that a canceller leaves of speech's echo in a second.
func residual(c *Canceller, h g168.Path, seed uint64, dBm0 float64) float64 {
	far := g168.CSS(seed, dBm0, second)
	return g168.Level(run(c, far, g168.Sum(h.Through(far), nil)))
}

// TestConvergence is test 2: within a second 20 dB of combined loss by the
// filter alone (G.168 §6.4.2.3.2), and a good model soon after.
func TestConvergence(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		for _, dBm0 := range []float64{0, -10, -20, -30} {
			c := New(Config{Linear: true})
			far := g168.CSS(7, dBm0, 6*second)
			out := run(c, far, g168.Sum(h.Through(far), nil))
			if got := dBm0 - g168.Level(out[second:2*second]); got < 20 {
				t.Errorf("at %v dBm0: combined loss %.1f dB after 1 s", dBm0, got)
			}
			got := g168.Level(out[5*second:])
			if most := max(dBm0-32, -60); got > most {
				t.Errorf("at %v dBm0: residual %.1f dBm0 after 5 s, expected %.1f at most", dBm0, got, most)
			}
		}
	})
}

// TestConvergenceWithNLP is test 2A: with the nonlinear processor nothing is
// heard after a second, at no level of speech.
func TestConvergenceWithNLP(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		for _, dBm0 := range []float64{0, -10, -20, -30} {
			c := New(Config{})
			far := g168.CSS(8, dBm0, 4*second)
			out := run(c, far, g168.Sum(h.Through(far), nil))
			if got := g168.Level(out[second:]); got > -65 {
				t.Errorf("at %v dBm0: returned echo %.1f dBm0", dBm0, got)
			}
		}
	})
}

// TestConvergenceInNoise is test 2C: a noise of -40 dBm0 at the near end costs
// no convergence, and the echo sinks below the noise.
func TestConvergenceInNoise(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		c := New(Config{Linear: true})
		far := g168.CSS(9, -10, 4*second)
		noise := g168.WhiteNoise(9, -40, len(far))
		out := run(c, far, g168.Sum(h.Through(far), noise))
		if got := g168.Level(out[second:]); got > -36 {
			t.Errorf("residual %.1f dBm0 in a noise of -40 dBm0", got)
		}
	})
}

// TestDoubleTalkLow is test 3A: a near end 15 dB below us does not keep the
// filter from converging.
func TestDoubleTalkLow(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		c := New(Config{Linear: true})
		far := g168.CSS(10, -10, 5*second)
		run(c, far, g168.Sum(h.Through(far), g168.DoubleTalk(10, -25, len(far))))
		if got := residual(c, h, 11, -10); got > -33 {
			t.Errorf("residual %.1f dBm0 after 5 s of low double talk", got)
		}
	})
}

// TestDoubleTalkHigh is test 3B: a near end as loud as we are, and louder,
// does not lead a converged filter astray by more than 10 dB, and is heard as it is.
func TestDoubleTalkHigh(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		for _, dBm0 := range []float64{-15, -10, -4} {
			c := converged(Config{Linear: true}, h)
			before := residual(c, h, 12, -10)
			far := g168.CSS(13, -10, 5*second)
			talk := g168.DoubleTalk(13, dBm0, len(far))
			in := g168.Sum(h.Through(far), talk)
			out := run(c, far, in)
			if after := residual(c, h, 14, -10); after > max(before+10, -40) {
				t.Errorf("near end at %v dBm0: residual %.1f dBm0 after double talk, %.1f before", dBm0, after, before)
			}
			if was, is := distortion(in, talk), distortion(out, talk); is > was-10 && is > -20 {
				t.Errorf("near end at %v dBm0: %.1f dB distorted, without canceller %.1f dB", dBm0, is, was)
			}
		}
	})
}

// distortion is how much louder in dB than the talk the rest of x is.
func distortion(x, talk []int16) float64 {
	rest := make([]int16, len(x))
	for i := range x {
		rest[i] = x[i] - talk[i]
	}
	return 20 * math.Log10(g168.RMS(rest)/g168.RMS(talk))
}

// TestDoubleTalkConversation is test 3C: with the nonlinear processor a near
// end that talks into our words is heard whole.
func TestDoubleTalkConversation(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		c := converged(Config{}, h)
		far := g168.CSS(15, -10, 5*second)
		talk := g168.DoubleTalk(15, -15, len(far))
		out := run(c, far, g168.Sum(h.Through(far), talk))
		const window = second / 50
		cut, words := 0, 0
		for at := 0; at+window <= len(out); at += window {
			if g168.RMS(talk[at:at+window]) < 300 {
				continue
			}
			words++
			if g168.RMS(out[at:at+window]) < g168.RMS(talk[at:at+window])/2 {
				cut++
			}
		}
		if cut*20 > words {
			t.Errorf("%d of %d frames of the near end were cut", cut, words)
		}
	})
}

// TestLeak is test 4: two minutes of silence do not spoil what was learnt.
func TestLeak(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		c := converged(Config{Linear: true}, h)
		before := residual(c, h, 16, -10)
		silence := make([]int16, 120*second)
		run(c, silence, silence)
		if after := residual(c, h, 16, -10); after > before+3 {
			t.Errorf("residual %.1f dBm0 after silence, %.1f before", after, before)
		}
	})
}

// TestInfiniteReturnLoss is test 5: when the echo is gone, because the path
// opened, the canceller does not make one for longer than a second.
func TestInfiniteReturnLoss(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		for _, linear := range []bool{true, false} {
			c := converged(Config{Linear: linear}, h)
			far := g168.CSS(17, -10, 2*second)
			out := run(c, far, make([]int16, len(far)))
			if got := g168.Level(out[second:]); got > -55 {
				t.Errorf("linear=%v: %.1f dBm0 of an echo that is not there", linear, got)
			}
		}
	})
}

// TestPathChange is test 2B's other half: another path is learnt like the first.
func TestPathChange(t *testing.T) {
	for i, h := range paths {
		other := paths[(i+3)%len(paths)]
		c := converged(Config{Linear: true}, h)
		far := g168.CSS(18, -10, 3*second)
		out := run(c, far, g168.Sum(other.Through(far), nil))
		if got := g168.Level(out[second : 2*second]); got > -30 {
			t.Errorf("from path %d to another: residual %.1f dBm0 after 1 s", i+1, got)
		}
	}
}

// TestNarrowBand is test 6: signalling tones do not spoil what was learnt by
// more than 10 dB (G.168 §6.4.2.7).
func TestNarrowBand(t *testing.T) {
	signals := [][]float64{{697, 1209}, {852, 1336}, {941, 1633}, {350, 440}, {480, 620}, {440}, {1004}, {2100}, {2600}, {3400}}
	each(t, func(t *testing.T, h g168.Path) {
		c := converged(Config{Linear: true}, h)
		before := residual(c, h, 19, -10)
		for _, hz := range signals {
			far := tones(-11, 3*second, hz...)
			out := run(c, far, g168.Sum(h.Through(far), nil))
			if got := g168.Level(out[2*second:]); got > -38 {
				t.Errorf("%v Hz: residual %.1f dBm0", hz, got)
			}
		}
		if after := residual(c, h, 19, -10); after > max(before+10, -38) {
			t.Errorf("residual %.1f dBm0 after the tones, %.1f before", after, before)
		}
	})
}

// TestStability is test 7: a canceller that begins with a tone cancels it and
// does not diverge.
func TestStability(t *testing.T) {
	each(t, func(t *testing.T, h g168.Path) {
		for _, hz := range []float64{300, 1020} {
			c := New(Config{Linear: true})
			far := tones(-10, 15*second, hz)
			in := g168.Sum(h.Through(far), nil)
			out := run(c, far, in)
			for s := 2; s < 14; s += 3 {
				if got, was := g168.Level(out[s*second:(s+1)*second]), g168.Level(in[s*second:(s+1)*second]); got > max(was-20, -42) {
					t.Errorf("%v Hz: %.1f dBm0 after %d s, the echo is %.1f", hz, got, s, was)
				}
			}
		}
	})
}

// TestComfortNoise is test 9: the noise in place of the echo is as loud as the
// near end's to within 2 dB (G.168 §6.4.2.10), also after it has changed.
func TestComfortNoise(t *testing.T) {
	h := paths[0]
	for _, dBm0 := range []float64{-60, -50, -45, -40} {
		c := converged(Config{}, h)
		for _, change := range []float64{0, 8, -8} {
			level := dBm0 + change
			silence := make([]int16, 5*second)
			run(c, silence, g168.Sum(g168.WhiteNoise(20, level, len(silence)), nil))
			far := g168.CSS(21, -10, 3*second)
			for i := range far { // no pauses: only made noise is heard
				if far[i] == 0 {
					far[i] = int16(i%7)*100 - 300
				}
			}
			out := run(c, far, g168.Sum(h.Through(far), g168.WhiteNoise(22, level, len(far))))
			want := g168.RMS(g168.Sum(g168.WhiteNoise(23, level, second), nil))
			if off := 20 * math.Log10(g168.RMS(out[second:])/want); math.Abs(off) > 2 {
				t.Errorf("noise of %v dBm0 is %+.1f dB off", level, off)
			}
		}
	}
}

// TestReturnLoss measures the line.
func TestReturnLoss(t *testing.T) {
	c := New(Config{})
	if !math.IsNaN(c.ReturnLoss()) || !math.IsNaN(c.Enhancement()) {
		t.Error("a loss of nothing")
	}
	for _, want := range []float64{6, 12, 20} {
		h := paths[0].Lossy(want)
		c := converged(Config{}, h)
		if got := c.ReturnLoss(); math.Abs(got-want) > 2 {
			t.Errorf("return loss %.1f dB, expected %v", got, want)
		}
		if got := c.Enhancement(); got < 25 {
			t.Errorf("enhancement %.1f dB", got)
		}
	}
}

// TestTail: a path longer than 32 ms needs a longer tail.
func TestTail(t *testing.T) {
	long := hybrid(30, 700, 200, 6)
	c := converged(Config{Linear: true, Tail: MaxTail}, long)
	if got := residual(c, long, 31, -10); got > -40 {
		t.Errorf("residual %.1f dBm0 on a path of 112 ms", got)
	}
	for tail, want := range map[time.Duration]time.Duration{0: 32, 1: 4, 33 * time.Millisecond: 36, time.Hour: 128, -1: 32} {
		if got := New(Config{Tail: tail}).Tail(); got != want*time.Millisecond {
			t.Errorf("tail %v became %v", tail, got)
		}
	}
}
