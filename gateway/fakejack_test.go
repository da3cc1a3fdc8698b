package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
)

// A fakeJack is a port without a card: a test says what the line does, and asks
// what it was told to do and what it heard. Its orders take effect at once.
type fakeJack struct {
	t       *testing.T
	name    string
	kind    jack.Kind
	handler jack.Handler
	done    chan struct{}
	wake    chan struct{} // audio was switched on

	mu         sync.Mutex
	state      jack.State
	down       bool
	audio      bool
	cadence    []time.Duration
	flashes    []time.Duration
	drops      []time.Duration
	hooks      []time.Time // when the line went off-hook
	clock      uint64
	says       media.Source // nil: silence
	untilDigit bool         // says ends with the first digit
	skip       int          // ticks to be lost
	stalled    bool         // the card sends no ticks
	signals    jack.Signalling
	blocked    bool    // a timeslot
	hears      []int16 // since the last audio on
	keys       *dtmf.Detector
	loud       int // frames until keys may be spared the silence
	digits     strings.Builder
}

func newFakeJack(t *testing.T, name string, kind jack.Kind) *fakeJack {
	return &fakeJack{
		t: t, name: name, kind: kind,
		state: jack.State{Present: true, Battery: true},
		done:  make(chan struct{}), wake: make(chan struct{}, 1),
		keys: dtmf.NewDetector(dtmf.Limits{}),
	}
}

func (j *fakeJack) Name() string    { return "card1:" + j.name + " (/dev/ttyTEST)" }
func (j *fakeJack) Kind() jack.Kind { return j.kind }

func (j *fakeJack) Attach(h jack.Handler) {
	j.mu.Lock()
	first := j.handler == nil
	j.handler = h
	j.mu.Unlock()
	if first {
		go j.run() // until done
	}
	if !j.down {
		j.change(jack.Up)
	}
}

// run is the card's clock.
func (j *fakeJack) run() {
	for {
		select {
		case <-j.done:
			return
		case <-j.wake:
		}
		t := time.NewTicker(20 * time.Millisecond)
		for j.tick() {
			select {
			case <-j.done:
				t.Stop()
				return
			case <-t.C:
			}
		}
		t.Stop()
	}
}

// tick exchanges 20 ms of audio; false: audio is off.
func (j *fakeJack) tick() bool {
	j.mu.Lock()
	on, clock, stalled, handler := j.audio, j.clock, j.stalled, j.handler
	j.clock += jack.FrameSize
	var pcm [jack.FrameSize]int16
	if j.says != nil {
		clear(pcm[j.says.Read(pcm[:]):])
	}
	if j.skip > 0 {
		j.skip--
		stalled = true
	}
	j.mu.Unlock()
	if !on || stalled {
		return on
	}
	var rx, tx [jack.FrameSize]byte
	g711.MuLaw.Encode(rx[:], pcm[:])
	handler.Tick(rx[:], tx[:], clock)
	g711.MuLaw.Decode(pcm[:], tx[:])
	j.mu.Lock()
	defer j.mu.Unlock()
	j.hears = append(j.hears, pcm[:]...)
	if j.loud--; slices.Max(pcm[:]) > 100 {
		j.loud = 10
	}
	if j.loud <= 0 {
		return true
	}
	for _, e := range j.keys.Detect(pcm[:]) {
		if e.Down {
			j.digits.WriteByte(e.Digit)
			if j.untilDigit {
				j.says = nil
			}
		}
	}
	return true
}

func (j *fakeJack) SetHook(off bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if off && !j.state.OffHook {
		j.hooks = append(j.hooks, time.Now())
	}
	if j.kind != jack.FXS {
		j.state.OffHook = off
	}
}

func (j *fakeJack) FlashHook(d time.Duration) {
	j.mu.Lock()
	j.flashes = append(j.flashes, d)
	j.mu.Unlock()
}

func (j *fakeJack) SetRing(on bool, cadence []time.Duration) {
	j.mu.Lock()
	j.state.Ringing = on
	j.cadence = slices.Clone(cadence)
	j.mu.Unlock()
}

