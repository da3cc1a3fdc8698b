package rtp

import (
	"bytes"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/rtp"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// unbroken fails unless the packets have one SSRC and consecutive numbers.
func unbroken(t *testing.T, packets []pion.Packet) {
	t.Helper()
	for i := 1; i < len(packets); i++ {
		a, b := packets[i-1].Header, packets[i].Header
		if b.SSRC != a.SSRC || b.SequenceNumber != a.SequenceNumber+1 || int32(b.Timestamp-a.Timestamp) < 0 {
			t.Errorf("packet %d: SSRC %#x, number %d, timestamp %d; before it %#x, %d, %d",
				i, b.SSRC, b.SequenceNumber, b.Timestamp, a.SSRC, a.SequenceNumber, a.Timestamp)
		}
	}
}

func TestSourcesAreSplicedWithoutABreak(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		b.mouth(1).say(5)
		b.mouth(2).say(5)
		time.Sleep(time.Second) // nobody speaks
		b.mouth(3).say(5)
		got := f.take()
		unbroken(t, got)
		if len(got) != 15 {
			t.Fatalf("%d packets", len(got))
		}
		for i, p := range got {
			step := uint32(160)
			if i == 10 {
				step = 160 + 8000 // as long as it took
			}
			if i > 0 && p.Timestamp-got[i-1].Timestamp != step {
				t.Errorf("packet %d is %d samples after the one before", i, p.Timestamp-got[i-1].Timestamp)
			}
			if p.Marker != (i%5 == 0) {
				t.Errorf("packet %d: marker %v", i, p.Marker)
			}
		}
	})
}

func TestSourceThatDoesNotNameItselfIsSplicedToo(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		for _, start := range []uint32{0, 900_000_000, 5} {
			m := b.mouth(0)
			m.p.Timestamp, m.p.Seq = start, uint16(start)
			m.say(3)
		}
		got := f.take()
		unbroken(t, got)
		if span := got[8].Timestamp - got[0].Timestamp; span != 8*160 {
			t.Errorf("nine packets span %d samples", span)
		}
	})
}

func TestLossesReorderingAndPausesPass(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		type step struct {
			seq    uint16
			ts     uint32
			marker bool
		}
		in := []step{{65534, 100, true}, {65535, 340, false}, {1, 820, false}, {0, 580, false}, {2, 100_000, true}, {2, 100_000, true}, {3, 100_240, false}}
		for _, s := range in {
			b.Write(&media.Packet{Source: 9, Seq: s.seq, Timestamp: s.ts, Marker: s.marker, Payload: make([]byte, 240)})
		}
		got := f.take()
		in = append(in[:5], in[6]) // the repetition is left out
		if len(got) != len(in) {
			t.Fatalf("%d packets", len(got))
		}
		for i, p := range got {
			if p.SequenceNumber-got[0].SequenceNumber != in[i].seq-in[0].seq ||
				p.Timestamp-got[0].Timestamp != in[i].ts-in[0].ts || p.Marker != in[i].marker || len(p.Payload) != 240 {
				t.Errorf("packet %d: %v", i, p.Header)
			}
		}
	})
}

func TestNothingIsSentToWhoHoldsUs(t *testing.T) {
	onBench(t, Config{Format: Format{EventPT: 101}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(3)
		for _, hold := range []func(){
			func() { b.SetDirection(RecvOnly) },
			func() { b.SetDirection(Inactive) },
			func() { b.SetRemote(netip.MustParseAddrPort("0.0.0.0:4000"), netip.AddrPort{}) },
		} {
			hold()
			synctest.Wait()
			first := f.take()
			m.say(50)
			b.SendDigit('1', 0)
			time.Sleep(time.Second)
			if n := len(f.take()); n != 0 {
				t.Errorf("%d packets to a party that holds us", n)
			}
			b.SetDirection(SendRecv)
			b.SetRemote(signalled, netip.AddrPort{})
			synctest.Wait()
			m.say(3)
			got := f.take()
			unbroken(t, append(first, got...))
			if len(got) != 3 || !got[0].Marker {
				t.Fatalf("after the hold: %v", got)
			}
			if len(first) > 0 {
				if gap := got[0].Timestamp - first[len(first)-1].Timestamp; gap != 160+16000 {
					t.Errorf("a hold of 2 s is %d samples", gap-160)
				}
			}
			m.say(1)
		}
	})
}

func TestNumbersGoOnOverAReINVITE(t *testing.T) {
	moved := netip.MustParseAddrPort("198.51.100.8:6000")
	onBench(t, Config{}, func(b *bench) {
		f, g := b.far(signalled), b.far(moved)
		defer f.close()
		defer g.close()
		m := b.mouth(1)
		m.say(5)
		b.SetRemote(moved, netip.AddrPort{})
		b.SetFormat(Format{Law: g711.ALaw})
		synctest.Wait()
		m.say(5)
		first, second := f.take(), g.take()
		if len(first) != 5 || len(second) != 5 {
			t.Fatalf("%d packets to the old address, %d to the new", len(first), len(second))
		}
		unbroken(t, append(first, second...))
		if p := second[0]; p.PayloadType != 8 || !bytes.Equal(p.Payload, bytes.Repeat([]byte{p.Payload[0]}, 160)) {
			t.Errorf("%v", p)
		}
	})
}

