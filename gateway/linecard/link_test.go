package linecard

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"crosspoint/internal/serialpump"
)

// valve is a line whose writes wait until it is opened, and then take a few
// octets at a time.
type valve struct {
	mu      sync.Mutex
	cond    *sync.Cond
	open    bool
	closed  bool
	piece   int
	written bytes.Buffer
}

func newValve(piece int) *valve {
	v := &valve{piece: piece}
	v.cond = sync.NewCond(&v.mu)
	return v
}

func (v *valve) Read([]byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for !v.closed {
		v.cond.Wait()
	}
	return 0, io.EOF
}

func (v *valve) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for !v.open && !v.closed {
		v.cond.Wait()
	}
	if v.closed {
		return 0, errors.New("closed")
	}
	n := min(len(p), v.piece)
	v.written.Write(p[:n])
	return n, nil
}

func (v *valve) Close() error { return v.change(func() { v.closed = true }) }

func (v *valve) change(f func()) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
	v.cond.Broadcast()
	return nil
}

// TestSlowLineCostsAudioOnly: while the line takes nothing, orders pile up in
// order, and of the audio only the newest tick is left, behind them.
func TestSlowLineCostsAudioOnly(t *testing.T) {
	for _, piece := range []int{1, 7, 1000} { // and writes that take a part
		synctest.Test(t, func(t *testing.T) {
			v := newValve(piece)
			var count counters
			l := newLink(v, &count, func(*link, error) {})
			l.out.control(Ping{}.Append(nil, 1))
			synctest.Wait() // the writer holds the first frame
			wire := []byte(nil)
			for i := range 50 {
				wire = l.out.tick(AppendFrame(wire, PutSamples(BeginMedia(nil, uint16(i), 0, 1), make([]byte, 160))))
				if i%10 == 0 {
					l.out.control(AppendTimed(nil, TypeFlash, 1, uint16(i), 0))
				}
			}
			v.change(func() { v.open = true })
			synctest.Wait()
			var got []string
			var d Decoder
			for _, f := range frames(&d, v.written.Bytes(), 4096) {
				h, _, _ := ParseHeader(f.Content)
				got = append(got, h.Type.String())
				if h.Type == TypeMedia && h.Seq != 49 {
					t.Errorf("tick %d was sent, want the newest", h.Seq)
				}
			}
			if want := "PING FLASH FLASH FLASH FLASH FLASH MEDIA"; strings.Join(got, " ") != want {
				t.Errorf("sent %v, want %s", got, want)
			}
			if count.droppedTicks.Load() != 49 {
				t.Errorf("%d ticks counted as dropped", count.droppedTicks.Load())
			}
			l.Close()
		})
	}
}

func TestControlDoesNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newValve(1000)
		var count counters
		l := newLink(v, &count, func(*link, error) {})
		for range 10000 {
			l.out.control(Ping{}.Append(nil, 1))
		}
		l.out.mu.Lock()
		n := len(l.out.ctl)
		l.out.mu.Unlock()
		if n > maxControl+100 {
			t.Errorf("%d octets wait", n)
		}
		l.Close()
	})
}

// lazy reports neither octets nor errors.
type lazy struct{ *valve }

func (lazy) Read([]byte) (int, error) { return 0, nil }

func TestReaderThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var why error
		l := newLink(lazy{newValve(1)}, &counters{}, func(_ *link, err error) { why = err })
		synctest.Wait()
		if !errors.Is(why, serialpump.ErrReadsNothing) {
			t.Errorf("ended with %v", why)
		}
		l.Close()
	})
}
