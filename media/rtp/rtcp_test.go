package rtp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"crosspoint/internal/memnet"
)

var signalledRTCP = netip.AddrPortFrom(signalled.Addr(), signalled.Port()+1)

// reports decodes what came as RTCP.
func (f *far) reports() (all [][]rtcp.Packet) {
	for _, b := range f.takeRaw() {
		packets, err := rtcp.Unmarshal(b)
		if err != nil {
			f.t.Errorf("RTCP that cannot be read: %v", err)
		}
		all = append(all, packets)
	}
	return all
}

// rtcp sends RTCP.
func (f *far) rtcp(packets ...rtcp.Packet) {
	b, err := rtcp.Marshal(packets)
	if err != nil {
		f.t.Fatal(err)
	}
	f.bytes(b)
}

// farRTCP is the party's RTCP socket.
func (b *bench) farRTCP(addr netip.AddrPort) *far {
	f := b.far(addr)
	f.to = netip.AddrPortFrom(b.LocalAddr().Addr(), b.LocalAddr().Port()+1)
	return f
}

func TestReportsAreSentAboutEveryFiveSeconds(t *testing.T) {
	onBench(t, Config{CNAME: "desk@example"}, func(b *bench) {
		f, c := b.far(signalled), b.farRTCP(signalledRTCP)
		defer f.close()
		defer c.close()
		m := b.mouth(1)
		for i := range 60 * 50 {
			if i%10 != 0 { // a tenth is lost
				f.packet(false, make([]byte, 160))
			} else {
				f.seq++
				f.ts += 160
			}
			m.say(1)
		}
		sent := f.take()
		all := c.reports()
		if n := len(all); n < 10 || n > 20 {
			t.Fatalf("%d reports in a minute", n)
		}
		last := all[len(all)-1]
		sr, ok := last[0].(*rtcp.SenderReport)
		if !ok {
			t.Fatalf("the first packet is a %T", last[0])
		}
		if sr.SSRC != sent[0].SSRC || sr.PacketCount < 2300 || sr.OctetCount != sr.PacketCount*160 {
			t.Errorf("%+v", sr)
		}
		// The timestamp of the report is that of the audio sent at the same time.
		at := time.Unix(int64(sr.NTPTime>>32)-ntpEpoch, 0).Add(time.Duration(sr.NTPTime&0xffffffff) * time.Second >> 32)
		span := time.Since(at) - 20*time.Millisecond
		if d := int32(sent[len(sent)-1].Timestamp-sr.RTPTime) - int32(span*8000/time.Second); d < -170 || d > 170 {
			t.Errorf("the report's timestamp is off by %d samples", d)
		}
		r := sr.Reports[0]
		if r.SSRC != f.ssrc || r.FractionLost < 20 || r.FractionLost > 30 || r.TotalLost < 230 || r.TotalLost > 300 {
			t.Errorf("%+v", r)
		}
		if r.LastSequenceNumber > uint32(f.seq) || r.LastSequenceNumber < uint32(f.seq)-400 {
			t.Errorf("highest number %d of %d", r.LastSequenceNumber, f.seq)
		}
		sdes, ok := last[1].(*rtcp.SourceDescription)
		if !ok || sdes.Chunks[0].Items[0].Text != "desk@example" {
			t.Errorf("%v", last[1])
		}
	})
}

func TestReceiverReportWhileWeAreSilent(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f, c := b.far(signalled), b.farRTCP(signalledRTCP)
		defer f.close()
		defer c.close()
		f.talk(500)
		for _, packets := range c.reports() {
			rr, ok := packets[0].(*rtcp.ReceiverReport)
			if !ok || len(rr.Reports) != 1 || rr.Reports[0].SSRC != f.ssrc {
				t.Errorf("%v", packets)
			}
		}
	})
}

