package echo

import (
	"math"
	"testing"

	"crosspoint/internal/dsp"
	"crosspoint/internal/g168"
)

// answer is an answer tone: hz, its phase reversed each given number of
// samples (0: never), with the amplitude modulation of ITU-T V.8's ANSam or without.
func answer(dBm0, hz float64, every, n int, modulated bool) []int16 {
	x := make([]int16, n)
	sign := 1.0
	for i := range x {
		if every > 0 && i > 0 && i%every == 0 {
			sign = -sign
		}
		v := sign * dsp.Peak(dBm0) * math.Sin(2*math.Pi*hz/8000*float64(i))
		if modulated {
			v *= 1 + 0.2*math.Sin(2*math.Pi*15/8000*float64(i))
		}
		x[i] = dsp.Clip(v)
	}
	return g168.Coded(x)
}

// found is what a disabler makes of a signal in one direction, and after how
// many milliseconds.
func found(x []int16, far bool) (Data, int) {
	var d Disabler
	silence := make([]int16, 80)
	was, at := None, 0
	for i := 0; i+80 <= len(x); i += 80 {
		near, sent := x[i:i+80], silence
		if far {
			near, sent = sent, near
		}
		if now := d.Listen(near, sent); now != was {
			was, at = now, i/8+10
		}
	}
	return was, at
}

func TestAnswerTones(t *testing.T) {
	for _, far := range []bool{false, true} {
		for _, hz := range []float64{2079, 2100, 2121} {
			for _, dBm0 := range []float64{-6, -12, -28} {
				for _, every := range []int{3400, 3600, 3800} { // V.25: 425 to 475 ms
					for _, am := range []bool{false, true} {
						if got, ms := found(answer(dBm0, hz, every, 8000, am), far); got != Modem || ms > every/8+50 {
							t.Errorf("%v Hz at %v dBm0, reversed each %d samples, am=%v: %v after %d ms", hz, dBm0, every, am, got, ms)
						}
					}
				}
				if got, ms := found(answer(dBm0, hz, 0, 24000, false), far); got != Fax || ms > 520 {
					t.Errorf("%v Hz at %v dBm0: %v after %d ms", hz, dBm0, got, ms)
				}
			}
		}
	}
}

// TestAnswerToneInNoise: the tone counts in noise 15 dB below it.
func TestAnswerToneInNoise(t *testing.T) {
	x := g168.Sum(answer(-15, 2100, 3600, 16000, false), g168.WhiteNoise(1, -30, 16000))
	if got, _ := found(x, false); got != Modem {
		t.Errorf("found %v", got)
	}
	x = g168.Sum(answer(-15, 2100, 0, 16000, false), g168.WhiteNoise(1, -30, 16000))
	if got, _ := found(x, false); got != Fax {
		t.Errorf("without reversals found %v", got)
	}
}

// TestNoAnswerTone: what else lines carry is none.
func TestNoAnswerTone(t *testing.T) {
	for name, x := range map[string][]int16{
		"speech":            g168.CSS(1, -10, 10*second),
		"noise":             g168.WhiteNoise(1, -10, 10*second),
		"weak":              answer(-40, 2100, 3600, 2*second, false),
		"short":             answer(-12, 2100, 0, 3600, false),
		"2000 Hz":           answer(-12, 2000, 0, 2*second, false),
		"2200 Hz":           answer(-12, 2200, 0, 2*second, false),
		"caller ID's alert": tones(-14, second, 2130, 2750),
		"dial tone":         tones(-13, 4*second, 350, 440),
	} {
		if got, ms := found(x, false); got != None {
			t.Errorf("%s: %v after %d ms", name, got, ms)
		}
	}
}

// TestDataEnds: data is over when both sides were silent for long, and not in
// the pauses of a fax call.
func TestDataEnds(t *testing.T) {
	var d Disabler
	tone, silence := answer(-12, 2100, 3600, 8000, false), make([]int16, 3*second)
	d.Listen(tone, silence)
	for range 3 {
		if got := d.Listen(silence, silence); got != Modem {
			t.Errorf("%v in a pause of 3 s", got)
		}
		noise := g168.WhiteNoise(1, -20, 8000)
		d.Listen(silence[:8000], noise)
	}
	d.Listen(silence, silence)
	if got := d.Listen(silence, silence); got != None {
		t.Errorf("%v after 6 s of silence", got)
	}
}

func TestDataNames(t *testing.T) {
	if None.String() != "none" || Fax.String() != "fax" || Modem.String() != "modem" {
		t.Error(None, Fax, Modem)
	}
}