func TestAudioIsConvertedToTheAgreedLaw(t *testing.T) {
	onBench(t, Config{Format: Format{Law: g711.ALaw, AudioPT: 97}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		codes := make([]byte, 160)
		for i := range codes {
			codes[i] = byte(i)
		}
		b.Write(&media.Packet{Law: g711.MuLaw, Payload: codes})
		want := make([]byte, 160)
		g711.MuLaw.Convert(want, codes)
		if got := f.take(); len(got) != 1 || got[0].PayloadType != 97 || !bytes.Equal(got[0].Payload, want) {
			t.Errorf("%v", got)
		}
		f.pt = 97
		f.packet(false, want)
		if got := b.heard.take(); len(got) != 1 || got[0].Law != g711.ALaw {
			t.Errorf("%v", got)
		}
	})
}

func TestComfortNoiseNeedsAgreement(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(1)
		noise := func() {
			m.p.Kind, m.p.Payload = media.Noise, []byte{60}
			b.Write(&m.p)
			m.p.Kind = media.Audio
			m.p.Seq++
		}
		noise()
		m.say(1)
		got := f.take()
		if len(got) != 2 || got[1].SequenceNumber != got[0].SequenceNumber+1 {
			t.Errorf("noise that was not agreed on leaves %v", got)
		}
		b.SetFormat(Format{NoisePT: 13})
		noise()
		if got := f.take(); len(got) != 1 || got[0].PayloadType != 13 || got[0].Marker {
			t.Errorf("%v", got)
		}
	})
}

func TestPacketsHaveTheLengthThatThePartyWants(t *testing.T) {
	onBench(t, Config{Format: Format{PTime: 30 * time.Millisecond, EventPT: 101}}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		m := b.mouth(1)
		m.say(6) // 120 ms: four of 30
		got := f.take()
		unbroken(t, got)
		if len(got) != 4 {
			t.Fatalf("%d packets of 120 ms", len(got))
		}
		for i, p := range got {
			if len(p.Payload) != 240 || p.Timestamp-got[0].Timestamp != uint32(240*i) {
				t.Errorf("packet %d: %d samples at %d", i, len(p.Payload), p.Timestamp-got[0].Timestamp)
			}
		}
		m.say(1)
		m.p.Timestamp += 8000 // a pause: what is left goes out short
		m.p.Marker = true
		m.one(160)
		m.p.Marker = false
		m.one(160)
		rest := f.take()
		unbroken(t, append(got, rest...))
		if len(rest) != 2 || len(rest[0].Payload) != 160 || len(rest[1].Payload) != 240 || !rest[1].Marker ||
			rest[1].Timestamp-rest[0].Timestamp != 8160 {
			t.Errorf("%v", rest)
		}
		m.p.Kind, m.p.Payload = media.Event, media.TelephoneEvent{Code: 3}.Put(make([]byte, 4))
		b.Write(&m.p)
		if got := f.take(); len(got) != 2 || got[1].PayloadType != 101 {
			t.Errorf("the event came as %v", got)
		}
	})
}

func TestTwoWritersAtOnceLoseNothing(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		f := b.far(signalled)
		defer f.close()
		var wg sync.WaitGroup
		for i := range uint32(4) {
			wg.Go(func() { b.mouth(i + 1).say(100) })
		}
		wg.Wait()
		got := f.take()
		unbroken(t, got)
		if len(got) != 400 {
			t.Errorf("%d packets of 400", len(got))
		}
	})
}

func TestTwoSessionsRelayThroughABridge(t *testing.T) {
	onBench(t, Config{}, func(b *bench) {
		other := openSession(t, b.ports, Config{Format: Format{Law: g711.ALaw}})
		defer other.Close()
		at := netip.MustParseAddrPort("203.0.113.20:7000")
		other.SetRemote(at, netip.AddrPort{})
		synctest.Wait()
		bridge := media.NewBridge(nil)
		defer bridge.Close()
		bridge.Join(b.Session)
		bridge.Join(other)
		alice, bob := b.far(signalled), b.far(at)
		bob.to, bob.pt = other.LocalAddr(), 8
		defer alice.close()
		defer bob.close()
		for range 20 {
			alice.packet(false, bytes.Repeat([]byte{0x10}, 160))
			bob.packet(false, bytes.Repeat([]byte{0x20}, 160))
			time.Sleep(20 * time.Millisecond)
		}
		atBob, atAlice := bob.take(), alice.take()
		unbroken(t, atBob)
		unbroken(t, atAlice)
		if len(atBob) != 20 || len(atAlice) != 20 || atBob[0].PayloadType != 8 || atAlice[0].PayloadType != 0 {
			t.Errorf("%d packets at bob, %d at alice", len(atBob), len(atAlice))
		}
		bridge.Hold(b.Session, nil)
		for range 20 {
			alice.packet(false, make([]byte, 160))
			bob.packet(false, make([]byte, 160))
			time.Sleep(20 * time.Millisecond)
		}
		held := alice.take()
		unbroken(t, append(atAlice, held...))
		if len(held) < 19 || len(held) > 21 || len(bob.take()) != 0 {
			t.Errorf("alice on hold hears %d packets", len(held))
		}
	})
}
