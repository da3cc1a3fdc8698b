package echo

import (
	"math"
	"time"

	"crosspoint/internal/dsp"
)

// MaxTail is the longest echo path that a Canceller models.
const MaxTail = 128 * time.Millisecond

// Config says how a Canceller behaves. The zero value is ready.
type Config struct {
	// Tail is the length of the echo path: how long after a sample was sent its
	// echo may still be heard. Zero is 32 ms; it is rounded up to 4 ms, and is
	// at most MaxTail.
	Tail time.Duration
	// Linear leaves out the nonlinear processor: what the filter could not
	// cancel is heard.
	Linear bool
	// Muted makes the nonlinear processor fill in silence instead of comfort noise.
	Muted bool
}

// A Canceller takes the echo of what is sent to a line out of what is received
// from it. It works in steps of 4 ms without delay.
type Canceller struct {
	cfg     Config
	history history
	model   model
	guard   guard
	nlp     suppressor
	loss    loss

	// The last samples of each signal, for the emphasis; sent and heard are
	// scaled to ±1.
	sent, heard, given    float64
	far, near, left, echo [block]float64
}

// faint is the power of an echo that nobody hears: it is left alone, as one is
// that the coding of what is louder hides.
var faint = meanSquare(-72)

// emphasis weighs high frequencies as much as the low ones, which are louder
// in speech: all work is done on samples of which so much of the sample before
// was taken off, and undone at the end.
const emphasis = 0.75

// New makes a canceller that knows nothing of its line.
func New(cfg Config) *Canceller {
	if cfg.Tail <= 0 {
		cfg.Tail = 32 * time.Millisecond
	}
	cfg.Tail = min(cfg.Tail, MaxTail)
	const step = block * time.Second / dsp.SampleRate
	parts := int((cfg.Tail + step - 1) / step)
	c := &Canceller{cfg: cfg, history: newHistory(parts), model: newModel(parts), guard: newGuard(parts)}
	c.Reset()
	return c
}

// Tail is the length of the echo path that is modelled.
func (c *Canceller) Tail() time.Duration {
	return time.Duration(len(c.model.path)) * block * time.Second / dsp.SampleRate
}

// Reset forgets the line: the next call may have another echo path.
func (c *Canceller) Reset() {
	c.history.reset()
	c.model.forget()
	c.guard.reset()
	c.nlp.reset()
	c.loss = loss{}
	c.sent, c.heard, c.given = 0, 0, 0
}

// Skip tells what was sent while nothing was received: a frame that was lost on
// its way from the line.
func (c *Canceller) Skip(far []int16) {
	for ; len(far) >= block; far = far[block:] {
		c.sent = emphasize(&c.far, far, c.sent)
		c.history.send(&c.far)
	}
}

// Flush forgets what was sent, and keeps what is known of the line: sound was
// sent without the canceller's knowledge.
func (c *Canceller) Flush() { c.history.reset() }

// Block is the number of samples that Process takes at once, or a multiple of it.
const Block = block

// Process takes the echo out of near, what was received, in place. Far is what
// was sent, sample for sample at the same time at the line; both have the same
// length, a multiple of Block, else the rest is left as it is. It tells
// whether near was changed: without anything sent it is left to the bit.
func (c *Canceller) Process(near, far []int16) (changed bool) {
	for n := min(len(near), len(far)) / block; n > 0; n-- {
		if c.step(near[:block], far[:block]) {
			changed = true
		}
		near, far = near[block:], far[block:]
	}
	return changed
}

func (c *Canceller) step(near, far []int16) (changed bool) {
	c.sent = emphasize(&c.far, far, c.sent)
	c.heard = emphasize(&c.near, near, c.heard)
	c.history.send(&c.far)
	sent := c.history.loudest()
	if sent == 0 {
		c.nlp.idle(&c.near)
		c.given = c.heard
		return false
	}
	c.guard.tones(&c.history, &c.model)
	c.model.echo(&c.history, &c.echo)
	for i := range block {
		c.left[i] = c.near[i] - c.echo[i]
	}
	c.model.learn(&c.history, &c.left)
	d, e, y := power(&c.near), power(&c.left), power(&c.echo)
	expected := c.model.expected
	c.guard.try(&c.history, &c.model, &c.near)
	if c.guard.judge(&c.history, &c.model, d, e, y) {
		c.left, e = c.near, d // better an echo than two
	}
	changed = true
	if y < max(faint, coarse/4*d) {
		c.left, e, changed = c.near, d, false
	}
	c.loss.add(power(&c.far), d, e, expected)
	if !c.cfg.Linear && c.nlp.suppress(&c.left, e, y, expected, sent, c.cfg.Muted) {
		changed = true
	}
	if !changed {
		c.given = c.heard
		return false
	}
	for i, v := range c.left {
		c.given = dsp.Flush(v + emphasis*c.given)
		near[i] = dsp.Clip(c.given * 32768)
	}
	return true
}

// emphasize takes the sample before, and gives the last one.
func emphasize(dst *[block]float64, src []int16, before float64) float64 {
	for i := range dst {
		x := float64(src[i]) / 32768
		dst[i] = x - emphasis*before
		before = x
	}
	return before
}

// power is the mean square.
func power(x *[block]float64) (sum float64) {
	for _, v := range x {
		sum += v * v
	}
	return sum / block
}

// meanSquare is the power of a level in dBm0.
func meanSquare(dBm0 float64) float64 { return dsp.MeanSquare(dBm0) / (32768 * 32768) }

// speech is the power of a voice that is loud enough to measure by.
var speech = meanSquare(-35)

// loss measures what the echo path and the canceller take off our voice.
type loss struct{ far, near, left float64 }

// add counts a step in which what was received is our echo: what was sent is
// loud, and the near end is not.
func (l *loss) add(far, near, left, expected float64) {
	if far < speech || left > 16*expected+near/4 {
		return
	}
	const slow = 1. / 250 // a second
	l.far += (far - l.far) * slow
	l.near += (near - l.near) * slow
	l.left += (left - l.left) * slow
}

// ReturnLoss is the echo return loss of the line in dB: by how much the echo
// is weaker than what was sent, over the last second or so of our voice. NaN:
// nothing was measured yet.
func (c *Canceller) ReturnLoss() float64 { return ratio(c.loss.far, c.loss.near) }

// Enhancement is by how many dB the filter has lowered the echo beyond the
// return loss (ERLE), over the same time, without the nonlinear processor. NaN:
// nothing was measured yet.
func (c *Canceller) Enhancement() float64 { return ratio(c.loss.near, c.loss.left) }

func ratio(a, b float64) float64 {
	if a == 0 {
		return math.NaN()
	}
	return 10 * math.Log10(a/b)
}
