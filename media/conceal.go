package media

// Lengths in samples of 1/8000 s, after ITU-T G.711 Appendix I.
const (
	shortestPitch  = 40  // 200 Hz
	longestPitch   = 120 // 66 Hz
	pitchWindow    = 160 // what two periods are compared over
	historyLength  = longestPitch + pitchWindow + longestPitch/4
	concealFlat    = 80  // the first 10 ms keep their level
	concealLength  = 480 // after 60 ms there is silence
	shortestRejoin = 32  // 4 ms of cross-fade back to real audio
	longestRejoin  = 112 // 14 ms, after a long gap
)

// A concealer fills gaps in a voice with repetitions of its last pitch period,
// which fade out, and fades back to the voice afterwards: the method of ITU-T
// G.711 Appendix I without its 3.75 ms of delay. The zero value is ready.
type concealer struct {
	history [historyLength]int16 // what was last played
	cycle   [longestPitch]int16  // the period that is repeated
	pitch   int
	gap     int // samples made up in this gap; 0: none, the voice plays
	rejoin  int // samples of cross-fade still to come
	fade    int // length of that cross-fade
}

// idle: real audio passes unchanged now, because none was missing or because
// the gap before it has faded to silence.
func (c *concealer) idle() bool { return c.gap == 0 || c.gap == concealLength && c.rejoin == 0 }

// good takes real audio that is about to be played; what it changes is the
// beginning after a gap.
func (c *concealer) good(pcm []int16) {
	if c.idle() {
		c.gap = 0
	}
	if c.gap > 0 && c.rejoin == 0 {
		c.fade = min(shortestRejoin*(1+c.gap/concealFlat), longestRejoin)
		c.rejoin = c.fade
	}
	for i := 0; i < len(pcm) && c.rejoin > 0; i++ {
		made := int32(c.next())
		pcm[i] = int16((made*int32(c.rejoin) + int32(pcm[i])*int32(c.fade-c.rejoin)) / int32(c.fade))
		c.rejoin--
		if c.rejoin == 0 {
			c.gap = 0
		}
	}
	c.remember(pcm)
}

// lost makes audio up.
func (c *concealer) lost(pcm []int16) {
	if c.gap == 0 {
		c.findPitch()
	}
	c.rejoin = 0
	for i := range pcm {
		pcm[i] = c.next()
	}
	c.remember(pcm)
}

// next is the next sample of the repeated period, faded.
func (c *concealer) next() int16 {
	at := c.gap
	c.gap++
	if at >= concealLength {
		c.gap = concealLength // so that it does not run over in a long silence
		return 0
	}
	s := int32(c.cycle[at%c.pitch])
	if at > concealFlat {
		s = s * int32(concealLength-at) / (concealLength - concealFlat)
	}
	return int16(s)
}

// remember shifts what was played into the history.
func (c *concealer) remember(pcm []int16) {
	if len(pcm) >= historyLength {
		copy(c.history[:], pcm[len(pcm)-historyLength:])
		return
	}
	copy(c.history[:], c.history[len(pcm):])
	copy(c.history[historyLength-len(pcm):], pcm)
}

// findPitch, if there is silence to repeat, ends the gap's making up at once.
// Else it chooses the period by the greatest normalized correlation between
// the last 20 ms and what was played one period earlier, and cuts out the last
// such period. Its last quarter is blended into what came before it, so that
// one repetition runs into the next.
func (c *concealer) findPitch() {
	if c.history == ([historyLength]int16{}) {
		c.gap = concealLength
		return
	}
	c.pitch = bestLag(c.history[historyLength-pitchWindow-longestPitch:], shortestPitch, longestPitch)
	p := c.pitch
	copy(c.cycle[:p], c.history[historyLength-p:])
	quarter := p / 4
	before := c.history[historyLength-p-quarter : historyLength-p]
	for i := range quarter {
		own := int32(c.cycle[p-quarter+i])
		c.cycle[p-quarter+i] = int16((own*int32(quarter-i) + int32(before[i])*int32(i)) / int32(quarter))
	}
}

// bestLag is the lag from lo to hi at which the end of x resembles itself most.
// The part compared is what is left of x before the longest lag.
func bestLag(x []int16, lo, hi int) int {
	tail := x[hi:]
	best, bestScore := lo, -1.0
	for lag := lo; lag <= hi; lag++ {
		earlier := x[hi-lag : len(x)-lag]
		var dot, energy int64
		for i, s := range tail {
			e := int64(earlier[i])
			dot += int64(s) * e
			energy += e * e
		}
		if dot <= 0 {
			continue
		}
		// dot²/energy orders as the normalized correlation does.
		if score := float64(dot) / float64(energy+1) * float64(dot); score > bestScore {
			best, bestScore = lag, score
		}
	}
	return best
}
