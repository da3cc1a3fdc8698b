package linesim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"crosspoint/internal/dsp"
)

// Hybrid is what two wires do to the audio of a line: what the card sends comes
// back to it, and there is noise. The zero value is a perfect line.
type Hybrid struct {
	// ReturnLoss is by how many dB what comes back is weaker than what was
	// sent, for a path that weakens nothing itself. Zero: nothing comes back.
	ReturnLoss float64
	Delay      time.Duration // of what comes back; 0 to 100 ms
	// Path is the impulse response of the way back, in samples of 1/8000 s, as
	// the models of ITU-T G.168 annex D give it. Nil is a single 1.
	Path []float64
	// Noise is the level of white noise on the line in dBm0. Zero: none.
	Noise float64
}

// longestEcho is how late something may come back.
const longestEcho = 100 * time.Millisecond

// hybrid is a Hybrid at work.
type hybrid struct {
	cfg   Hybrid
	path  []float64 // with loss and delay
	past  []float64 // what the card sent, oldest first, as long as path
	noise float64   // peak of evenly spread noise
	rng   *rand.Rand
}

// newHybrid checks and prepares a Hybrid.
func newHybrid(cfg Hybrid) (*hybrid, error) {
	delay := int(cfg.Delay / (time.Second / 8000))
	switch {
	case cfg.ReturnLoss < 0 || cfg.ReturnLoss > 100:
		return nil, fmt.Errorf("echo return loss of %v dB: write 0 (none comes back) to 100", cfg.ReturnLoss)
	case cfg.Delay < 0 || cfg.Delay > longestEcho || delay+len(cfg.Path) > 2*int(longestEcho/(time.Second/8000)):
		return nil, fmt.Errorf("echo after %v and %d samples: at most %v, and 1600 together", cfg.Delay, len(cfg.Path), longestEcho)
	case cfg.Noise > -10 && cfg.Noise != 0:
		return nil, fmt.Errorf("noise of %v dBm0: write -10 or less, 0 for none", cfg.Noise)
	}
	h := &hybrid{cfg: cfg, rng: rand.New(rand.NewPCG(0x6879, 0x6272))}
	if cfg.ReturnLoss > 0 {
		gain := math.Pow(10, -cfg.ReturnLoss/20)
		h.path = make([]float64, delay, delay+max(1, len(cfg.Path)))
		if cfg.Path == nil {
			h.path = append(h.path, gain)
		}
		for _, x := range cfg.Path {
			h.path = append(h.path, gain*x)
		}
		h.past = make([]float64, len(h.path)+stepSamples)
	}
	if cfg.Noise != 0 {
		h.noise = math.Sqrt(3 * dsp.MeanSquare(cfg.Noise)) // the mean square of even noise is a third of its peak's
	}
	return h, nil
}

// mix adds to out what comes back of in, and the noise.
func (h *hybrid) mix(in, out []int16) {
	if h.path == nil && h.noise == 0 {
		return
	}
	n := len(h.path)
	if n > 0 {
		copy(h.past, h.past[len(in):])
		for i, s := range in {
			h.past[len(h.past)-len(in)+i] = float64(s)
		}
	}
	for i := range out {
		v := float64(out[i])
		newest := len(h.past) - len(in) + i
		for k := range n {
			if h.path[k] != 0 {
				v += h.path[k] * h.past[newest-k]
			}
		}
		if h.noise > 0 {
			v += h.noise * (2*h.rng.Float64() - 1)
		}
		out[i] = dsp.Clip(v)
	}
}
