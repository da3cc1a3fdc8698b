package rtp

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/rtp"

	"crosspoint/internal/memnet"
	"crosspoint/media"
	"crosspoint/media/g711"
)

func TestPartyIsHeardAsItSpeaks(t *testing.T) {
	onBench(t, Config{Meter: true}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		loud := bytes.Repeat([]byte{0x8b}, 160)
		f.packet(true, loud)
		f.pt = 8
		f.packet(false, loud[:80]) // the other law is understood, too
		got := b.heard.take()
		if len(got) != 2 {
			t.Fatalf("%d packets heard", len(got))
		}
		if p := got[0]; !p.Marker || p.Law != g711.MuLaw || p.Seq != 100 || p.Timestamp != 1000 || !bytes.Equal(p.Payload, loud) || p.Source == 0 {
			t.Errorf("%+v", p)
		}
		if p := got[1]; p.Marker || p.Law != g711.ALaw || len(p.Payload) != 80 || p.Source != got[0].Source {
			t.Errorf("%+v", p)
		}
		f.pt = 0
		for range 60 {
			f.packet(false, loud)
			time.Sleep(20 * time.Millisecond)
		}
		st := b.Stats()
		if st.Received != 62 || st.Lost != 0 || st.Dropped != 0 || time.Since(st.LastReceived) != 20*time.Millisecond {
			t.Errorf("%+v", st)
		}
		if st.ReceivedDBm0 < 1 || st.ReceivedDBm0 > 3 {
			t.Errorf("level %.1f dBm0", st.ReceivedDBm0)
		}
	})
}

func TestNobodyIsHeardWhoIsHeld(t *testing.T) {
	onBench(t, Config{Direction: SendOnly}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		f.talk(5)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets heard of a party on hold", n)
		}
		b.SetDirection(SendRecv)
		f.talk(5)
		if n := len(b.heard.take()); n != 5 {
			t.Errorf("%d packets heard after the hold", n)
		}
		b.Feed(nil)
		f.talk(5)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets heard though the feed ended", n)
		}
	})
}

func TestWhatIsNoRTPOfOursIsDroppedAndCounted(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		f.talk(1)
		good, _ := (&pion.Packet{Header: pion.Header{Version: 2, SSRC: f.ssrc, SequenceNumber: f.seq, Timestamp: f.ts}, Payload: make([]byte, 160)}).Marshal()
		change := func(at int, value byte) []byte {
			c := bytes.Clone(good)
			c[at] = value
			return c
		}
		bad := [][]byte{
			{}, {0x80}, good[:11],
			change(0, 0x00), change(0, 0x40), change(0, 0xc0), // versions 0, 1, 3
			change(1, 3), change(1, 18), change(1, 127), // GSM, G.729, nothing agreed
			change(0, 0x8f)[:40],                // 15 contributing sources that are not there
			change(0, 0x90)[:14],                // an extension that is not there
			append(change(0, 0xa0), 0),          // no padding though it says so
			append(change(0, 0xa0), 200),        // more padding than there is
			make([]byte, maxPacket+1),           // too long
			append(good, make([]byte, 1400)...), // too long, but well-formed
		}
		for _, d := range bad {
			f.bytes(d)
		}
		if n := len(b.heard.take()); n != 1 {
			t.Errorf("%d packets heard", n)
		}
		if st := b.Stats(); st.Dropped != uint64(len(bad)) || st.Malformed != st.Dropped || st.Received != 1 {
			t.Errorf("%d bad packets: %+v", len(bad), st)
		}
		f.bytes(change(0, 0x80)) // as it should be
		if n := len(b.heard.take()); n != 1 {
			t.Error("a good packet after the bad ones is not heard")
		}
	})
}

func TestHeaderExtensionsAndPaddingAreNoAudio(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		h := pion.Header{Version: 2, SSRC: 5, SequenceNumber: 1, CSRC: []uint32{1, 2}}
		if err := h.SetExtension(1, []byte{9, 9, 9}); err != nil {
			t.Fatal(err)
		}
		f.send(h, []byte{1, 2, 3})
		h = pion.Header{Version: 2, SSRC: 5, SequenceNumber: 2, Padding: true, PaddingSize: 4}
		f.send(h, []byte{4, 5, 6})
		got := b.heard.take()
		if len(got) != 2 || !bytes.Equal(got[0].Payload, []byte{1, 2, 3}) || !bytes.Equal(got[1].Payload, []byte{4, 5, 6}) {
			t.Errorf("%v", got)
		}
	})
}

