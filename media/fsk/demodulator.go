package fsk

import (
	"math"
	"math/cmplx"

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
	memory  = 256  // samples kept; a character with its search needs 90
	search  = 3    // samples by which a character's timing is tried, both ways
	settle  = 64   // samples over which the carrier is judged: 8 ms
	present = 0.65 // share of the energy in the stronger of the two tones that is a signal; noise has 0.43
	absent  = 0.50 // share below which it is none
	faint   = 0.25 // share of the usual amplitude below which a character is only the echo of a filter
)

// A Demodulator finds characters in a signal. Make it with NewDemodulator.
//
// The signal is correlated with both tones over the length of a bit; the
// difference of the two amplitudes says how sure a bit is. A start bit gives a
// first idea of where a character lies; of the timings around it the one is
// taken at which the ten bits together are surest, and the next character
// starts afresh, so that bit clocks may differ by 2 %. Then all bits are decided
// together, and the timing once more with them: since the phase is continuous,
// of the 256 ways that they can go one fits best.
type Demodulator struct {
	floor  float64 // mean square below which there is no carrier
	bit    float64 // length of a bit in samples
	window int     // samples of a correlation
	apart  float64 // difference of the tones' frequencies, in radians a sample

	mark, space correlator
	total       energy
	level       float64 // smoothed mean square
	share       float64 // smoothed share of the stronger tone in it
	carrier     bool

	heard   [memory]heard // by sample
	clock   int64         // samples seen
	pos     int64         // sample at which the search goes on
	start   int64         // sample at which a start bit was found, if collecting
	collect bool
	idle    float64 // since when there has been nothing but mark

	chars []Char
}

