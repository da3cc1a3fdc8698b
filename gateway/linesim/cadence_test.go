package linesim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/media/tone"
)

func TestParseCadence(t *testing.T) {
	uk, _ := tone.Lookup("uk")
	for text, want := range map[string]linesim.Cadence{
		"outside":         times(400, 200, 400, 2000),
		"inside":          times(1000, 2000),
		"dr2":             times(800, 400, 800, 4000),
		"0.8/0.4/0.8/4":   times(800, 400, 800, 4000),
		"1/2":             times(1000, 2000),
		".125/.25/1.5/5":  times(125, 250, 1500, 5000),
		"0.3/0.2/0.3/2.5": times(300, 200, 300, 2500),
	} {
		if got, err := linesim.ParseCadence(uk, text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                                     `"" is no ring: write outside, inside`,
		"dr5":                                  `"dr5" is no ring`,
		"1,4":                                  `"1,4" is no ring`,
		"1/NaN":                                "is no ring",
		"1/-2":                                 "is no ring",
		"1/61":                                 "is no ring",
		"4":                                    "has 1 times",
		"0.05/4":                               "50ms is too short: write times of 100ms or more",
		"1/1.9":                                "ends with a pause of 1.9s",
		"1/3/1/2":                              "the last pause is the longest",
		"1" + strings.Repeat("/1/1", 8):        "has 17 times",
		"1" + strings.Repeat("/1/1", 8) + "/4": "has 18 times: write 1 to 8 rings",
	} {
		if got, err := linesim.ParseCadence(uk, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}

// FuzzParseCadence: what is read is written so that it is read again, and can
// be rung.
func FuzzParseCadence(f *testing.F) {
	for _, seed := range []string{"dr2", "0.8/0.4/0.8/4", "1e0/2.0004", "/", "Inf/4"} {
		f.Add(seed)
	}
	us, _ := tone.Lookup("us")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := linesim.ParseCadence(us, text)
		if err != nil {
			return
		}
		again, err := linesim.ParseCadence(us, c.String())
		if err != nil || !slices.Equal(again, c) || len(c)%2 != 0 || slices.Min(c) < 100*time.Millisecond {
			t.Errorf("%q: %v, read again %v, %v", text, c, again, err)
		}
	})
}
