package linesim

import (
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"crosspoint/gateway/linecard"
)

// Impairment is what a bad cable does to the octets on it, both ways. The
// zero value is a good cable.
type Impairment struct {
	BitErrors float64 // probability that a bit is flipped
	LostBytes float64 // probability that an octet vanishes
}

// conn is a card's side of a line while it is plugged in: a goroutine that
// reads, one that writes.
type conn struct {
	card  *Card
	rw    io.ReadWriteCloser
	free  chan []byte
	out   outbox
	gone  chan struct{}
	wg    sync.WaitGroup
	cable *atomic.Pointer[Impairment]
}

const (
	readAhead  = 4
	readOctets = 4096
	outOctets  = 16 * 1024 // control that waits for a host which does not read
)

// newConn starts to read from and write to rw, until close or an error.
func newConn(c *Card, rw io.ReadWriteCloser) *conn {
	n := &conn{card: c, rw: rw, free: make(chan []byte, readAhead), gone: make(chan struct{}), cable: &c.cable}
	n.out.ready = make(chan struct{}, 1)
	for range readAhead {
		n.free <- make([]byte, 0, readOctets)
	}
	n.wg.Add(2)
	go n.read()  // ends when rw is closed
	go n.write() // ends when rw and gone are closed
	return n
}

// close ends both goroutines and waits for them.
func (n *conn) close() {
	close(n.gone)
	n.rw.Close()
	n.wg.Wait()
}

func (n *conn) read() {
	defer n.wg.Done()
	noise := newNoise(n.cable, 1)
	for {
		var buf []byte
		select {
		case buf = <-n.free:
		case <-n.gone:
			return
		}
		got, err := n.rw.Read(buf[:cap(buf)])
		select {
		case n.card.sim.rx <- chunk{n, noise.apply(buf[:got])}:
		case <-n.gone:
			return
		}
		if err != nil {
			n.card.sim.inbox.Put(func() { n.card.hostGone(n) })
			return
		}
	}
}

func (n *conn) write() {
	defer n.wg.Done()
	noise := newNoise(n.cable, 2)
	var buf []byte
	for {
		var ok bool
		if buf, ok = n.out.take(buf); !ok {
			select {
			case <-n.out.ready:
				continue
			case <-n.gone:
				return
			}
		}
		if _, err := n.rw.Write(noise.apply(buf)); err != nil {
			n.card.sim.inbox.Put(func() { n.card.hostGone(n) })
			return
		}
	}
}

// outbox is what a card has to send: control in order, then the newest tick
// (§6.3).
type outbox struct {
	mu      sync.Mutex
	ctl     []byte
	media   []byte
	waiting bool
	dropped uint16
	ready   chan struct{}
}

func (o *outbox) control(content []byte) {
	o.mu.Lock()
	if len(o.ctl) < outOctets {
		o.ctl = linecard.AppendFrame(o.ctl, content)
	}
	o.mu.Unlock()
	o.wake()
}

func (o *outbox) tick(content []byte) {
	o.mu.Lock()
	if o.waiting {
		o.dropped++
	}
	o.media = linecard.AppendFrame(o.media[:0], content)
	o.waiting = true
	o.mu.Unlock()
	o.wake()
}

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

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

func (o *outbox) droppedTicks() uint16 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

// noise spoils octets. It belongs to one goroutine.
type noise struct {
	cable *atomic.Pointer[Impairment]
	rng   *rand.Rand
	rates Impairment
	bits  int // to the next error
	bytes int // to the next loss
}

func newNoise(cable *atomic.Pointer[Impairment], seed uint64) *noise {
	return &noise{cable: cable, rng: rand.New(rand.NewPCG(seed, 0x6c696e65))}
}

// gap is how many come through before the next accident of probability p.
func (n *noise) gap(p float64) int {
	if p <= 0 {
		return math.MaxInt
	}
	return int(min(math.Log(1-n.rng.Float64())/math.Log1p(-min(p, 0.999999)), 1e15))
}

// apply spoils p in place.
func (n *noise) apply(p []byte) []byte {
	im := n.cable.Load()
	if im == nil || *im == (Impairment{}) {
		return p
	}
	if *im != n.rates {
		n.rates = *im
		n.bits, n.bytes = n.gap(im.BitErrors), n.gap(im.LostBytes)
	}
	for n.bits < 8*len(p) {
		p[n.bits/8] ^= 1 << (n.bits % 8)
		n.bits += 1 + n.gap(n.rates.BitErrors)
		if n.bits < 0 {
			n.bits = math.MaxInt
		}
	}
	n.bits -= 8 * len(p)
	for n.bytes < len(p) {
		p = append(p[:n.bytes], p[n.bytes+1:]...)
		n.bytes += n.gap(n.rates.LostBytes)
		if n.bytes < 0 {
			n.bytes = math.MaxInt
		}
	}
	n.bytes -= len(p)
	return p
}
