package dtmf

import (
	"fmt"
	"time"

	"crosspoint/internal/dsp"
)

// Timing says how digits are sent. The zero value suits every public network.
type Timing struct {
	On    time.Duration // how long a digit sounds. Zero means 100 ms; ITU-T Q.24 receivers need 40 ms
	Off   time.Duration // silence after a digit. Zero means 100 ms; ITU-T Q.24 receivers need 40 ms
	Pause time.Duration // silence of a ',' in the digits; a 'w' is half of it. Zero means 2 s
	Level float64       // dBm0 of each of the two tones. Zero means -8 dBm0
	Twist float64       // dB by which the high tone is louder than the low one (less than zero: weaker)
}

// A Generator speaks digits. The zero value is silent and has the zero Timing.
type Generator struct {
	timing    Timing
	queue     []step
	low, high dsp.Osc
	sounding  step
	held      bool // Press: sounding goes on until Release
}

// A step is a tone pair or a silence of n samples.
type step struct {
	low, high uint32 // phase steps; zero is silence
	n         int
}

// NewGenerator is a Generator that sends digits as t says.
func NewGenerator(t Timing) *Generator { return &Generator{timing: t} }

// Dial queues digits: 0-9 * # A-D, ',' and 'w' for pauses; '-', '.', ' ' and
// brackets, which people write into numbers, are passed over. Nothing is queued
// if anything else is among them.
func (g *Generator) Dial(digits string) error {
	steps := make([]step, 0, 2*len(digits))
	pause := orMs(g.timing.Pause, 2000)
	for i := range len(digits) {
		switch c := digits[i]; c {
		case ',':
			steps = append(steps, step{n: pause})
		case 'w', 'W':
			steps = append(steps, step{n: pause / 2})
		case '-', '.', ' ', '(', ')':
		default:
			lowHz, highHz, ok := Frequencies(c)
			if !ok {
				return fmt.Errorf("dtmf: %q at place %d of %q has no tone: dial 0-9 * # A-D, ',' or 'w'", c, i+1, digits)
			}
			steps = append(steps,
				step{dsp.Step(lowHz), dsp.Step(highHz), orMs(g.timing.On, 100)},
				step{n: orMs(g.timing.Off, 100)})
		}
	}
	g.queue = append(g.queue, steps...)
	return nil
}

// Press sounds a digit, after those that are queued, until Release.
func (g *Generator) Press(digit byte) error {
	lowHz, highHz, ok := Frequencies(digit)
	if !ok {
		return fmt.Errorf("dtmf: %q has no tone: press one of 0-9 * # A-D", digit)
	}
	g.Release()
	g.queue = append(g.queue,
		step{dsp.Step(lowHz), dsp.Step(highHz), orMs(g.timing.On, 100)},
		step{n: orMs(g.timing.Off, 100)})
	g.held = true
	return nil
}

// Release ends what Press began, not before it has sounded for Timing.On.
func (g *Generator) Release() { g.held = false }

// Stop silences the generator and forgets what is queued.
func (g *Generator) Stop() {
	g.queue, g.sounding, g.held = g.queue[:0], step{}, false
}

// Busy tells whether there is something left to send, the silence after the
// last digit included.
func (g *Generator) Busy() bool { return g.sounding.n > 0 || len(g.queue) > 0 || g.held }

// Read fills pcm with the next samples and tells how many there were: less
// than len(pcm) when the last digit and its silence have ended. The rest of pcm is left as it was.
func (g *Generator) Read(pcm []int16) int {
	lowPeak := dsp.Peak(orLevel(g.timing.Level))
	highPeak := dsp.Peak(orLevel(g.timing.Level) + g.timing.Twist)
	n := 0
	for n < len(pcm) && g.next() {
		run := min(g.sounding.n, len(pcm)-n)
		g.sounding.n -= run
		for i := n; i < n+run; i++ {
			if g.sounding.low == 0 {
				pcm[i] = 0
			} else {
				pcm[i] = dsp.Clip(lowPeak*g.low.Next() + highPeak*g.high.Next())
			}
		}
		n += run
	}
	return n
}

// next sees to it that sounding has samples left, and is false at the end.
func (g *Generator) next() bool {
	if g.sounding.n > 0 {
		return true
	}
	if g.held && len(g.queue) == 1 { // what is left is the silence after the pressed digit
		g.sounding.n = rate / 1000
		return true
	}
	if len(g.queue) == 0 {
		return false
	}
	g.sounding = g.queue[0]
	g.queue = g.queue[:copy(g.queue, g.queue[1:])]
	g.low.Set(g.sounding.low)
	g.high.Set(g.sounding.high)
	return g.sounding.n > 0 || g.next()
}

func orLevel(dBm0 float64) float64 {
	if dBm0 == 0 {
		return -8
	}
	return dBm0
}

// orMs is d in samples, or the given number of milliseconds if d is zero.
func orMs(d time.Duration, ms int) int {
	if d <= 0 {
		return ms * rate / 1000
	}
	return int(d * rate / time.Second)
}
