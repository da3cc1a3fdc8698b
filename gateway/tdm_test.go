package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// wink is the far end's answer to a seizure.
func (j *fakeJack) wink() {
	j.change(jack.OffHook)
	time.Sleep(200 * time.Millisecond)
	j.changed(jack.Change{What: jack.OnHook, For: 200 * time.Millisecond})
}

// winked tells how often, and how long, the far end saw us wink.
func (j *fakeJack) winked(t *testing.T, n int) {
	t.Helper()
	got := j.breaks()
	if len(got) != n || n > 0 && got[n-1] != 200*time.Millisecond {
		t.Errorf("%s: winks %v, expected %d of 200ms", j.name, got, n)
	}
}

// tie calls a number over the trunk, and lets the far end of the named timeslot
// wink and take the digits.
func (o *office) tie(name, number string) *party {
	o.t.Helper()
	p := o.dial(number)
	time.Sleep(150 * time.Millisecond)
	o.jack(name).wink()
	time.Sleep(time.Duration(len(number))*200*time.Millisecond + 500*time.Millisecond)
	if got := o.jack(name).dialled(); got != number {
		o.t.Errorf("%s heard the digits %q", name, got)
	}
	return p
}

// seizes is a call in: the far end seizes, waits for our wink, and dials.
func (j *fakeJack) seizes(digits string) {
	j.change(jack.OffHook)
	time.Sleep(600 * time.Millisecond)
	if digits != "" {
		j.press(digits)
	}
}

func TestTimeslotCallsOut(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		if slot.signals != jack.EM {
			t.Errorf("signalling %v", slot.signals)
		}
		p := o.dial("7773660")
		o.is("tdm1", "seized for 7773660, waits for the wink")
		p.saw("Trying")
		time.Sleep(3 * time.Second)
		if slot.dialled() != "" {
			t.Error("digits before the wink")
		}
		slot.wink()
		time.Sleep(2 * time.Second)
		o.is("tdm1", "calling 7773660")
		p.saw("Trying", "EarlyMedia")
		slot.change(jack.OffHook)
		p.saw("Trying", "EarlyMedia", "Answered")
		o.is("tdm1", "talking with 7773660")
		time.Sleep(time.Minute)
		slot.changed(jack.Change{What: jack.OnHook, For: time.Minute})
		p.because(16, "the other end hung up")
		p.draws(`
			b2bua -> tdm1 seizure
			tdm1 -> b2bua wink
			b2bua -> tdm1 DTMF 7773660
			tdm1 -> b2bua off-hook
			tdm1 -> b2bua on-hook
			b2bua -> tdm1 on-hook`)
		o.is("tdm1", "idle")
		if s := o.status("tdm1"); s.Counts.Answered != 1 || s.Counts.Outgoing != 1 || s.Counts.Talked != time.Minute || s.Kind != jack.TDM {
			t.Errorf("status %+v", s)
		}
	})
}

// TestTimeslotIsReleased: we hang up first, and the timeslot is free when the
// far end has followed and the guard time is over.
func TestTimeslotIsReleased(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		p := o.tie("tdm1", "5551234")
		slot.change(jack.OffHook)
		synctest.Wait()
		p.Hangup(leg.NormalClearing)
		p.because(16, "")
		o.is("tdm1", "waits for the far end to release")
		if slot.now().OffHook || o.status("tdm1").Ready {
			t.Error("not on-hook, or ready too early")
		}
		_, err := o.tryDial("1")
		if c := asCause(t, err); c.Q850 != 34 || !strings.Contains(c.Text, "waits for the far end to release") {
			t.Errorf("cause %v", c)
		}
		time.Sleep(29 * time.Second)
		o.is("tdm1", "waits for the far end to release")
		time.Sleep(2 * time.Second)
		o.is("tdm1", "failed: "+heldWords)
		slot.change(jack.OnHook)
		o.is("tdm1", "idle")
		slot.hooks = nil
		second := o.tie("tdm1", "2")
		slot.change(jack.OffHook)
		synctest.Wait()
		slot.change(jack.OnHook) // and at once the next call
		o.is("tdm1", "idle")
		third := o.dial("3")
		o.is("tdm1", "seized for 3, waits out the guard time")
		time.Sleep(time.Second)
		o.is("tdm1", "seized for 3, waits for the wink")
		second.because(16, "hung up")
		third.Hangup(leg.NormalClearing)
	})
}

