package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/internal/witness"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
	"crosspoint/media/measure"
	"crosspoint/media/tone"
)

// talks rings the telephone on fxs1, which is lifted.
func (o *office) talks() *party {
	o.t.Helper()
	p := o.ring("fxs1", leg.Party{Number: "102"})
	o.jack("fxs1").change(jack.OffHook)
	p.saw("Ringing", "Answered")
	return p
}

// waits offers a second call to the telephone on fxs1.
func (o *office) waits(from leg.Party) *party {
	o.t.Helper()
	p := &party{t: o.t, ladder: new(leg.Ladder)}
	l, err := o.g.CallWaiting("fxs1", leg.Outgoing{Sink: p, Ladder: p.ladder, From: from})
	if err != nil {
		o.t.Fatal(err)
	}
	p.Leg = l
	p.saw("Ringing")
	return p
}

// takesNone fails unless the telephone on fxs1 refuses a second call as busy.
func (o *office) takesNone(why string) {
	o.t.Helper()
	synctest.Wait()
	_, err := o.g.CallWaiting("fxs1", leg.Outgoing{})
	if c := asCause(o.t, err); c.Q850 != 17 || !strings.Contains(c.Text, why) {
		o.t.Errorf("a second call: %v, want busy because %q", c, why)
	}
}

// flash is a hook-flash of the telephone on fxs1.
func (o *office) flash() {
	o.jack("fxs1").changed(jack.Change{What: jack.Flash, For: 500 * time.Millisecond})
	synctest.Wait()
}

// acknowledge answers the alerting signal as a display does, 50 ms after it.
func (o *office) acknowledge() {
	time.Sleep((300 + 20 + 80 + 50) * time.Millisecond)
	g := dtmf.NewGenerator(dtmf.Timing{On: 60 * time.Millisecond})
	_ = g.Dial("D")
	o.jack("fxs1").say(g)
}

// level is what a sink was given in the last d, in dBm0.
func (h *hears) level(d time.Duration) float64 {
	var pcm []int16
	frame := make([]int16, jack.FrameSize)
	all := h.all()
	for _, p := range all[max(0, len(all)-int(d/(20*time.Millisecond))):] {
		g711.MuLaw.Decode(frame, p.Payload)
		pcm = append(pcm, frame...)
	}
	return measure.Level(pcm)
}

var kilohertz = tone.Tone{Parts: []tone.Part{{Hz: []float64{1000}, Level: -15}}}

// A second call is offered by the country's tone; flashes swap the two, and who
// hangs up on a held caller is rung.
func TestCallWaiting(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		first := o.talks()
		stop := o.speaks(first, plays(kilohertz))
		defer stop()
		far := &hears{}
		first.Stream().Feed(far)
		phone.say(plays(tone.Tone{Parts: []tone.Part{{Hz: []float64{700}, Level: -15}}}))
		time.Sleep(time.Second)

		second := o.waits(leg.Party{Number: "5551234", Name: "Joe"})
		o.is("fxs1", `talking with 102, 5551234 "Joe" waits`)
		o.takesNone("waits")
		time.Sleep(250 * time.Millisecond)
		if heard := phone.recent(200 * time.Millisecond); !sounds(heard, us.CallWaiting) || sounds(heard, kilohertz) {
			t.Error("no call-waiting tone in the talk's place")
		}
		if l := far.level(200 * time.Millisecond); l < -20 {
			t.Errorf("the far side no longer hears the talk under the call-waiting tone: %.0f dBm0", l)
		}
		time.Sleep(240 * time.Millisecond) // the alerting signal was sent, nobody answers
		if heard := phone.recent(160 * time.Millisecond); !sounds(heard, callerid.CallWaiting()) {
			t.Error("no alerting signal")
		}
		if l := far.level(60 * time.Millisecond); l > -60 {
			t.Errorf("the far side hears the telephone beside the alerting signal: %.0f dBm0", l)
		}
		time.Sleep(300 * time.Millisecond)
		if heard := phone.recent(60 * time.Millisecond); !sounds(heard, kilohertz) || far.level(60*time.Millisecond) < -20 {
			t.Error("the talk does not go on at once after the alerting signal")
		}
		time.Sleep(9600 * time.Millisecond) // 10.4 s since it began: the second tone
		heard := phone.recent(300 * time.Millisecond)
		if !sounds(heard, us.CallWaiting) || sounds(heard, callerid.CallWaiting()) {
			t.Error("the tone is not repeated after 10 s")
		}
		if len(far.all()) < 11*50 {
			t.Errorf("%d packets for the far side in 11.4 s", len(far.all()))
		}

		o.flash()
		first.saw("Ringing", "Answered", "Held")
		second.saw("Ringing", "Answered")
		o.is("fxs1", `talking with 5551234 "Joe", 102 on hold`)
		o.takesNone("on hold")
		time.Sleep(time.Second)
		o.flash()
		first.saw("Ringing", "Answered", "Held", "Resumed")
		second.saw("Ringing", "Answered", "Held")
		time.Sleep(time.Second)
		if !sounds(phone.recent(200*time.Millisecond), kilohertz) {
			t.Error("the first caller is not heard again")
		}

		phone.say(nil)
		phone.change(jack.OnHook)
		first.because(16, "was hung up")
		if s := phone.now(); !s.Ringing {
			t.Error("the telephone does not ring for the held caller")
		}
		o.is("fxs1", `ringing, caller 5551234 "Joe"`)
		time.Sleep(3 * time.Second)
		phone.change(jack.OffHook)
		second.saw("Ringing", "Answered", "Held", "Resumed")
		o.is("fxs1", `talking with 5551234 "Joe"`)
		phone.change(jack.OnHook)
		second.because(16, "was hung up")
		o.is("fxs1", "idle")
		second.draws(`
			b2bua -> fxs1  call-waiting tone
			fxs1  -> b2bua flash
			fxs1  -> b2bua flash
			b2bua -> fxs1  ring
			b2bua -> fxs1  caller ID 5551234 "Joe"
			fxs1  -> b2bua off-hook
			fxs1  -> b2bua on-hook`)
		if last := o.status("fxs1").Last; len(last) != 2 || last[0].Number != "5551234" || last[1].Number != "102" || last[1].Talked < 11*time.Second {
			t.Errorf("records %+v", last)
		}
	})
}

