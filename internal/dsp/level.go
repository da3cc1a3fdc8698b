// Package dsp is the arithmetic that the tone, DTMF, FSK and measuring packages
// share: what 0 dBm0 is in 16-bit samples, a phase-continuous oscillator, and
// the fit of sinusoids to a block. Everything is for telephone audio, 8000
// samples a second, and nothing here allocates after it is made.
package dsp

import "math"

// SampleRate is the sampling rate of telephone audio in samples a second (ITU-T G.711 §2).
const SampleRate = 8000

// ZeroPeak is the peak of a sine of 0 dBm0 in 16-bit linear samples. ITU-T
// G.711 §4 puts the overload point of the µ-law (8159 of its own 14-bit
// samples, four of ours each) 3.17 dB above a sine of 0 dBm0; its digital
// milliwatt (table 6) decodes to this level. The A-law's overload point is at
// 3.14 dB, so that 0 dBm0 there is 0.07 dB higher: the difference is left out.
const ZeroPeak = 8159 * 4 / 1.440453 // 10^(3.17/20)

// FullScale is the level in dBm0 of the loudest sine that 16-bit samples hold.
const FullScale = 3.2053 // 20·log10(32768/ZeroPeak)

// Peak is the peak of a sine of the given level in dBm0. Minus infinity is silence.
func Peak(dBm0 float64) float64 { return ZeroPeak * math.Pow(10, dBm0/20) }

// Level is the level in dBm0 of a signal with the given mean square of its
// samples; minus infinity for zero.
func Level(meanSquare float64) float64 {
	return 10 * math.Log10(meanSquare*(2/(ZeroPeak*ZeroPeak)))
}

// MeanSquare is the mean square of the samples of a signal of the given level in dBm0.
func MeanSquare(dBm0 float64) float64 {
	p := Peak(dBm0)
	return p * p / 2
}

// Energy is the sum of the squares of the samples.
func Energy(pcm []int16) float64 {
	var sum int64
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	return float64(sum)
}

// Clip rounds x to the nearest sample, and holds it to what a sample can be.
func Clip(x float64) int16 {
	switch x = math.Round(x); {
	case x > math.MaxInt16:
		return math.MaxInt16
	case x < math.MinInt16:
		return math.MinInt16
	}
	return int16(x)
}