func TestTimeslotPulsesImmediate(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{TDM: TDM{Immediate: true, Pulse: true}}}}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		p := o.dial("21")
		time.Sleep(140 * time.Millisecond)
		if n := len(slot.breaks()); n != 0 {
			t.Errorf("%d pulses before 150 ms", n)
		}
		time.Sleep(3 * time.Second)
		if n := len(slot.breaks()); n != 3 {
			t.Errorf("%d pulses for 21", n)
		}
		p.saw("Trying", "EarlyMedia")
		p.Hangup(leg.NormalClearing)
		o.is("tdm1", "idle")
		o.dial("*1").because(28, "dials by pulses")
		o.is("tdm1", "idle")
	})
}

// TestTimeslotHearsBusy: before the answer the far end's tones tell how the
// call goes on; whoever answers while they are begun is heard.
func TestTimeslotHearsBusy(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		p := o.tie("tdm1", "1")
		o.jack("tdm1").say(plays(us.Busy))
		time.Sleep(4 * time.Second)
		p.because(17, "busy tone on line tdm1")
		o.is("tdm1", "idle")
	})
}

func TestTimeslotCallsIn(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{TDM: TDM{Digits: 3}}}}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		slot.seizes("")
		slot.winked(t, 1)
		o.is("tdm1", "seized by the far end, waits for digits")
		slot.press("10")
		o.is("tdm1", "seized by the far end, which has dialled 10")
		slot.press("1")
		p := o.comes(1)
		if p.in.Dialed != "101" || p.in.Source != (leg.Source{Kind: leg.Line, Name: "tdm1"}) {
			t.Errorf("came in %+v", p.in)
		}
		o.is("tdm1", "seized by the far end, rings 101")
		p.Ringing()
		time.Sleep(time.Second)
		if media.Level(g711.MuLaw, encoded(slot.recent(20*time.Millisecond))) < -30 {
			t.Error("no ringback")
		}
		if slot.now().OffHook {
			t.Error("answered before the answer")
		}
		p.Answer()
		synctest.Wait()
		if !slot.now().OffHook {
			t.Error("not answered")
		}
		time.Sleep(10 * time.Second)
		slot.change(jack.OnHook)
		p.because(16, "the other end hung up")
		p.draws(`
			tdm1 -> b2bua seizure
			b2bua -> tdm1 wink
			tdm1 -> b2bua dials 101
			b2bua -> tdm1 ringback
			b2bua -> tdm1 off-hook
			tdm1 -> b2bua on-hook
			b2bua -> tdm1 on-hook`)
		o.is("tdm1", "idle")
		if c := o.status("tdm1").Counts; c.Incoming != 1 || c.Answered != 1 || c.Talked != 10*time.Second {
			t.Errorf("counts %+v", c)
		}
	})
}

func encoded(pcm []int16) []byte {
	b := make([]byte, len(pcm))
	g711.MuLaw.Encode(b, pcm)
	return b
}