// SetSignalling and SetBlocked make a timeslot of the jack (jack.Timeslot).
func (j *fakeJack) SetSignalling(s jack.Signalling) { j.mu.Lock(); j.signals = s; j.mu.Unlock() }
func (j *fakeJack) SetBlocked(b bool)               { j.mu.Lock(); j.blocked = b; j.mu.Unlock() }

func (j *fakeJack) SetReversed(r bool) { j.mu.Lock(); j.state.Reversed = r; j.mu.Unlock() }

func (j *fakeJack) DropLoop(d time.Duration) {
	j.mu.Lock()
	j.drops = append(j.drops, d)
	j.mu.Unlock()
}

func (j *fakeJack) SetAudio(on bool) {
	j.mu.Lock()
	if on && !j.audio {
		j.hears = nil
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
	j.audio = on
	j.mu.Unlock()
}

// change reports what the line does.
func (j *fakeJack) change(what jack.What) { j.changed(jack.Change{What: what}) }

func (j *fakeJack) changed(c jack.Change) {
	j.mu.Lock()
	switch c.What {
	case jack.Up:
		j.state.Present = true
	case jack.Down, jack.Fault:
		j.state.Present = false
		j.audio = false
	case jack.RingOn, jack.RingOff:
		j.state.Ringing = c.What == jack.RingOn
	case jack.OffHook, jack.OnHook:
		if j.kind == jack.TDM {
			j.state.FarOffHook = c.What == jack.OffHook
			break
		}
		j.state.OffHook = c.What == jack.OffHook
		if j.state.OffHook {
			j.state.Ringing = false
		}
	case jack.BatteryOff, jack.BatteryOn:
		j.state.Battery = c.What == jack.BatteryOn
	case jack.Polarity:
		j.state.Reversed = !j.state.Reversed
	}
	c.State, c.Clock = j.state, j.clock
	handler := j.handler
	j.mu.Unlock()
	handler.Changed(c)
}

// say makes the line say something from now on; nil is silence.
func (j *fakeJack) say(s media.Source) { j.mu.Lock(); j.says, j.untilDigit = s, false; j.mu.Unlock() }

// dialTone plays dial tone until a digit comes.
func (j *fakeJack) dialTone() {
	j.mu.Lock()
	j.says, j.untilDigit = plays(us.Dial), true
	j.mu.Unlock()
}

// rings rings the line n times by the American cadence, and says id after the
// first ring if it is not nil.
func (j *fakeJack) rings(n int, id media.Source) {
	for i := range n {
		j.change(jack.RingOn)
		time.Sleep(2 * time.Second)
		j.change(jack.RingOff)
		time.Sleep(500 * time.Millisecond)
		if i == 0 && id != nil {
			j.say(id)
		}
		time.Sleep(3500 * time.Millisecond)
	}
}

// dialled is what digits the line has heard since it was last asked.
func (j *fakeJack) dialled() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.digits.String()
	j.digits.Reset()
	return s
}

// recent is what the line heard in the last d.
func (j *fakeJack) recent(d time.Duration) []int16 {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.hears), int(d*g711.SampleRate/time.Second))
	return slices.Clone(j.hears[len(j.hears)-n:])
}

// breaks are the loop breaks of an FXO port that were ordered, and cut those
// of an FXS port.
func (j *fakeJack) breaks() []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.flashes)
}
func (j *fakeJack) cuts() []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.drops)
}

func (j *fakeJack) now() jack.State { j.mu.Lock(); defer j.mu.Unlock(); return j.state }

// press makes the telephone send digits, 100 ms each with as long between.
func (j *fakeJack) press(digits string) {
	g := dtmf.NewGenerator(dtmf.Timing{})
	if err := g.Dial(digits); err != nil {
		j.t.Fatal(err)
	}
	j.say(g)
	time.Sleep(time.Duration(len(digits))*200*time.Millisecond + 100*time.Millisecond)
	j.say(nil)
}

func (j *fakeJack) audioOn() bool { j.mu.Lock(); defer j.mu.Unlock(); return j.audio }

func (j *fakeJack) String() string {
	return fmt.Sprintf("%s %+v audio=%v", j.name, j.now(), j.audioOn())
}
