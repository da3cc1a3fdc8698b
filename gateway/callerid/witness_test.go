package callerid

import (
	"fmt"
	"strings"
	"testing"

	"crosspoint/internal/witness"
	"crosspoint/media/fsk"
)

// TestMinimodem has minimodem read a Bell 202 caller ID.
func TestMinimodem(t *testing.T) {
	witness.Need(t, "minimodem")
	out := witness.Run(t, "", `minimodem --rx callerid -q -R 8000 -f "$1"`, witness.WAV(t, sent(NewSender(joe, Config{}))))
	for _, want := range []string{"5551234", "Joe Example", "12/24 18:05"} {
		if !strings.Contains(out, want) {
			t.Errorf("minimodem does not tell %q:\n%s", want, out)
		}
	}
}

// TestMultimon has multimon-ng read caller IDs of both modems.
func TestMultimon(t *testing.T) {
	witness.Need(t, "sox", "multimon-ng")
	for _, s := range []Standard{Bellcore, ETSI, BT} {
		out := witness.Run(t, "", `sox "$1" -t raw -r 22050 -e signed -b 16 -c 1 - | multimon-ng -q -t raw -a CLIPFSK -`,
			witness.WAV(t, sent(NewSender(joe, Config{Standard: s}))))
		for _, want := range []string{"5551234", "Joe Example"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: multimon-ng does not tell %q:\n%s", s, want, out)
			}
		}
	}
}

// TestFromMinimodem receives a message that minimodem has modulated.
func TestFromMinimodem(t *testing.T) {
	witness.Need(t, "minimodem")
	for _, s := range []fsk.Standard{fsk.Bell202, fsk.V23} {
		path := t.TempDir() + "/sent.wav"
		message := strings.Repeat("U", 30) + string(Build(joe, MDMF))
		witness.Run(t, message, `minimodem --tx 1200 -8 -q -R 8000 -M "$1" -S "$2" -f "$3"`, fmt.Sprint(s.Mark), fmt.Sprint(s.Space), path)
		if got, err := received(witness.Load(t, path)); err != nil || got != joe {
			t.Errorf("%s: %+v, %v", s.Name, got, err)
		}
	}
}
