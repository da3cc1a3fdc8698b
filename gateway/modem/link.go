package modem

import (
	"io"
	"sync"

	"crosspoint/internal/serialpump"
)

const (
	chunkSize = 1024 // octets read at once
	chunks    = 4    // read ahead of the owner
	// maxAudio is how many octets of audio may wait for a slow line: 100 ms.
	// What comes beyond is thrown away, for it would be heard as delay.
	maxAudio = 800
)

// A link is one opened line to the modem, and what waits to be written on it.
type link struct {
	*serialpump.Pump

	mu      sync.Mutex
	out     []byte
	dropped uint64 // frames of audio
}

// newLink starts a link. failed is called at most once, from one of its
// goroutines, when reading or writing fails.
func newLink(rw io.ReadWriteCloser, failed func(*link, error)) *link {
	l := new(link)
	l.Pump = serialpump.New(serialpump.Config{
		Size: chunkSize, Ahead: chunks, Take: l.take, Failed: func(err error) { failed(l, err) },
	})
	l.Start(rw)
	return l
}

// take hands over what waits, in exchange for the buffer written last.
func (l *link) take(written []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.out
	l.out = written[:0]
	return next, len(next) > 0
}

// send queues text, in order.
func (l *link) send(text string) {
	l.mu.Lock()
	if len(l.out) < 16*chunkSize {
		l.out = append(l.out, text...)
	}
	l.mu.Unlock()
	l.Wake()
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
	l.Wake()
}
