// Package tone knows the call progress tones of telephone networks: what they
// are in each country (ITU-T E.180 and its Supplement 2), how to make them (a
// Generator) and how to tell on a line which one is heard (a Detector), in
// 16-bit linear samples at 8 kHz. Generators and detectors belong to one
// goroutine, keep no clock but the samples, and allocate nothing for a block.
package tone

import "time"

// A Tone is a sequence of parts. The zero value is silence.
type Tone struct {
	Parts []Part
	// Loop is the part that follows the last one: 0 repeats the whole, a
	// higher one leaves out an introduction, less than zero ends the tone.
	Loop int
}

// A Part is a stretch of one sound, or of silence.
type Part struct {
	Hz    []float64     // the frequencies; none is silence
	Level float64       // of each frequency, in dBm0
	For   time.Duration // zero is for ever
}

// A Country is what a telephone network sounds like. What it does not have is
// the zero Tone.
type Country struct {
	Code string // ISO 3166 in small letters, except uk
	Name string

	Dial         Tone // go on and dial
	Stutter      Tone // dial, but something is special: messages wait, calls are forwarded
	Ringback     Tone // the called telephone rings
	Busy         Tone // the called telephone is engaged
	Congestion   Tone // the network has no path: also fast busy, reorder
	Unobtainable Tone // the number leads nowhere, where that is no SIT
	CallWaiting  Tone // another call arrives
	SIT          Tone // an announcement follows (ITU-T E.180)
	Howler       Tone // the receiver is off the hook

	// Bell is the cadence of ring voltage: on, off, on, off …, repeated.
	Bell []time.Duration
}

// Silent tells whether the tone never sounds.
func (t Tone) Silent() bool {
	for _, p := range t.Parts {
		if len(p.Hz) > 0 {
			return false
		}
	}
	return true
}

const ms = time.Millisecond

// steady is frequencies that sound for ever.
func steady(level float64, hz ...float64) Tone {
	return Tone{Parts: []Part{{Hz: hz, Level: level}}}
}

// cadence is frequencies that sound for the 1st, 3rd … of the given times, in
// milliseconds, and are silent for the others.
func cadence(level float64, hz []float64, times ...time.Duration) Tone {
	var t Tone
	for i, d := range times {
		p := Part{For: d * ms}
		if i%2 == 0 {
			p.Hz, p.Level = hz, level
		}
		t.Parts = append(t.Parts, p)
	}
	return t
}

// stutter is six short bursts before a dial tone.
func stutter(dial Tone) Tone {
	p := dial.Parts[0]
	t := Tone{Loop: 12}
	for range 6 {
		t.Parts = append(t.Parts, Part{Hz: p.Hz, Level: p.Level, For: 100 * ms}, Part{For: 100 * ms})
	}
	t.Parts = append(t.Parts, p)
	return t
}

// information is the special information tone: three rising tones of the given
// length with gaps between them, then a pause (ITU-T E.180). A pause of
// zero ends it.
func information(on, gap, pause time.Duration) Tone {
	t := Tone{Loop: -1}
	for i, hz := range []float64{950, 1400, 1800} {
		if i > 0 && gap > 0 {
			t.Parts = append(t.Parts, Part{For: gap * ms})
		}
		t.Parts = append(t.Parts, Part{Hz: []float64{hz}, Level: usual, For: on * ms})
	}
	if pause > 0 {
		t.Parts = append(t.Parts, Part{For: pause * ms})
		t.Loop = 0
	}
	return t
}

func bell(times ...time.Duration) []time.Duration {
	b := make([]time.Duration, len(times))
	for i, d := range times {
		b[i] = d * ms
	}
	return b
}

func hz(f ...float64) []float64 { return f }
