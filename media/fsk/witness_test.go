package fsk

import (
	"fmt"
	"strings"
	"testing"

	"crosspoint/internal/witness"
)

const pangram = "The quick brown fox jumps over the lazy dog 0123456789."

// TestMinimodemHears has minimodem decode what the Modulator sends.
func TestMinimodemHears(t *testing.T) {
	witness.Need(t, "minimodem")
	for _, s := range []Standard{Bell202, V23} {
		out := witness.Run(t, "", `minimodem --rx 1200 -q -R 8000 -M "$1" -S "$2" -f "$3"`,
			fmt.Sprint(s.Mark), fmt.Sprint(s.Space), witness.WAV(t, burst(t, s, -13.5, []byte(pangram))))
		if !strings.Contains(out, pangram) {
			t.Errorf("%s: minimodem heard %q", s.Name, out)
		}
	}
}

// TestMinimodemSpeaks decodes what minimodem sends.
func TestMinimodemSpeaks(t *testing.T) {
	witness.Need(t, "minimodem")
	for _, s := range []Standard{Bell202, V23} {
		path := t.TempDir() + "/sent.wav"
		witness.Run(t, pangram, `minimodem --tx 1200 -q -R 8000 -M "$1" -S "$2" -f "$3"`, fmt.Sprint(s.Mark), fmt.Sprint(s.Space), path)
		var got strings.Builder
		for _, c := range NewDemodulator(s, 0).Demodulate(witness.Load(t, path)) {
			got.WriteByte(c.Value)
		}
		if !strings.Contains(got.String(), pangram) {
			t.Errorf("%s: heard %q", s.Name, got.String())
		}
	}
}
