package echo

import (
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"crosspoint/internal/g168"
	"crosspoint/media/dtmf"
)

// TestNothingSent: without our voice the line is heard to the bit.
func TestNothingSent(t *testing.T) {
	c := converged(Config{}, paths[0])
	silence := make([]int16, second)
	run(c, silence, silence) // the tail dies away
	talk := g168.DoubleTalk(1, -15, second)
	if out := run(c, silence, talk); !slices.Equal(out, talk) {
		t.Error("the near end alone was changed")
	}
	if c.Process(make([]int16, 160), make([]int16, 160)) {
		t.Error("a change is told of silence")
	}
}

// TestReset forgets the line.
func TestReset(t *testing.T) {
	c := converged(Config{}, paths[0])
	c.Reset()
	fresh := New(Config{})
	far := g168.CSS(5, -10, second)
	in := g168.Sum(paths[len(paths)-1].Through(far), nil)
	if !slices.Equal(run(c, far, in), run(fresh, far, in)) {
		t.Error("after a reset something of the old line is left")
	}
}

// TestAnythingGoes: no input makes it fail or run away.
func TestAnythingGoes(t *testing.T) {
	c := New(Config{})
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 3000 {
		far, near := make([]int16, r.IntN(200)), make([]int16, r.IntN(200))
		for i := range far {
			switch n % 3 {
			case 0:
				far[i] = int16(r.Uint32())
			case 1:
				far[i] = 32767
			}
		}
		for i := range near {
			if n%5 < 3 {
				near[i] = int16(r.Uint32())
			} else if n%5 == 4 {
				near[i] = -32768
			}
		}
		c.Process(near, far)
	}
	silence := make([]int16, second)
	run(c, silence, silence)
	learn(c, paths[0])
	if got := residual(c, paths[0], 3, -10); got > -50 {
		t.Errorf("residual %.1f dBm0 after noise", got)
	}
}

func TestDoesNotAllocate(t *testing.T) {
	c := converged(Config{}, paths[0])
	far := g168.CSS(2, -10, second)
	near := g168.Sum(paths[0].Through(far), nil)
	at := 0
	if n := testing.AllocsPerRun(200, func() {
		c.Process(near[at:at+160], far[at:at+160])
		at = (at + 160) % (second - 160)
	}); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// BenchmarkTick is 20 ms in which we speak.
func BenchmarkTick(b *testing.B) {
	c := converged(Config{}, paths[0])
	far := g168.CSS(2, -10, second)
	in := g168.Sum(paths[0].Through(far), nil)
	var near [160]int16
	at := 0
	b.ReportAllocs()
	before := processorTime()
	for b.Loop() {
		copy(near[:], in[at:])
		c.Process(near[:], far[at:at+160])
		at = (at + 160) % (second - 160)
	}
	b.ReportMetric(float64(processorTime()-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used, in nanoseconds.
func processorTime() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// TestTalkWithoutEcho: two steady sounds on a line without echo, whichever
// began first, are no echo of each other and no noise to be replaced.
func TestTalkWithoutEcho(t *testing.T) {
	for _, first := range []int{-1600, 0, 800} {
		c := New(Config{})
		far, near := g168.Coded(g168.WhiteNoise(1, -16, 4*second)), g168.Coded(g168.WhiteNoise(2, -16, 4*second))
		if first > 0 {
			clear(far[:first])
		} else {
			clear(near[:-first])
		}
		out := run(c, far, near)
		if d := distortion(out[second/2:], near[second/2:]); d > -25 {
			t.Errorf("near end began %d samples earlier: %.1f dB distorted", first, d)
		}
	}
}

// TestDigitsPass: a key that is pressed while we talk is heard as what it is,
// through the echo of our voice, and once.
func TestDigitsPass(t *testing.T) {
	for _, h := range paths {
		c := converged(Config{}, h)
		far := g168.CSS(40, -14, 5*second)
		keys := make([]int16, len(far))
		g := dtmf.NewGenerator(dtmf.Timing{Level: -9})
		if err := g.Dial(dtmf.Digits); err != nil {
			t.Fatal(err)
		}
		g.Read(keys[second/2:])
		out := run(c, far, g168.Sum(h.Through(far), keys))
		var heard []byte
		d := dtmf.NewDetector(dtmf.Limits{})
		for at := 0; at < len(out); at += 160 {
			for _, e := range d.Detect(out[at : at+160]) {
				if e.Down {
					heard = append(heard, e.Digit)
				}
			}
		}
		if string(heard) != dtmf.Digits {
			t.Errorf("heard %q", heard)
		}
	}
}
