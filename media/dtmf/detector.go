package dtmf

import (
	"math"
	"time"

	"crosspoint/internal/dsp"
)

// Limits are what a Detector accepts. The zero value is what ITU-T Q.24 asks of
// receivers in the public network; each limit is met with a little to spare.
type Limits struct {
	Floor        float64 // weakest tone in dBm0. Zero means -42 dBm0
	NormalTwist  float64 // dB by which the low tone may be louder. Zero means 8 dB (Q.24 Annex A, AT&T)
	ReverseTwist float64 // dB by which the high tone may be louder. Zero means 4 dB (Q.24 Annex A, AT&T)
}

// An Event is the beginning or the end of a digit.
type Event struct {
	Digit    byte          // one of Digits
	Down     bool          // true: it began; false: it ended
	At       uint64        // sample at which the tone began or ended, to some 3 ms; the detector's first sample is 0
	Sure     uint64        // sample by which the detector was sure, about 36 ms after At
	Duration time.Duration // of the tone, when it ended
	Level    float64       // dBm0 of the two tones together
	Twist    float64       // dB by which the high tone is louder than the low one
}

const (
	hop    = 32           // samples between two looks: 4 ms
	window = 6 * hop      // samples of a look: 24 ms
	half   = window / 2   //
	blocks = window / hop //

	enough = 4  // looks in a row that make a digit: a tone of 30 ms or more
	gone   = 10 // looks in a row without the digit that end it: a pause of 24 ms or more
	inset  = 13 // samples of a look that the tone need not fill, before and after it
)

const (
	offset    = 0.025              // share by which a frequency may be off: between 1.5 % (accept) and 3.5 % (reject)
	pure      = 0.90               // share of the energy above the dial tones that must be the two tones
	share     = 0.45               // share of all energy that must be the two tones: speech has its energy below 600 Hz
	slack     = 1.0                // dB added to each limit for what noise does to the estimate
	steady    = 3.0                // dB that a tone may change by between two looks
	maxEvents = 2                  // what a look can bring: the end of one digit and the beginning of the next
	perLook   = time.Second / rate // duration of a sample
)

// A Detector hears digits. Make it with NewDetector.
//
// Each 4 ms it looks at the last 24 ms. A cheap bank of correlators names the
// strongest tone of each group; then the two tones are fitted to the samples,
// in halves of the window first, whose phases tell how far off the frequencies
// are, then in the whole at the frequencies found. What is left over beside the
// two tones decides, with the limits of frequency, level and twist. Dial tone
// that leaks into the receiver is filtered out before.
type Detector struct {
	limits Limits
	filter highPass
	bank   *bank
	events []Event

	raw    [hop]int16            // what was shown of the look being filled
	filled int                   // samples of it
	x      [window]float64       // filtered, the last window
	energy [blocks]float64       // of the raw samples, by block
	corr   [blocks][8]complex128 // bank's, by block
	clock  uint64                // samples shown in whole looks

	candidate tone // what the last look saw
	looks     int  // looks in a row that saw it
	first     uint64

	down   bool // a digit sounds
	digit  tone
	began  uint64
	ended  uint64 // end of the last look that saw it
	absent int    // looks since
}

// A tone is what a look saw; a key that is no key is nothing.
type tone struct {
	key       int
	low, high float64 // dBm0
}

const noKey = -1

// NewDetector is a Detector with the given limits.
func NewDetector(l Limits) *Detector {
	if l.Floor == 0 {
		l.Floor = -42
	}
	if l.NormalTwist == 0 {
		l.NormalTwist = 8
	}
	if l.ReverseTwist == 0 {
		l.ReverseTwist = 4
	}
	d := &Detector{limits: l, bank: newBank(), events: make([]Event, 0, maxEvents)}
	d.candidate.key = noKey
	return d
}

// Detect takes the next samples, any number of them, and tells what digits
// began and ended by them. The slice is valid until the next call.
func (d *Detector) Detect(pcm []int16) []Event {
	d.events = d.events[:0]
	for len(pcm) > 0 {
		n := copy(d.raw[d.filled:], pcm)
		pcm = pcm[n:]
		if d.filled += n; d.filled == hop {
			d.filled = 0
			d.look()
		}
	}
	return d.events
}

// Sounding tells which digit sounds now; ok is false if none does.
func (d *Detector) Sounding() (digit byte, ok bool) {
	if !d.down {
		return 0, false
	}
	return Digits[d.digit.key], true
}

