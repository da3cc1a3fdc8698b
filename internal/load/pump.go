//go:build linux

package load

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	frame     = 20 * time.Millisecond
	rest      = 150 * time.Microsecond // of the pump between two rounds
	magic     = 0x10ad9e4e             // of our payloads
	sideCount = 2
	perSide   = 4 // sockets, so that none's buffer holds too much
)

// A Stream is one direction of a call: 50 packets a second to a port of the relay.
type Stream struct {
	to     unix.RawSockaddrInet4
	socket int
	number uint32 // in the pump's table: the far end tells by it whom it hears
	seq    uint16
	ts     uint32
	ssrc   uint32
}

// A Pump speaks and listens for all calls in one thread. The two sides of a
// call have sockets of their own, which all calls of a side share: the relay's
// port tells them apart on the way there, the payload on the way back.
type Pump struct {
	sockets [sideCount * perSide]*socket
	idle    [sideCount * perSide]*socket // RTCP's ports: bound, never read

	mu      sync.Mutex
	streams []*Stream // in order of their turns in a frame; nil: the turn is left out
	window  *Window   // nil: not counting

	talks uint32 // how often Talk was called; it belongs to its caller

	stop atomic.Bool
	done chan struct{}
	err  error
}

// A Window is what passed in a time.
type Window struct {
	from, to int64 // sent, nanoseconds since 1970
	Sent     uint64
	Received uint64
	Foreign  uint64 // packets that are none of ours
	Late     uint64 // turns that came more than a frame too late: the generator was the limit
	Delay    Histogram
	Turns    Histogram // how late the generator itself sent; no part of Delay
}

// Loss is the fraction of what was sent that did not arrive.
func (w *Window) Loss() float64 {
	if w.Sent == 0 {
		return 1
	}
	return 1 - float64(min(w.Received, w.Sent))/float64(w.Sent)
}

// NewPump binds the sockets of both sides to an address and begins. Close ends it.
func NewPump(addr netip.Addr) (*Pump, error) {
	p := &Pump{done: make(chan struct{})}
	for i := range p.sockets {
		if err := p.bind(i, addr); err != nil {
			p.closeSockets()
			return nil, err
		}
	}
	go p.run() // ends by Close
	return p, nil
}

// bind finds an even port and the odd one after it.
func (p *Pump) bind(i int, addr netip.Addr) error {
	var last error
	for port := uint16(62000 + 40*i); port < uint16(62040+40*i); port += 2 {
		rtp, err := openSocket(addr, port)
		if err != nil {
			last = err
			continue
		}
		rtcp, err := openSocket(addr, port+1)
		if err != nil {
			rtp.close()
			last = err
			continue
		}
		p.sockets[i], p.idle[i] = rtp, rtcp
		return nil
	}
	return fmt.Errorf("no pair of ports for the generator: %w", last)
}

// Addr is where a call's side listens: side 0 or 1, any number of the call.
func (p *Pump) Addr(side, call int) netip.AddrPort { return p.sockets[socketOf(side, call)].addr }

func socketOf(side, call int) int { return side*perSide + call%perSide }

// Talk has the calls' streams sent from now on, instead of those before. They
// begin to count anew, so they are other sources.
func (p *Pump) Talk(calls []Call) {
	p.talks++
	streams := make([]*Stream, 0, 2*len(calls))
	for _, c := range calls {
		for side, to := range [sideCount]netip.AddrPort{c.A, c.B} {
			n := uint32(len(streams))
			streams = append(streams, &Stream{to: rawAddr(to), socket: socketOf(side, c.Number), number: n, ssrc: p.talks<<16 + uint32(2*c.Number+side)})
		}
	}
	// Turns are spread as telephones are: neighbours in time are strangers.
	const stride = 7919 // a prime: no turn is taken twice
	turns := make([]*Stream, len(streams))
	for i, s := range streams {
		at := i * stride % max(len(streams), 1)
		for turns[at] != nil {
			at = (at + 1) % len(turns)
		}
		turns[at] = s
	}
	p.mu.Lock()
	p.streams = turns
	p.mu.Unlock()
}

