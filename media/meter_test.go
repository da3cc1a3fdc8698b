package media

import (
	"math"
	"testing"

	"crosspoint/media/g711"
)

func TestLevelOfTheDigitalMilliwatt(t *testing.T) {
	// ITU-T G.711 tables 5 and 6: these eight codes, repeated, are 1 kHz at 0 dBm0.
	for law, codes := range map[g711.Law][]byte{
		g711.MuLaw: {0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e},
		g711.ALaw:  {0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4},
	} {
		near(t, law.String()+" milliwatt in dBm0", Level(law, codes), 0, 0.05)
	}
	if l := Level(g711.MuLaw, []byte{0xff, 0x7f}); !math.IsInf(l, -1) {
		t.Errorf("silence is %v dBm0", l)
	}
}

func TestMeterMeasuresTheLastSecond(t *testing.T) {
	var m Meter
	if !math.IsInf(m.DBm0(), -1) {
		t.Errorf("before anything: %v", m.DBm0())
	}
	loud, soft := sineCodes(g711.MuLaw, 1000, 16020*math.Sqrt2, 0, 160), sineCodes(g711.MuLaw, 1000, 1602*math.Sqrt2, 0, 160)
	for range 50 {
		m.Add(g711.MuLaw, loud)
	}
	near(t, "the first second", m.DBm0(), 0, 0.05)
	for range 50 {
		m.Add(g711.MuLaw, soft)
	}
	near(t, "the second second", m.DBm0(), -20, 0.1)
}
