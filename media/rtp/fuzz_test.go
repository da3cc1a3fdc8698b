package rtp

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	pion "github.com/pion/rtp"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// bare is a session without sockets or goroutines.
func bare(f Format) *Session {
	s := &Session{config: Config{Meter: true}, log: slog.New(slog.DiscardHandler)}
	s.format.Store(&f)
	s.out.s, s.play.s, s.receiver.s, s.reporter.s = s, s, s, s
	s.loop.conn = &nowhere{}
	s.target.Store(newTarget(signalled))
	s.receiver.origin.expect(signalled, time.Now())
	return s
}

// FuzzDatagram gives a session any bytes as RTP and as RTCP.
func FuzzDatagram(f *testing.F) {
	good, _ := (&pion.Packet{Header: pion.Header{Version: 2, SSRC: 7, SequenceNumber: 1}, Payload: make([]byte, 20)}).Marshal()
	event, _ := (&pion.Packet{Header: pion.Header{Version: 2, SSRC: 7, PayloadType: 101}, Payload: []byte{5, 0x8a, 1, 2}}).Marshal()
	f.Add(good, event)
	f.Add([]byte{0x80, 200, 0, 1}, []byte{0x81, 201, 0, 7, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		s := bare(Format{EventPT: 101, NoisePT: 13})
		s.Feed(media.NewJitterBuffer(media.JitterConfig{}))
		for range 3 {
			s.receiver.datagram(one, signalled)
			s.receiver.datagram(two, signalled)
		}
		s.reporter.datagram(one, signalled)
		s.reporter.datagram(two, signalled)
	})
}

// checked is a socket that looks at what is sent.
type checked struct {
	nowhere
	t *testing.T
}

func (c *checked) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	var p pion.Packet
	if err := p.Unmarshal(b); err != nil || len(p.Payload) > media.MaxPayload {
		c.t.Errorf("%d bytes were sent that are no packet: %v", len(b), err)
	}
	return len(b), nil
}

// FuzzWrite has a session send any packets, in every form that can be agreed on.
func FuzzWrite(f *testing.F) {
	f.Add(uint8(0), []byte{0, 1, 2, 3, 20, 1, 1, 1, 1, 20, 1, 1, 1, 1, 20})
	f.Add(uint8(7), []byte{1, 1, 2, 3, 4, 1, 1, 200, 1, 4, 0, 9, 9, 9, 255})
	f.Fuzz(func(t *testing.T, form uint8, in []byte) {
		format := Format{Law: g711.Law(form & 1), PTime: time.Duration(form>>3) * 5 * time.Millisecond}
		if form&2 != 0 {
			format.EventPT = 101
		}
		if form&4 != 0 {
			format.NoisePT = 13
		}
		s := bare(format)
		s.loop.conn = &checked{t: t}
		var seq uint16
		var ts uint32
		var payload [2048]byte
		for len(in) >= 5 {
			seq += uint16(int8(in[1]))
			ts += uint32(int32(int8(in[2])) << (in[3] % 25))
			p := media.Packet{
				Kind: media.Kind(in[0] % 3), Law: g711.Law(in[0] >> 2 & 1), Marker: in[0]&8 != 0,
				Source: uint32(in[0] >> 6), Seq: seq, Timestamp: ts, Payload: payload[:int(in[4])*8],
			}
			copy(payload[:], in)
			s.Write(&p)
			in = in[5:]
		}
	})
}
