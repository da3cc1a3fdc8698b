package dtmf

import (
	"math"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/dsp"
)

func TestFrequencies(t *testing.T) {
	for digit, want := range map[byte][2]float64{'1': {697, 1209}, '5': {770, 1336}, '0': {941, 1336},
		'#': {941, 1477}, 'D': {941, 1633}, 'd': {941, 1633}, '*': {941, 1209}, 'A': {697, 1633}} {
		if l, h, ok := Frequencies(digit); !ok || l != want[0] || h != want[1] {
			t.Errorf("%c is %v+%v Hz", digit, l, h)
		}
	}
	if _, _, ok := Frequencies('E'); ok {
		t.Error("E has a tone")
	}
}

// TestLevel measures each of the two tones of a digit.
func TestLevel(t *testing.T) {
	g := NewGenerator(Timing{On: time.Second, Level: -11, Twist: 2})
	if err := g.Dial("7"); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 8000)
	g.Read(pcm)
	x := make([]float64, len(pcm))
	for i, s := range pcm {
		x[i] = float64(s)
	}
	a, b, _ := dsp.FitPair(x, 852, 1209)
	if l := level(a); math.Abs(l+11) > 0.05 {
		t.Errorf("low tone at %.2f dBm0", l)
	}
	if h := level(b); math.Abs(h+9) > 0.05 {
		t.Errorf("high tone at %.2f dBm0", h)
	}
}

// TestTiming counts what a dialled string lasts.
func TestTiming(t *testing.T) {
	for _, c := range []struct {
		t      Timing
		digits string
		want   time.Duration
	}{
		{Timing{}, "12", 400 * time.Millisecond},
		{Timing{}, "1,2", 2400 * time.Millisecond},
		{Timing{}, "1w2", 1400 * time.Millisecond},
		{Timing{On: 50 * time.Millisecond, Off: 60 * time.Millisecond, Pause: time.Second}, "1,(2)-3.4 w", 1940 * time.Millisecond},
		{Timing{}, "", 0},
	} {
		g := NewGenerator(c.t)
		if err := g.Dial(c.digits); err != nil {
			t.Fatal(err)
		}
		var block [77]int16
		total := 0
		for g.Busy() {
			total += g.Read(block[:])
		}
		if got := time.Duration(total) * time.Second / rate; got != c.want {
			t.Errorf("%q lasts %v, not %v", c.digits, got, c.want)
		}
	}
}

func TestDialRefuses(t *testing.T) {
	g := NewGenerator(Timing{})
	err := g.Dial("12x4")
	if err == nil || !strings.Contains(err.Error(), `'x' at place 3 of "12x4"`) {
		t.Errorf("error is %v", err)
	}
	if g.Busy() {
		t.Error("half a number was queued")
	}
	if err := g.Press('x'); err == nil {
		t.Error("x was pressed")
	}
}

// TestPress holds a key for as long as it is held, and not shorter than On.
func TestPress(t *testing.T) {
	for _, held := range []time.Duration{20 * time.Millisecond, 500 * time.Millisecond} {
		g := NewGenerator(Timing{})
		if err := g.Press('4'); err != nil {
			t.Fatal(err)
		}
		var block [160]int16
		d := NewDetector(Limits{})
		var last Event
		for at := time.Duration(0); at < time.Second; at += 20 * time.Millisecond {
			if at == held {
				g.Release()
			}
			n := g.Read(block[:])
			clear(block[n:])
			for _, e := range d.Detect(block[:]) {
				last = e
			}
		}
		if want := max(held, 100*time.Millisecond); last.Down || (last.Duration-want).Abs() > 25*time.Millisecond {
			t.Errorf("held for %v, sounded for %v", held, last.Duration)
		}
		if g.Busy() {
			t.Error("goes on after release")
		}
	}
}
