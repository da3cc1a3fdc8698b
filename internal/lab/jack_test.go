package lab

import (
	"sync"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
)

// A pair is a port without a card: the pair of wires to a telephone, or to the
// town. It has ticks while its audio is on, and says nothing but digits and the
// mark of whoever speaks; so a matrix of hundreds of calls costs little.
type pair struct {
	kind  jack.Kind
	stop  chan struct{}
	now20 chan struct{} // a tick is due now

	mu       sync.Mutex
	handler  jack.Handler
	state    jack.State
	audio    bool
	attended bool // somebody listens
	slow     bool // the next tick is not due within 20 ms
	clock    uint64
	keys     []*[160]byte // frames of digits still to be said
	speaks   byte         // the mark with which somebody speaks; 0: nobody does
	heard    map[byte]int // frames by their mark
	hooked   time.Time    // when the hook of an FXO line was last changed
	loud     time.Time    // when the line heard something last; zero: not since it went off-hook
	rx, tx   [jack.FrameSize]byte

	// exchange is the town's: a tone that the line tells now. nil: there is none.
	exchange func(*pair) (jack.Tone, bool)
}

func newPair(kind jack.Kind) *pair {
	return &pair{
		kind: kind, stop: make(chan struct{}), now20: make(chan struct{}, 1), heard: make(map[byte]int),
		state: jack.State{Present: true, Battery: true},
	}
}

func (w *pair) Name() string                       { return "a pair of wires" }
func (w *pair) Kind() jack.Kind                    { return w.kind }
func (w *pair) FlashHook(time.Duration)            {}
func (w *pair) DropLoop(time.Duration)             {}
func (w *pair) SetReversed(bool)                   {}
func (w *pair) SetRing(on bool, _ []time.Duration) { w.set(func() { w.state.Ringing = on }) }

func (w *pair) SetHook(off bool) {
	w.set(func() {
		if off != w.state.OffHook {
			w.state.OffHook, w.loud, w.hooked = off, time.Time{}, time.Now()
		}
	})
}

func (w *pair) SetAudio(on bool) {
	w.set(func() {
		if on && !w.audio {
			w.hurry()
		}
		w.audio = on
	})
}

// hurry has the next tick come at once. The pair is locked.
func (w *pair) hurry() {
	select {
	case w.now20 <- struct{}{}:
	default:
	}
}

func (w *pair) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// Attach starts the card's clock, which runs until the pair is cut.
func (w *pair) Attach(h jack.Handler) {
	w.set(func() { w.handler = h })
	go w.run()
	w.report(jack.Change{What: jack.Up})
}

// cut ends the pair's clock.
func (w *pair) cut() { close(w.stop) }

func (w *pair) run() {
	for {
		select {
		case <-w.stop:
			return
		case <-w.now20:
		}
		for next := w.tick(); next > 0; next = w.tick() {
			t := time.NewTimer(next)
			select {
			case <-w.stop:
				t.Stop()
				return
			case <-w.now20:
			case <-t.C:
			}
			t.Stop()
		}
	}
}

// While nobody speaks, dials or is heard, a tick in lull is enough: what the
// gateway does with silence costs most of a matrix.
const lull = 100 * time.Millisecond

// tick exchanges 20 ms of audio. It returns when the next one is due; 0: audio is off.
func (w *pair) tick() time.Duration {
	w.mu.Lock()
	if !w.audio {
		w.mu.Unlock()
		return 0
	}
	code := byte(0xff)
	if w.speaks != 0 {
		code = w.speaks
	}
	for i := range w.rx {
		w.rx[i] = code
	}
	if len(w.keys) > 0 {
		w.rx = *w.keys[0]
		w.keys = w.keys[1:]
	}
	clock, handler := w.clock, w.handler
	w.clock += jack.FrameSize
	w.mu.Unlock()
	handler.Tick(w.rx[:], w.tx[:], clock)
	tone, ok := w.heardNow()
	if ok {
		w.report(jack.Change{What: jack.Heard, Tone: tone})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slow = !w.lively(); w.slow {
		return lull
	}
	return 20 * time.Millisecond
}

// lively tells that something passes on the line: speech, digits. The tones that a
// telephone hears are nothing. The pair is locked.
func (w *pair) lively() bool {
	_, speech := marked(w.tx[:])
	switch {
	case w.attended, w.speaks != 0, len(w.keys) > 0, speech:
		return true
	case w.kind == jack.FXS:
		return false
	}
	return !w.loud.IsZero() && time.Since(w.loud) < 300*time.Millisecond || time.Since(w.hooked) < 300*time.Millisecond
}

// attend has the line carry all that is said, at its pace.
func (w *pair) attend(on bool) {
	w.set(func() {
		if w.attended = on; w.slow && on {
			w.hurry()
		}
	})
}

// speak has somebody speak with this mark; 0: nobody.
func (w *pair) speak(mark byte) {
	w.set(func() {
		if w.speaks = mark; w.slow {
			w.hurry()
		}
	})
}

// heardNow notes what the line has heard, and what the town says to it.
func (w *pair) heardNow() (tone jack.Tone, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code, ok := marked(w.tx[:]); ok {
		w.heard[code]++
	}
	if w.tx[0]|0x80 != 0xff || w.tx[80]|0x80 != 0xff || w.tx[120]|0x80 != 0xff {
		w.loud = time.Now()
	}
	if w.exchange == nil {
		return 0, false
	}
	return w.exchange(w)
}

// report tells the gateway of a change.
func (w *pair) report(c jack.Change) {
	w.mu.Lock()
	switch c.What {
	case jack.OffHook, jack.OnHook:
		w.state.OffHook = c.What == jack.OffHook
		w.state.Ringing = false
		w.keys = nil
	case jack.RingOn, jack.RingOff:
		w.state.Ringing = c.What == jack.RingOn
	case jack.Down:
		w.state.Present, w.audio = false, false
	case jack.Up:
		w.state.Present = true
	}
	c.State, c.Clock = w.state, w.clock
	handler := w.handler
	w.mu.Unlock()
	handler.Changed(c)
}

func (w *pair) now() jack.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// dials presses keys, 60 ms each with as long between. It returns how long that takes.
func (w *pair) dials(digits string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range len(digits) {
		frames := keyFrames()[digits[i]]
		for n := range frames {
			w.keys = append(w.keys, &frames[n])
		}
	}
	if w.slow {
		w.hurry()
	}
	return time.Duration(len(w.keys)) * 20 * time.Millisecond
}

// keyFrames are the sounds of the keys.
var keyFrames = sync.OnceValue(func() map[byte]*[6][160]byte {
	all := make(map[byte]*[6][160]byte)
	for _, key := range []byte("0123456789*#") {
		g := dtmf.NewGenerator(dtmf.Timing{On: 60 * time.Millisecond, Off: 60 * time.Millisecond})
		if err := g.Dial(string(key)); err != nil {
			panic(err)
		}
		frames := new([6][160]byte)
		pcm := make([]int16, 160)
		for i := range frames {
			clear(pcm[g.Read(pcm):])
			g711.MuLaw.Encode(frames[i][:], pcm)
		}
		all[key] = frames
	}
	return all
})
