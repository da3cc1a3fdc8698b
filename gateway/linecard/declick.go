package linecard

import (
	"slices"

	"crosspoint/media/g711"
)

// A damaged tick has a wrong bit in some of its samples: one in the high bits is a
// click, louder than what is said. Several of them within a DTMF digit make two
// digits of it, and a wrong number (§6.3).

const (
	maxDeclick  = 320 // samples of the longest tick that is mended
	mostClicks  = 8   // in a tick; more is no longer what bit errors at 1e-4 do
	clickBeyond = 6   // times what a sample is usually off: no sample of a voice or of noise is
	clickLeast  = 64  // linear samples; less is heard by nobody
)

// Declick mends the clicks of a damaged tick, µ-law codes, in place: samples that are
// off from what their neighbours say by far more than the others of the tick are put
// where they say. It does not allocate.
func Declick(mulaw []byte) {
	n := len(mulaw)
	if n < 8 || n > maxDeclick {
		return
	}
	var pcm, off [maxDeclick]int32
	for i, code := range mulaw {
		pcm[i] = int32(g711.MuLaw.DecodeSample(code))
	}
	for i := 2; i < n-2; i++ {
		off[i] = max(pcm[i]-between(&pcm, i), between(&pcm, i)-pcm[i])
	}
	slices.Sort(off[2 : n-2])
	limit := clickBeyond*off[n/2] + clickLeast
	for range mostClicks {
		at, worst := 0, limit
		for i := 2; i < n-2; i++ {
			s := between(&pcm, i)
			if d := max(pcm[i]-s, s-pcm[i]); d > worst {
				at, worst = i, d
			}
		}
		if at == 0 {
			return
		}
		pcm[at] = between(&pcm, at)
		mulaw[at] = g711.MuLaw.EncodeSample(int16(pcm[at]))
	}
}

// between is what a sample's neighbours make expect: the cubic through the two on
// each side.
func between(pcm *[maxDeclick]int32, i int) int32 {
	s := (4*(pcm[i-1]+pcm[i+1]) - pcm[i-2] - pcm[i+2]) / 6
	return min(max(s, -32768), 32767)
}
