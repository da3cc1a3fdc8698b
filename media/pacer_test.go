package media

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// beat remembers when it was ticked.
type beat struct {
	at    []time.Time
	n     []uint64
	stall time.Duration // how long its first tick takes
}

func (b *beat) tick(n uint64) {
	b.at = append(b.at, time.Now())
	b.n = append(b.n, n)
	if len(b.at) == 1 {
		time.Sleep(b.stall)
	}
}

func TestPacerDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		b := &beat{}
		p.add(b)
		time.Sleep(time.Hour + time.Millisecond)
		p.remove(b)
		synctest.Wait()
		if n := len(b.at); n != 180001 {
			t.Fatalf("%d ticks in an hour", n)
		}
		if took := b.at[180000].Sub(b.at[0]); took != time.Hour {
			t.Errorf("180000 frames took %v", took)
		}
	})
}

func TestPacerCatchesUpAShortStallAndLeavesALongOneOut(t *testing.T) {
	for _, test := range []struct {
		stall time.Duration
		ticks int // in the first 3 s
	}{{150 * time.Millisecond, 150}, {time.Second, 101}} {
		synctest.Test(t, func(t *testing.T) {
			var p Pacer
			b := &beat{stall: test.stall}
			p.add(b)
			time.Sleep(2999 * time.Millisecond)
			p.remove(b)
			synctest.Wait()
			if n := len(b.at); n != test.ticks {
				t.Errorf("a stall of %v: %d ticks in 3 s, want %d", test.stall, n, test.ticks)
			}
			for i, n := range b.n {
				if due := time.Duration(n) * FrameTime; i > 0 && b.at[i].Sub(b.at[0]) < due {
					t.Errorf("frame %d came %v early", n, due-b.at[i].Sub(b.at[0]))
				}
			}
		})
	}
}

func TestPacerSpreadsItsMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		var beats []*beat
		for range 4 {
			b := &beat{}
			beats = append(beats, b)
			p.add(b)
			time.Sleep(phaseTime)
		}
		time.Sleep(100 * time.Millisecond)
		for _, b := range beats {
			p.remove(b)
		}
		synctest.Wait()
		seen := map[time.Duration]bool{}
		for _, b := range beats {
			seen[b.at[1].Sub(beats[0].at[0])%FrameTime] = true
		}
		if len(seen) != 4 {
			t.Errorf("four members that came one after the other share %d instants", len(seen))
		}
	})
}

func TestPacerStartsAgainAfterItsLastMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		for range 100 {
			b := &beat{}
			p.add(b)
			p.remove(b)
			p.add(b)
			time.Sleep(21 * time.Millisecond)
			synctest.Wait()
			if len(b.at) == 0 {
				t.Fatal("a member is not ticked")
			}
			p.remove(b)
		}
	})
}

// counted tells how often it is read, and whether it is read after it should be.
type counted struct {
	reads   atomic.Int64
	stopped atomic.Bool
	late    atomic.Bool
}

func (c *counted) Read(pcm []int16) int {
	c.reads.Add(1)
	if c.stopped.Load() {
		c.late.Store(true)
	}
	return len(pcm)
}

func TestPlayerDoesNotReadAfterStop(t *testing.T) {
	var p Pacer // real time: Stop from beside the pacer's goroutine
	for range 20 {
		src := &counted{}
		pl := p.Play(src, &phone{}, 0, nil)
		for src.reads.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		pl.Stop()
		src.stopped.Store(true)
		pl.Stop()
		if src.late.Load() {
			t.Fatal("read after Stop")
		}
	}
}

func TestPlayerPlaysTheLastPieceAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		to := &phone{}
		over := 0
		p.Play(&Samples{PCM: sine(1000, 5000, 0, 400)}, to, 0, func() { over++ })
		time.Sleep(time.Second)
		synctest.Wait()
		pcm := to.takePCM()
		if len(pcm) != 480 || over != 1 {
			t.Fatalf("%d samples, ended %d times", len(pcm), over)
		}
		for i, s := range pcm[400:] {
			if s != 0 {
				t.Fatalf("sample %d after the end is %d", i, s)
			}
		}
	})
}