// Measure counts what is sent in the next d and what of it arrives.
func (p *Pump) Measure(d time.Duration) (*Window, error) {
	const grace = 400 * time.Millisecond
	begin := time.Now().Add(5 * time.Millisecond)
	w := &Window{from: begin.UnixNano(), to: begin.Add(d).UnixNano()}
	p.mu.Lock()
	p.window = w
	p.mu.Unlock()
	select {
	case <-time.After(d + grace):
	case <-p.done:
		return nil, p.err
	}
	p.mu.Lock()
	p.window = nil
	p.mu.Unlock()
	return w, nil
}

// Close ends the pump.
func (p *Pump) Close() {
	p.stop.Store(true)
	<-p.done
	p.closeSockets()
}

func (p *Pump) closeSockets() {
	for i := range p.sockets {
		if p.sockets[i] != nil {
			p.sockets[i].close()
			p.idle[i].close()
		}
	}
}

// run sends what is due and receives what has come, a few thousand times a second.
func (p *Pump) run() {
	runtime.LockOSThread()
	defer close(p.done)
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // sleeps end when asked, not 50 µs later
	p.err = errStopped
	turn, round := 0, time.Now().UnixNano()
	for !p.stop.Load() {
		p.mu.Lock()
		turn, round = p.send(turn, round)
		for _, s := range p.sockets {
			if err := s.receive(p.take); err != nil {
				p.err = err
				p.mu.Unlock()
				return
			}
		}
		p.mu.Unlock()
		pause := unix.NsecToTimespec(int64(rest))
		unix.Nanosleep(&pause, nil)
	}
}

// send sends the turns that are due in the frame that began at round, and
// returns the next turn and its round.
func (p *Pump) send(turn int, round int64) (int, int64) {
	now := time.Now().UnixNano()
	n := len(p.streams)
	if n == 0 || turn >= n || now-round > int64(time.Second) {
		turn, round = 0, now
	}
	for sent := 0; n > 0 && sent < n; sent++ {
		due := round + int64(turn)*int64(frame)/int64(n)
		if due > now {
			break
		}
		p.speak(p.streams[turn], due, now)
		if turn++; turn == n {
			turn, round = 0, round+int64(frame)
		}
		if sent%batchSize == batchSize-1 {
			now = time.Now().UnixNano()
		}
	}
	for _, s := range p.sockets {
		p.flush(s)
	}
	return turn, round
}

// flush writes the time into the packets that wait in a socket, and sends them.
func (p *Pump) flush(s *socket) {
	if s.out.n == 0 {
		return
	}
	now := time.Now().UnixNano()
	for i := range s.out.n {
		binary.LittleEndian.PutUint64(s.out.buf[i][20:], uint64(now))
	}
	if w := p.window; w != nil && now >= w.from && now < w.to {
		w.Sent += uint64(s.out.n)
	}
	s.flush()
}

// speak queues a stream's next packet, whose turn came at due.
func (p *Pump) speak(s *Stream, due, now int64) {
	out := p.sockets[s.socket]
	if out.full() {
		p.flush(out)
	}
	b := out.next(&s.to)
	s.seq++
	s.ts += 160
	b[0], b[1] = 0x80, 0
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], s.ts)
	binary.BigEndian.PutUint32(b[8:], s.ssrc)
	binary.LittleEndian.PutUint32(b[12:], magic)
	binary.LittleEndian.PutUint32(b[16:], s.number)
	if w := p.window; w != nil && now >= w.from && now < w.to {
		w.Turns.Add(now - due)
		if now-due > int64(frame) {
			w.Late++
		}
	}
}

// take counts a packet that has come.
func (p *Pump) take(b []byte, at int64) {
	w := p.window
	if w == nil {
		return
	}
	if len(b) < packetSize || binary.LittleEndian.Uint32(b[12:]) != magic {
		w.Foreign++
		return
	}
	sent := int64(binary.LittleEndian.Uint64(b[20:]))
	if sent < w.from || sent >= w.to {
		return
	}
	w.Received++
	w.Delay.Add(at - sent)
}
