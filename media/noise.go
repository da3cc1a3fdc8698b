package media

import "math"

// noise makes comfort noise (RFC 3389 §3): white, at the level that the far
// end announced. The spectral parameters that may follow are left out.
type noise struct {
	peak  int32  // of the uniform distribution
	state uint32 // of the generator
}

// setLevel takes the first byte of a comfort-noise payload: −dBov.
func (n *noise) setLevel(b byte) {
	rms := 32768 * math.Pow(10, -float64(b&0x7f)/20)
	n.peak = int32(min(rms*math.Sqrt(3), 32767))
}

// fill makes noise. Xorshift is random enough for the ear.
func (n *noise) fill(pcm []int16) {
	if n.state == 0 {
		n.state = 0x9e3779b9
	}
	for i := range pcm {
		n.state ^= n.state << 13
		n.state ^= n.state >> 17
		n.state ^= n.state << 5
		pcm[i] = int16(int64(int32(n.state)) * int64(n.peak) >> 31)
	}
}
