package serialpump

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queue is what an owner has to write.
type queue struct {
	mu  sync.Mutex
	out []byte
}

func (q *queue) take(written []byte) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	next := q.out
	q.out = written[:0]
	return next, len(next) > 0
}

func (q *queue) put(p *Pump, text string) {
	q.mu.Lock()
	q.out = append(q.out, text...)
	q.mu.Unlock()
	p.Wake()
}

// TestPumpMovesOctets: both ways in order, with buffers that go round.
func TestPumpMovesOctets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		var q queue
		var why error
		p := New(Config{Size: 4, Ahead: 2, Take: q.take, Failed: func(err error) { why = err }})
		p.Start(ours)
		go theirs.Write([]byte("0123456789")) // until all is read
		var got []byte
		for len(got) < 10 {
			chunk := <-p.Rx()
			if cap(chunk) != 4 {
				t.Errorf("a chunk of %d octets", cap(chunk))
			}
			got = append(got, chunk...)
			p.Free(chunk)
		}
		if string(got) != "0123456789" {
			t.Errorf("read %q", got)
		}
		q.put(p, "ab")
		var back [4]byte
		io.ReadFull(theirs, back[:2])
		q.put(p, "cd")
		io.ReadFull(theirs, back[2:])
		if string(back[:]) != "abcd" {
			t.Errorf("wrote %q", back)
		}
		theirs.Close()
		if synctest.Wait(); !errors.Is(why, io.EOF) {
			t.Errorf("ended with %v", why)
		}
		p.Close()
	})
}

// TestPumpCloses: though nobody takes what was read and the line takes nothing.
func TestPumpCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		var q queue
		p := New(Config{Size: 1, Ahead: 1, Take: q.take, Failed: func(error) {}})
		p.Start(ours)
		q.put(p, "never read")
		theirs.Write([]byte("1"))
		go theirs.Write([]byte("23"))
		synctest.Wait()
		p.Close()
		theirs.Close()
	})
}

// odd is a device that writes in pieces, and reads nothing.
type odd struct {
	bytes.Buffer
	over bool // it says that it took more than it was given
}

func (*odd) Close() error             { return nil }
func (*odd) Read([]byte) (int, error) { return 0, nil }
func (o *odd) Write(p []byte) (int, error) {
	if o.over {
		return len(p) + 1, nil
	}
	return o.Buffer.Write(p[:1])
}

func TestPumpSurvivesOddDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, over := range []bool{false, true} {
			var q queue
			q.out = []byte("abc")
			dev := &odd{over: over}
			var mu sync.Mutex
			var whys []error
			p := New(Config{Take: q.take, Failed: func(err error) {
				mu.Lock()
				defer mu.Unlock()
				whys = append(whys, err)
			}})
			p.Start(dev)
			synctest.Wait()
			p.Close()
			if len(whys) != 1 {
				t.Errorf("failed %d times: %v", len(whys), whys)
			}
			if !over && (dev.String() != "abc" || !errors.Is(whys[0], ErrReadsNothing)) {
				t.Errorf("wrote %q, ended with %v", dev.String(), whys)
			}
		}
	})
}
