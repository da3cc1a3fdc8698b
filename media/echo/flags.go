package echo

import (
	"math"

	"crosspoint/internal/dsp"
)

// A fax machine sends a second of HDLC flags by ITU-T V.21 before each of its
// commands (T.30 §5.3.5): 01111110 again and again at 300 bit/s, 0 as 1850 Hz
// and 1 as 1650 Hz. A flag is 26.7 ms, of which 6.7 ms are the higher tone.
const (
	flagsHz    = 1750 // between both tones
	flagStep   = 20   // samples: in 2.5 ms either tone turns by a quarter against flagsHz
	flagDB     = -43  // dBm0 that a command has at the least (T.30 §5.1)
	flagShare  = 0.6  // of the energy that is between the tones; either alone has 0.81
	flagLength = 32.0 / 3
	flagsSure  = 12 // flags in a row that are a command: 320 ms of the 850 at least
)

// flagTurning is the reference of a step.
var flagTurning = func() (t [flagStep]struct{ re, im float64 }) {
	for i := range t {
		t[i].im, t[i].re = math.Sincos(-2 * math.Pi * flagsHz / dsp.SampleRate * float64(i))
	}
	return t
}()

// flagTurn is by how much that reference turns from step to step.
var flagTurnIm, flagTurnRe = math.Sincos(-2 * math.Pi * flagsHz / dsp.SampleRate * flagStep)

var flagEnergy = dsp.MeanSquare(flagDB) * flagStep

// flags follows the flags in one direction.
type flags struct {
	re, im   float64 // the phase of the last step; zero: it was none
	space    bool    // it was the higher tone
	mark     int     // steps of the lower tone in the flag under way
	length   int     // steps of that flag
	all, fit float64 // their energy, and that which is between the tones
	good     int     // flags in a row
	span     int     // steps of them
}

// look takes 10 ms, and tells whether a command is heard.
func (f *flags) look(x *[look]int16) bool {
	for i := 0; i < look; i += flagStep {
		f.step((*[flagStep]int16)(x[i : i+flagStep]))
	}
	return f.good >= flagsSure
}

func (f *flags) step(x *[flagStep]int16) {
	var energy, re, im float64
	for i, s := range x {
		v := float64(s)
		energy += v * v
		re += v * flagTurning[i].re
		im += v * flagTurning[i].im
	}
	if energy < flagEnergy {
		*f = flags{}
		return
	}
	// By how much the phase went on since the step before.
	turnRe, turnIm := re*f.re+im*f.im, im*f.re-re*f.im
	space := turnIm*flagTurnRe+turnRe*flagTurnIm > 0
	f.re, f.im = re, im
	if f.space && !space {
		f.flag()
	}
	f.space = space
	f.length++
	f.all += energy
	f.fit += (re*re + im*im) * 2 / flagStep
	if !space {
		f.mark++
	}
}

// flag judges what was heard since the last change from the higher tone to the
// lower one.
func (f *flags) flag() {
	right := f.length >= 10 && f.length <= 11 && f.mark >= 7 && f.mark <= 9 && f.fit >= flagShare*f.all
	f.span += f.length
	if right {
		f.good++
	}
	if late := float64(f.span) - float64(f.good)*flagLength; !right || math.Abs(late) > 1.5 {
		f.good, f.span = 0, 0
	}
	f.length, f.mark, f.all, f.fit = 0, 0, 0, 0
}
