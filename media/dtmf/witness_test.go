package dtmf

import (
	"strconv"
	"strings"
	"testing"

	"crosspoint/internal/witness"
)

// TestMultimon has multimon-ng decode what the Generator sends.
func TestMultimon(t *testing.T) {
	witness.Need(t, "sox", "multimon-ng")
	for _, timing := range []Timing{{}, {On: ms(60), Off: ms(60), Level: -20}, {On: ms(80), Level: -12, Twist: -3}} {
		g := NewGenerator(timing)
		if err := g.Dial(Digits); err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, 5*rate)
		g.Read(pcm[rate/2:])
		out := witness.Run(t, "", `sox "$1" -t raw -r 22050 -e signed -b 16 -c 1 - | multimon-ng -q -t raw -a DTMF -`, witness.WAV(t, pcm))
		var got strings.Builder
		for _, line := range strings.Split(out, "\n") {
			if digit, ok := strings.CutPrefix(line, "DTMF: "); ok {
				got.WriteString(digit)
			}
		}
		if got.String() != Digits {
			t.Errorf("%+v: multimon-ng heard %q", timing, got.String())
		}
	}
}

// TestSox has sox make the tones of digits, for the Detector to hear.
func TestSox(t *testing.T) {
	witness.Need(t, "sox")
	for _, digit := range []byte("159D") {
		low, high, _ := Frequencies(digit)
		path := t.TempDir() + "/tone.wav"
		witness.Run(t, "", `sox -R -n -r 8000 -b 16 "$1" synth 0.05 sine "$2" synth 0.05 sine mix "$3" gain -12 pad 0.1 0.1`,
			path, strconv.FormatFloat(low, 'f', -1, 64), strconv.FormatFloat(high, 'f', -1, 64))
		if got := hear(NewDetector(Limits{}), witness.Load(t, path)); got != string(digit) {
			t.Errorf("%c from sox was heard as %q", digit, got)
		}
	}
}

// TestSpandsp: libspandsp hears what the Generator sends, and the Detector what
// libspandsp sends.
func TestSpandsp(t *testing.T) {
	spandsp := witness.NeedSpandsp(t)
	for _, timing := range []Timing{{}, {On: ms(50), Off: ms(50), Level: -25}, {On: ms(80), Level: -12, Twist: -3}, {Twist: 3}} {
		g := NewGenerator(timing)
		if err := g.Dial(Digits); err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, 5*rate)
		g.Read(pcm[rate/2:])
		if got := strings.TrimSpace(spandsp.Hears(pcm, "dtmf")); got != Digits {
			t.Errorf("%+v: spandsp heard %q", timing, got)
		}
	}
	if got := hear(NewDetector(Limits{}), spandsp.Says("dtmf-tx", Digits)); got != Digits {
		t.Errorf("from spandsp was heard %q", got)
	}
}
