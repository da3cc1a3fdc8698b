package measure

import (
	"math"
	"sort"

	"crosspoint/internal/dsp"
)

// A Result is how what arrived compares with what was sent. Levels and ratios
// are in dB.
type Result struct {
	Delay    int     // samples by which the received signal lags; less than zero: the recording began late
	Gain     float64 // by least squares
	Inverted bool    // polarity is reversed
	SNR      float64 // what arrived of the sent signal against all else; minus infinity if nothing arrived
	Median   float64 // of the SNR of the segments of 20 ms, which single slips and losses do not change
	Level    float64 // of what arrived, in dBm0, where it was compared
	Sent     float64 // level of what was sent, in dBm0, there

	Segments int // segments of 20 ms between the first and the last that matched, where something was sent
	Lost     int // of them, those in which the sent signal is not to be found, or only a part of it
	Slips    int // times that the delay changed: a jitter buffer left out or put in samples
}

// Heard tells whether the sent signal arrived at all.
func (r Result) Heard() bool { return r.Segments > r.Lost }

const (
	segment = 160         // samples
	reach   = 6 * segment // samples by which one slip may change the delay: 120 ms
	quiet   = -55         // dBm0 below which a segment of the sent signal says nothing
	alike   = 0.3         // squared correlation above which a segment is the sent one
	better  = 0.2         // by how much it must be better to be a slip
	broken  = 12          // dB below the median at which a segment is only a part of the sent one
)

// Compare finds what was sent in what was got, and tells how it came through.
// The two may begin and end at different times. Slips of the delay by up to
// 120 ms are followed; the SNR leaves out the segments in which they happen.
// The sent signal must not repeat itself: see Signal.
func Compare(sent, got []int16) Result {
	c := comparison{sent: sent, got: got, lag: correlate(sent, got)}
	// The correlation found where most of the signal matches, which need not
	// be where it begins: from there both ways.
	anchor := c.anchor()
	before := comparison{sent: sent, got: got, lag: c.lag}
	for at := anchor - segment; at >= 0; at -= segment {
		before.take(at)
	}
	for at := anchor; at+segment <= len(got); at += segment {
		c.take(at)
	}
	return join(before.segments, c.segments)
}

// A comparison follows the delay through the received signal.
type comparison struct {
	sent, got []int16
	lag       int
	segments  []match
}

// A match is what one segment of the received signal is.
type match struct {
	ok           bool
	lag          int
	x, y, xy     float64 // energy of sent, of got, and their product
	gain, excess float64 // excess: energy of got that is not sent
}

// anchor is a segment of the received signal that matches at the delay that the
// correlation found: the middle of the longest run of them.
func (c *comparison) anchor() int {
	best, length, run := 0, 0, 0
	for at := 0; at+segment <= len(c.got); at += segment {
		if m, said := c.match(at, c.lag); said && m.ok {
			if run++; run > length {
				length, best = run, at-(run/2)*segment
			}
		} else {
			run = 0
		}
	}
	return best
}

// take judges the segment at the delay that held so far, and looks around if
// the sent signal is not there.
func (c *comparison) take(at int) {
	m, said := c.match(at, c.lag)
	if !m.ok || !said {
		if other, ok := c.search(at); ok && (!said || other.xy2() > m.xy2()+better) {
			m, said = other, true
			c.lag = other.lag
		}
	}
	if said {
		c.segments = append(c.segments, m)
	}
}

// xy2 is the squared correlation coefficient.
func (m match) xy2() float64 {
	if m.x == 0 || m.y == 0 {
		return 0
	}
	return m.xy * m.xy / (m.x * m.y)
}