func TestLossReorderingAndDuplicatesAreCounted(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		send := func(seqs ...uint16) {
			for _, s := range seqs {
				f.send(pion.Header{Version: 2, SSRC: 1, SequenceNumber: s, Timestamp: uint32(s) * 160}, make([]byte, 160))
			}
		}
		send(65530, 65531, 65533, 65532, 65533, 65533, 65535, 0, 3) // 65534, 1 and 2 are lost; the numbers come round
		got := b.heard.take()
		if len(got) != 7 {
			t.Errorf("%d packets passed on of 7", len(got))
		}
		if st := b.Stats(); st.Lost != 3 || st.Dropped != 2 || st.Strangers+st.Malformed != 0 || st.Received != 7 {
			t.Errorf("%+v", st)
		}
		send(40000) // a stray: the next does not follow it
		send(4)
		if st := b.Stats(); len(b.heard.take()) != 1 || st.Lost != 3 {
			t.Errorf("after a stray: %+v", st)
		}
		send(50000, 50001, 50002) // the source has begun to count anew
		got = b.heard.take()
		if len(got) != 2 || got[0].Source == 0 {
			t.Errorf("after a jump %d packets are passed on", len(got))
		}
		if st := b.Stats(); st.Lost != 3 {
			t.Errorf("the jump counts as loss: %+v", st)
		}
	})
}

func TestLossBurstIsCounted(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		f.talk(10)
		f.seq += 100
		f.ts += 16000
		f.talk(10)
		if st := b.Stats(); st.Lost != 100 || st.Received != 20 {
			t.Errorf("%+v", st)
		}
	})
}

func TestJitterIsMeasured(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		f.talk(50)
		if j := b.Stats().Jitter; j != 0 {
			t.Errorf("jitter %v of a perfect clock", j)
		}
		for range 200 { // now 10 ms early, now 10 ms late: transit times differ by 20 ms
			f.packet(false, make([]byte, 160))
			time.Sleep(40 * time.Millisecond)
			f.packet(false, make([]byte, 160))
		}
		if j := b.Stats().Jitter; j < 18*time.Millisecond || j > 22*time.Millisecond {
			t.Errorf("jitter %v", j)
		}
	})
}

func TestNewSSRCBeginsANewCount(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		f.talk(3)
		f.ssrc, f.seq, f.ts = 0x2222, 40000, 7
		f.talk(3)
		got := b.heard.take()
		if len(got) != 6 || got[2].Source == got[3].Source || got[3].Source != got[5].Source {
			t.Errorf("%d packets, sources %v", len(got), got)
		}
		if st := b.Stats(); st.Lost != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestPartyBehindNATIsLearntThenLocked(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		m := b.mouth(1)
		atSignalled, nat, other := b.far(signalled), b.far(elsewhere), b.far(netip.MustParseAddrPort("203.0.113.66:5000"))
		defer atSignalled.close()
		defer nat.close()
		defer other.close()
		m.say(2)
		if n := len(atSignalled.take()); n != 2 {
			t.Errorf("%d packets to the signalled address before anything is heard", n)
		}
		nat.talk(3)
		if n := len(b.heard.take()); n != 2 { // the first packet only makes it a candidate
			t.Errorf("%d of 3 packets heard", n)
		}
		m.say(2)
		if n, wrong := len(nat.take()), len(atSignalled.take()); n != 2 || wrong != 0 {
			t.Errorf("%d packets to where the audio comes from, %d elsewhere", n, wrong)
		}
		nat.talk(150) // 3 s: longer than the learning
		b.heard.take()
		other.talk(10)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets of others heard after the lock", n)
		}
		if st := b.Stats(); st.Dropped != 11 || st.Strangers != 11 {
			t.Errorf("%+v", st)
		}
		m.say(1)
		if len(nat.take()) != 1 {
			t.Error("others have drawn our audio away")
		}
		time.Sleep(time.Minute) // even after a long silence
		other.talk(10)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets of others heard after a silence", n)
		}
	})
}