// A telephone with a display asks for the caller ID and gets it, by its country's
// modem; minimodem reads it from the line too. Its D is no digit for anybody.
func TestCallWaitingDisplay(t *testing.T) {
	for country, modem := range map[string]string{"us": "callerid", "de": "1200 -M 1300 -S 2100"} {
		var heard []int16
		open(t, Config{Country: country}, "fxs1", func(o *office) {
			first := o.talks()
			far := &hears{}
			first.Stream().Feed(far)
			stop := o.speaks(first, plays(kilohertz))
			defer stop()
			second := o.waits(leg.Party{Number: "5551234", Name: "Joe"})
			if country == "de" {
				time.Sleep(300 * time.Millisecond) // its tone is longer
			}
			o.acknowledge()
			time.Sleep(100 * time.Millisecond)
			if l := far.level(60 * time.Millisecond); l > -60 {
				t.Errorf("%s: the far side hears the D at %.0f dBm0", country, l)
			}
			time.Sleep(1400 * time.Millisecond)
			heard = o.jack("fxs1").recent(1900 * time.Millisecond)
			r := callerid.NewReceiver()
			if id, ok := r.Receive(heard); !ok || id.Number != "5551234" || id.Name != "Joe" {
				t.Errorf("%s: caller ID %+v, %v", country, id, r.Err())
			}
			if !sounds(heard[len(heard)-800:], kilohertz) {
				t.Errorf("%s: the talk does not go on after the caller ID", country)
			}
			first.saw("Ringing", "Answered")
			o.flash()
			o.jack("fxs1").press("D") // later it is one
			second.saw("Ringing", "Answered", "Digit D")
			second.draws(`
				b2bua -> fxs1  call-waiting tone
				fxs1  -> b2bua DTMF D
				b2bua -> fxs1  caller ID 5551234 "Joe"
				fxs1  -> b2bua flash
				fxs1  -> b2bua DTMF D`)
		})
		witness.Need(t, "minimodem")
		out := witness.Run(t, "", `minimodem --rx `+modem+` -q -R 8000 -f "$1"`, witness.WAV(t, heard))
		if !strings.Contains(out, "5551234") {
			t.Errorf("%s: minimodem reads %q", country, out)
		}
	}
}

