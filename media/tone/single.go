package tone

import (
	"math"
	"math/bits"

	"crosspoint/internal/dsp"
)

// voices counts looks with speech among the last 64.
type voices struct {
	looks uint64 // one bit a look
	row   int    // such looks in a row
	since int    // looks since the last one
	on    bool
}

const (
	speaks  = 20  // looks of 64 that are voice
	ceased  = 200 // looks without any by which it is over: speakers pause
	edges   = 5   // looks in a row that may be the edge of a tone
	bearing = 15  // Hz by which a single tone may change from look to look
	gap     = 4   // looks that a single tone may miss: a reversal of phase (ITU-T V.25)
	calling = 40  // looks by which fax and answer tones are sure
	strange = 100
)

// voice takes a look that holds no tone at all, or something else.
func (d *Detector) voice(is bool) {
	v := &d.voices
	v.looks <<= 1
	v.row++
	switch {
	case !is:
		v.row = 0
	case v.row == edges+1:
		v.looks |= 1<<(edges+1) - 1
	case v.row > edges:
		v.looks |= 1
	}
	if v.since++; v.looks&1 != 0 {
		v.since = 0
	}
	if !v.on && bits.OnesCount64(v.looks) >= speaks {
		v.on = true
		d.emit(Voice, true, d.clock-min(d.clock, uint64(bits.Len64(v.looks))*hop), 0)
	} else if v.since >= ceased {
		d.speechless()
	}
}

// speechless ends Voice, if it is on.
func (d *Detector) speechless() {
	if v := &d.voices; v.on {
		d.emit(Voice, false, d.clock-min(d.clock, uint64(v.since)*hop), 0)
	}
	d.voices = voices{}
}

// An autocorrelation is that of the last window of samples, for shifts of 0, 1 and 2.
type autocorrelation struct {
	r    [window / hop][3]float64 // by hop
	a, b float64                  // the last two samples
}

// take adds the next hop of samples.
func (c *autocorrelation) take(x *[hop]float64) {
	copy(c.r[:], c.r[1:])
	a, b := c.a, c.b
	var r [3]float64
	for _, v := range x {
		r[0] += v * v
		r[1] += v * b
		r[2] += v * a
		a, b = b, v
	}
	c.r[len(c.r)-1], c.a, c.b = r, a, b
}

// sum is the autocorrelation of the window.
func (c *autocorrelation) sum() (r [3]float64) {
	for i := range c.r {
		for j := range r {
			r[j] += c.r[i][j]
		}
	}
	return r
}

const (
	lowest, highest = 200, 3600 // Hz of a single tone
	resembles       = 0.3       // by which the autocorrelation may differ from a sine's, for noise's sake
)

// frequency estimates the one frequency of a window that has one; ok is false
// for anything else. A sine's autocorrelation is a cosine, which gives a first
// idea; the phase of two stretches 10 ms apart then tells more exactly.
func frequency(x *[window]float64, r [3]float64) (hz float64, ok bool) {
	if r[0] == 0 {
		return 0, false
	}
	c := r[1] / r[0]
	if math.Abs(2*c*c-1-r[2]/r[0]) > resembles {
		return 0, false
	}
	hz = math.Acos(max(-1, min(1, c))) * dsp.SampleRate / (2 * math.Pi)
	for range 2 {
		if hz < lowest || hz > highest {
			return 0, false
		}
		a := dsp.Correlate(x[:window-hop], hz)
		b := dsp.Correlate(x[hop:], hz)
		hz += dsp.Drift(a, b, hz, hop)
	}
	a := dsp.Correlate(x[:], hz)
	return hz, (real(a)*real(a)+imag(a)*imag(a))*window/2 >= purity*r[0]
}

// A lone is a single tone that is none of the country's.
type lone struct {
	hz    float64
	since uint64
	looks int
	miss  int
	kind  Kind // reported; 0: nothing yet
}

// single takes the frequency of a look that is a single tone, or 0.
func (d *Detector) single(hz float64) {
	l := &d.lone
	if l.looks > 0 && (hz == 0 || math.Abs(hz-l.hz) > bearing) {
		if l.miss++; l.miss <= gap && hz == 0 {
			return
		}
		d.special.ended(*l, d.clock)
		if l.kind != 0 {
			d.emit(l.kind, false, l.since, l.hz)
		}
		*l = lone{}
	}
	if hz == 0 {
		return
	}
	if l.looks == 0 {
		l.hz, l.since = hz, d.clock-window/2
	}
	l.looks, l.miss = l.looks+1, 0
	l.hz += (hz - l.hz) / 4
	if d.special.sounds(*l, d.clock) {
		d.emit(SIT, true, d.special.since, 0)
	}
	if l.kind == 0 {
		l.report(d)
	}
}

// report tells of a tone that has lasted.
func (l *lone) report(d *Detector) {
	switch {
	case l.looks == calling && math.Abs(l.hz-1100) <= 38: // ITU-T T.30
		l.kind = FaxCalling
	case l.looks == calling && math.Abs(l.hz-2100) <= 21: // ITU-T V.25: 15 Hz
		l.kind = Answer
	case l.looks == strange:
		l.kind = Other
	default:
		return
	}
	d.emit(l.kind, true, l.since, l.hz)
}

// special follows the three rising tones of ITU-T E.180
type special struct {
	stage int // tones heard
	since uint64
	at    uint64 // when the last of them ended
}

// rising are the tones in Hz; ITU-T E.180 allows 50 Hz.
var rising = [3]float64{950, 1400, 1800}

const (
	pitch = 50              // Hz
	least = 12              // looks of each tone
	apart = 8000 * 20 / 100 // samples between two of them
)

// sounds tells that a single tone goes on; it is true when that makes the third.
func (s *special) sounds(l lone, clock uint64) bool {
	if s.stage != 2 || l.looks != least || math.Abs(l.hz-rising[2]) > pitch || l.since > s.at+apart {
		return false
	}
	s.stage = 3
	return true
}

// ended takes a single tone that is over.
func (s *special) ended(l lone, clock uint64) {
	if s.stage > 0 && l.since > s.at+apart || s.stage == 3 {
		s.stage = 0
	}
	switch {
	case l.looks < least:
	case s.stage < 2 && math.Abs(l.hz-rising[s.stage]) <= pitch:
		if s.stage == 0 {
			s.since = l.since
		}
		s.stage, s.at = s.stage+1, clock
	default:
		s.stage = 0
	}
}
