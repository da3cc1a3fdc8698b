package measure

// Bend is the sharpest bend in pcm, which goes on after the samples before and
// last: the largest second difference. A click in a smooth sound stands out by it.
func Bend(before, last int16, pcm []int16) (most int) {
	a, b := int(before), int(last)
	for _, s := range pcm {
		c := int(s)
		d := c - 2*b + a
		most = max(most, d, -d)
		a, b = b, c
	}
	return most
}

// Loud is how many samples of pcm are more than the given amplitude away from zero.
func Loud(pcm []int16, amplitude int16) (n int) {
	for _, s := range pcm {
		if s > amplitude || s < -amplitude {
			n++
		}
	}
	return n
}
