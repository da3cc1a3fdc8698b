package linecard

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	chunkSize    = 4096      // octets read at once
	chunks       = 8         // read ahead of the owner
	maxControl   = 16 * 1024 // octets of control that wait for a slow line; more is left to retransmission
	emptyReads   = 100       // reads of nothing, one after the other, that end a link
	emptyReadsOf = "reads nothing and reports no error"
)

// A link is one opened line: a goroutine that reads, one that writes. It ends
// as a whole, by close.
type link struct {
	rw     io.ReadWriteCloser
	frames Decoder // belongs to the owner
	rx     chan []byte
	free   chan []byte
	out    outbox
	gone   chan struct{}
	wg     sync.WaitGroup
	fail   sync.Once
	failed func(*link, error)
}

// newLink starts a link. failed is called once, from one of its goroutines,
// when reading or writing fails.
func newLink(rw io.ReadWriteCloser, count *counters, failed func(*link, error)) *link {
	l := &link{
		rw:     rw,
		rx:     make(chan []byte, chunks),
		free:   make(chan []byte, chunks),
		gone:   make(chan struct{}),
		failed: failed,
	}
	l.out.ready = make(chan struct{}, 1)
	l.out.count = count
	for range chunks {
		l.free <- make([]byte, 0, chunkSize)
	}
	l.wg.Add(2)
	go l.read()  // ends when rw is closed
	go l.write() // ends when rw and gone are closed
	return l
}

// close ends the link and waits for its goroutines.
func (l *link) close() {
	close(l.gone)
	l.rw.Close()
	l.wg.Wait()
}

func (l *link) end(err error) { l.fail.Do(func() { l.failed(l, err) }) }

func (l *link) read() {
	defer l.wg.Done()
	empty := 0
	for {
		var buf []byte
		select {
		case buf = <-l.free:
		case <-l.gone:
			return
		}
		n, err := 0, error(nil)
		for n == 0 && err == nil && empty < emptyReads {
			n, err = l.rw.Read(buf[:cap(buf)])
			empty++
		}
		if n > 0 {
			empty = 0
			select {
			case l.rx <- buf[:n]:
			case <-l.gone:
				return
			}
		}
		if err == nil && empty >= emptyReads {
			err = errors.New(emptyReadsOf)
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

func (l *link) write() {
	defer l.wg.Done()
	var buf []byte
	for {
		var ok bool
		if buf, ok = l.out.take(buf); !ok {
			select {
			case <-l.out.ready:
				continue
			case <-l.gone:
				return
			}
		}
		if err := writeAll(l.rw, buf); err != nil {
			l.end(err)
			return
		}
	}
}

// writeAll also serves writers that take a part without an error.
func writeAll(w io.Writer, p []byte) error {
	for len(p) > 0 {
		n, err := w.Write(p)
		if err != nil {
			return err
		}
		if n <= 0 || n > len(p) {
			return fmt.Errorf("write of %d octets took %d", len(p), n)
		}
		p = p[n:]
	}
	return nil
}

// outbox is what waits for the writer: control in order, and the newest media
// only. Control goes first, so that a slow line costs audio and nothing else.
type outbox struct {
	mu      sync.Mutex
	ctl     []byte
	media   []byte
	waiting bool // media holds frames not yet taken
	ready   chan struct{}
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

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
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
