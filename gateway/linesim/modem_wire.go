package linesim

import (
	"io"
	"sync"
)

// How much a modem has in hand. It takes no more from a host that dumps a
// recording than it can play: the rest waits on the host's side.
const (
	modemInput  = 256       // octets read and not yet looked at
	modemPlay   = 1600      // samples to be played: 200 ms
	modemOutput = 16 * 1024 // octets for a host that does not read
)

// modemWire is a modem's side of its serial line: a goroutine that reads, one
// that writes.
type modemWire struct {
	modem *Modem
	rw    io.ReadWriteCloser
	wg    sync.WaitGroup

	mu     sync.Mutex
	change sync.Cond
	in     []byte
	out    []byte
	gone   bool
}

func newModemWire(m *Modem, rw io.ReadWriteCloser) *modemWire {
	w := &modemWire{modem: m, rw: rw}
	w.change.L = &w.mu
	w.wg.Add(2)
	go w.read()  // ends with close, or as the host goes
	go w.write() // ends with close, or as the host goes
	return w
}

// close ends both goroutines and waits for them.
func (w *modemWire) close() {
	w.mu.Lock()
	w.gone = true
	w.change.Broadcast()
	w.mu.Unlock()
	w.rw.Close()
	w.wg.Wait()
}

func (w *modemWire) read() {
	defer w.wg.Done()
	noise := newNoise(&w.modem.cable, 3)
	buf := make([]byte, 64)
	for {
		n, err := w.rw.Read(buf)
		w.mu.Lock()
		w.in = append(w.in, noise.apply(buf[:n])...)
		for len(w.in) >= modemInput && !w.gone {
			w.change.Wait()
		}
		gone := w.gone
		w.mu.Unlock()
		if gone {
			return
		}
		if err != nil {
			w.lost()
			return
		}
	}
}

func (w *modemWire) write() {
	defer w.wg.Done()
	noise := newNoise(&w.modem.cable, 4)
	var buf []byte
	for {
		w.mu.Lock()
		for len(w.out) == 0 && !w.gone {
			w.change.Wait()
		}
		gone := w.gone
		buf, w.out = w.out, buf[:0]
		w.mu.Unlock()
		if gone {
			return
		}
		if _, err := w.rw.Write(noise.apply(buf)); err != nil {
			w.lost()
			return
		}
	}
}

// lost notices that the host has closed its end: the modem's DTR falls, and it
// goes on-hook (&D2).
func (w *modemWire) lost() {
	m := w.modem
	m.sim.inbox.Put(func() {
		if m.wire == w {
			m.disconnect()
			m.sim.note(m.cfg.Name, "the host is gone")
			m.hangUp()
		}
	})
}

// take appends up to n octets that have come.
func (w *modemWire) take(to []byte, n int) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	n = min(n, len(w.in))
	to = append(to, w.in[:n]...)
	w.in = w.in[:copy(w.in, w.in[n:])]
	w.change.Broadcast()
	return to
}

// send queues octets for the host; too many are thrown away.
func (w *modemWire) send(p []byte) {
	w.mu.Lock()
	if len(w.out) < modemOutput {
		w.out = append(w.out, p...)
	}
	w.change.Broadcast()
	w.mu.Unlock()
}