// match compares the segment of got at a place with the one of sent that lag
// says; said is false where nothing was sent.
func (c *comparison) match(at, lag int) (m match, said bool) {
	from := at - lag
	if from < 0 || from+segment > len(c.sent) {
		return match{lag: lag}, false
	}
	var x, y, xy int64
	sent := c.sent[from : from+segment]
	for i, g := range c.got[at : at+segment] {
		s := int64(sent[i])
		x += s * s
		y += int64(g) * int64(g)
		xy += s * int64(g)
	}
	m = match{lag: lag, x: float64(x), y: float64(y), xy: float64(xy)}
	if dsp.Level(m.x/segment) < quiet {
		return m, false
	}
	m.ok = m.xy2() > alike
	m.gain = m.xy / m.x
	m.excess = max(0, m.y-m.gain*m.xy)
	return m, true
}

// search looks for the segment at other delays.
func (c *comparison) search(at int) (best match, ok bool) {
	if dsp.Level(dsp.Energy(c.got[at:at+segment])/segment) < quiet {
		return match{}, false
	}
	for lag := c.lag - reach; lag <= c.lag+reach; lag++ {
		if m, said := c.match(at, lag); said && m.ok && m.xy2() > best.xy2() {
			best, ok = m, true
		}
	}
	return best, ok
}

// join makes the result of the segments before the anchor, which are in reverse
// order, and of those after it.
func join(before, after []match) Result {
	all := make([]match, 0, len(before)+len(after))
	for i := len(before) - 1; i >= 0; i-- {
		all = append(all, before[i])
	}
	all = append(all, after...)
	for len(all) > 0 && !all[0].ok {
		all = all[1:]
	}
	for len(all) > 0 && !all[len(all)-1].ok {
		all = all[:len(all)-1]
	}
	return sum(all)
}

// sum adds up the segments.
func sum(all []match) Result {
	none := math.Inf(-1)
	r := Result{Segments: len(all), SNR: none, Median: none, Gain: none, Level: none, Sent: none}
	r.Median = median(all)
	for i := range all {
		m := &all[i]
		m.ok = m.ok && (m.snr() > r.Median-broken || m.xy2() > 0.9)
	}
	var x, y, xy, arrived, excess, samples float64
	delays := map[int]int{}
	for i, m := range all {
		if !m.ok {
			r.Lost++
			continue
		}
		delays[m.lag]++
		if slipped(all, i) {
			r.Slips++
		}
		if i > 0 && disturbed(all[i-1], m) || i+1 < len(all) && disturbed(all[i+1], m) {
			continue
		}
		x, y, xy, samples = x+m.x, y+m.y, xy+m.xy, samples+segment
		arrived, excess = arrived+m.gain*m.xy, excess+m.excess
	}
	for lag, n := range delays {
		if n > delays[r.Delay] || n == delays[r.Delay] && lag < r.Delay {
			r.Delay = lag
		}
	}
	if x == 0 {
		return r
	}
	r.Inverted = xy < 0
	r.Gain = 2 * decibels(math.Abs(xy)/x)
	r.SNR = snr(arrived, excess)
	r.Sent, r.Level = dsp.Level(x/samples), dsp.Level(y/samples)
	return r
}

// snr is the segment's own.
func (m match) snr() float64 { return snr(m.gain*m.xy, m.excess) }

// median is that of the SNR of the segments that match; minus infinity if none does.
func median(all []match) float64 {
	var ratios []float64
	for _, m := range all {
		if m.ok {
			ratios = append(ratios, m.snr())
		}
	}
	if len(ratios) == 0 {
		return math.Inf(-1)
	}
	sort.Float64s(ratios)
	return ratios[len(ratios)/2]
}

// snr is a ratio of energies in dB, at most 100 dB: more is no meaningful
// result of 16-bit samples.
func snr(signal, noise float64) float64 { return min(100, decibels(signal/max(noise, 1e-9))) }

// disturbed tells whether a neighbour shows that a slip or a loss is within or beside a segment.
func disturbed(neighbour, m match) bool { return !neighbour.ok || neighbour.lag != m.lag }

// slipped tells whether the delay changed since the last segment that matched.
func slipped(all []match, i int) bool {
	for j := i - 1; j >= 0; j-- {
		if all[j].ok {
			return all[j].lag != all[i].lag
		}
	}
	return false
}
