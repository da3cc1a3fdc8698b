package media

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/media/g711"
)

// together says something by several phones at once, each its own tone, for d.
func together(d time.Duration, phones ...*phone) {
	for range d / FrameTime {
		for i, p := range phones {
			p.say(sineCodes(p.law, toneOf(i), 4000, p.ts, g711.FrameSize))
		}
		time.Sleep(FrameTime)
	}
}

// toneOf is a tone with a whole number of periods in 200 ms, another for each i.
func toneOf(i int) float64 { return float64(400 + 150*i) }

func TestTwoOfOneLawAreRelayedUntouched(t *testing.T) {
	a, b := &phone{}, &phone{}
	bridge := NewBridge(nil)
	bridge.Join(a)
	bridge.Join(b)
	codes := make([]byte, 240) // 30 ms, each code once: +0 and -0 too
	for i := range codes {
		codes[i] = byte(i + 16)
	}
	a.say(codes)
	heard := b.take()
	if len(heard) != 1 || !bytes.Equal(heard[0].Payload, codes) || heard[0].Seq != 0 {
		t.Fatalf("b heard %v", heard)
	}
	if len(a.take()) != 0 {
		t.Error("a hears itself")
	}
	bridge.Close()
	a.say(codes)
	if len(b.take()) != 0 {
		t.Error("a is still heard after Close")
	}
}

func TestTwoOfDifferentLawsAreTranscoded(t *testing.T) {
	a, b := &phone{law: g711.MuLaw}, &phone{law: g711.ALaw}
	bridge := NewBridge(nil)
	defer bridge.Close()
	bridge.Join(a)
	bridge.Join(b)
	codes := sineCodes(g711.MuLaw, 1000, 8000, 0, 160)
	a.say(codes)
	want := make([]byte, 160)
	g711.MuLaw.Convert(want, codes)
	heard := b.take()
	if len(heard) != 1 || heard[0].Law != g711.ALaw || !bytes.Equal(heard[0].Payload, want) {
		t.Fatalf("b heard %v", heard)
	}
	b.say(heard[0].Payload)
	if back := a.take(); len(back) != 1 || back[0].Law != g711.MuLaw {
		t.Fatalf("a heard %v", back)
	}
	b.law = g711.MuLaw // a re-INVITE agreed on the other law
	a.say(codes)
	if heard := b.take(); len(heard) != 1 || !bytes.Equal(heard[0].Payload, codes) {
		t.Fatalf("after the change of law b heard %v", heard)
	}
}

func TestThreeHearTheOthersAndNotThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phones := []*phone{{}, {law: g711.ALaw}, {}}
		bridge := NewBridge(nil)
		defer bridge.Close()
		for _, p := range phones {
			bridge.Join(p)
		}
		time.Sleep(time.Millisecond)              // apart from the mixer's own instants
		together(200*time.Millisecond, phones...) // the jitter buffers fill
		for _, p := range phones {
			p.take()
		}
		together(200*time.Millisecond, phones...)
		for i, p := range phones {
			pcm := p.takePCM()
			if len(pcm) != 1600 {
				t.Fatalf("phone %d heard %d samples in 200 ms", i, len(pcm))
			}
			for k := range phones {
				want := 4000.0
				if k == i {
					want = 0
				}
				near(t, "peak of one voice at another phone", strength(pcm, toneOf(k)), want, 60)
			}
		}
	})
}

func TestMixDoesNotWrapAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phones := []*phone{{}, {}, {}}
		bridge := NewBridge(nil)
		defer bridge.Close()
		for _, p := range phones {
			bridge.Join(p)
		}
		loud := bytes.Repeat([]byte{0x80}, 160) // the largest value of µ-law, 32124
		for range 10 {
			phones[0].say(loud)
			phones[1].say(loud)
			time.Sleep(FrameTime)
		}
		pcm := phones[2].takePCM()
		for _, s := range pcm[len(pcm)-160:] {
			if s < 32000 {
				t.Fatalf("the sum of two full scales is %d", s)
			}
		}
	})
}

func TestOnlyTheLoudestOfManyAreMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bridge := NewBridge(nil)
		defer bridge.Close()
		var phones []*phone
		for range 12 {
			p := &phone{}
			phones = append(phones, p)
			bridge.Join(p)
		}
		for n := range 20 {
			for i, p := range phones[1:] {
				peak := 1000.0
				if i < 3 {
					peak = 100 // rooms where nobody speaks
				}
				p.say(sineCodes(p.law, toneOf(i), peak, p.ts, 160))
			}
			if n == 9 {
				phones[0].take()
			}
			time.Sleep(FrameTime)
		}
		pcm := phones[0].takePCM()
		pcm = pcm[len(pcm)-1600:]
		for i := range 11 {
			want := 1000.0
			if i < 3 {
				want = 0
			}
			near(t, "peak of one voice of eleven", strength(pcm, toneOf(i)), want, 60)
		}
	})
}

func TestThirdLeavesAndTwoAreRelayedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &phone{}, &phone{}, &phone{}
		bridge := NewBridge(nil)
		defer bridge.Close()
		bridge.Join(a)
		bridge.Join(b)
		bridge.Join(c)
		together(100*time.Millisecond, a, b, c)
		bridge.Leave(c)
		synctest.Wait()
		a.take()
		b.take()
		c.take()
		codes := sineCodes(g711.MuLaw, 440, 5000, 0, 160)
		a.say(codes)
		c.say(codes)
		time.Sleep(time.Second)
		if heard := b.take(); len(heard) != 1 || !bytes.Equal(heard[0].Payload, codes) {
			t.Errorf("b heard %d packets", len(heard))
		}
		if len(a.take())+len(c.take()) != 0 {
			t.Error("somebody hears what nobody said")
		}
	})
}

func TestHeldPartyHearsMusicAndIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &phone{}, &phone{}
		bridge := NewBridge(nil)
		defer bridge.Close()
		bridge.Join(a)
		bridge.Join(b)
		bridge.Hold(b, &Samples{PCM: sine(800, 3000, 0, 8000), Loop: true})
		time.Sleep(time.Millisecond)
		b.take()
		together(200*time.Millisecond, a, b)
		if len(a.take()) != 0 {
			t.Error("a hears somebody who is held")
		}
		heard := b.take()
		if n := len(heard); n != 10 {
			t.Fatalf("b heard %d packets in 200 ms", n)
		}
		for i := range heard[1:] {
			if heard[i+1].Seq != heard[i].Seq+1 || heard[i+1].Timestamp != heard[i].Timestamp+160 {
				t.Fatal("the music's numbers have a gap")
			}
		}
		bridge.Resume(b)
		synctest.Wait()
		b.take()
		together(200*time.Millisecond, a, b)
		if pcm := a.takePCM(); len(pcm) != 1600 {
			t.Errorf("after the hold a hears %d samples", len(pcm))
		}
		pcm := b.takePCM()
		near(t, "music after the hold", strength(pcm, 800), 0, 50)
		near(t, "a's voice after the hold", strength(pcm, toneOf(0)), 4000, 50)
	})
}

func TestHeldWithoutMusicHearsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &phone{law: g711.ALaw}
		bridge := NewBridge(nil)
		defer bridge.Close()
		bridge.Join(b)
		bridge.Hold(b, nil)
		time.Sleep(time.Second)
		heard := b.take()
		if n := len(heard); n < 49 || n > 51 {
			t.Errorf("%d packets in a second", n)
		}
		for _, p := range heard {
			if !bytes.Equal(p.Payload, bytes.Repeat([]byte{0xd5}, 160)) {
				t.Fatal("not silence")
			}
		}
	})
}

