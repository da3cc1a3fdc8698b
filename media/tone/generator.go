package tone

import (
	"time"

	"crosspoint/internal/dsp"
)

// maxHz is how many frequencies sound at once at most; more are left out.
const maxHz = 4

// A Generator plays a Tone, phase-continuous from part to part, each frequency
// at its level in dBm0. The zero value is silent and at its end.
type Generator struct {
	tone  Tone
	part  int // index of the part being played; len(Parts) at the end
	left  int // samples left of it
	ever  bool
	peak  float64 // of each frequency
	count int     // frequencies
	osc   [maxHz]dsp.Osc
}

// NewGenerator is a Generator at the beginning of t.
func NewGenerator(t Tone) *Generator {
	g := &Generator{}
	g.Start(t)
	return g
}

// Start goes to the beginning of t. It keeps t's parts, which must not change.
func (g *Generator) Start(t Tone) {
	g.tone = t
	g.enter(0)
}

// Stop ends what is played.
func (g *Generator) Stop() { g.Start(Tone{}) }

// Playing tells whether the tone has not ended.
func (g *Generator) Playing() bool { return g.part < len(g.tone.Parts) }

// Read fills pcm with the next samples and tells how many there were: less than
// len(pcm) when the tone has ended. The rest of pcm is left as it was.
func (g *Generator) Read(pcm []int16) int {
	n := 0
	for n < len(pcm) && g.Playing() {
		run := len(pcm) - n
		if !g.ever {
			run = min(run, g.left)
			g.left -= run
		}
		g.sound(pcm[n : n+run])
		n += run
		if !g.ever && g.left == 0 {
			g.advance()
		}
	}
	return n
}

// Add adds the next samples to what is in pcm, and tells how many there were.
func (g *Generator) Add(pcm []int16) int {
	var block [160]int16
	total := 0
	for len(pcm) > 0 {
		n := g.Read(block[:min(len(pcm), len(block))])
		if n == 0 {
			break
		}
		for i, s := range block[:n] {
			pcm[i] = dsp.Clip(float64(pcm[i]) + float64(s))
		}
		pcm = pcm[n:]
		total += n
	}
	return total
}

func (g *Generator) sound(pcm []int16) {
	for i := range pcm {
		var sum float64
		for f := range g.osc[:g.count] {
			sum += g.osc[f].Next()
		}
		pcm[i] = dsp.Clip(g.peak * sum)
	}
}

// advance goes to the part that follows. Parts without length are passed over,
// and a tone of nothing else ends.
func (g *Generator) advance() {
	next := g.part + 1
	for range len(g.tone.Parts) + 1 {
		if next >= len(g.tone.Parts) {
			if g.tone.Loop < 0 || g.tone.Loop >= len(g.tone.Parts) {
				break
			}
			next = g.tone.Loop
		}
		if g.enter(next); g.ever || g.left > 0 {
			return
		}
		next++
	}
	g.part = len(g.tone.Parts)
}

func (g *Generator) enter(part int) {
	g.part, g.left, g.ever, g.count = part, 0, false, 0
	if part >= len(g.tone.Parts) {
		return
	}
	p := g.tone.Parts[part]
	g.ever = p.For <= 0
	g.left = int(p.For * dsp.SampleRate / time.Second)
	g.peak = dsp.Peak(p.Level)
	g.count = min(len(p.Hz), maxHz)
	for i := range g.count {
		g.osc[i].Tune(p.Hz[i])
	}
}
