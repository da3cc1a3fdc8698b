package echo

import (
	"math"
	"math/cmplx"

	"crosspoint/internal/dsp"
)

// Data is what a Disabler has found on a line. The zero value is None.
type Data uint8

const (
	None  Data = iota // speech, tones, silence
	Fax               // an answer tone of 2100 Hz without reversals of phase: ITU-T T.30's CED, V.25. Or a fax command
	Modem             // an answer tone with reversals of phase: ITU-T V.25, V.8's ANSam
)

func (d Data) String() string {
	switch d {
	case Fax:
		return "fax"
	case Modem:
		return "modem"
	}
	return "none"
}

const (
	look      = 80   // samples at a time: 21 turns of the answer tone
	answerHz  = 2100 // ITU-T V.25 §2; G.168 §7.2 allows 21 Hz
	offHz     = 25   // by which it may be off
	answerDB  = -31  // dBm0 that it has at the least (G.168 §7.2)
	answers   = 0.7  // of its energy that a look at the tone has at 2100 Hz
	steady    = 30   // looks after which a reversal counts: 300 ms
	certain   = 50   // looks after which a tone is an answer tone: 500 ms
	astray    = 3    // looks that a tone may miss, as at a reversal
	reversal  = 2    // radians by which the phase then jumps at the least: 115 degrees (G.168 §7.2: not 110)
	quietDB   = -36  // dBm0 below which a direction is silent (G.168 §7.5)
	quietLook = 400  // looks of silence both ways after which data is over: 4 s
)

// A Disabler finds the answer tones of fax machines and modems in either
// direction of a line, and the commands of fax machines, for there are some
// that answer without a tone. What follows wants the line as it is: without echo canceller, comfort noise and changes of delay. The tone counts
// until both directions have been silent for 4 s: fax machines wait for each
// other up to 3 s (ITU-T T.30 timer T4). This is longer than G.168 §7.6 asks
// for, which thinks of modems alone.
//
// G.168 §7 would leave the canceller on for a tone without reversals. We do
// not: a fax call through an exchange of ours is better off with the line alone.
//
// The zero value is ready and has found nothing.
type Disabler struct {
	found Data
	quiet int // looks
	ways  [2]answerTone
	flags [2]flags
}

// Listen takes samples that were received and sent at the same time, of the
// same length, a multiple of 80, and tells what the line carries now.
func (d *Disabler) Listen(near, far []int16) Data {
	for len(near) >= look && len(far) >= look {
		d.look((*[look]int16)(near), (*[look]int16)(far))
		near, far = near[look:], far[look:]
	}
	return d.found
}

// Found is what the line carries now.
func (d *Disabler) Found() Data { return d.found }

func (d *Disabler) look(near, far *[look]int16) {
	n, loud := d.ways[0].look(near)
	f, also := d.ways[1].look(far)
	d.found = max(d.found, n, f)
	if d.found == None && (d.flags[0].look(near) || d.flags[1].look(far)) {
		d.found = Fax
		d.flags = [2]flags{}
	}
	d.quiet++
	if loud || also {
		d.quiet = 0
	}
	if d.quiet >= quietLook {
		d.found = None
	}
}

// An answerTone follows the tone in one direction.
type answerTone struct {
	looks   int        // that had the tone
	missed  int        // looks since the last of them
	last    complex128 // its phase then
	turn    float64    // by which the phase goes on from look to look: it is not just 2100 Hz
	reverse bool       // a reversal was seen
}

// turning is the reference of a look.
var turning = func() (t [look]complex128) {
	for i := range t {
		t[i] = cmplx.Rect(1, -2*math.Pi*answerHz/dsp.SampleRate*float64(i))
	}
	return t
}()

var (
	quietEnergy  = dsp.MeanSquare(quietDB) * look
	answerEnergy = dsp.MeanSquare(answerDB) * look
)

// look takes 10 ms, and tells what they show and whether they are loud.
func (a *answerTone) look(x *[look]int16) (found Data, loud bool) {
	energy := dsp.Energy(x[:])
	if energy < quietEnergy {
		a.miss()
		return None, false
	}
	var re, im float64
	for i, s := range x {
		v := float64(s)
		re += v * real(turning[i])
		im += v * imag(turning[i])
	}
	if energy < answerEnergy || (re*re+im*im)*2/look < answers*energy {
		a.miss()
		return None, true
	}
	a.hit(complex(re, im))
	switch {
	case a.reverse:
		return Modem, true
	case a.looks >= certain:
		return Fax, true
	}
	return None, true
}

func (a *answerTone) miss() {
	if a.missed++; a.missed > astray {
		*a = answerTone{}
	}
}

// hit takes the phase of a look at the tone.
func (a *answerTone) hit(phase complex128) {
	if a.looks > 0 {
		gone := float64(a.missed + 1)
		jump := cmplx.Phase(phase / a.last * cmplx.Rect(1, -a.turn*gone))
		const most = 2 * math.Pi * offHz * look / dsp.SampleRate
		switch {
		case math.Abs(jump) >= reversal && a.looks >= steady:
			a.reverse = true
		case a.missed > 0:
		case a.looks < steady:
			a.turn = max(-most, min(most, a.turn+jump/4))
		default:
			a.turn = max(-most, min(most, a.turn+jump/16))
		}
	}
	a.last, a.missed = phase, 0
	a.looks++
}
