package rtp

import (
	"crypto/rand"
	"encoding/base64"
	"math"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"crosspoint/media"
)

// The interval of reports, RFC 3550 §6.2 and §6.3.1: with two members and the
// bandwidth of a telephone call it is always the minimum.
const (
	reportEvery     = 5 * time.Second
	compensation    = math.E - 1.5 // for the reconsideration of timers
	longestRTT      = time.Minute  // what is longer was a clock that jumped
	shortestRTCP    = 8
	ntpEpoch        = 2208988800 // seconds from 1900 to 1970
	fractionsPerOne = 65536      // of a second, in the middle 32 bits of an NTP time
)

// A reporter sends and takes the RTCP of a session. Its fields belong to the
// RTCP socket's loop, except where they are atomic.
type reporter struct {
	s     *Session
	loop  loop
	cname string

	signalled netip.AddrPort // where the party wants RTCP
	learnt    netip.AddrPort // where it sends RTCP from; invalid: not heard yet
	next      time.Time      // of our next report; zero: not before SetRemote
	spoke     bool           // a report was sent, so a goodbye is due
	sent      uint32         // RTP packets as of our last report

	lastSR   uint32    // middle of the NTP time of the party's last sender report
	lastSRAt time.Time // when it came; zero: none
	from     counts    // as of our last report about ssrc
	ssrc     uint32
	base     counts // as of the beginning of ssrc

	muxed      atomic.Bool
	remoteLost atomic.Uint64 // bits of a float64
	roundTrip  atomic.Int64  // nanoseconds
	heard      atomic.Int64  // when the party's RTCP came last, nanoseconds since 1970; 0: never
}

// counts are packets as RFC 3550 appendix A.3 counts them.
type counts struct{ expected, received uint64 }

func (r *reporter) init(s *Session, conn Conn) {
	r.s = s
	r.cname = s.config.CNAME
	if r.cname == "" {
		var id [12]byte // 96 bits, RFC 7022 §4.2
		rand.Read(id[:])
		r.cname = base64.RawStdEncoding.EncodeToString(id[:])
	}
	r.loop.conn = conn
	r.loop.owner = r
}

// setRemote says where the party wants RTCP.
func (r *reporter) setRemote(rtp, rtcp netip.AddrPort) {
	if !rtcp.IsValid() {
		rtcp = netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
	}
	r.muxed.Store(rtcp == rtp)
	r.loop.post(func() {
		if rtcp != r.signalled {
			r.signalled, r.learnt = rtcp, netip.AddrPort{}
		}
		if r.next.IsZero() {
			r.next = time.Now().Add(interval() / 2) // the first comes sooner, §6.2
		}
		r.loop.wakeAt(r.next)
	})
}

// interval is the time to the next report, random so that reports do not
// fall into step.
func interval() time.Duration {
	return time.Duration(float64(reportEvery) * (0.5 + mathrand.Float64()) / compensation)
}

func (r *reporter) expire(now time.Time) {
	if r.next.IsZero() {
		return
	}
	if !now.Before(r.next) {
		r.report(now, nil)
		r.next = now.Add(interval())
	}
	r.loop.wakeAt(r.next)
}

// bye sends a last report and takes leave (§6.3.7).
func (r *reporter) bye() {
	if r.spoke || r.s.out.packets.Load() > 0 {
		r.report(time.Now(), &rtcp.Goodbye{Sources: []uint32{r.s.out.ssrc.Load()}})
	}
}

// report sends a compound packet: a sender's or receiver's report, our name,
// and last, if it is not nil.
func (r *reporter) report(now time.Time, last rtcp.Packet) {
	to := r.target()
	if !usable(to) {
		return
	}
	ssrc := r.s.out.ssrc.Load()
	packets := []rtcp.Packet{r.first(now, ssrc), &rtcp.SourceDescription{
		Chunks: []rtcp.SourceDescriptionChunk{{
			Source: ssrc,
			Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: r.cname}},
		}},
	}}
	if last != nil {
		packets = append(packets, last)
	}
	b, err := rtcp.Marshal(packets)
	if err != nil {
		r.s.log.Error("cannot encode an RTCP report", "err", err)
		return
	}
	conn := r.loop.conn
	if r.muxed.Load() {
		conn = r.s.loop.conn
	}
	if _, err := conn.WriteToUDPAddrPort(b, to); err == nil {
		r.spoke = true
	}
}

// first is the report itself: a sender's if we have sent since the last.
func (r *reporter) first(now time.Time, ssrc uint32) rtcp.Packet {
	reports := r.reception(now)
	sent := r.s.out.packets.Load()
	sending := sent != r.sent
	r.sent = sent
	if sending && r.s.out.enter() {
		timestamp := r.s.out.clock(now)
		r.s.out.leave()
		return &rtcp.SenderReport{
			SSRC: ssrc, NTPTime: ntp(now), RTPTime: timestamp,
			PacketCount: sent, OctetCount: r.s.out.octets.Load(), Reports: reports,
		}
	}
	return &rtcp.ReceiverReport{SSRC: ssrc, Reports: reports}
}

