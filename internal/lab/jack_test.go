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
	kind jack.Kind
	stop chan struct{}
	on   chan struct{} // audio was switched on

	mu      sync.Mutex
	handler jack.Handler
	state   jack.State
	audio   bool
	clock   uint64
	keys    []*[160]byte // frames of digits still to be said
	speaks  byte         // the mark with which somebody speaks; 0: nobody does
	heard   map[byte]int // frames by their mark
	loud    time.Time    // when the line heard something last; zero: not since it went off-hook
	rx, tx  [jack.FrameSize]byte
}

func newPair(kind jack.Kind) *pair {
	return &pair{
		kind: kind, stop: make(chan struct{}), on: make(chan struct{}, 1), heard: make(map[byte]int),
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
			w.state.OffHook, w.loud = off, time.Time{}
		}
	})
}

func (w *pair) SetAudio(on bool) {
	w.set(func() { w.audio = on })
	if on {
		select {
		case w.on <- struct{}{}:
		default:
		}
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
		case <-w.on:
		}
		t := time.NewTicker(20 * time.Millisecond)
		for w.tick() {
			select {
			case <-w.stop:
				t.Stop()
				return
			case <-t.C:
			}
		}
		t.Stop()
	}
}

// tick exchanges 20 ms of audio; false: audio is off.
func (w *pair) tick() bool {
	w.mu.Lock()
	if !w.audio {
		w.mu.Unlock()
		return false
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if code, ok := marked(w.tx[:]); ok {
		w.heard[code]++
	}
	if w.tx[0]|0x80 != 0xff || w.tx[80]|0x80 != 0xff || w.tx[120]|0x80 != 0xff {
		w.loud = time.Now()
	}
	return true
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
