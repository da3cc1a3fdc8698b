package tone

import "crosspoint/internal/dsp"

// A pattern is what a Detector knows of one of a country's tones.
type pattern struct {
	kind   Kind
	beats  []beat  // the cadence, one cycle; none for a steady tone
	need   int     // beats in a row by which it is sure
	mix    int     // of a steady tone
	alone  int     // looks for which a steady tone must last when nothing is expected
	expect int     // and when dial tone is
	after  float64 // of ringback: seconds of silence after a sound by which it is sure
}

// A beat is a sound of a mix and the silence after it.
type beat struct {
	mix     int
	on, off float64 // seconds; off is zero if another mix follows at once
	level   float64 // dBm0
}

const (
	shortest = 40   // looks for which a dial tone must last when it is expected: 400 ms
	alone    = 100  // looks for which a steady tone must last otherwise: notes of music are shorter
	share    = 0.12 // by which times may differ: exchanges keep to 10 %
	grid     = 0.02 // seconds by which they may differ besides
	even     = 5.0  // dB by which levels may differ
)

// near tells whether a time is the expected one.
func near(got, want float64) bool {
	d := got - want
	return d <= share*want+grid && -d <= share*want+grid
}

// patterns are the tones of a country to be told apart, and the mixes they need.
func patterns(c *Country, cycles int) ([]pattern, *analysis) {
	tones := []struct {
		kind Kind
		tone Tone
	}{
		{Dial, c.Dial}, {Dial, c.Stutter}, {Ringback, c.Ringback}, {Busy, c.Busy},
		{Congestion, c.Congestion}, {Congestion, c.Unobtainable}, {SIT, c.SIT}, {Howler, c.Howler},
	}
	var sets [][]float64
	for _, t := range tones {
		if t.kind == SIT && c.SIT.Loop < 0 || risesInTone(t.tone) {
			continue // heard by its three frequencies
		}
		for _, p := range t.tone.Parts {
			if len(p.Hz) > 0 {
				sets = append(sets, p.Hz)
			}
		}
	}
	a := newAnalysis(sets)
	var all []pattern
	for _, t := range tones {
		if risesInTone(t.tone) {
			continue
		}
		all = append(all, compile(t.kind, t.tone, a, cycles)...)
	}
	for i := range all {
		all[i].settle(all)
		if all[i].kind == Ringback && len(a.mixes[all[i].beats[0].mix].hz) == 1 {
			all[i].after = max(all[i].after, 1)
		}
	}
	return all, a
}

// risesInTone tells the special information tone of three frequencies from
// those of one.
func risesInTone(t Tone) bool {
	return len(t.Parts) > 0 && len(t.Parts[0].Hz) == 1 && t.Parts[0].Hz[0] > 900
}

// compile makes of a tone one pattern for each sound that lasts, and one for
// its cadence.
func compile(kind Kind, t Tone, a *analysis, cycles int) []pattern {
	var all []pattern
	var beats []beat
	for i, p := range t.Parts {
		switch {
		case len(p.Hz) == 0 && len(beats) > 0:
			beats[len(beats)-1].off += p.For.Seconds()
		case len(p.Hz) == 0:
		case p.For == 0:
			all = append(all, pattern{kind: kind, mix: a.find(p.Hz)})
		case i >= t.Loop:
			beats = append(beats, beat{mix: a.find(p.Hz), on: p.For.Seconds(), level: p.Level})
		}
	}
	if len(all) == 0 && len(beats) > 0 {
		p := pattern{kind: kind, beats: beats, need: len(beats)}
		if kind == Busy || kind == Congestion || kind == Howler {
			p.need = max(cycles, 2*len(beats))
		}
		all = append(all, p)
	}
	return all
}

// settle sets how long a steady tone must last so that it is no beat of a
// cadence, and how many beats a cadence needs so that it is no part of another.
func (p *pattern) settle(all []pattern) {
	p.alone, p.expect = alone, shortest
	for _, other := range all {
		run := 0
		for i := range 2 * len(other.beats) {
			b := other.beats[i%len(other.beats)]
			if len(p.beats) == 0 && b.mix == p.mix {
				looks := int(b.on*(1+share)*dsp.SampleRate/hop) + 6
				p.alone = max(p.alone, looks)
				if other.kind == Busy || other.kind == Congestion {
					p.expect = max(p.expect, looks)
				}
			}
			if p.kind == Ringback && other.kind != Ringback {
				p.doubt(b)
			}
			if len(p.beats) == 1 && b.like(p.beats[0]) {
				run++
				if run < len(other.beats) {
					p.need = max(p.need, run+1)
				}
			} else {
				run = 0
			}
		}
	}
}

// doubt sets how long the silence after a sound of ringback must be so that the
// sound was not a beat of another tone, nor a note of music.
func (p *pattern) doubt(b beat) {
	for _, own := range p.beats {
		if b.mix == own.mix && near(b.on, own.on) {
			p.after = max(p.after, b.off*(1+share)+2*grid)
		}
	}
}

// like tells whether a beat cannot be told from another.
func (b beat) like(other beat) bool {
	return b.mix == other.mix && near(b.on, other.on) && near(b.off, other.off)
}

// fits tells whether the last beats heard are the pattern, and which beat comes next.
func (p *pattern) fits(heard []beat) (next int, ok bool) {
	n := len(p.beats)
	if n == 0 || len(heard) < p.need {
		return 0, false
	}
	heard = heard[len(heard)-p.need:]
	for shift := range n {
		if p.from(heard, shift) {
			return (shift + p.need) % n, true
		}
	}
	return 0, false
}

// from tells whether what was heard is the pattern from one of its beats on.
func (p *pattern) from(heard []beat, shift int) bool {
	for i, h := range heard {
		want := p.beats[(shift+i)%len(p.beats)]
		if !h.like(want) {
			return false
		}
		first := p.beats[shift]
		if d := (h.level - heard[0].level) - (want.level - first.level); d > even || d < -even {
			return false
		}
	}
	return true
}