// heard is what the window says that a sample ends.
type heard struct {
	mark, space complex128 // the tones, by the phase of their own oscillators
	decision    float64    // more than zero is mark
	power       float64    // mean square
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
		apart:  2 * math.Pi * (s.Mark - s.Space) / dsp.SampleRate,
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

// sample takes the window that the sample ends.
func (d *Demodulator) sample(x float64) {
	h := heard{mark: d.mark.next(x), space: d.space.next(x), power: d.total.next(x)}
	m, s := size(h.mark), size(h.space)
	h.decision = m - s
	d.heard[d.clock%memory] = h
	d.level = dsp.Flush(d.level + (h.power-d.level)/settle)
	d.share = dsp.Flush(d.share + (share(max(m, s), h.power)-d.share)/settle)
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

// share is the share of a tone of the given peak in a mean square.
func share(peak, power float64) float64 { return min(peak*peak/2/(power+1), 1) }

// advance searches the samples that are new.
func (d *Demodulator) advance() {
	for d.pos < d.clock {
		if !d.collect {
			if d.heard[(d.pos-1)%memory].decision < 0 || d.heard[d.pos%memory].decision >= 0 {
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
	var best, at float64
	for shift := -2 * search; shift <= 2*search; shift++ {
		t := float64(d.start) + float64(shift)/2
		if score := d.score(t); score > best {
			best, at = score, t
		}
	}
	if best == 0 || !d.signal(at) {
		d.pos = d.start + 1
		return
	}
	value, at := d.value(at)
	d.chars = append(d.chars, Char{
		Value:   value,
		Framing: d.decision(at, charBits-1) <= 0,
		Idle:    max(0, int((at-d.idle)/d.bit+0.5)),
		At:      uint64(max(0, at-d.delay())),
	})
	d.idle = at + charBits*d.bit
	d.pos = int64(at + (charBits-0.5)*d.bit)
}

// delay is by how many samples what is heard is behind the signal.
func (d *Demodulator) delay() float64 { return float64(d.window-1) / 2 }

// score is how sure the bits of a character are that begins at t; zero if it
// has no start bit.
func (d *Demodulator) score(t float64) float64 {
	begin := -d.decision(t, 0)
	if begin <= 0 {
		return 0
	}
	score := begin + d.decision(t, charBits-1)
	for i := range dataBits {
		score += math.Abs(d.decision(t, 1+i))
	}
	return max(score, math.SmallestNonzeroFloat64)
}

// signal tells whether the character that begins at t is of a modem: loud
// enough, no noise, and not the end of what has just ceased.
func (d *Demodulator) signal(t float64) bool {
	var tones, power float64
	for i := range charBits {
		h := &d.heard[d.middle(t, i)%memory]
		m := max(size(h.mark), size(h.space))
		tones += share(m, h.power)
		power += h.power
	}
	power /= charBits
	return tones/charBits >= present && power >= d.floor && power >= faint*faint*d.level
}

// middle is the sample in the middle of a bit of the character that begins at t.
func (d *Demodulator) middle(t float64, bit int) int64 {
	return int64(math.Round(t + (float64(bit)+0.5)*d.bit))
}

// decision is the decision in the middle of a bit of the character that begins at t.
func (d *Demodulator) decision(t float64, bit int) float64 {
	t += (float64(bit) + 0.5) * d.bit
	i := int64(t)
	f := t - float64(i)
	return d.heard[i%memory].decision*(1-f) + d.heard[(i+1)%memory].decision*f
}

// value is the character that begins about t, and where it begins: of the 256
// that it can be and of the timings the pair that explains best all its bits,
// with the stop bit or the idle line before them. Since the phase goes on where
// the frequency changes, the bits add up to one long signal for the right pair
// only.
func (d *Demodulator) value(t float64) (value byte, at float64) {
	var best float64
	for _, shift := range timings {
		s := d.sequence(t + shift)
		s.best = best
		if s.add(0, 1, 1, 0, 0); s.best > best {
			best, value, at = s.best, s.value, t+shift
		}
	}
	return value, at
}

// timings are those by which a character is tried again with all ways that its
// bits can go, in samples; the likely one first.
var timings = [...]float64{0, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2}

// sequence is what was heard of a character that begins at t.
func (d *Demodulator) sequence(t float64) (s sequence) {
	for i := range s.bits {
		h := &d.heard[uint64(d.middle(t, i-1))%memory]
		s.bits[i] = [2]complex128{h.space, h.mark}
		// By how much one oscillator has turned against the other where the bit begins.
		s.turn[i] = cmplx.Rect(1, d.apart*(t+float64(i-1)*d.bit-d.delay()))
	}
	for i := len(s.bits) - 1; i >= 0; i-- {
		s.most[i] = s.most[i+1] + max(length(s.bits[i][0]), length(s.bits[i][1]))
	}
	return s
}

// A sequence is the bits of a character, from the one before its start bit to
// its stop bit, and the best of the ways that they can go.
type sequence struct {
	bits  [charBits + 1][2]complex128 // as space, as mark
	turn  [charBits + 1]complex128
	most  [charBits + 2]float64 // that a bit and all behind it can add
	best  float64               // amplitude
	value byte
}

// add goes on with a bit. Phase brings it to the phase of the first one, was is
// the bit before, sum are the bits so far, and value is what they are. What can
// no longer become the best is left.
func (s *sequence) add(i int, phase complex128, was byte, sum complex128, value byte) {
	if length(sum)+s.most[i] <= s.best {
		return
	}
	if i == len(s.bits) {
		s.best, s.value = length(sum), value
		return
	}
	var phases, sums [2]complex128
	for bit := range sums {
		phases[bit] = phase
		switch {
		case bit < int(was):
			phases[bit] *= cmplx.Conj(s.turn[i])
		case bit > int(was):
			phases[bit] *= s.turn[i]
		}
		sums[bit] = sum + s.bits[i][bit]*phases[bit]
	}
	switch {
	case i == 1: // the start bit
		s.add(i+1, phases[0], 0, sums[0], value)
	case i < 2 || i >= 2+dataBits: // a stop bit
		s.add(i+1, phases[1], 1, sums[1], value)
	default:
		likely := byte(0)
		if power(sums[1]) > power(sums[0]) {
			likely = 1
		}
		for _, bit := range [...]byte{likely, 1 - likely} {
			s.add(i+1, phases[bit], bit, sums[bit], value|bit<<(i-2))
		}
	}
}

func power(c complex128) float64  { return real(c)*real(c) + imag(c)*imag(c) }
func length(c complex128) float64 { return math.Sqrt(power(c)) }

func size(c complex128) float64 { return math.Hypot(real(c), imag(c)) }
