package echo

import (
	"math"
	"math/rand/v2"
	"testing"

	"crosspoint/internal/dsp"
	"crosspoint/internal/g168"
	"crosspoint/internal/sounds"
	"crosspoint/internal/witness"
)

// v21 is bits at 300 bit/s by channel 2 of V.21, its frequencies off by some Hz,
// begun at a part of a sample.
func v21(dBm0, off, begin float64, bits []byte) []int16 {
	const length = dsp.SampleRate / 300.
	x := make([]int16, int(float64(len(bits))*length))
	phase := begin * 2 * math.Pi
	for i := range x {
		hz := 1650. + off
		if bits[min(int((float64(i)+begin)/length), len(bits)-1)] == 0 {
			hz += 200
		}
		phase += 2 * math.Pi * hz / dsp.SampleRate
		x[i] = dsp.Clip(dsp.Peak(dBm0) * math.Sin(phase))
	}
	return g168.Coded(x)
}

// preamble is the flags before a command.
func preamble(flags int) (bits []byte) {
	for range flags {
		bits = append(bits, 0, 1, 1, 1, 1, 1, 1, 0)
	}
	return bits
}

// TestFlags: a command is known at every level, with frequencies off as far as
// V.21 allows, in noise, and before its preamble has ended.
func TestFlags(t *testing.T) {
	for _, dBm0 := range []float64{-3, -13, -25, -42} {
		for _, off := range []float64{-12, 0, 12} {
			for begin := range 10 {
				x := v21(dBm0, off, float64(begin)/10, preamble(32))
				if got, ms := found(append(make([]int16, 13*begin), x...), begin%2 == 0); got != Fax || ms > 400 {
					t.Errorf("%v dBm0, %v Hz off, begun at %d: %v after %d ms", dBm0, off, begin, got, ms)
				}
			}
		}
	}
	for seed := range uint64(10) {
		x := g168.Sum(v21(-20, 6, 0, preamble(32)), g168.WhiteNoise(seed+1, -35, dsp.SampleRate))
		if got, ms := found(x, false); got != Fax || ms > 500 {
			t.Errorf("in noise: %v after %d ms", got, ms)
		}
	}
}

// TestFlagsFromSpandsp: libspandsp's modem sends them.
func TestFlagsFromSpandsp(t *testing.T) {
	if got, ms := found(witness.NeedSpandsp(t).Says("v21", "32"), false); got != Fax || ms > 500 {
		t.Errorf("%v after %d ms", got, ms)
	}
}

// talkOff is how many seconds of each talk may hold no command.
var talkOff = 200

// TestNoFlags: what lines carry beside, for minutes, and what resembles flags,
// are none.
func TestNoFlags(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 600)
	for i := range random {
		random[i] = byte(r.IntN(2))
	}
	var alternating, other []byte
	for range 300 {
		alternating = append(alternating, 0, 1)
	}
	for range 75 {
		other = append(other, 0, 1, 1, 1, 1, 1, 0) // an octet too short
	}
	warble := make([]int16, 4*second) // a tone of two, at the tempo of flags
	phase := 0.0
	for i := range warble {
		phase += 2 * math.Pi * (1750 + 100*math.Sin(2*math.Pi*37.5*float64(i)/8000)) / 8000
		warble[i] = dsp.Clip(3000 * math.Sin(phase))
	}
	for name, x := range map[string][]int16{
		"random bits":   v21(-13, 0, 0, random),
		"alternating":   v21(-13, 0, 0, alternating),
		"shorter":       v21(-13, 0, 0, other),
		"a few flags":   append(v21(-13, 0, 0, preamble(9)), make([]int16, 800)...),
		"too weak":      v21(-48, 0, 0, preamble(32)),
		"1650 Hz":       tones(-13, 2*second, 1650),
		"1850 Hz":       tones(-13, 2*second, 1850),
		"both":          tones(-13, 2*second, 1650, 1850),
		"warble":        warble,
		"noise":         g168.WhiteNoise(1, -10, 20*second),
		"speech signal": g168.CSS(1, -10, 20*second),
	} {
		if got, ms := found(x, false); got != None {
			t.Errorf("%s: %v after %d ms", name, got, ms)
		}
	}
	talk := make([]int16, second)
	for seed := range uint64(3) {
		var d Disabler
		speech, music := sounds.NewSpeech(seed, -15), sounds.NewMusic(seed, -15)
		other := make([]int16, second)
		for at := range talkOff {
			speech.Read(talk)
			music.Read(other)
			if got := d.Listen(talk, other); got != None {
				t.Fatalf("talk %d: %v after %d s", seed, got, at)
			}
		}
	}
}