// TestTimeslotEndsInward: each way that a call in may end before the talk.
func TestTimeslotEndsInward(t *testing.T) {
	complete := func(_, digits string) Completeness {
		if digits == "9" {
			return Impossible
		}
		return map[int]Completeness{1: Partial, 2: CompleteOrMore, 3: Complete}[len(digits)]
	}
	open(t, Config{Complete: complete}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		slot.seizes("1") // given up amid the digits
		slot.change(jack.OnHook)
		o.comes(0)
		o.is("tdm1", "idle")

		slot.seizes("10") // whole, though 101 is too
		o.comes(0)
		time.Sleep(3 * time.Second)
		p := o.comes(1)
		slot.change(jack.OnHook)
		p.because(16, "hung up before the answer")

		slot.change(jack.OffHook) // by pulses, and refused: busy tone until it is on-hook
		time.Sleep(600 * time.Millisecond)
		for _, d := range "101" {
			slot.changed(jack.Change{What: jack.Pulse, Digit: byte(d)})
		}
		p = o.comes(2)
		if p.in.Dialed != "101" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		p.Hangup(leg.Busy)
		p.because(17, "")
		o.is("tdm1", "seized by the far end, which hears busy tone")
		time.Sleep(time.Second)
		if slot.now().OffHook || media.Level(g711.MuLaw, encoded(slot.recent(time.Second))) < -40 {
			t.Error("answered, or no busy tone")
		}
		slot.change(jack.OnHook)
		o.is("tdm1", "idle")

		slot.seizes("9") // call control hears of a number that can't be
		time.Sleep(3 * time.Second)
		if p = o.comes(3); p.in.Dialed != "9" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		p.Hangup(leg.Unallocated)
		slot.change(jack.OnHook)

		slot.seizes("") // no digit: blocked there, or broken
		time.Sleep(11 * time.Second)
		o.is("tdm1", "failed: "+heldWords)
		slot.change(jack.OnHook)
		o.is("tdm1", "idle")
		o.comes(3)
	})
	open(t, Config{Lines: []LineConfig{{TDM: TDM{Digits: -1, Immediate: true}}}}, "tdm1", func(o *office) {
		o.jack("tdm1").change(jack.OffHook) // no wink and no digits: a line that rings one place
		p := o.comes(1)
		o.jack("tdm1").winked(t, 0)
		p.Answer()
		synctest.Wait()
		p.Hangup(leg.NormalClearing)
		o.jack("tdm1").change(jack.OnHook)
	})
}

// TestTimeslotGlare: both ends seize at once. Ours yields: its call goes out
// over the next timeslot, and the far end's comes in on this one.
func TestTimeslotGlare(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{TDM: TDM{Digits: 3}}}}, "tdm1 tdm2", func(o *office) {
		one, two := o.jack("tdm1"), o.jack("tdm2")
		p := o.dial("5551234")
		one.change(jack.OffHook)
		time.Sleep(590 * time.Millisecond)
		o.is("tdm1", "seized for 5551234, waits for the wink")
		time.Sleep(20 * time.Millisecond)
		o.is("tdm1", "seized by the far end, waits for digits")
		if one.now().OffHook {
			t.Error("has not yielded")
		}
		o.is("tdm2", "seized for 5551234, waits for the wink")
		p.saw("Trying")
		time.Sleep(time.Second)
		one.winked(t, 1)
		one.press("101")
		in := o.comes(1)
		two.wink()
		time.Sleep(3 * time.Second)
		two.change(jack.OffHook)
		p.saw("Trying", "EarlyMedia", "Answered")
		in.Answer()
		synctest.Wait()
		if n := o.status("tdm1").Counts.Glare; n != 1 {
			t.Errorf("%d glares", n)
		}
		one.change(jack.OnHook)
		two.change(jack.OnHook)
	})
}

// TestTimeslotKeepsGlare: it was agreed that the far end yields.
func TestTimeslotKeepsGlare(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{TDM: TDM{KeepGlare: true}}}}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		p := o.dial("1")
		slot.change(jack.OffHook)
		time.Sleep(2 * time.Second)
		slot.changed(jack.Change{What: jack.OnHook, For: 2 * time.Second})
		o.is("tdm1", "seized for 1, waits for the wink")
		time.Sleep(4 * time.Second) // its patience begins anew
		slot.wink()
		time.Sleep(time.Second)
		p.saw("Trying", "EarlyMedia")
		p.draws(`
			b2bua -> tdm1 seizure
			tdm1 -> b2bua seizure (glare)
			tdm1 -> b2bua wink
			b2bua -> tdm1 DTMF 1`)
		p.Hangup(leg.NormalClearing)
		o.comes(0)
	})
}