func TestPartyIsNotShutOutByWhoWasQuicker(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		right, intruder := b.far(signalled), b.far(elsewhere)
		defer right.close()
		defer intruder.close()
		intruder.talk(200) // 4 s: locked
		b.heard.take()
		right.talk(3)
		intruder.talk(3)
		if n := len(b.heard.take()); n != 2 { // its first packet only makes it a candidate
			t.Errorf("%d packets heard", n)
		}
		if b.RemoteAddr() != signalled {
			t.Errorf("audio goes to %v", b.RemoteAddr())
		}
	})
}

func TestSignalledAddressIsPreferredWhileLearning(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		right, intruder := b.far(signalled), b.far(elsewhere)
		defer right.close()
		defer intruder.close()
		intruder.talk(5)
		b.heard.take()
		right.talk(1)
		intruder.talk(5)
		right.talk(1)
		if got := b.heard.take(); len(got) != 2 {
			t.Errorf("%d packets heard; 2 are the party's", len(got))
		}
		if to := b.RemoteAddr(); to != signalled {
			t.Errorf("audio goes to %v", to)
		}
	})
}

func TestAnotherPortOfThePartyIsPreferredToAStranger(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		intruder, right := b.far(elsewhere), b.far(netip.MustParseAddrPort(phoneIP+":62000"))
		defer right.close()
		defer intruder.close()
		intruder.talk(3)
		right.talk(3)
		if to := b.RemoteAddr(); to.Port() != 62000 {
			t.Errorf("audio goes to %v", to)
		}
		b.heard.take()
		intruder.talk(3)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets of the stranger heard", n)
		}
	})
}

func TestSprayedPacketsAreNotHeard(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		spray := b.far(elsewhere)
		defer spray.close()
		for i := range 100 { // each with another number: no two in sequence
			spray.send(pion.Header{Version: 2, SSRC: uint32(i), SequenceNumber: uint16(i * 77)}, make([]byte, 160))
		}
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets heard", n)
		}
		if b.RemoteAddr() != signalled {
			t.Errorf("audio goes to %v", b.RemoteAddr())
		}
	})
}

func TestNewRemoteIsLearntAnew(t *testing.T) {
	moved := netip.MustParseAddrPort("198.51.100.8:6000")
	onBench(t, Config{}, func(b *bench) {
		old, next := b.far(signalled), b.far(moved)
		defer old.close()
		defer next.close()
		old.talk(3)
		b.heard.take()
		b.SetRemote(signalled, netip.AddrPort{}) // a session refresh says the same again
		next.talk(3)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets of a stranger after a refresh", n)
		}
		b.SetRemote(moved, netip.AddrPort{})
		synctest.Wait()
		old.talk(2) // on its way when the re-INVITE was answered
		next.talk(3)
		if n := len(b.heard.take()); n != 5 {
			t.Errorf("%d packets heard", n)
		}
		old.talk(3)
		if n := len(b.heard.take()); n != 0 {
			t.Errorf("%d packets of the former address after the new was heard", n)
		}
		if b.RemoteAddr() != moved {
			t.Errorf("audio goes to %v", b.RemoteAddr())
		}
	})
}

func TestRemoteThatOnlySeemsToChangeIsKept(t *testing.T) {
	// A phone behind NAT offers another private port; the public one stays.
	onBench(t, Config{}, func(b *bench) {
		nat := b.far(elsewhere)
		defer nat.close()
		nat.talk(150)
		b.SetRemote(netip.AddrPortFrom(signalled.Addr(), 4002), netip.AddrPort{})
		nat.talk(150)
		if n := len(b.heard.take()); n != 299 {
			t.Errorf("%d packets of 299 heard", n)
		}
		if b.RemoteAddr() != elsewhere {
			t.Errorf("audio goes to %v", b.RemoteAddr())
		}
	})
}

func TestAudioBeforeTheAnswerIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(memnet.Network)
		b := &bench{T: t, net: net, heard: new(ear)}
		b.Session = openSession(t, testPorts(t, net, 20000, 20099), Config{})
		defer b.Session.Close()
		b.Feed(b.heard)
		f := b.far(signalled)
		defer f.close()
		f.talk(3)
		if n := len(b.heard.take()); n != 2 {
			t.Errorf("%d packets heard", n)
		}
		if b.RemoteAddr().IsValid() {
			t.Error("audio is sent before an address was signalled")
		}
		b.SetRemote(signalled, netip.AddrPort{})
		f.talk(3)
		if n := len(b.heard.take()); n != 3 {
			t.Errorf("%d packets heard after the answer", n)
		}
	})
}

