package gateway

import (
	"math"
	"math/cmplx"
	"sync"

	"crosspoint/media/tone"
)

// talk is something like speech: syllables of a voice whose pitch and colour
// wander, with pauses. It repeats itself after 10 s.
type talk struct{ n int }

func (s *talk) Read(pcm []int16) int {
	all := spoken()
	for i := range pcm {
		pcm[i] = all[s.n%len(all)]
		s.n++
	}
	return len(pcm)
}

var spoken = sync.OnceValue(func() []int16 {
	pcm := make([]int16, 80000)
	phase := 0.0
	for i := range pcm {
		t := float64(i) / 8000
		pitch := 120 + 30*math.Sin(2*math.Pi*0.7*t) + 15*math.Sin(2*math.Pi*2.3*t)
		phase += 2 * math.Pi * pitch / 8000
		formant := 700 + 350*math.Sin(2*math.Pi*1.9*t)
		var v float64
		for h := 1.0; h <= 20; h++ {
			f := h * pitch
			v += math.Exp(-math.Pow((f-formant)/400, 2)) * math.Sin(h*phase)
			v += 0.4 * math.Exp(-math.Pow((f-2.4*formant)/500, 2)) * math.Sin(h*phase+1)
		}
		syllable := math.Max(0, math.Sin(2*math.Pi*3.1*t)+0.3)
		if math.Mod(t, 2.5) > 2 {
			syllable = 0
		}
		pcm[i] = int16(2500 * syllable * v)
	}
	return pcm
})

// sounds tells whether a tone's first part is heard for 50 ms or more
// somewhere in pcm, and nothing else with it.
func sounds(pcm []int16, t tone.Tone) bool {
	const block = 400
	for ; len(pcm) >= block; pcm = pcm[block/4:] {
		var all, found float64
		for _, s := range pcm[:block] {
			all += float64(s) * float64(s)
		}
		for _, hz := range t.Parts[0].Hz {
			var c complex128
			for i, s := range pcm[:block] {
				c += complex(float64(s), 0) * cmplx.Rect(1, -2*math.Pi*hz*float64(i)/8000)
			}
			found += 2 * real(c*cmplx.Conj(c)) / block
		}
		if all/block > 1e4 && found > 0.85*all {
			return true
		}
	}
	return false
}

// levelSquare is the mean square of a signal of the given level in dBm0.
func levelSquare(dBm0 float64) float64 { return 22663 * 22663 / 2 * math.Pow(10, dBm0/10) }
