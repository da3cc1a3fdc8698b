package rtp

import (
	"net/netip"
	"sort"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/rtp"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// A packet of a party that was sent, by number, and when it comes.
type arrival struct {
	number int
	at     time.Duration
}

// networks are what may happen to packets on their way to us. The clocks are
// off by 1 %, so that it shows in 20 s; crystals are by 100 ppm.
var networks = map[string]func(n int) []arrival{
	"reordering": func(n int) (all []arrival) { // each fifth comes after the next
		for i := range n {
			at := time.Duration(i) * media.FrameTime
			if i%5 == 4 {
				at += media.FrameTime * 3 / 2
			}
			all = append(all, arrival{i, at})
		}
		return all
	},
	"duplication": func(n int) (all []arrival) { // they come once, twice and three times in turn
		for i := range n {
			for k := range 1 + i%3 {
				all = append(all, arrival{i, time.Duration(i)*media.FrameTime + time.Duration(k)*27*time.Millisecond})
			}
		}
		return all
	},
	"loss bursts": func(n int) (all []arrival) { // of 2 s every 4 s
		for i := range n {
			if i/100%2 == 0 {
				all = append(all, arrival{i, time.Duration(i) * media.FrameTime})
			}
		}
		return all
	},
	"fast clock": func(n int) []arrival { return atPace(n, media.FrameTime-200*time.Microsecond) },
	"slow clock": func(n int) []arrival { return atPace(n, media.FrameTime+200*time.Microsecond) },
}

func atPace(n int, pace time.Duration) (all []arrival) {
	for i := range n {
		all = append(all, arrival{i, time.Duration(i) * pace})
	}
	return all
}

// A relay passes on what comes as it comes: the other party sees the losses,
// the order and the times of the network, and no duplicates. What another
// source says next follows without a jump, whatever the clocks did.
func TestRelayOverABadNetwork(t *testing.T) {
	at := netip.MustParseAddrPort("203.0.113.20:7000")
	for name, network := range networks {
		for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
			t.Run(name+"/"+law.String(), func(t *testing.T) {
				onBench(t, Config{}, func(b *bench) {
					other := openSession(t, b.ports, Config{Format: Format{Law: law}})
					defer other.Close()
					other.SetRemote(at, netip.AddrPort{})
					synctest.Wait()
					bridge := media.NewBridge(nil)
					defer bridge.Close()
					bridge.Join(b.Session)
					bridge.Join(other)
					alice, bob := b.far(signalled), b.far(at)
					defer alice.close()
					defer bob.close()
					const packets = 1000
					arrivals := network(packets)
					comeOver(alice, arrivals)
					got := bob.take()
					sameAs(t, got, arrivals)
					if lost := b.Stats().Lost; int(lost) != missing(arrivals) {
						t.Errorf("%d lost are counted, not %d", lost, missing(arrivals))
					}
					// Alice is put on hold: music follows by our own clock.
					bridge.Hold(other, media.Silence{})
					time.Sleep(5 * media.FrameTime)
					music := bob.take()
					if len(music) < 4 || len(got) == 0 {
						t.Fatalf("%d packets, then %d", len(got), len(music))
					}
					first, last := music[0], got[len(got)-1]
					for _, p := range got {
						if int16(p.SequenceNumber-last.SequenceNumber) > 0 {
							last = p // the last that came was not the newest
						}
					}
					if first.SequenceNumber != last.SequenceNumber+1 || !first.Marker {
						t.Errorf("packet %d (marker %t) follows %d", first.SequenceNumber, first.Marker, last.SequenceNumber)
					}
					if gap := int32(first.Timestamp - last.Timestamp); gap < g711.FrameSize || gap > g711.FrameSize*3+anchorSlack { // of 1,600 that the clocks are apart
						t.Errorf("the new source is %d samples after the old one", gap)
					}
				})
			})
		}
	}
}

// comeOver sends a party's packets when they come.
func comeOver(f *far, arrivals []arrival) {
	arrivals = append([]arrival(nil), arrivals...)
	sort.SliceStable(arrivals, func(i, k int) bool { return arrivals[i].at < arrivals[k].at })
	began := time.Now()
	var payload [g711.FrameSize]byte
	for _, a := range arrivals {
		time.Sleep(time.Until(began.Add(a.at)))
		f.send(pion.Header{Version: 2, SSRC: f.ssrc, SequenceNumber: f.seq + uint16(a.number),
			Timestamp: f.ts + uint32(a.number)*g711.FrameSize}, payload[:])
	}
	time.Sleep(media.FrameTime)
}

// sameAs expects the packets of the arrivals, each once and in their order.
func sameAs(t *testing.T, got []pion.Packet, arrivals []arrival) {
	t.Helper()
	arrivals = append([]arrival(nil), arrivals...)
	sort.SliceStable(arrivals, func(i, k int) bool { return arrivals[i].at < arrivals[k].at })
	came := map[int]bool{}
	var want []int
	for _, a := range arrivals {
		if !came[a.number] {
			came[a.number] = true
			want = append(want, a.number)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d packets of %d", len(got), len(want))
	}
	for i, p := range got {
		steps := want[i] - want[0]
		if p.SequenceNumber != got[0].SequenceNumber+uint16(steps) || p.Timestamp != got[0].Timestamp+uint32(steps)*g711.FrameSize {
			t.Fatalf("packet %d is %d at %d, %d packets after the first, which was %d at %d", i,
				p.SequenceNumber, p.Timestamp, steps, got[0].SequenceNumber, got[0].Timestamp)
		}
	}
}

// missing is how many packets did not come, going by those that did.
func missing(arrivals []arrival) int {
	came := map[int]bool{}
	newest := 0
	for _, a := range arrivals {
		came[a.number] = true
		newest = max(newest, a.number)
	}
	return newest + 1 - len(came)
}
