package rtp

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// A Session is one party's audio by RTP, and the RTCP about it. It is a
// media.Stream. Its methods may be called from any goroutine, but Close not
// from its own callbacks. Close must be called.
type Session struct {
	// What each packet needs stands together: warm counts on it.
	format    atomic.Pointer[Format]
	target    atomic.Pointer[target] // where audio goes; nil: nowhere yet
	direction atomic.Uint32

	loop     loop // the RTP socket's; owns receiver and play
	receiver receiver
	out      sender

	config  Config
	log     *slog.Logger
	local   netip.AddrPort
	ports   *Ports
	release func() // gives the ports back

	play digitsOut
	// reflected: the party once used our SSRC. It belongs to the loop.
	reflected bool
	watchFor  time.Duration // as Watch said; belongs to the loop

	reporter reporter
	closing  sync.Once
}

// Open binds a pair of ports and begins to receive. Nothing is sent before
// SetRemote. The error is ErrNoPorts if all are in use.
func Open(ports *Ports, c Config) (*Session, error) {
	rtp, rtcp, release, err := ports.open()
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{config: c, log: c.Log, ports: ports, release: release, local: addrOf(rtp)}
	format := c.Format
	s.format.Store(&format)
	s.direction.Store(uint32(c.Direction))
	s.out.s, s.play.s, s.receiver.s = s, s, s
	s.out.ssrc.Store(rand.Uint32())
	s.receiver.digits.told = c.OnDigit
	s.receiver.metered = c.Meter
	s.watchFor = c.Watch
	s.loop.conn = rtp
	s.loop.owner = &s.receiver
	s.reporter.init(s, rtcp)
	reader := ports.reader()
	if err = s.loop.start(reader); err == nil {
		if err = s.reporter.loop.start(reader); err == nil {
			ports.enter(s)
			return s, nil
		}
		s.loop.stop(s.out.shut)
		rtcp.Close()
	} else {
		rtp.Close()
		rtcp.Close()
	}
	release()
	return nil, fmt.Errorf("RTP port %s: cannot wait for packets: %w", s.local, err)
}

func addrOf(c Conn) netip.AddrPort {
	ap, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// LocalAddr is where the session receives RTP; RTCP is one port higher.
func (s *Session) LocalAddr() netip.AddrPort { return s.local }

// RemoteAddr is where audio is sent now: what was signalled, or what was
// learnt since. The zero value: nowhere.
func (s *Session) RemoteAddr() netip.AddrPort {
	if to := s.target.Load(); to != nil {
		return to.AddrPort
	}
	return netip.AddrPort{}
}

// SetRemote says where the party wants RTP and RTCP, as its session description
// does. The zero rtcp is the port after rtp's; the same as rtp is RTCP on one
// port (RFC 5761). An unspecified address, as of an old-style hold, or the zero
// rtp stops sending. Another address than before begins to learn anew whom we
// hear; the same changes nothing.
func (s *Session) SetRemote(rtp, rtcp netip.AddrPort) {
	rtp = netip.AddrPortFrom(rtp.Addr().Unmap(), rtp.Port())
	rtcp = netip.AddrPortFrom(rtcp.Addr().Unmap(), rtcp.Port())
	s.loop.post(func() {
		r := &s.receiver
		if !usable(rtp) {
			s.target.Store(nil)
			s.rewatch()
			return
		}
		if rtp != r.origin.signalled {
			r.origin.expect(rtp, time.Now())
			s.target.Store(newTarget(rtp))
		} else if s.target.Load() == nil { // back from hold
			to := rtp
			if r.origin.source.IsValid() && r.origin.rank != former {
				to = r.origin.source
			}
			s.target.Store(newTarget(to))
		}
		s.rewatch()
	})
	if usable(rtp) {
		s.reporter.setRemote(rtp, rtcp)
	}
}

// A target is where packets are sent.
type target struct {
	netip.AddrPort
	raw rawAddr
}

func newTarget(a netip.AddrPort) *target { return &target{a, newRawAddr(a)} }

func usable(a netip.AddrPort) bool {
	return a.IsValid() && a.Port() != 0 && !a.Addr().IsUnspecified()
}

// SetFormat says what was negotiated about packets.
func (s *Session) SetFormat(f Format) { s.format.Store(&f) }

// SetDirection says who may speak.
func (s *Session) SetDirection(d Direction) {
	if Direction(s.direction.Swap(uint32(d))) != d {
		s.loop.post(s.rewatch)
	}
}

// Direction is who may speak now.
func (s *Session) Direction() Direction { return Direction(s.direction.Load()) }

// Watch has OnSilent called when nothing is heard from the party for that
// long, from now on, though an address is known and both may speak: many
// phones that hold us by sendonly send nothing. Zero ends the watch.
func (s *Session) Watch(after time.Duration) {
	s.loop.post(func() {
		s.watchFor = after
		s.rewatch()
	})
}

// rewatch begins the watch anew if there is something to watch.
func (s *Session) rewatch() {
	r := &s.receiver
	after := s.watchFor
	if s.Direction() != SendRecv || !r.origin.signalled.IsValid() {
		after = 0
	}
	if after != r.watch.after || after == 0 {
		r.watch.begin(after, time.Now())
	}
	r.arm()
}

// Write sends a packet to the party.
func (s *Session) Write(p *media.Packet) {
	if !s.out.enter() {
		return
	}
	s.out.write(p)
	s.out.leave()
}

// Feed sends what the party says to the sink.
func (s *Session) Feed(to media.Sink) {
	if to == nil {
		s.receiver.to.Store(nil)
		return
	}
	s.receiver.to.Store(&feed{to})
}

// Law is the law that was negotiated to send.
func (s *Session) Law() g711.Law { return s.format.Load().Law }

// Stats counts what has passed.
func (s *Session) Stats() media.Stats {
	st := s.receiver.stats()
	st.Sent = uint64(s.out.packets.Load())
	s.reporter.addTo(&st)
	return st
}

// Close says goodbye by RTCP, ends both loops and gives the ports back.
func (s *Session) Close() {
	s.closing.Do(func() {
		s.reporter.loop.stop(s.reporter.bye)
		s.loop.stop(s.out.shut)
		s.target.Store(nil)
		s.ports.leave(s)
		s.release()
	})
}

var _ media.Stream = (*Session)(nil)