// reception is the report block about what we receive (§6.4.1), if anything.
func (r *reporter) reception(now time.Time) []rtcp.ReceptionReport {
	in := &r.s.receiver
	total := counts{in.expected.Load(), in.counted.Load()}
	if total.expected == 0 {
		return nil
	}
	if ssrc := in.ssrc.Load(); ssrc != r.ssrc {
		r.ssrc, r.base = ssrc, r.from
	}
	expected, received := total.expected-r.from.expected, total.received-r.from.received
	if expected == 0 {
		return nil // nothing came since the last report
	}
	lost := int64(total.expected-r.base.expected) - int64(total.received-r.base.received)
	r.from = total
	block := rtcp.ReceptionReport{
		SSRC:               r.ssrc,
		TotalLost:          uint32(min(max(lost, 0), 0x7fffff)),
		LastSequenceNumber: in.highest.Load(),
		Jitter:             in.jitter16.Load() >> 4,
	}
	if received < expected {
		block.FractionLost = uint8(min((expected-received)*256/expected, 255))
	}
	if !r.lastSRAt.IsZero() {
		block.LastSenderReport = r.lastSR
		block.Delay = uint32(now.Sub(r.lastSRAt) * fractionsPerOne / time.Second)
	}
	return []rtcp.ReceptionReport{block}
}

// target is where our reports go.
func (r *reporter) target() netip.AddrPort {
	if r.muxed.Load() {
		return r.s.RemoteAddr()
	}
	if r.learnt.IsValid() {
		return r.learnt
	}
	// A party behind NAT: the port after that of its audio is the best guess.
	if heard := r.s.receiver.heardFrom.Load(); heard != nil && heard.Addr() != r.signalled.Addr() {
		return netip.AddrPortFrom(heard.Addr(), heard.Port()+1)
	}
	return r.signalled
}

// isRTCP tells RTCP from RTP on one port (RFC 5761 §4).
func isRTCP(b []byte) bool {
	return len(b) >= shortestRTCP && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}

// hand gives the reporter RTCP that came to the RTP socket.
func (r *reporter) hand(b []byte, from netip.AddrPort) {
	if !r.trusted(from.Addr()) {
		r.s.receiver.strangers.Add(1)
		return
	}
	b = slices.Clone(b)
	r.loop.post(func() { r.datagram(b, from) })
}

// trusted tells whether RTCP from that host is the party's: it is the host
// whose audio we hear, or, before any was heard, the one that was signalled.
func (r *reporter) trusted(host netip.Addr) bool {
	if heard := r.s.receiver.heardFrom.Load(); heard != nil && heard.Addr() == host {
		return true
	}
	to := r.s.target.Load()
	return to != nil && to.Addr() == host
}

// fail does nothing: what fails here fails for the audio, too.
func (r *reporter) fail(error) {}

// datagram reads what the party reports.
func (r *reporter) datagram(b []byte, from netip.AddrPort) {
	if !r.trusted(from.Addr()) && from != r.signalled {
		r.s.receiver.strangers.Add(1)
		return
	}
	packets, err := rtcp.Unmarshal(b)
	if err != nil || !isRTCP(b) {
		r.s.receiver.malformed.Add(1)
		return
	}
	r.learnt = from
	now := time.Now()
	r.heard.Store(now.UnixNano())
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			r.lastSR, r.lastSRAt = uint32(p.NTPTime>>16), now
			r.about(p.Reports, now)
		case *rtcp.ReceiverReport:
			r.about(p.Reports, now)
		}
	}
}

// about finds what the party says about us.
func (r *reporter) about(reports []rtcp.ReceptionReport, now time.Time) {
	for _, report := range reports {
		if report.SSRC != r.s.out.ssrc.Load() {
			continue
		}
		r.remoteLost.Store(math.Float64bits(float64(report.FractionLost) / 256))
		if report.LastSenderReport == 0 {
			continue
		}
		round := uint32(ntp(now)>>16) - report.LastSenderReport - report.Delay
		rtt := time.Duration(round) * time.Second / fractionsPerOne
		if int32(round) >= 0 && rtt < longestRTT {
			r.roundTrip.Store(int64(rtt))
		}
	}
}

func (r *reporter) addTo(st *media.Stats) {
	st.RemoteLost = math.Float64frombits(r.remoteLost.Load())
	st.RoundTrip = time.Duration(r.roundTrip.Load())
	if at := r.heard.Load(); at != 0 {
		st.LastReport = time.Unix(0, at)
	}
}

// ntp is a time in the format of RFC 3550 §4: seconds since 1900, 32.32 bits.
func ntp(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpEpoch)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}
