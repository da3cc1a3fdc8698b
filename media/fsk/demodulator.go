package fsk

import (
	"math"

	"crosspoint/internal/dsp"
)

// A Char is a received character.
type Char struct {
	Value   byte
	Framing bool   // its stop bit was missing: the value is not to be trusted
	Idle    int    // bits of mark before it, since the character before or since the carrier came
	At      uint64 // sample at which its start bit began; the demodulator's first sample is 0
}

const (
	memory  = 256  // samples of decision kept; a character with its search needs 80
	search  = 3    // samples by which a character's timing is tried, both ways
	settle  = 128  // samples over which the carrier is judged: 16 ms
	present = 0.62 // share of the energy in the stronger of the two tones that is a carrier; noise has 0.43
	absent  = 0.50 // share below which it is none
)

// A Demodulator finds characters in a signal. Make it with NewDemodulator.
//
// The signal is correlated with both tones over the length of a bit; the
// difference of the two amplitudes says how sure a bit is. A start bit gives a
// first idea of where a character lies; of the timings around it the one is
// taken at which the ten bits together are surest, and the next character
// starts afresh, so that bit clocks may differ by 2 %.
type Demodulator struct {
	floor  float64 // mean square below which there is no carrier
	bit    float64 // length of a bit in samples
	window int     // samples of a correlation

	mark, space correlator
	total       energy
	level       float64 // smoothed mean square
	share       float64 // smoothed share of the stronger tone in it
	carrier     bool

	decision [memory]float64 // by sample: more than zero is mark
	clock    int64           // samples seen
	pos      int64           // decision at which the search goes on
	start    int64           // decision at which a start bit was found, if collecting
	collect  bool
	idle     float64 // since when there has been nothing but mark

	chars []Char
}

// NewDemodulator is a Demodulator that hears signals of at least the given
// level in dBm0; zero means -45 dBm0.
func NewDemodulator(s Standard, floor float64) *Demodulator {
	if floor == 0 {
		floor = -45
	}
	bit := dsp.SampleRate / s.Baud
	window := min(int(math.Round(bit)), maxWindow)
	return &Demodulator{
		floor:  dsp.MeanSquare(floor),
		bit:    bit,
		window: window,
		mark:   newCorrelator(s.Mark, window),
		space:  newCorrelator(s.Space, window),
		total:  energy{window: window},
		pos:    1,
	}
}

// Carrier tells whether the signal is heard now.
func (d *Demodulator) Carrier() bool { return d.carrier }

// Clock is the number of samples seen.
func (d *Demodulator) Clock() uint64 { return uint64(d.clock) }

// Demodulate takes the next samples, any number of them, and gives the
// characters that ended in them. The slice is valid until the next call.
func (d *Demodulator) Demodulate(pcm []int16) []Char {
	d.chars = d.chars[:0]
	for _, s := range pcm {
		d.sample(float64(s))
		d.advance()
	}
	return d.chars
}

// sample makes a decision of the window that the sample ends.
func (d *Demodulator) sample(x float64) {
	m, s := d.mark.next(x), d.space.next(x)
	d.decision[d.clock%memory] = m - s
	strong, all := max(m, s), d.total.next(x)
	d.level += (all - d.level) / settle
	d.share += (min(strong*strong/2/(all+1), 1) - d.share) / settle
	switch {
	case d.level < d.floor || d.share < absent:
		d.carrier = false
	case d.share > present:
		d.carrier = true
	}
	if !d.carrier {
		d.idle = float64(d.clock)
	}
	d.clock++
}

// advance searches the decisions that are new.
func (d *Demodulator) advance() {
	for d.pos < d.clock {
		if !d.collect {
			if d.decision[(d.pos-1)%memory] < 0 || d.decision[d.pos%memory] >= 0 {
				d.pos++
				continue
			}
			d.start, d.collect = d.pos, true
		}
		if d.clock <= d.start+int64((charBits-0.5)*d.bit)+search+1 {
			return
		}
		d.collect = false
		d.decide()
	}
}

// decide judges the character that may have begun at start.
func (d *Demodulator) decide() {
	var best float64
	var at float64
	for shift := -2 * search; shift <= 2*search; shift++ {
		t := float64(d.start) + float64(shift)/2
		if score := d.score(t); score > best {
			best, at = score, t
		}
	}
	if best == 0 || !d.carrier { // no start bit, or nothing that it could be of
		d.pos = d.start + 1
		return
	}
	var value byte
	for i := range dataBits {
		if d.at(at, 1+i) > 0 {
			value |= 1 << i
		}
	}
	delay := float64(d.window-1) / 2 // of the decision behind the signal
	d.chars = append(d.chars, Char{
		Value:   value,
		Framing: d.at(at, charBits-1) <= 0,
		Idle:    max(0, int((at-d.idle)/d.bit+0.5)),
		At:      uint64(max(0, at-delay)),
	})
	d.idle = at + charBits*d.bit
	d.pos = int64(at + (charBits-0.5)*d.bit)
}

// score is how sure the bits of a character are that begins at t; zero if it
// has no start bit.
func (d *Demodulator) score(t float64) float64 {
	begin := -d.at(t, 0)
	if begin <= 0 {
		return 0
	}
	score := begin + d.at(t, charBits-1)
	for i := range dataBits {
		score += math.Abs(d.at(t, 1+i))
	}
	return max(score, math.SmallestNonzeroFloat64)
}

// at is the decision in the middle of a bit of the character that begins at t.
func (d *Demodulator) at(t float64, bit int) float64 {
	t += (float64(bit) + 0.5) * d.bit
	i := int64(t)
	f := t - float64(i)
	return d.decision[i%memory]*(1-f) + d.decision[(i+1)%memory]*f
}
