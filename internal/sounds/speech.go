// Package sounds makes what detectors must not be fooled by: speech that says
// nothing, and music. Both are made from a seed, are the same each time, and
// never end; they are 16-bit linear samples at 8 kHz, for tests and measurements.
package sounds

import (
	"math"
	"math/rand/v2"

	"crosspoint/internal/dsp"
)

// Speech is a voice by the source-filter model: pulses of a gliding pitch, or
// the hiss of fricatives, through four moving formants, in syllables with
// pauses between phrases. Make it with NewSpeech.
type Speech struct {
	rand  *rand.Rand
	scale float64
	base  float64 // Hz, of the speaker's pitch

	left     int // samples of the sound
	sound    kind
	pitch    glide
	loudness glide
	formants [4]formant
	phase    float64
	tilt     float64
	words    int // syllables until the next pause
}

type kind uint8

const (
	pause kind = iota
	vowel
	fricative
	nasal
)

// A glide moves evenly to where it is going, and stays there.
type glide struct {
	now, step float64
	left      int
}

func (g *glide) to(v float64, samples int) {
	g.left = max(1, samples)
	g.step = (v - g.now) / float64(g.left)
}

func (g *glide) next() float64 {
	if g.left > 0 {
		g.left--
		g.now += g.step
	}
	return g.now
}

// A formant is a resonance that moves.
type formant struct {
	hz, width glide
	y1, y2    float64
}

func (f *formant) next(x float64) float64 {
	hz, width := f.hz.next(), f.width.next()
	r := math.Exp(-math.Pi * width / dsp.SampleRate)
	c := 2 * r * math.Cos(2*math.Pi*hz/dsp.SampleRate)
	gain := 1 - c + r*r // unity at zero frequency
	y := gain*x + c*f.y1 - r*r*f.y2
	f.y1, f.y2 = y, f.y1
	return y
}

// vowels are the first three formants in Hz of the vowels of an average speaker.
var vowels = [...][3]float64{
	{270, 2290, 3010}, {390, 1990, 2550}, {530, 1840, 2480}, {660, 1720, 2410}, {730, 1090, 2440},
	{570, 840, 2410}, {440, 1020, 2240}, {300, 870, 2240}, {640, 1190, 2390}, {490, 1350, 1690},
}

// NewSpeech is a speaker: the seed chooses the voice, between deep and a
// child's, and what it says. The level in dBm0 is that of speech without its
// pauses, to some 4 dB.
func NewSpeech(seed uint64, level float64) *Speech {
	s := newSpeech(seed)
	s.scale = fit(newSpeech(seed).sample, level)
	return s
}

// fit is the scale at which a source has a level in dBm0, pauses left out,
// judged by its first seconds.
func fit(sample func() float64, level float64) float64 {
	const block, judged = 160, 6 * dsp.SampleRate
	var loud []float64
	var most float64
	for range judged / block {
		var energy float64
		for range block {
			x := sample()
			energy += x * x
		}
		loud = append(loud, energy/block)
		most = max(most, energy/block)
	}
	var sum float64
	n := 0
	for _, e := range loud {
		if e > most/3000 {
			sum += e
			n++
		}
	}
	return math.Sqrt(dsp.MeanSquare(level) * float64(n) / sum)
}

func newSpeech(seed uint64) *Speech {
	s := &Speech{rand: rand.New(rand.NewPCG(seed, 1))}
	s.base = 85 * math.Pow(3.5, s.rand.Float64())
	s.pitch.now = s.base
	for i := range s.formants {
		s.formants[i].hz.now = 500 + 1000*float64(i)
		s.formants[i].width.now = 80 + 40*float64(i)
	}
	return s
}

// Read fills pcm with the next samples.
func (s *Speech) Read(pcm []int16) int {
	for i := range pcm {
		pcm[i] = dsp.Clip(s.scale * s.sample())
	}
	return len(pcm)
}

func (s *Speech) between(low, high float64) float64 { return low + (high-low)*s.rand.Float64() }

// begin chooses the next sound.
func (s *Speech) begin() {
	ms := func(low, high float64) int { return int(s.between(low, high) * dsp.SampleRate / 1000) }
	switch {
	case s.words == 0:
		s.sound, s.left, s.words = pause, ms(150, 900), 4+s.rand.IntN(16)
	case s.sound == vowel && s.rand.IntN(3) > 0:
		s.sound, s.left = fricative, ms(30, 120)
		if s.rand.IntN(3) == 0 {
			s.sound = nasal
		}
	default:
		s.sound, s.left = vowel, ms(60, 350)
		s.words--
	}
	loud := [...]float64{pause: 0, vowel: s.between(0.4, 1), fricative: s.between(0.05, 0.3), nasal: s.between(0.2, 0.5)}[s.sound]
	s.loudness.to(loud, min(s.left, ms(10, 40)))
	s.pitch.to(s.base*s.between(0.75, 1.5), s.left)
	f := vowels[s.rand.IntN(len(vowels))]
	if s.sound == nasal {
		f = [3]float64{250, 1200, 2200}
	}
	scale := math.Pow(s.base/120, 0.25) // smaller speakers resonate higher
	for i := range f {
		s.formants[i].hz.to(min(f[i]*scale*s.between(0.9, 1.1), 3700), s.left)
		s.formants[i].width.to(s.between(50, 120)*float64(1+i)/1.5, s.left)
	}
	s.formants[3].hz.to(s.between(3300, 3700), s.left)
}

// sample is the next sample, unscaled.
func (s *Speech) sample() float64 {
	if s.left == 0 {
		s.begin()
	}
	s.left--
	loud := s.loudness.next()
	hz := s.pitch.next()
	s.phase += hz / dsp.SampleRate
	var x float64
	if s.phase >= 1 {
		s.phase--
		x = math.Sqrt(dsp.SampleRate / hz)
	}
	s.tilt += 0.35 * (x - s.tilt) // the glottis' low-pass
	x = s.tilt + 0.02*s.rand.NormFloat64()
	if s.sound == fricative {
		return loud * s.rand.NormFloat64() * 0.3
	}
	for i := range s.formants {
		x = s.formants[i].next(x)
	}
	return loud * x
}
