package linecard

import (
	"io"
	"sync"

	"crosspoint/internal/serialpump"
)

const (
	chunkSize  = 4096      // octets read at once
	chunks     = 8         // read ahead of the owner
	maxControl = 16 * 1024 // octets of control that wait for a slow line; more is left to retransmission
)

// A link is one opened line.
type link struct {
	*serialpump.Pump
	frames Decoder // belongs to the owner
	out    outbox
}

// newLink starts a link. failed is called once, from one of its goroutines,
// when reading or writing fails.
func newLink(rw io.ReadWriteCloser, count *counters, failed func(*link, error)) *link {
	l := new(link)
	l.Pump = serialpump.New(serialpump.Config{
		Size: chunkSize, Ahead: chunks, Take: l.out.take, Failed: func(err error) { failed(l, err) },
	})
	l.out.count, l.out.wake = count, l.Wake
	l.Start(rw)
	return l
}

// outbox is what waits for the writer: control in order, and the newest media
// only. Control goes first, so that a slow line costs audio and nothing else.
type outbox struct {
	mu      sync.Mutex
	ctl     []byte
	media   []byte
	waiting bool // media holds frames not yet taken
	wake    func()
	count   *counters
}

// control queues one frame.
func (o *outbox) control(content []byte) {
	o.mu.Lock()
	if len(o.ctl) < maxControl {
		o.ctl = AppendFrame(o.ctl, content)
		o.count.framesOut.Add(1)
	}
	o.mu.Unlock()
	o.wake()
}

// tick puts the stuffed frames of one tick in place of older ones not yet
// written, and returns a buffer for the next tick.
func (o *outbox) tick(wire []byte) []byte {
	o.mu.Lock()
	if o.waiting {
		o.count.droppedTicks.Add(1)
	}
	o.media, wire = wire, o.media
	o.waiting = true
	o.count.mediaOut.Add(1)
	o.mu.Unlock()
	o.wake()
	return wire[:0]
}

// take hands over what is to be written next, in exchange for the buffer
// written last.
func (o *outbox) take(written []byte) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(o.ctl) > 0:
		out := o.ctl
		o.ctl = written[:0]
		return out, true
	case o.waiting:
		out := o.media
		o.media, o.waiting = written[:0], false
		return out, true
	}
	return written[:0], false
}
