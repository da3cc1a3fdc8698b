package fsk

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// burst is a message as caller identification sends it, with silence around it.
func burst(t testing.TB, s Standard, level float64, data []byte) []int16 {
	m := NewModulator(s, level)
	m.Seizure(300)
	m.Mark(180)
	m.Send(data...)
	m.Mark(2)
	pcm := make([]int16, 800, 20000)
	var block [160]int16
	for {
		n := m.Read(block[:])
		pcm = append(pcm, block[:n]...)
		if n < len(block) {
			return append(pcm, make([]int16, 800)...)
		}
	}
}

func noise(r *rand.Rand, pcm []int16, rms float64) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(float64(s) + rms*r.NormFloat64())
	}
	return out
}

func message() []byte {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	return data
}

// heard is what came after the marks.
func heard(d *Demodulator, pcm []int16) (data []byte) {
	begun := false
	for len(pcm) > 0 {
		n := min(len(pcm), 37)
		for _, c := range d.Demodulate(pcm[:n]) {
			begun = begun || c.Idle > 100
			if begun && !c.Framing {
				data = append(data, c.Value)
			}
		}
		pcm = pcm[n:]
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	for _, s := range []Standard{Bell202, V23} {
		for _, level := range []float64{0, -13.5, -30, -40} {
			got := heard(NewDemodulator(s, 0), burst(t, s, level, message()))
			if !bytes.Equal(got, message()) {
				t.Errorf("%s at %v dBm0: heard %d bytes % x", s.Name, level, len(got), got)
			}
		}
	}
}
func TestNoiseX(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, snr := range []float64{20, 15, 12, 10, 8, 6} {
		pcm := burst(t, Bell202, -20, message())
		rms := 1602.1 * pow(-snr/20)
		errs := 0
		for range 50 {
			got := heard(NewDemodulator(Bell202, 0), noise(r, pcm, rms))
			if !bytes.HasPrefix(got, message()) {
				errs++
			}
		}
		t.Log(snr, errs)
	}
}

func pow(x float64) float64 { return math.Pow(10, x) }
