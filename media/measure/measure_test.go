package measure

import (
	"crosspoint/internal/dsp"
	"crosspoint/media/g711"
	"testing"
	"time"
)

func ulaw(pcm []int16) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = g711.MuLaw.DecodeSample(g711.MuLaw.EncodeSample(s))
	}
	return out
}
func TestQuick(t *testing.T) {
	sent := make([]int16, 80000)
	NewSignal(1, -15).Read(sent)
	t.Log(Level(sent))
	got := append(make([]int16, 1234), ulaw(sent)...)
	b := time.Now()
	r := Compare(sent, got)
	t.Logf("%+v %v", r, time.Since(b))
	got2 := append([]int16{}, got[:30000]...)
	got2 = append(got2, got[30160:60000]...)
	got2 = append(got2, make([]int16, 160)...)
	got2 = append(got2, got[60000:]...)
	r = Compare(sent, got2)
	t.Logf("%+v", r)
	var o dsp.Osc
	o.Tune(1004)
	for i := range sent {
		sent[i] = dsp.Clip(dsp.Peak(-10) * o.Next())
	}
	t.Logf("%+v", Sine(sent[:8000]))
	t.Logf("%+v", Sine(ulaw(sent[:8000])))
}
