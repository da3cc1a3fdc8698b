package media

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// tape keeps what is recorded, or fails.
type tape struct {
	pcm   []int16
	err   error
	block chan struct{} // not nil: Write waits for it
}

func (t *tape) Write(pcm []int16) error {
	if t.block != nil {
		<-t.block
	}
	t.pcm = append(t.pcm, pcm...)
	return t.err
}

func (t *tape) channel(n int) (pcm []int16) {
	for i := n; i < len(t.pcm); i += 2 {
		pcm = append(pcm, t.pcm[i])
	}
	return pcm
}

func TestRecordingHasOnePartyOnEachSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pacer Pacer
		a, b := &phone{}, &phone{}
		bridge := NewBridge(&pacer)
		bridge.Join(a)
		bridge.Join(b)
		out := &tape{}
		rec := NewRecorder(&pacer, out)
		bridge.Record(rec)
		time.Sleep(time.Millisecond)
		together(2*time.Second, a, b)
		bridge.Record(nil)
		if err := rec.Close(); err != nil {
			t.Error(err)
		}
		if err := rec.Close(); err != nil {
			t.Error("the second Close:", err)
		}
		together(100*time.Millisecond, a, b)
		bridge.Close()
		left, right := out.channel(0), out.channel(1)
		if n := len(left); n < 15900 || n > 16400 {
			t.Fatalf("%d samples of 2 s", n)
		}
		left, right = left[1600:1600+8000], right[1600:1600+8000]
		near(t, "a on the left", strength(left, toneOf(0)), 4000, 60)
		near(t, "b on the left", strength(left, toneOf(1)), 0, 60)
		near(t, "b on the right", strength(right, toneOf(1)), 4000, 60)
		if n := len(b.take()); n != 105 {
			t.Errorf("b heard %d packets of 105 while the call was recorded", n)
		}
	})
}

func TestRecordingTellsOfAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pacer Pacer
		full := errors.New("no space left on device")
		rec := NewRecorder(&pacer, &tape{err: full})
		time.Sleep(3 * time.Second)
		if err := rec.Close(); !errors.Is(err, full) {
			t.Errorf("Close says %v", err)
		}
	})
}

func TestSlowDiskDoesNotStopTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pacer Pacer
		out := &tape{block: make(chan struct{})}
		rec := NewRecorder(&pacer, out)
		b := &beat{}
		pacer.add(b)
		time.Sleep(10 * time.Second)
		pacer.remove(b)
		close(out.block)
		if err := rec.Close(); !errors.Is(err, ErrRecordingBehind) {
			t.Errorf("Close says %v", err)
		}
		synctest.Wait()
		if len(b.at) < 499 {
			t.Errorf("the clock ticked %d times in 10 s", len(b.at))
		}
	})
}

// Whoever comes and goes, the two who talk are on a side each, and nobody is
// recorded who is on hold or has left.
func TestRecordingFollowsWhoTalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const step = 500 * time.Millisecond
		var pacer Pacer
		a, b, c, d := &phone{}, &phone{}, &phone{}, &phone{}
		bridge := NewBridge(&pacer)
		defer bridge.Close()
		out := &tape{}
		rec := NewRecorder(&pacer, out)
		bridge.Join(a)
		bridge.Join(b)
		bridge.Record(rec)
		time.Sleep(time.Millisecond)
		scenes := []struct {
			what        string
			change      func()
			left, right []int // who is heard there, by tone
		}{
			{"a and b", func() {}, []int{0}, []int{1}},
			{"c in a's place", func() { bridge.Leave(a); bridge.Join(c) }, []int{2}, []int{1}},
			{"b consults d", func() { bridge.Hold(c, nil); bridge.Join(d) }, []int{3}, []int{1}},
			{"three", func() { bridge.Resume(c) }, []int{2, 3}, []int{1}},
			{"b has left", func() { bridge.Leave(b) }, []int{2}, []int{3}},
			{"d on hold", func() { bridge.Hold(d, nil) }, []int{2}, nil},
			{"not recorded", func() { bridge.Record(nil) }, nil, nil},
			{"again", func() { bridge.Record(rec); bridge.Resume(d) }, []int{2}, []int{3}},
		}
		for _, s := range scenes {
			s.change()
			together(step, a, b, c, d)
		}
		if n := len(rec.taps); n != 2 {
			t.Errorf("%d taps for two who talk", n)
		}
		bridge.Record(nil)
		if err := rec.Close(); err != nil {
			t.Error(err)
		}
		for i, s := range scenes {
			for channel, want := range [...][]int{s.left, s.right} {
				from := i*4000 + 2000 // a quarter of a second into the scene
				pcm := out.channel(channel)[from : from+1600]
				for who := range 4 {
					level := 0.0
					if slices.Contains(want, who) {
						level = 4000
					}
					near(t, fmt.Sprintf("%s: %c on channel %d", s.what, 'a'+who, channel), strength(pcm, toneOf(who)), level, 80)
				}
			}
		}
	})
}