// Reset forgets what was heard, a sounding digit without an event included; the
// count of samples goes on.
func (d *Detector) Reset() {
	clock := d.clock + uint64(d.filled)
	*d = Detector{limits: d.limits, bank: d.bank, events: d.events[:0], clock: clock}
	d.candidate.key = noKey
}

// look takes the full block and judges the window that it ends.
func (d *Detector) look() {
	copy(d.x[:], d.x[hop:])
	copy(d.energy[:], d.energy[1:])
	copy(d.corr[:], d.corr[1:])
	fresh := d.x[window-hop:]
	for i, s := range d.raw {
		fresh[i] = d.filter.next(float64(s))
	}
	d.energy[blocks-1] = dsp.Energy(d.raw[:])
	d.bank.correlate(fresh, &d.corr[blocks-1])
	d.clock += hop
	d.judge(d.see())
}

// see is what the window holds.
func (d *Detector) see() tone {
	nothing := tone{key: noKey}
	var all, above float64
	for _, e := range d.energy {
		all += e
	}
	if dsp.Level(all/window) < d.limits.Floor-slack {
		return nothing
	}
	for _, v := range d.x {
		above += v * v
	}
	row, column, strength := d.bank.strongest(&d.corr)
	if strength < 0.5*above {
		return nothing
	}
	t, ok := d.fit(row, column, above, all)
	if !ok {
		return nothing
	}
	return t
}

// fit measures the two tones of a key against the limits. above is the energy
// of the filtered window, all that of the raw one.
func (d *Detector) fit(row, column int, above, all float64) (tone, bool) {
	lowHz, highHz := low[row], high[column]
	a1, b1, _ := dsp.FitPair(d.x[:half], lowHz, highHz)
	a2, b2, _ := dsp.FitPair(d.x[half:], lowHz, highHz)
	lowOff := dsp.Drift(a1, a2, lowHz, half)
	highOff := dsp.Drift(b1, b2, highHz, half)
	if math.Abs(lowOff) > offset*lowHz || math.Abs(highOff) > offset*highHz {
		return tone{}, false
	}
	a, b, energy := dsp.FitPair(d.x[:], lowHz+lowOff, highHz+highOff)
	if energy < pure*above {
		return tone{}, false
	}
	t := tone{
		key:  4*row + column,
		low:  level(a) - d.bank.lowGain[row],
		high: level(b) - d.bank.highGain[column],
	}
	floor := d.limits.Floor - slack
	if t.low < floor || t.high < floor ||
		t.low-t.high > d.limits.NormalTwist+slack || t.high-t.low > d.limits.ReverseTwist+slack {
		return tone{}, false
	}
	tones := (dsp.MeanSquare(t.low) + dsp.MeanSquare(t.high)) * window
	return t, tones >= share*all
}

// judge follows the digits from look to look.
func (d *Detector) judge(t tone) {
	if t.key == noKey || t.key != d.candidate.key ||
		math.Abs(t.low-d.candidate.low) > steady || math.Abs(t.high-d.candidate.high) > steady {
		d.looks, d.first = 0, d.clock-window
	}
	d.candidate = t
	if t.key != noKey {
		d.looks++
	}
	switch {
	case d.down && t.key == d.digit.key:
		d.ended, d.absent = d.clock, 0
		if t.low+t.high > d.digit.low+d.digit.high { // the last looks are weakened by the end
			d.digit = t
		}
		return
	case d.down:
		if d.absent++; d.absent >= gone || d.looks >= enough {
			d.up()
		}
	}
	if !d.down && d.looks >= enough {
		d.down, d.digit, d.absent, d.ended = true, t, 0, d.clock
		d.began = d.first + inset
		d.emit(Event{Down: true, At: d.began})
	}
}

func (d *Detector) up() {
	d.down = false
	at := d.ended - inset
	d.emit(Event{At: at, Duration: time.Duration(at-d.began) * perLook})
}

func (d *Detector) emit(e Event) {
	e.Digit = Digits[d.digit.key]
	e.Sure = d.clock
	e.Level = dsp.Level(dsp.MeanSquare(d.digit.low) + dsp.MeanSquare(d.digit.high))
	e.Twist = d.digit.high - d.digit.low
	d.events = append(d.events, e)
}

// level is the level in dBm0 of a fitted sine.
func level(a complex128) float64 {
	return dsp.Level((real(a)*real(a) + imag(a)*imag(a)) / 2)
}
