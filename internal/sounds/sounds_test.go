package sounds

import (
	"math"
	"testing"

	"crosspoint/internal/dsp"
)

// TestLoud holds the sources to the level asked for, and to be something else each time.
func TestLoud(t *testing.T) {
	for seed := range uint64(8) {
		for name, read := range map[string]func([]int16) int{
			"speech": NewSpeech(seed, -15).Read,
			"music":  NewMusic(seed, -15).Read,
		} {
			pcm := make([]int16, 10*dsp.SampleRate)
			read(pcm)
			var energy float64
			n := 0
			for i := 0; i+160 <= len(pcm); i += 160 {
				if e := dsp.Energy(pcm[i : i+160]); dsp.Level(e/160) > -45 {
					energy += e
					n += 160
				}
			}
			if level := dsp.Level(energy / float64(n)); math.Abs(level+15) > 4 {
				t.Errorf("%s %d is at %.1f dBm0", name, seed, level)
			}
		}
	}
}

func TestSameEachTime(t *testing.T) {
	var a, b, c [16000]int16
	NewSpeech(7, -15).Read(a[:])
	NewSpeech(7, -15).Read(b[:])
	NewSpeech(8, -15).Read(c[:])
	if a != b || a == c {
		t.Error("a seed must choose the speech")
	}
}
