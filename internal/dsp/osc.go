package dsp

import "math"

// sineBits is the size of the sine table as a power of two: with linear
// interpolation its error is 105 dB below the sine.
const sineBits = 10

var sine = func() (t [1<<sineBits + 1]float64) {
	for i := range t {
		t[i] = math.Sin(2 * math.Pi * float64(i) / (1 << sineBits))
	}
	return
}()

// An Osc is a sine oscillator whose phase is continuous through every change
// of its frequency. The zero value stands still at phase zero.
type Osc struct {
	phase, step uint32 // in 1/2^32 of a turn
}

// Step is the phase step of a frequency in Hz, in 1/2^32 of a turn a sample.
func Step(hz float64) uint32 { return uint32(int64(math.Round(hz / SampleRate * (1 << 32)))) }

// Tune sets the frequency in Hz and keeps the phase.
func (o *Osc) Tune(hz float64) { o.step = Step(hz) }

// Set sets the phase step, as Step gives it, and keeps the phase.
func (o *Osc) Set(step uint32) { o.step = step }

// Next is the next sample, between -1 and 1.
func (o *Osc) Next() float64 {
	const frac = 32 - sineBits
	i := o.phase >> frac
	f := float64(o.phase&(1<<frac-1)) / (1 << frac)
	o.phase += o.step
	return sine[i] + f*(sine[i+1]-sine[i])
}