func TestReportsOfThePartyAreRead(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f, c := b.far(signalled), b.farRTCP(signalledRTCP)
		intruder := b.farRTCP(elsewhere)
		defer f.close()
		defer c.close()
		defer intruder.close()
		f.talk(1)
		m := b.mouth(1)
		m.say(10 * 50)
		ours := c.reports()
		sr := ours[len(ours)-1][0].(*rtcp.SenderReport)
		at := time.Unix(int64(sr.NTPTime>>32)-ntpEpoch, 0).Add(time.Duration(sr.NTPTime&0xffffffff) * time.Second >> 32)
		wait := 50 * time.Millisecond
		time.Sleep(wait)
		about := func(lost uint8, held time.Duration) *rtcp.ReceiverReport {
			return &rtcp.ReceiverReport{SSRC: f.ssrc, Reports: []rtcp.ReceptionReport{{
				SSRC: sr.SSRC, FractionLost: lost,
				LastSenderReport: uint32(sr.NTPTime >> 16), Delay: uint32(held * 65536 / time.Second),
			}}}
		}
		c.rtcp(about(64, time.Since(at)-30*time.Millisecond)) // so the way there and back took 30 ms
		synctest.Wait()
		st := b.Stats()
		if at := st.LastReport; time.Since(at) != 0 {
			t.Errorf("the report came at %v", at)
		}
		if st.RemoteLost != 0.25 || st.RoundTrip < 29*time.Millisecond || st.RoundTrip > 31*time.Millisecond {
			t.Errorf("%+v", st)
		}
		intruder.rtcp(about(255, 0))
		c.bytes([]byte{0x80, 200, 0, 9, 1, 2, 3, 4, 5})
		c.bytes([]byte("hello"))
		c.rtcp(&rtcp.ReceiverReport{SSRC: f.ssrc, Reports: []rtcp.ReceptionReport{{SSRC: 99, FractionLost: 255}}})
		synctest.Wait()
		if after := b.Stats(); after.RemoteLost != 0.25 || after.Strangers != st.Strangers+1 || after.Malformed != st.Malformed+2 || after.Dropped != st.Dropped+3 {
			t.Errorf("%+v", after)
		}
	})
}

func TestRTCPGoesToWhereThePartySendsItFrom(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		nat := b.far(elsewhere)
		natRTCP := b.farRTCP(netip.AddrPortFrom(elsewhere.Addr(), 40404))
		guess := b.farRTCP(netip.AddrPortFrom(elsewhere.Addr(), elsewhere.Port()+1))
		private := b.farRTCP(signalledRTCP)
		for _, f := range []*far{nat, natRTCP, guess, private} {
			defer f.close()
		}
		nat.talk(300)
		if len(guess.reports()) == 0 {
			t.Error("no report to the port after that of the audio")
		}
		natRTCP.rtcp(&rtcp.ReceiverReport{SSRC: 1})
		nat.talk(500)
		if len(natRTCP.reports()) == 0 || len(guess.reports()) != 0 {
			t.Error("reports do not go to where RTCP comes from")
		}
		if len(private.reports()) != 0 {
			t.Error("reports to an address that nobody has")
		}
	})
}

func TestRTCPOnOnePort(t *testing.T) { // RFC 5761
	onBench(t, Config{}, func(b *bench) {
		b.SetRemote(signalled, signalled)
		f := b.far(signalled)
		defer f.close()
		f.talk(1)
		m := b.mouth(1)
		m.say(500)
		var ours *rtcp.SenderReport
		for _, packets := range f.reports() {
			ours = packets[0].(*rtcp.SenderReport)
		}
		if ours == nil {
			t.Fatal("no report on the port of the audio")
		}
		f.rtcp(&rtcp.ReceiverReport{SSRC: f.ssrc, Reports: []rtcp.ReceptionReport{{SSRC: ours.SSRC, FractionLost: 128}}})
		synctest.Wait()
		if st := b.Stats(); st.RemoteLost != 0.5 || st.Dropped != 0 || st.Received != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, net: new(memnet.Network)}
		b.ports = testPorts(t, b.net, 20000, 20001)
		b.Session = openSession(t, b.ports, Config{})
		b.SetRemote(signalled, netip.AddrPort{})
		synctest.Wait()
		c := b.farRTCP(signalledRTCP)
		defer c.close()
		b.mouth(1).say(1)
		b.Close()
		b.Close() // once is enough
		all := c.reports()
		if len(all) != 1 {
			t.Fatalf("%d reports", len(all))
		}
		if _, ok := all[0][len(all[0])-1].(*rtcp.Goodbye); !ok {
			t.Errorf("%v", all[0])
		}
		if n := b.net.Sockets(); n != 1 {
			t.Errorf("%d sockets are bound; one is the party's", n)
		}
		b.mouth(1).say(1) // whoever still writes does no harm
		b.SetRemote(elsewhere, netip.AddrPort{})
		b.SetDirection(Inactive)
		b.SendDigit('1', 0)
	})
}
