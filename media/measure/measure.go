// Package measure tells how well audio has come through: levels, a single
// tone's frequency and distortion, and what arrived compared with what was
// sent. It also makes the signal that is best compared. Samples are 16-bit
// linear at 8 kHz. It serves tests, the demo and line tests, works on whole
// recordings, and allocates.
package measure

import (
	"math"

	"crosspoint/internal/dsp"
)

const rate = dsp.SampleRate

// Level is the level of pcm in dBm0 (ITU-T G.711 §4: the µ-law digital
// milliwatt is 0 dBm0); minus infinity for silence or nothing.
func Level(pcm []int16) float64 {
	if len(pcm) == 0 {
		return math.Inf(-1)
	}
	return dsp.Level(dsp.Energy(pcm) / float64(len(pcm)))
}

// LevelFS is the level of pcm in dBFS, with the loudest possible sine at 0
// (AES17); minus infinity for silence or nothing.
func LevelFS(pcm []int16) float64 { return Level(pcm) - dsp.FullScale }

// decibels is a ratio of energies in dB.
func decibels(ratio float64) float64 { return 10 * math.Log10(ratio) }
