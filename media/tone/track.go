package tone

import (
	"math"

	"crosspoint/internal/dsp"
)

// Labels of looks that hold no mix.
const (
	hush  = -1
	noise = -2
)

const (
	sure     = 3  // looks by which another sound or a pause is accepted
	disturb  = 8  // looks by which noise is: the edges of a tone make five
	edge     = 36 // samples by which the judgement of edges makes sounds longer, at either end
	history  = 16 // beats kept
	settling = 4  // looks of a sound before its level counts
	wobble   = 4  // dB by which a steady tone may change
)

// A run is a stretch of looks with one label.
type run struct {
	label int
	since uint64 // sample at which it began
	until uint64
	power float64 // of its looks
	looks int
}

func (r run) seconds() float64 { return float64(r.until-r.since) / dsp.SampleRate }

func (r run) level() float64 { return 10 * math.Log10(r.power/float64(max(1, r.looks))) }

// A track makes runs of looks, and beats of runs. Short interruptions and the
// looks at an edge, which hold a little of two sounds, are passed over.
type track struct {
	label int    // of the run that goes on
	since uint64 // sample at which it began
	last  uint64 // end of its last look
	looks int    // of it, with an even level
	power float64
	count int // looks of power

	pending int    // the label that may follow
	first   uint64 // end of its first look
	seen    int    // looks of it in a row
	away    int    // looks since last

	loud  float64 // dBm0 of the last sound of the cadence; minus infinity outside of one
	level float64 // of the last look that held a mix

	beats   [history]beat
	starts  [history]uint64
	entries int
}

// follow notes the level of a look that holds a mix, before step.
func (t *track) follow(level float64) { t.level = level }

// step takes a look. When that ends a run, it gives the run, and the track is in the next.
func (t *track) step(label int, clock uint64) (left run, ok bool) {
	if label == t.label {
		t.last, t.seen, t.away = clock, 0, 0
		t.lasts()
		return run{}, false
	}
	t.away++
	if label != t.pending || t.seen == 0 {
		t.pending, t.first, t.seen = label, clock, 0
	}
	t.seen++
	if label == noise && t.away < disturb || label != noise && t.seen < sure {
		return run{}, false
	}
	at := t.boundary(label)
	left = run{t.label, t.since, at, t.power, t.count}
	t.label, t.since, t.last = label, at, clock
	t.looks, t.power, t.count, t.seen, t.away = 0, 0, 0, 0, 0
	if label >= 0 {
		t.looks = sure
	}
	return left, true
}

// lasts counts a look of the run that goes on. A tone whose level changes
// begins to be steady anew.
func (t *track) lasts() {
	if t.label < 0 {
		return
	}
	t.looks++
	if t.looks <= settling {
		return
	}
	if t.count > settling {
		if d := t.level - 10*math.Log10(t.power/float64(t.count)); d > wobble || d < -wobble {
			t.looks, t.power, t.count = 0, 0, 0
		}
	}
	t.power += math.Pow(10, t.level/10)
	t.count++
	t.loud = t.level
}

// boundary is the sample at which the run that goes on gave way to the pending one.
func (t *track) boundary(label int) uint64 {
	at := t.last
	switch {
	case label == noise || t.label == noise:
	case label == hush:
		at = (t.last+t.first)/2 - edge
	case t.label == hush:
		at = (t.last+t.first)/2 + edge
	default:
		at = (t.last + t.first) / 2
	}
	return max(t.since, at-min(at, window/2))
}

// add notes a sound, whose pause is not known yet.
func (t *track) add(b beat, since uint64) {
	if t.entries == history {
		copy(t.beats[:], t.beats[1:])
		copy(t.starts[:], t.starts[1:])
		t.entries--
	}
	t.beats[t.entries], t.starts[t.entries] = b, since
	t.entries++
	t.loud = b.level
}

// pause completes the last beat; it is false if there is none.
func (t *track) pause(seconds float64) bool {
	if t.entries == 0 {
		return false
	}
	t.beats[t.entries-1].off = seconds
	return true
}

// heard is the beats since the track last forgot, the last one perhaps without its pause.
func (t *track) heard() []beat { return t.beats[:t.entries] }

// began is the sample at which the last n beats began.
func (t *track) began(n int) uint64 { return t.starts[max(0, t.entries-n)] }

// forget ends the cadence.
func (t *track) forget() { t.entries, t.loud = 0, never }
