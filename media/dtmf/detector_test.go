package dtmf

import (
	"testing"
)

func TestQuick(t *testing.T) {
	g := NewGenerator(Timing{})
	g.Dial(Digits)
	d := NewDetector(Limits{})
	var buf [160]int16
	for n := g.Read(buf[:]); n > 0; n = g.Read(buf[:]) {
		for _, e := range d.Detect(buf[:n]) {
			t.Logf("%c %+v", e.Digit, e)
		}
	}
}
