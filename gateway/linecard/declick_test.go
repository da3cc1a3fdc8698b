package linecard

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"crosspoint/media/g711"
)

// tones are µ-law samples of some frequencies together.
func tones(n int, level float64, hz ...float64) []byte {
	codes := make([]byte, n)
	for i := range codes {
		s := 0.0
		for _, f := range hz {
			s += level * math.Sin(2*math.Pi*f*float64(i)/8000+f)
		}
		codes[i] = g711.MuLaw.EncodeSample(int16(s))
	}
	return codes
}

// Digits are not touched where nothing is wrong with them, noise hardly ever.
func TestDeclickLeavesWhatIsWhole(t *testing.T) {
	for _, low := range []float64{697, 770, 852, 941} {
		for _, high := range []float64{1209, 1336, 1477, 1633} {
			for _, n := range []int{40, 80, 160} {
				whole := tones(n, 8000, low, high)
				mended := bytes.Clone(whole)
				if Declick(mended); !bytes.Equal(mended, whole) {
					t.Errorf("%v+%v Hz, %d samples: a sound tick was changed", low, high, n)
				}
			}
		}
	}
	r, changed := rand.New(rand.NewPCG(1, 2)), 0
	for range 500 {
		noise := make([]byte, 160)
		for i := range noise {
			noise[i] = g711.MuLaw.EncodeSample(int16(3000 * r.NormFloat64()))
		}
		mended := bytes.Clone(noise)
		if Declick(mended); !bytes.Equal(mended, noise) {
			changed++
		}
	}
	if changed > 15 {
		t.Errorf("%d of 500 ticks of noise were changed, want 3 in a hundred at the most", changed)
	}
}

// Wrong bits are mended so far that what is left of them is far below the digit.
func TestDeclickMendsClicks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	before, after := 0.0, 0.0
	for range 200 {
		whole := tones(160, 8000, 852, 1336)
		broken := bytes.Clone(whole)
		for range 3 {
			broken[2+r.IntN(156)] ^= 1 << r.IntN(8)
		}
		mended := bytes.Clone(broken)
		Declick(mended)
		before, after = before+strays(broken, whole), after+strays(mended, whole)
	}
	if gain := 10 * math.Log10(before/after); gain < 10 {
		t.Errorf("clicks are %.1f dB weaker, want 10 dB or more", gain)
	}
}

func strays(a, b []byte) (sum float64) {
	for i := range a {
		d := float64(g711.MuLaw.DecodeSample(a[i])) - float64(g711.MuLaw.DecodeSample(b[i]))
		sum += d * d
	}
	return sum
}

// Whatever comes, it ends, and nothing is allocated.
func TestDeclickTakesAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 400 {
		tick := make([]byte, n)
		for i := range tick {
			tick[i] = byte(r.IntN(256))
		}
		Declick(tick)
	}
	tick := tones(160, 8000, 697, 1209)
	if n := testing.AllocsPerRun(100, func() { tick[80] ^= 0x80; Declick(tick) }); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}
