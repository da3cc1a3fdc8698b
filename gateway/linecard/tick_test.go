package linecard

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
)

// ticks sends the card's ticks of the given clocks, of ports 1 and 3, each
// filled with the low octet of its number.
func (f *fakeCard) ticks(samples int, clocks ...uint32) {
	for _, c := range clocks {
		b := BeginMedia(nil, uint16(c/uint32(samples)), c, 0b101)
		b = PutSamples(b, bytes.Repeat([]byte{byte(c / 80)}, samples))
		b = PutSamples(b, bytes.Repeat([]byte{0xff}, samples))
		f.say(b)
	}
}

func TestTickIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetAudio(true)
		synctest.Wait()
		f.heard()
		f.ticks(160, 8000, 8160, 8320)
		clocks, rx := r.frames()
		if !slices.Equal(clocks, []uint64{8000, 8160, 8320}) || rx[0] != 8320/80 || rx[159] != 8320/80 {
			t.Errorf("handler had %v, %x", clocks, rx[:4])
		}
		if got := f.heard("MEDIA"); len(got) != 3 {
			t.Errorf("answers: %v", got)
		}
		c := f.card.Counters()
		if c.MediaIn != 3 || c.MediaOut != 3 || c.LostTicks != 0 {
			t.Errorf("%+v", c)
		}
		f.card.Port(1).SetAudio(false)
		synctest.Wait()
		f.ticks(160, 8480)
		if got := f.heard("MEDIA"); len(got) != 0 {
			t.Errorf("answers without audio: %v", got)
		}
	})
}

func TestLostAndLateTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetAudio(true)
		synctest.Wait()
		f.ticks(160, 8000, 8160, 8640, 8640, 8160, 8800)
		clocks, _ := r.frames()
		if !slices.Equal(clocks, []uint64{8000, 8160, 8640, 8800}) {
			t.Errorf("handler had %v", clocks)
		}
		if c := f.card.Counters(); c.LostTicks != 2 {
			t.Errorf("lost %d, want 2", c.LostTicks)
		}
		f.ticks(160, 100, 260) // the counter has jumped back, which it must not: begin anew
		clocks, _ = r.frames()
		if !slices.Equal(clocks[4:], []uint64{100, 260}) {
			t.Errorf("after a jump: %v", clocks[4:])
		}
	})
}

func TestTenMillisecondTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(_ *fakeCard, c *Config) { c.Tick = 10 * time.Millisecond })
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetAudio(true)
		synctest.Wait()
		f.heard()
		f.ticks(80, 8000, 8080, 8160, 8240)
		clocks, rx := r.frames()
		if !slices.Equal(clocks, []uint64{8000, 8160}) || rx[0] != 8160/80 || rx[80] != 8240/80 {
			t.Errorf("handler had %v, %x", clocks, rx)
		}
		if got := f.heard("MEDIA"); len(got) != 4 {
			t.Errorf("answers: %d, want two for each frame", len(got))
		}
		f.ticks(80, 8400, 8480) // 8320 is lost: half a frame of silence
		clocks, rx = r.frames()
		if !slices.Equal(clocks[2:], []uint64{8320}) {
			t.Errorf("handler had %v", clocks)
		}
		if rx[0] != 0xff || rx[80] != 8400/80 {
			t.Errorf("half a frame: %x", rx)
		}
		f.ticks(80, 8640) // the other half of 8480 is lost
		f.ticks(80, 8720)
		clocks, _ = r.frames()
		if !slices.Equal(clocks, []uint64{8000, 8160, 8320, 8480, 8640}) {
			t.Errorf("handler had %v", clocks)
		}
	})
}

func TestDamagedTickIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetAudio(true)
		synctest.Wait()
		frame := AppendFrame(nil, PutSamples(BeginMedia(nil, 1, 8000, 1), bytes.Repeat([]byte{0x20}, 160)))
		send := func(spoil int) {
			b := bytes.Clone(frame)
			b[spoil] ^= 0x01
			f.conn.Write(b)
			synctest.Wait()
		}
		send(5) // the clock: misrouting or worse
		if clocks, _ := r.frames(); len(clocks) != 0 {
			t.Error("a tick with a damaged header was used")
		}
		send(60)
		clocks, rx := r.frames()
		if len(clocks) != 1 || rx[0] != 0x20 {
			t.Error("a tick with a damaged sample was not used")
		}
		if c := f.card.Counters(); c.BadFCS != 2 || c.DamagedTicks != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestClockGoesOnWhenItWraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(f *fakeCard, _ *Config) { f.hello.Clock = 0xffffffff - 99 })
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetAudio(true)
		synctest.Wait()
		f.ticks(160, 0xffffffff-99, 60, 220)
		clocks, _ := r.frames()
		if !slices.Equal(clocks, []uint64{0xffffffff - 99, 1<<32 + 60, 1<<32 + 220}) {
			t.Errorf("handler had %v", clocks)
		}
	})
}

func TestLeadFollowsReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		lead := func(margin int) time.Duration {
			f.say(Report{Margin: int16(margin), Late: 7}.Append(nil, 1))
			return f.card.Counters().Lead
		}
		if got := lead(100); got != 40*time.Millisecond {
			t.Errorf("lead %v to begin with", got)
		}
		if got := lead(-160); got != 65*time.Millisecond {
			t.Errorf("20 ms late: lead %v, want 20+5 ms more", got)
		}
		if c := f.card.Counters(); c.LateTicks != 7 || c.Margin != -20*time.Millisecond {
			t.Errorf("%+v", c)
		}
		if got := lead(-8000); got != 200*time.Millisecond {
			t.Errorf("1 s late: lead %v, want no more than 200 ms", got)
		}
		for range 100 { // 20 s of ample margin, then little
			lead(500)
			time.Sleep(200 * time.Millisecond)
		}
		if got := f.card.Counters().Lead; got != 195*time.Millisecond {
			t.Errorf("after 20 s: lead %v, want one step back", got)
		}
		for range 10000 {
			lead(500)
			time.Sleep(200 * time.Millisecond)
		}
		if got := f.card.Counters().Lead; got != 40*time.Millisecond {
			t.Errorf("in the end: lead %v", got)
		}
	})
}

func TestSlowLineIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		for dropped := range uint16(30) {
			f.say(Report{Margin: 100, Dropped: dropped}.Append(nil, dropped))
		}
		if n := f.logged("raise the baud rate"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

// bench is a card that is up, without goroutines.
func bench(ports int) (*Card, *link) {
	c := &Card{cfg: Config{Name: "bench"}, state: up, count: counters{}}
	for i := range c.slots {
		p := &c.slots[i]
		p.card, p.n = c, uint8(i)
		if i > 0 && i <= ports {
			p.up, p.handler, p.want = true, copier{}, Set{Want: WantAudio}
		}
	}
	c.media.begin(0, 40*time.Millisecond)
	c.link = &link{}
	c.link.out.wake, c.link.out.count = func() {}, &c.count
	return c, c.link
}

type copier struct{}

func (copier) Changed(jack.Change)          {}
func (copier) Tick(rx, tx []byte, _ uint64) { copy(tx, rx) }

func TestTickDoesNotAllocate(t *testing.T) {
	c, l := bench(32)
	clock := uint32(0)
	content := make([]byte, 0, MaxContent)
	var spare, tick [160]byte
	written := spare[:0]
	round := func() {
		content = BeginMedia(content[:0], 1, clock, 0xffffffff)
		for range 32 {
			content = PutSamples(content, tick[:])
		}
		clock += 160
		c.tick(Frame{Content: content})
		written, _ = l.out.take(written)
	}
	for range 10 {
		round() // buffers grow
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations for a tick of 32 ports", n)
	}
	if c.count.mediaOut.Load() == 0 || len(written) < 32*160 {
		t.Error("nothing was answered")
	}
}

func BenchmarkTick32Ports(b *testing.B) {
	c, l := bench(32)
	var tick [160]byte
	wire := make([]byte, 0, 2*MaxContent)
	content := make([]byte, 0, MaxContent)
	var written []byte
	b.ReportAllocs()
	for i := range b.N {
		content = BeginMedia(content[:0], 1, uint32(i*160), 0xffffffff)
		for range 32 {
			content = PutSamples(content, tick[:])
		}
		wire = AppendFrame(wire[:0], content)
		f, _ := l.frames.Next(wire)
		c.tick(f)
		written, _ = l.out.take(written)
	}
}
