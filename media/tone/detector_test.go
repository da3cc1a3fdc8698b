package tone

import (
	"testing"
	"time"
)

func play(t Tone, d time.Duration) []int16 {
	pcm := make([]int16, int(d.Seconds()*8000))
	NewGenerator(t).Read(pcm)
	return pcm
}

func TestQuick(t *testing.T) {
	for _, code := range Codes() {
		c, _ := Lookup(code)
		for _, x := range []struct {
			name string
			t    Tone
		}{{"dial", c.Dial}, {"stutter", c.Stutter}, {"ringback", c.Ringback}, {"busy", c.Busy}, {"congestion", c.Congestion}, {"unob", c.Unobtainable}, {"sit", c.SIT}, {"howler", c.Howler}} {
			d := NewDetector(Config{Country: c})
			pcm := append(make([]int16, 4000), play(x.t, 12*time.Second)...)
			pcm = append(pcm, make([]int16, 60000)...)
			for _, e := range d.Detect(pcm) {
				if e.Kind == Silence {
					continue
				}
				t.Logf("%s %-10s: %v %v at %.2f since %.2f %.0f", code, x.name, e.Kind, e.On, float64(e.At)/8000, float64(e.Since)/8000, e.Hz)
			}
		}
	}
}
func BenchmarkTone(b *testing.B) {
	c, _ := Lookup("us")
	d := NewDetector(Config{Country: c})
	pcm := play(steady(-13, 440, 480, 333, 999), time.Second)
	for b.Loop() {
		d.Detect(pcm)
	}
}
