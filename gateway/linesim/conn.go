package linesim

import (
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"crosspoint/gateway/linecard"
	"crosspoint/internal/serialpump"
)

// Impairment is what a bad cable does to the octets on it, both ways. The
// zero value is a good cable.
type Impairment struct {
	BitErrors float64 // probability that a bit is flipped
	LostBytes float64 // probability that an octet vanishes
}

// conn is a card's side of a line while it is plugged in.
type conn struct {
	*serialpump.Pump
	card *Card
	out  outbox
}

const (
	readAhead  = 4
	readOctets = 4096
	outOctets  = 16 * 1024 // control that waits for a host which does not read
)

// newConn starts to read from and write to rw, over the card's cable, until
// Close or an error.
func newConn(c *Card, rw io.ReadWriteCloser) *conn {
	n := &conn{card: c}
	in, out := newNoise(&c.cable, 1), newNoise(&c.cable, 2)
	n.Pump = serialpump.New(serialpump.Config{
		Size: readOctets, Ahead: readAhead,
		Take: func(written []byte) ([]byte, bool) {
			next, ok := n.out.take(written)
			if ok {
				next = out.apply(next)
			}
			return next, ok
		},
		Deliver: func(data []byte, gone <-chan struct{}) {
			select {
			case c.sim.rx <- chunk{n, in.apply(data)}:
			case <-gone:
			}
		},
		Failed: func(error) { c.sim.inbox.Put(func() { c.hostGone(n) }) },
	})
	n.out.wake = n.Wake
	n.Start(rw)
	return n
}

// outbox is what a card has to send: control in order, then the newest tick
// (§6.3).
type outbox struct {
	mu      sync.Mutex
	ctl     []byte
	media   []byte
	waiting bool
	dropped uint16
	wake    func()
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