func TestAnnouncementEndsAndTheOthersAreHeardAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &phone{}, &phone{}
		bridge := NewBridge(nil)
		defer bridge.Close()
		bridge.Join(a)
		bridge.Join(b)
		done := make(chan time.Time, 1)
		begun := time.Now()
		bridge.PlayThen(b, &Samples{PCM: sine(800, 3000, 0, 2000)}, func() { done <- time.Now() }) // 250 ms
		together(400*time.Millisecond, a, b)
		at := (<-done).Sub(begun)
		if at < 240*time.Millisecond || at > 290*time.Millisecond {
			t.Errorf("250 ms of announcement took %v", at)
		}
		if n := len(a.take()); n != 20 {
			t.Errorf("b was heard in %d packets of 20 while the announcement played", n)
		}
		pcm := b.takePCM()
		near(t, "the announcement", strength(pcm[:1600], 800), 3000, 60)
		near(t, "a during the announcement", strength(pcm[:1600], toneOf(0)), 0, 60)
		near(t, "a after the announcement", strength(pcm[len(pcm)-800:], toneOf(0)), 4000, 60)
	})
}

func TestRingbackToOneWhoHasNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &phone{}
		bridge := NewBridge(nil)
		defer bridge.Close()
		bridge.Play(a, &Samples{PCM: sine(440, 3000, 0, 160), Loop: true})
		time.Sleep(100 * time.Millisecond)
		if n := len(a.take()); n < 4 || n > 6 {
			t.Errorf("%d packets in 100 ms", n)
		}
		bridge.Stop(a)
		synctest.Wait()
		a.take()
		time.Sleep(100 * time.Millisecond)
		if len(a.take()) != 0 {
			t.Error("it plays after Stop")
		}
	})
}

func TestPlayedToIsHeardInAThreeWayCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &phone{}, &phone{}, &phone{}
		bridge := NewBridge(nil)
		defer bridge.Close()
		for _, p := range []*phone{a, b, c} {
			bridge.Join(p)
		}
		bridge.Play(c, &Samples{PCM: sine(1200, 3000, 0, 160), Loop: true})
		together(400*time.Millisecond, a, b, c)
		pcm := a.takePCM()
		near(t, "c at a", strength(pcm[len(pcm)-1600:], toneOf(2)), 4000, 60)
		pcm = c.takePCM()
		pcm = pcm[len(pcm)-1600:]
		near(t, "the message at c", strength(pcm, 1200), 3000, 60)
		near(t, "a at c", strength(pcm, toneOf(0)), 0, 60)
	})
}

func TestDigitInAThreeWayCallIsHeardAsTone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &phone{}, &phone{}, &phone{}
		bridge := NewBridge(nil)
		defer bridge.Close()
		for _, p := range []*phone{a, b, c} {
			bridge.Join(p)
		}
		time.Sleep(100 * time.Millisecond)
		var buf [4]byte
		for i := range 5 {
			e := TelephoneEvent{Code: 5, Duration: uint16(160 * (i + 1)), End: i == 4}
			a.to.Write(&Packet{Kind: Event, Seq: uint16(i), Timestamp: 8000, Source: 7, Payload: e.Put(buf[:])})
			time.Sleep(FrameTime)
		}
		time.Sleep(60 * time.Millisecond)
		pcm := b.takePCM()
		pcm = pcm[1200:1600]
		if low, high := strength(pcm, 770), strength(pcm, 1336); low < 500 || high < 500 {
			t.Errorf("b hears 770 Hz at %.0f and 1336 Hz at %.0f", low, high)
		}
	})
}

func TestTransferBetweenBridges(t *testing.T) {
	a, b, c := &phone{}, &phone{}, &phone{}
	first, second := NewBridge(nil), NewBridge(nil)
	first.Join(a)
	first.Join(b)
	first.Leave(a)
	second.Join(a)
	second.Join(c)
	first.Close()
	codes := make([]byte, 160)
	a.say(codes)
	c.say(codes)
	b.say(codes)
	if len(c.take()) != 1 || len(a.take()) != 1 || len(b.take()) != 0 {
		t.Error("after the transfer a and c hear each other and b nobody; they do not")
	}
	second.Close()
}
