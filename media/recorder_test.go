package media

import (
	"errors"
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
