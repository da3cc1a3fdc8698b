package echo

const (
	// margin is how much louder than the echo expected what is left must be to
	// be the near end's.
	margin = 6.0
	// coarse is what is left of the best model of an echo that was coded by
	// G.711: 30 dB less.
	coarse = 1e-3
	// unproven is how much louder than the echo estimated what is left may be
	// while the model is unsure: what it does not explain is the near end's.
	unproven = 1.0
	// weak is how much of what was sent may come back without the model's
	// knowledge: 42 dB less.
	weak = 6e-5
	// hold is how many steps the near end is let through after it was last
	// heard: 80 ms, so that the end of a word is not cut.
	hold = 20
)

// inaudible is the power of a residual that nobody hears.
var inaudible = meanSquare(-68)

// A suppressor is the nonlinear processor: it replaces what is left of the
// echo by comfort noise while the near end does not speak.
type suppressor struct {
	left, echo, expected float64 // smoothed power
	near                 int     // steps that the near end still counts as heard
	closed               bool    // the last step was replaced
	floor                background
}

func (s *suppressor) reset() {
	*s = suppressor{}
	s.floor.reset()
}

// idle listens to the near end while nothing is sent.
func (s *suppressor) idle(near *[block]float64) {
	s.floor.listen(near, power(near))
	s.left, s.echo, s.expected = 0, 0, 0
	s.closed = false
}

// suppress replaces x if it is only echo, and tells whether it did. Left, echo,
// expected and sent are the powers of x, of the echo estimated, of what the model
// may have left of it and of the loudest sound that it may be an echo of.
func (s *suppressor) suppress(x *[block]float64, left, echo, expected, sent float64, muted bool) (changed bool) {
	s.left = fall(s.left, left)
	s.echo = fall(s.echo, echo)
	s.expected = fall(s.expected, expected)
	most := min(margin*s.expected, unproven*s.echo) + margin*(coarse*s.echo+weak*sent)
	noise := s.floor.power
	switch {
	case s.left > most+4*noise:
		s.near = hold
	case s.near > 0:
		s.near--
	}
	if most < noise/8 { // its echo is lost in the noise
		s.floor.listen(x, left)
	}
	close := s.near == 0 && most > max(inaudible, noise/8)
	if !close && !s.closed {
		return false
	}
	var fill [block]float64
	if !muted {
		s.floor.make(&fill)
	}
	switch {
	case close && s.closed:
		*x = fill
	case close:
		fade(x, x, &fill, block/4) // soon, or the echo's beginning is heard
	default:
		fade(x, &fill, x, block)
	}
	s.closed = close
	return true
}

// fall follows power at once upwards and in 20 ms downwards.
func fall(was, now float64) float64 {
	if now > was {
		return now
	}
	return was + (now-was)/5
}

// fade goes from a to b within n samples.
func fade(dst, a, b *[block]float64, n int) {
	for i := range dst {
		w := min(float64(i+1)/float64(n+1), 1)
		dst[i] = (1-w)*a[i] + w*b[i]
	}
}
