package modem

import (
	"fmt"
	"io"
	"sync"
)

const (
	chunkSize = 1024 // octets read at once
	chunks    = 4    // read ahead of the owner
	// maxAudio is how many octets of audio may wait for a slow line: 100 ms.
	// What comes beyond is thrown away, for it would be heard as delay.
	maxAudio = 800
)

// A link is one opened line to the modem: a goroutine that reads, one that
// writes. It ends as a whole, by close.
type link struct {
	rw   io.ReadWriteCloser
	rx   chan []byte
	free chan []byte
	gone chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	out     []byte
	ready   chan struct{}
	dropped uint64 // frames of audio

	fail   sync.Once
	failed func(*link, error)
}

// newLink starts a link. failed is called at most once, from one of its
// goroutines, when reading or writing fails.
func newLink(rw io.ReadWriteCloser, failed func(*link, error)) *link {
	l := &link{
		rw: rw, rx: make(chan []byte, chunks), free: make(chan []byte, chunks),
		gone: make(chan struct{}), ready: make(chan struct{}, 1), failed: failed,
	}
	for range chunks {
		l.free <- make([]byte, chunkSize)
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
	for empty := 0; ; {
		var buf []byte
		select {
		case buf = <-l.free:
		case <-l.gone:
			return
		}
		n, err := l.rw.Read(buf[:cap(buf)])
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty > 100 {
			err = io.ErrNoProgress
		}
		select {
		case l.rx <- buf[:n]:
		case <-l.gone:
			return
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
		l.mu.Lock()
		buf, l.out = l.out, buf[:0]
		l.mu.Unlock()
		if len(buf) == 0 {
			select {
			case <-l.ready:
				continue
			case <-l.gone:
				return
			}
		}
		if n, err := l.rw.Write(buf); err != nil {
			l.end(err)
			return
		} else if n != len(buf) {
			l.end(fmt.Errorf("write of %d octets took %d", len(buf), n))
			return
		}
	}
}

// send queues text, in order.
func (l *link) send(text string) {
	l.mu.Lock()
	if len(l.out) < 16*chunkSize {
		l.out = append(l.out, text...)
	}
	l.mu.Unlock()
	l.wake()
}

// audio queues samples, shielded. Too much of it is dropped.
func (l *link) audio(frame []byte) {
	l.mu.Lock()
	if len(l.out) <= maxAudio {
		l.out = appendShielded(l.out, frame)
	} else {
		l.dropped++
	}
	l.mu.Unlock()
	l.wake()
}

func (l *link) wake() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}