func TestReflectedPacketsAreHeard(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		for range 50 { // an echo test sends our own packets back, our SSRC and all
			m.say(1)
			for _, p := range f.take() {
				f.send(p.Header, p.Payload)
			}
		}
		if n := len(b.heard.take()); n != 50 {
			t.Errorf("%d packets of 50 heard", n)
		}
	})
}

func TestSSRCCollisionGivesUsAnother(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(2)
		f.ssrc = f.take()[0].SSRC
		f.talk(2)
		m.say(2)
		got := f.take()
		if got[0].SSRC == f.ssrc || got[0].SSRC != got[1].SSRC {
			t.Errorf("we send as %#x and %#x, the party as %#x", got[0].SSRC, got[1].SSRC, f.ssrc)
		}
		if n := len(b.heard.take()); n != 2 {
			t.Errorf("%d packets heard", n)
		}
	})
}

func TestSilentPartyIsReportedOnce(t *testing.T) {
	var told notes
	midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when synctest's time begins
	c := Config{
		OnSilent: func(d time.Duration) { told.add("%v: silent for %v", time.Since(midnight), d) },
		OnHeard:  func() { told.add("%v: heard", time.Since(midnight)) },
	}
	onBench(t, c, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		time.Sleep(10 * time.Second) // not watched yet
		b.Watch(3 * time.Second)
		f.talk(100) // 10 s to 12 s
		time.Sleep(10 * time.Second)
		f.talk(1) // 22 s
		time.Sleep(2 * time.Second)
		b.SetDirection(SendOnly) // on hold it may be silent
		time.Sleep(10 * time.Second)
		b.SetDirection(SendRecv) // 34.02 s
		time.Sleep(4 * time.Second)
		f.talk(1) // 38.02 s
		time.Sleep(time.Second)
		b.SetDirection(RecvOnly) // it holds us, and may speak, but need not
		time.Sleep(10 * time.Second)
		b.SetDirection(SendRecv) // 49.04 s
		time.Sleep(4 * time.Second)
		want := "14.98s: silent for 3s 22s: heard 37.02s: silent for 3s 38.02s: heard 52.04s: silent for 3s"
		if got := told.String(); got != want {
			t.Errorf("told: %s\nwant: %s", got, want)
		}
	})
}

func TestPartyThatIsNeverHeardIsReported(t *testing.T) {
	var told notes
	onBench(t, Config{Watch: 2500 * time.Millisecond, OnSilent: func(d time.Duration) { told.add("%v", d) }}, func(b *bench) {
		time.Sleep(2499 * time.Millisecond)
		if got := told.String(); got != "" {
			t.Errorf("told %q after 2.499 s", got)
		}
		time.Sleep(2 * time.Millisecond)
		if got := told.String(); got != "2.5s" {
			t.Errorf("told %q after 2.501 s", got)
		}
	})
}

func TestAnnouncedSilenceIsNoFault(t *testing.T) {
	var told notes
	c := Config{Format: Format{NoisePT: 13}, Watch: 3 * time.Second, OnSilent: func(d time.Duration) { told.add("%v", d) }}
	onBench(t, c, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		f.talk(5)
		f.pt = 13
		f.packet(false, []byte{60})
		time.Sleep(20 * time.Second)
		if got := told.String(); got != "" {
			t.Errorf("a pause with comfort noise is reported: %s", got)
		}
		if !b.Stats().Paused {
			t.Error("the pause is not in the statistics")
		}
		got := b.heard.take()
		if last := got[len(got)-1]; last.Kind != media.Noise || !bytes.Equal(last.Payload, []byte{60}) {
			t.Errorf("%+v", last)
		}
		time.Sleep(20 * time.Second)
		if got := told.String(); got != "30s" {
			t.Errorf("told %q after 40 s", got)
		}
		f.pt = 0
		f.talk(1)
		if b.Stats().Paused {
			t.Error("a party that speaks counts as pausing")
		}
	})
}