// The waiting caller gives up, at each moment of the signals: they end at once.
func TestWaitingCallerGivesUp(t *testing.T) {
	for _, after := range []time.Duration{100, 390, 460, 800} {
		open(t, Config{}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			first := o.talks()
			stop := o.speaks(first, plays(kilohertz))
			defer stop()
			time.Sleep(200 * time.Millisecond)
			second := o.waits(leg.Party{Number: "5551234"})
			time.Sleep(after * time.Millisecond)
			second.Hangup(leg.Cancelled)
			second.saw("Ringing", "HungUp 16")
			o.is("fxs1", "talking with 102")
			time.Sleep(120 * time.Millisecond)
			if !sounds(phone.recent(60*time.Millisecond), kilohertz) {
				t.Errorf("given up after %d ms: the talk does not go on", after)
			}
			if after == 100 {
				time.Sleep(10500 * time.Millisecond)
				if sounds(phone.recent(10*time.Second), us.CallWaiting) {
					t.Error("the tone comes again")
				}
			}
			first.saw("Ringing", "Answered")
			o.flash() // it is the other service's again
			first.saw("Ringing", "Answered", "Flash")
			o.waits(leg.Party{}).Hangup(leg.NoAnswer) // and another call may wait
		})
	}
}

// Who hangs up while a call waits is rung for it; so for one whose talk the other
// side ends, or he takes it by a flash.
func TestTalkEndsWhileACallWaits(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		first, second := o.talks(), o.waits(leg.Party{Number: "5551234"})
		time.Sleep(time.Second)
		phone.change(jack.OnHook)
		first.because(16, "was hung up")
		second.saw("Ringing")
		time.Sleep(5 * time.Second)
		phone.change(jack.OffHook)
		second.saw("Ringing", "Answered")
		o.is("fxs1", "talking with 5551234")
	})
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		first, second := o.talks(), o.waits(leg.Party{Number: "5551234"})
		phone.change(jack.OnHook)
		second.Hangup(leg.NoAnswer) // while the telephone rings
		first.because(16, "was hung up")
		second.because(19, "")
		if phone.now().Ringing {
			t.Error("the telephone rings for nobody")
		}
		o.is("fxs1", "idle")
	})
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		first, second := o.talks(), o.waits(leg.Party{Number: "5551234"})
		time.Sleep(time.Second)
		first.Hangup(leg.NormalClearing)
		first.saw("Ringing", "Answered", "HungUp 16")
		o.hearsTone("fxs1", us.CallWaiting, "call-waiting tone alone")
		o.is("fxs1", "off-hook, hears call-waiting tone")
		if cuts := phone.cuts(); len(cuts) != 1 {
			t.Errorf("loop drops %v", cuts)
		}
		time.Sleep(31 * time.Second) // it is never left to the howler
		o.flash()
		second.saw("Ringing", "Answered")
		o.is("fxs1", "talking with 5551234")
	})
	open(t, Config{}, "fxs1", func(o *office) {
		first, second := o.talks(), o.waits(leg.Party{Number: "5551234"})
		first.Hangup(leg.NormalClearing)
		time.Sleep(time.Second)
		second.Hangup(leg.NoAnswer)
		second.because(19, "")
		o.hearsTone("fxs1", us.Busy, "busy tone")
		o.jack("fxs1").change(jack.OnHook)
		o.is("fxs1", "idle")
	})
}

// One of two answered calls ends.
func TestOneOfTwoCallsEnds(t *testing.T) {
	both := func(o *office) (first, second *party) {
		first, second = o.talks(), o.waits(leg.Party{Number: "5551234"})
		time.Sleep(time.Second)
		o.flash()
		time.Sleep(time.Second)
		return first, second
	}
	open(t, Config{}, "fxs1", func(o *office) { // the one talked in: the held one is talked to again
		first, second := both(o)
		second.Hangup(leg.NormalClearing)
		second.saw("Ringing", "Answered", "HungUp 16")
		first.saw("Ringing", "Answered", "Held", "Resumed")
		o.is("fxs1", "talking with 102")
		if cuts := o.jack("fxs1").cuts(); len(cuts) > 0 {
			t.Errorf("loop drops %v", cuts)
		}
		o.flash()
		first.saw("Ringing", "Answered", "Held", "Resumed", "Flash")
	})
	open(t, Config{}, "fxs1", func(o *office) { // the held one
		first, second := both(o)
		first.Hangup(leg.NormalClearing)
		first.saw("Ringing", "Answered", "Held", "HungUp 16")
		second.saw("Ringing", "Answered")
		o.is("fxs1", "talking with 5551234")
		o.waits(leg.Party{Number: "104"})
	})
	open(t, Config{}, "fxs1", func(o *office) { // nobody comes back for the held one
		first, second := both(o)
		o.jack("fxs1").change(jack.OnHook)
		second.because(16, "was hung up")
		time.Sleep(29 * time.Second)
		first.saw("Ringing", "Answered", "Held")
		time.Sleep(2 * time.Second)
		first.because(19, "with the call on hold")
		o.is("fxs1", "idle")
	})
	open(t, Config{}, "fxs1", func(o *office) { // the card goes
		first, second := both(o)
		o.jack("fxs1").change(jack.Down)
		first.because(41, "the line card is gone")
		second.because(41, "the line card is gone")
		o.jack("fxs1").change(jack.Up)
		o.jack("fxs1").change(jack.OnHook)
		synctest.Wait()
		o.ring("fxs1", leg.Party{}).saw("Ringing")
	})
	open(t, Config{}, "fxs1", func(o *office) { both(o) }) // the gateway is closed
}

