package media

import (
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/media/g711"
)

// networks are what may happen to a party's packets on their way.
var networks = map[string]func([]arrival) []arrival{
	"nothing": func(all []arrival) []arrival { return all },
	"reordering": func(all []arrival) []arrival { // each fifth comes after the next
		for i := 4; i < len(all); i += 5 {
			all[i].at += 200
		}
		return all
	},
	"duplication": func(all []arrival) []arrival { // each third comes twice, the second time 10 ms later
		for i := 0; i < len(all); i += 3 {
			all = append(all, arrival{all[i].at + 80, all[i].p})
		}
		return all
	},
	"loss burst": func(all []arrival) []arrival { // of 200 ms in the middle
		at := len(all) / 2
		return append(all[:at:at], all[at+10:]...)
	},
	"fast clock": drift(-2000e-6), // so that it shows in seconds; crystals are 100 ppm off
	"slow clock": drift(2000e-6),
}

func drift(by float64) func([]arrival) []arrival {
	return func(all []arrival) []arrival {
		for i := range all {
			all[i].at *= 1 + by
		}
		return all
	}
}

// speak has a phone send the arrivals from now on.
func speak(p *phone, arrivals []arrival) {
	sort.SliceStable(arrivals, func(a, b int) bool { return arrivals[a].at < arrivals[b].at })
	began := time.Now()
	for _, a := range arrivals {
		time.Sleep(time.Until(began.Add(time.Duration(a.at * float64(time.Second) / g711.SampleRate))))
		p.mu.Lock()
		to := p.to
		p.mu.Unlock()
		if to != nil {
			q := a.p
			to.Write(&q)
		}
	}
}

const speech = 4 * time.Second

// voiceOf is a phone's tone in packets.
func voiceOf(i int) []arrival {
	n := int(speech / FrameTime)
	return cut(sineCodes(g711.MuLaw, toneOf(i), 4000, 0, n*g711.FrameSize), g711.FrameSize, 0)
}

// In a conference one party's network is bad: it is heard all the same, and
// the others hear nothing of the network.
func TestConferenceOverABadNetwork(t *testing.T) {
	for name, spoil := range networks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				phones := []*phone{{}, {}, {}}
				bridge := NewBridge(nil)
				defer bridge.Close()
				for _, p := range phones {
					bridge.Join(p)
				}
				time.Sleep(time.Millisecond) // apart from the mixer's own instants
				var speaking sync.WaitGroup
				defer speaking.Wait() // packets that are late
				speaking.Go(func() { speak(phones[0], spoil(voiceOf(0))) })
				speaking.Go(func() { speak(phones[1], voiceOf(1)) })
				time.Sleep(speech)
				synctest.Wait()
				heard := phones[2].take()
				for i, p := range heard {
					if i > 0 && (p.Seq != heard[i-1].Seq+1 || p.Timestamp != heard[i-1].Timestamp+g711.FrameSize) {
						t.Fatalf("packet %d follows %d, at %d after %d", p.Seq, heard[i-1].Seq, p.Timestamp, heard[i-1].Timestamp)
					}
				}
				phones[2].heard = heard
				pcm := phones[2].takePCM()
				if n := time.Duration(len(pcm)) * time.Second / g711.SampleRate; n < speech-2*FrameTime || n > speech+2*FrameTime {
					t.Fatalf("%s were heard in %s", n, speech)
				}
				for at := 1600; at+1600 <= len(pcm); at += 1600 { // 200 ms each, the first while buffers fill
					near(t, "the other party", strength(pcm[at:at+1600], toneOf(1)), 4000, 150)
				}
				near(t, "the party itself", strength(pcm[len(pcm)-1600:], toneOf(0)), 4000, 200)
			})
		})
	}
}

// A recording of a call over a bad network is as long as the call, with
// everybody on his side and at his time.
func TestRecordingOverABadNetwork(t *testing.T) {
	for name, spoil := range networks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var pacer Pacer
				phones := []*phone{{}, {}}
				bridge := NewBridge(&pacer)
				defer bridge.Close()
				for _, p := range phones {
					bridge.Join(p)
				}
				out := &tape{}
				rec := NewRecorder(&pacer, out)
				bridge.Record(rec)
				time.Sleep(time.Millisecond)
				var speaking sync.WaitGroup
				defer speaking.Wait() // packets that are late
				speaking.Go(func() { speak(phones[0], spoil(voiceOf(0))) })
				speaking.Go(func() { speak(phones[1], voiceOf(1)) })
				time.Sleep(speech)
				bridge.Record(nil)
				if err := rec.Close(); err != nil {
					t.Error(err)
				}
				bad, good := out.channel(0), out.channel(1)
				if n := time.Duration(len(good)) * time.Second / g711.SampleRate; len(bad) != len(good) || n < speech-5*FrameTime || n > speech+5*FrameTime {
					t.Fatalf("%d and %d samples of %s", len(bad), len(good), speech)
				}
				for at := 1600; at+3200 <= len(good); at += 1600 {
					near(t, "the good side", strength(good[at:at+1600], toneOf(1)), 4000, 150)
				}
				end := bad[len(bad)-3200 : len(bad)-1600]
				near(t, "the bad side", strength(end, toneOf(0)), 4000, 200)
				near(t, "the good side's voice there", strength(end, toneOf(1)), 0, 60)
			})
		})
	}
}

// Talkers join and leave a conference: who stays is heard without a break, who
// comes is heard soon, who has left no more.
func TestTalkersJoinAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stay := []*phone{{}, {}, {}}
		guest := &phone{law: g711.ALaw}
		all := append(stay[:2:2], guest) // stay[2] listens
		bridge := NewBridge(nil)
		defer bridge.Close()
		for _, p := range stay {
			bridge.Join(p)
		}
		time.Sleep(time.Millisecond)
		together(200*time.Millisecond, all...) // buffers fill
		stay[2].take()
		for range 3 {
			for _, here := range []bool{true, false} {
				if here {
					bridge.Join(guest)
				} else {
					bridge.Leave(guest)
				}
				together(200*time.Millisecond, all...)
				near(t, "one who stays, at the change", strength(stay[2].takePCM(), toneOf(0)), 4000, 100)
				together(200*time.Millisecond, all...)
				pcm := stay[2].takePCM()
				near(t, "one who stays", strength(pcm, toneOf(0)), 4000, 60)
				want := 0.0
				if here {
					want = 4000
				}
				near(t, "the guest", strength(pcm, toneOf(2)), want, 100)
				if heard := len(guest.take()); (heard > 0) != here {
					t.Errorf("the guest, there %t, heard %d packets", here, heard)
				}
			}
		}
	})
}
