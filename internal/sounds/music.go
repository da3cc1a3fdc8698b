package sounds

import (
	"math"
	"math/rand/v2"

	"crosspoint/internal/dsp"
)

// Music is chords and melodies of plucked and blown notes in equal temperament
// at a steady tempo, as music on hold has them. Make it with NewMusic.
type Music struct {
	rand  *rand.Rand
	scale float64
	beat  int // samples
	left  int
	notes [4]note
}

// A note is a fundamental with harmonics.
type note struct {
	osc       [6]dsp.Osc
	amplitude [6]float64
	envelope  float64
	decay     float64
}

// NewMusic is a piece chosen by the seed, at about the given level in dBm0.
func NewMusic(seed uint64, level float64) *Music {
	m := newMusic(seed)
	m.scale = fit(newMusic(seed).sample, level)
	return m
}

func newMusic(seed uint64) *Music {
	m := &Music{rand: rand.New(rand.NewPCG(seed, 2))}
	m.beat = dsp.SampleRate * 60 / (70 + m.rand.IntN(90)) / 2
	return m
}

// Read fills pcm with the next samples.
func (m *Music) Read(pcm []int16) int {
	for i := range pcm {
		pcm[i] = dsp.Clip(m.scale * m.sample())
	}
	return len(pcm)
}

// sample is the next sample, unscaled.
func (m *Music) sample() float64 {
	if m.left == 0 {
		m.left = m.beat
		m.play()
	}
	m.left--
	var sum float64
	for n := range m.notes {
		sum += m.notes[n].next()
	}
	return sum
}

// play begins some notes: half the time the melody alone.
func (m *Music) play() {
	scale := [...]int{0, 2, 4, 5, 7, 9, 11}
	for i := range m.notes {
		if i > 0 && m.rand.IntN(3) > 0 {
			continue
		}
		half := 12*(m.rand.IntN(3)-1) + scale[m.rand.IntN(len(scale))]
		hz := 261.63 * math.Pow(2, float64(half)/12)
		n := &m.notes[i]
		n.envelope = 0.3 + 0.7*m.rand.Float64()
		n.decay = 1 // blown
		if m.rand.IntN(2) == 0 {
			n.decay = math.Exp(-1 / (dsp.SampleRate * (0.1 + 0.5*m.rand.Float64())))
		}
		timbre := 0.1 + 0.6*m.rand.Float64()
		for h := range n.osc {
			n.osc[h].Tune(hz * float64(h+1))
			n.amplitude[h] = math.Pow(timbre, float64(h))
			if hz*float64(h+1) > 3800 {
				n.amplitude[h] = 0
			}
		}
	}
}

func (n *note) next() float64 {
	if n.envelope == 0 {
		return 0
	}
	n.envelope *= n.decay
	var sum float64
	for h := range n.osc {
		sum += n.amplitude[h] * n.osc[h].Next()
	}
	return n.envelope * sum
}