// TestTimeslotWithoutWink: the call goes on over the next line of the group,
// and that timeslot is tried last for a while.
func TestTimeslotWithoutWink(t *testing.T) {
	open(t, Config{}, "tdm1 tdm2", func(o *office) {
		p := o.dial("1")
		time.Sleep(5 * time.Second)
		o.is("tdm1", "idle")
		o.is("tdm2", "seized for 1, waits for the wink")
		s := o.status("tdm1")
		if s.Counts.NoWink != 1 || !strings.Contains(s.Fault, "no wink after 5s: has the far end") {
			t.Errorf("status %+v", s)
		}
		o.jack("tdm2").changed(jack.Change{What: jack.OnHook, For: 30 * time.Millisecond}) // a hit is no wink
		time.Sleep(5 * time.Second)
		p.because(38, "no wink after 5s (the last of 2 lines tried)")
		time.Sleep(2 * time.Second)
		if p = o.tie("tdm1", "2"); p.Name() != "tdm1" { // both failed, and it is first
			t.Errorf("on %s", p.Name())
		}
		p.Hangup(leg.NormalClearing)
	})
}

// TestTimeslotAlarm: an alarm of the span ends the call, says why in words, and
// brings the timeslot back when it is over.
func TestTimeslotAlarm(t *testing.T) {
	open(t, Config{}, "tdm1 fxo2", func(o *office) {
		slot, bank := o.jack("tdm1"), o.jack("fxo2")
		if bank.signals != jack.FXOLoop {
			t.Errorf("signalling %v", bank.signals)
		}
		p := o.tie("tdm1", "1")
		slot.change(jack.OffHook)
		synctest.Wait()
		for _, j := range []*fakeJack{slot, bank} {
			j.set(func(s *jack.State) { s.Alarm, s.Battery = jack.LossOfSignal, false })
			j.change(jack.BatteryOff)
		}
		p.because(41, "red alarm, loss of signal: is the span's cable plugged in")
		o.is("tdm1", "failed: red alarm, loss of signal: "+jack.LossOfSignal.Hint())
		o.is("fxo2", "failed: red alarm, loss of signal: "+jack.LossOfSignal.Hint())
		if slot.now().OffHook {
			t.Error("left off-hook")
		}
		slot.set(func(s *jack.State) { s.Alarm = jack.Yellow })
		slot.change(jack.BatteryOff)
		o.is("tdm1", "failed: yellow alarm (RAI): "+jack.Yellow.Hint())
		r, err := o.g.Test(context.Background(), "tdm1")
		if err != nil || r.OK() || !strings.Contains(r.String(), "yellow alarm") {
			t.Errorf("test %v, %v", r, err)
		}
		for _, j := range []*fakeJack{slot, bank} {
			j.set(func(s *jack.State) { s.Alarm, s.FarOffHook = jack.NoAlarm, false })
			j.change(jack.BatteryOn)
		}
		o.is("tdm1", "idle")
		o.is("fxo2", "idle")
		time.Sleep(2 * time.Second)
		o.tie("tdm1", "2").Hangup(leg.NormalClearing)
	})
}

// set changes what the card will report next.
func (j *fakeJack) set(do func(*jack.State)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	do(&j.state)
}

func (j *fakeJack) isBlocked() bool { j.mu.Lock(); defer j.mu.Unlock(); return j.blocked }

// TestTimeslotBusyOut: the far end is told, but not before it has seen the
// release of the call that was.
func TestTimeslotBusyOut(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		p := o.tie("tdm1", "1")
		slot.change(jack.OffHook)
		synctest.Wait()
		if err := o.g.BusyOut("tdm1", true); err != nil {
			t.Fatal(err)
		}
		o.is("tdm1", "talking with 1")
		slot.change(jack.OnHook)
		p.because(16, "")
		o.is("tdm1", "busied out")
		time.Sleep(900 * time.Millisecond)
		if slot.isBlocked() {
			t.Error("blocked before the far end can have seen the release")
		}
		time.Sleep(200 * time.Millisecond)
		if synctest.Wait(); !slot.isBlocked() {
			t.Error("not blocked")
		}
		slot.change(jack.OffHook) // whoever did not look
		time.Sleep(time.Minute)
		o.comes(0)
		o.is("tdm1", "busied out; the far end is off-hook")
		slot.change(jack.OnHook)
		r, err := o.g.Test(context.Background(), "tdm1")
		if err != nil || r.OK() || !strings.Contains(r.String(), "busied out by hand") {
			t.Errorf("test %v, %v", r, err)
		}
		o.g.BusyOut("tdm1", false)
		o.is("tdm1", "idle")
		if slot.isBlocked() {
			t.Error("still blocked")
		}
	})
}

