// Package serialpump moves octets between a serial line and the goroutine that
// owns it: one goroutine reads, one writes, and neither knows what the octets
// mean. Buffers go round, so that nothing is allocated while the line is open.
// What waits to be written, and what is dropped of it when the line is slow, is
// the owner's business.
package serialpump

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// A Config says how much is read ahead and who is told. Take and Failed are
// needed.
type Config struct {
	Size  int // octets read at once. Zero: 4096
	Ahead int // reads that may wait for the owner. Zero: 4

	// Take is called by the writer for what is to be written next, in exchange
	// for the buffer that was written last. False: there is nothing; Wake tells
	// that there is again.
	Take func(written []byte) (next []byte, ok bool)
	// Deliver is called by the reader with each chunk, in place of Rx. It returns
	// when the chunk is handed over, or as gone is closed. Nil: Rx has them.
	Deliver func(chunk []byte, gone <-chan struct{})
	// Failed is told once, from one of the goroutines, that reading or writing
	// has failed. The pump is to be closed then.
	Failed func(error)
}

// ErrReadsNothing: a device says again and again that it has read nothing, and
// reports no error, as some do when they are unplugged.
var ErrReadsNothing = errors.New("reads nothing and reports no error")

// emptyReads is how often a device may read nothing, one time after the other.
const emptyReads = 100

// A Pump is one opened line. It ends as a whole, by Close.
type Pump struct {
	cfg   Config
	rw    io.ReadWriteCloser
	rx    chan []byte
	free  chan []byte
	ready chan struct{}
	gone  chan struct{}
	wg    sync.WaitGroup
	fail  sync.Once
}

// New makes a pump that does not run yet.
func New(cfg Config) *Pump {
	if cfg.Size == 0 {
		cfg.Size = 4096
	}
	if cfg.Ahead == 0 {
		cfg.Ahead = 4
	}
	p := &Pump{
		cfg: cfg, rx: make(chan []byte, cfg.Ahead), free: make(chan []byte, cfg.Ahead),
		ready: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	for range cfg.Ahead {
		p.free <- make([]byte, 0, cfg.Size)
	}
	return p
}

// Start reads from and writes to rw until Close. Close of rw must unblock a Read
// and a Write.
func (p *Pump) Start(rw io.ReadWriteCloser) {
	p.rw = rw
	p.wg.Add(2)
	go p.read()  // ends when rw is closed
	go p.write() // ends when rw and gone are closed
}

// Rx has what was read, in order. Each chunk is to be given back by Free.
func (p *Pump) Rx() <-chan []byte { return p.rx }

// Free gives a chunk back, to be read into again.
func (p *Pump) Free(chunk []byte) { p.free <- chunk[:0] }

// Wake tells the writer that Take has something. It does not wait.
func (p *Pump) Wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// Close closes the line, ends both goroutines and waits for them.
func (p *Pump) Close() {
	close(p.gone)
	p.rw.Close()
	p.wg.Wait()
}

func (p *Pump) end(err error) { p.fail.Do(func() { p.cfg.Failed(err) }) }

func (p *Pump) read() {
	defer p.wg.Done()
	for {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.gone:
			return
		}
		n, err := p.fill(buf[:cap(buf)])
		if n > 0 {
			p.deliver(buf[:n])
		}
		if err != nil {
			p.end(err)
			return
		}
	}
}

// fill reads until there is something, or an error.
func (p *Pump) fill(buf []byte) (n int, err error) {
	for range emptyReads {
		if n, err = p.rw.Read(buf); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, ErrReadsNothing
}

func (p *Pump) deliver(chunk []byte) {
	if p.cfg.Deliver != nil {
		p.cfg.Deliver(chunk, p.gone)
		return
	}
	select {
	case p.rx <- chunk:
	case <-p.gone:
	}
}

func (p *Pump) write() {
	defer p.wg.Done()
	var buf []byte
	for {
		var ok bool
		if buf, ok = p.cfg.Take(buf); !ok {
			select {
			case <-p.ready:
				continue
			case <-p.gone:
				return
			}
		}
		if err := writeAll(p.rw, buf); err != nil {
			p.end(err)
			return
		}
	}
}

// writeAll also serves writers that take a part without an error.
func writeAll(w io.Writer, b []byte) error {
	for len(b) > 0 {
		n, err := w.Write(b)
		if err != nil {
			return err
		}
		if n <= 0 || n > len(b) {
			return fmt.Errorf("write of %d octets took %d", len(b), n)
		}
		b = b[n:]
	}
	return nil
}
