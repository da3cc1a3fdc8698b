package gateway

import (
	"fmt"
	"strings"
	"time"
)

// A line may have several numbers, each with a ring of its own. The cadence of a
// call's first ring tells which was called:
//
//	fxo1                          b2bua
//	 |--------ring 0.8 s----------->|
//	 |--------ring 0.8 s----------->|  0.4 s later
//	 |--called +12015550102-------->|  as the pause is longer than any within a ring
//	 |--caller ID 5551234---------->|  Incoming

const (
	// innerPause is the longest pause within a ring that tells a number.
	innerPause = time.Second
	// alikeWithin is by how much a time of one ring must differ from that of
	// another, so that what the ends of the line and the card's 64 ms of debouncing
	// take off or add does not make one of the other.
	alikeWithin = 100 * time.Millisecond
)

// ringTolerance is by how much a ring may be longer or shorter than it should: a
// quarter, but 100 ms or more, for hardware tells it in tenths of a second.
func ringTolerance(d time.Duration) time.Duration { return max(d/4, 100*time.Millisecond) }

// pauseTolerance is the same for the pauses within, with which exchanges take
// more liberties: a half, but 150 ms or more.
func pauseTolerance(d time.Duration) time.Duration { return max(d/2, 150*time.Millisecond) }

// A numberRing is a number of the line, and its ring: ring, pause, ring …,
// without the pause at its end.
type numberRing struct {
	RingNumber
	times []time.Duration
}

// strays is how far what was heard is from a ring: 0 is not at all, and up to 1 it
// is that ring.
func strays(heard, ring []time.Duration) float64 {
	if len(heard) != len(ring) {
		return 2
	}
	worst := 0.0
	for i, d := range ring {
		limit := ringTolerance(d)
		if i%2 == 1 {
			limit = pauseTolerance(d)
		}
		worst = max(worst, float64((heard[i]-d).Abs())/float64(limit))
	}
	return worst
}

// recognise finds the number whose ring what was heard is closest to; false: it
// is none of them.
func recognise(heard []time.Duration, numbers []numberRing) (number RingNumber, ok bool) {
	least := 0.0
	for _, n := range numbers {
		if s := strays(heard, n.times); s <= 1 && (!ok || s < least) {
			least, number, ok = s, n.RingNumber, true
		}
	}
	return number, ok
}

// alike tells whether two rings are too close to be told apart.
func alike(a, b []time.Duration) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if (a[i] - b[i]).Abs() >= alikeWithin {
			return false
		}
	}
	return true
}

// endsPlainly says why it can't be heard where a cadence ends, which its longest
// pause tells.
func endsPlainly(cadence []time.Duration) error {
	for i := 1; i < len(cadence)-1; i += 2 {
		if d := cadence[i]; d > innerPause {
			return fmt.Errorf("it has a pause of %v before its end: a ring that tells a number has %v at the most", d, innerPause)
		}
	}
	return nil
}

// cadenceText is a cadence for people: "0.8s/0.4s/0.8s".
func cadenceText(times []time.Duration) string {
	words := make([]string, len(times))
	for i, d := range times {
		words[i] = fmt.Sprintf("%.1fs", d.Seconds())
	}
	return strings.Join(words, "/")
}

// firstRing is what was heard of a call's first ring. The zero value has nothing
// to listen for.
type firstRing struct {
	numbers []numberRing
	times   []time.Duration // ring, pause, ring … so far
	waits   bool            // it goes on, and is waited for
	longest time.Duration   // no burst of a number's ring lasts so long
	most    int             // nor has more times
}

// listenFor begins to listen to a call's first ring, if it may tell something.
func (f *fxo) listenFor() {
	f.checkTiming()
	r := &f.ring.first
	*r = firstRing{}
	f.ring.end = ringPause
	for _, n := range f.opt.Numbers {
		cadence, ok := f.cadence(n.Ring)
		if n.Number == "" || !ok { // gone with a reload that takes this line out of service
			continue
		}
		times := cadence[:len(cadence)-1]
		r.numbers = append(r.numbers, numberRing{n, times})
		r.most = max(r.most, len(times))
		for i, d := range times {
			if i%2 == 0 {
				r.longest = max(r.longest, d+ringTolerance(d)+alikeWithin)
			} else {
				f.ring.end = max(f.ring.end, d+pauseTolerance(d)+alikeWithin)
			}
		}
	}
	if r.waits = len(r.numbers) > 0 && !f.ring.late && !f.jack.Untimed; r.waits {
		f.timers.set(stepTimer, r.longest)
	}
}

// checkTiming says so, once, if the line's hardware can't tell how long it rings,
// though the line has numbers that show by that.
func (f *fxo) checkTiming() {
	was := f.deaf
	f.deaf = f.jack.Untimed && f.opt.tellsNumbers()
	if f.deaf && !was {
		f.trouble("%s: the hardware can't tell how long a ring is, so calls come without the line's number that was called: use a line card or another modem for it, or configure no numbers", f.where())
	}
}

// part takes the length of a ring that has ended, or of the pause before one that
// begins.
func (f *fxo) part(d time.Duration, begins bool) {
	r := &f.ring.first
	if inRing := len(r.times)%2 == 0; !r.waits || begins == inRing {
		return
	}
	r.times = append(r.times, d)
	switch {
	case begins:
		f.timers.set(stepTimer, r.longest)
	case len(r.times) > r.most:
		f.firstRingOver()
	default:
		f.timers.set(stepTimer, f.ring.end)
	}
}

// firstRingOver finds out which number was called: nothing more of the first ring
// will come, or nothing that matters.
func (f *fxo) firstRingOver() {
	r := &f.ring.first
	if !r.waits {
		return
	}
	r.waits = false
	f.timers.stop(stepTimer)
	if len(r.times)%2 == 0 { // one that goes on and on
		r.times = append(r.times, time.Since(f.ring.on))
	}
	heard := cadenceText(r.times)
	n, ok := recognise(r.times, r.numbers)
	if !ok {
		f.in("rang %s", heard)
		f.call.log.Info(fmt.Sprintf("rang %s, which is none of the line's numbers", heard))
		return
	}
	f.ring.number = n.Number
	f.in("called %s", n.Number)
	f.call.log.Debug("number told by its ring", "number", n.Number, "ring", n.Ring, "heard", heard)
}