func TestTimeslotLineTest(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		test := func(far func()) (r TestReport) {
			done := make(chan TestReport)
			go func() {
				r, err := o.g.Test(context.Background(), "tdm1")
				if err != nil {
					t.Error(err)
				}
				done <- r
			}()
			far()
			r = <-done
			synctest.Wait()
			return r
		}
		r := test(func() { time.Sleep(150 * time.Millisecond); slot.wink() })
		if !r.OK() || !strings.Contains(r.String(), "of 200ms, over 350ms after the seizure") {
			t.Error(r)
		}
		o.is("tdm1", "idle")
		if r = test(func() { time.Sleep(8 * time.Second) }); r.OK() || !strings.Contains(r.String(), "none within 5s") {
			t.Error(r)
		}
		if slot.now().OffHook {
			t.Error("left off-hook")
		}
		slot.change(jack.OffHook)
		p := o.comes(0)
		if _, err := o.g.Test(context.Background(), "tdm1"); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("error %v, %v", err, p)
		}
		slot.change(jack.OnHook)
	})
}

// TestTimeslotLentForEmergency: a call for help takes the only timeslot, once
// the far end has released it.
func TestTimeslotLentForEmergency(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		slot := o.jack("tdm1")
		chat := o.tie("tdm1", "1")
		slot.change(jack.OffHook)
		synctest.Wait()
		help, err := o.help()
		if err != nil {
			t.Fatal(err)
		}
		chat.because(8, "needed for an emergency call")
		time.Sleep(2 * time.Second)
		o.is("tdm1", "seized for 911, waits out the guard time")
		slot.change(jack.OnHook)
		o.is("tdm1", "seized for 911, waits for the wink")
		slot.wink()
		time.Sleep(2 * time.Second)
		if got := slot.dialled(); got != "911" {
			t.Errorf("dialled %q", got)
		}
		help.Hangup(leg.NormalClearing)
	})
}

// TestTimeslotAudioIsExact: each code of µ-law goes through as it is, both
// ways: no gain, no canceller, no tone is touched.
func TestTimeslotAudioIsExact(t *testing.T) {
	open(t, Config{}, "tdm1", func(o *office) {
		p := o.tie("tdm1", "1")
		slot := o.jack("tdm1")
		slot.change(jack.OffHook)
		synctest.Wait()
		slot.set(func(*jack.State) { slot.stalled = true }) // the test is the card now
		got := new(hears)
		p.Stream().Feed(got)
		var all [2 * jack.FrameSize]byte
		for i := range all {
			all[i] = byte(i)
		}
		in := append(all[:], all[:]...)
		in = append(in, in...)
		var out []byte
		frames := len(in) / jack.FrameSize
		for i := range frames + 10 {
			var tx [jack.FrameSize]byte
			rx := in[i%frames*jack.FrameSize:][:jack.FrameSize]
			p.Stream().Write(&media.Packet{Law: g711.MuLaw, Seq: uint16(i), Timestamp: uint32(i * jack.FrameSize), Source: 7, Payload: rx})
			slot.handler.Tick(rx, tx[:], uint64(1e6+i*jack.FrameSize))
			time.Sleep(20 * time.Millisecond)
			out = append(out, tx[:]...)
		}
		for i, pkt := range got.all() {
			if want := in[i%frames*jack.FrameSize:][:jack.FrameSize]; string(pkt.Payload) != string(want) {
				t.Fatalf("frame %d from the timeslot was changed", i)
			}
		}
		if n := len(got.all()); n != frames+10 {
			t.Errorf("%d frames from the timeslot", n)
		}
		if !strings.Contains(string(out), string(in)) {
			t.Error("what the timeslot hears was changed")
		}
		p.Hangup(leg.NormalClearing)
	})
}