// When no second call is offered: to a telephone that dials, rings, is called or
// idle, and to a fax machine; what waits already makes no sound then.
func TestNoCallWaiting(t *testing.T) {
	open(t, Config{Complete: plan}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		o.takesNone("idle")
		phone.change(jack.OffHook)
		o.takesNone("dial tone")
		time.Sleep(time.Second)
		phone.press("102")
		o.takesNone("calling 102")
		p := o.comes(1)
		p.Ringing()
		o.takesNone("calling 102")
		p.Answer()
		time.Sleep(time.Second)
		o.waits(leg.Party{Number: "103"})
		phone.say(plays(faxAnswer))
		time.Sleep(2 * time.Second)
		if data := o.status("fxs1").State; !strings.Contains(data, "waits") {
			t.Errorf("the line is %q", data)
		}
		time.Sleep(10 * time.Second)
		if sounds(phone.recent(10*time.Second), us.CallWaiting) {
			t.Error("call-waiting tone in a fax call")
		}
	})
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		o.talks()
		phone.say(plays(faxAnswer))
		time.Sleep(2 * time.Second)
		o.takesNone("talking")
	})
	open(t, Config{}, "fxs1", func(o *office) {
		o.talks()
		if err := o.g.BusyOut("fxs1", true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_, err := o.g.CallWaiting("fxs1", leg.Outgoing{})
		if c := asCause(t, err); c.Q850 != 27 {
			t.Errorf("busied out: %v", c)
		}
	})
}

// An acknowledgement that comes too late is no digit of the talk.
func TestLateAcknowledgement(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		first := o.talks()
		o.waits(leg.Party{Number: "5551234"})
		time.Sleep(300 * time.Millisecond)
		o.acknowledge()
		time.Sleep(300 * time.Millisecond)
		o.jack("fxs1").press("7")
		first.saw("Ringing", "Answered", "Digit 7")
	})
}

// faxAnswer is the answer tone of a fax machine (ITU-T T.30).
var faxAnswer = tone.Tone{Parts: []tone.Part{{Hz: []float64{2100}, Level: -12}}}

// TestNoticeDoesNotAllocate: the signals of a waiting call cost the ticks nothing.
func TestNoticeDoesNotAllocate(t *testing.T) {
	a, s := talkingAudio(t)
	tick := tickWith(a, s)
	tick()
	a.interrupt(a.line.newNotice(&leg.Party{Number: "1"}))
	if n := testing.AllocsPerRun(20, tick); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// TestOnceOf: the call-waiting tone of each country, once.
func TestOnceOf(t *testing.T) {
	for code, want := range map[string]struct{ once, period time.Duration }{
		"us": {300 * time.Millisecond, 10300 * time.Millisecond},
		"de": {600 * time.Millisecond, 5600 * time.Millisecond},
		"uk": {100 * time.Millisecond, 4100 * time.Millisecond},
		"pl": {450 * time.Millisecond, 4450 * time.Millisecond},
	} {
		c, err := tone.Lookup(code)
		if err != nil {
			t.Fatal(err)
		}
		once, period := onceOf(c.CallWaiting)
		var length time.Duration
		for _, p := range once.Parts {
			length += p.For
		}
		if length != want.once || period != want.period || once.Loop >= 0 {
			t.Errorf("%s: %v of %v, want %v of %v", code, length, period, want.once, want.period)
		}
	}
}
