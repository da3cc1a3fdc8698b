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
	"crosspoint/media"
)

// messages says whether messages wait for the telephone on a line.
func (o *office) messages(line string, wait bool) {
	o.t.Helper()
	if err := o.g.MessageWaiting(line, wait); err != nil {
		o.t.Fatal(err)
	}
	synctest.Wait()
}

// lamp is what a telephone was told since audio was last switched on.
func (j *fakeJack) lamp() callerid.Waiting {
	id, _ := callerid.NewReceiver().Receive(j.recent(time.Minute))
	return id.Waiting
}

// lamp fails unless the telephone on fxs1 was told, and the line is as it was.
func (o *office) lamp(want callerid.Waiting) {
	o.t.Helper()
	synctest.Wait()
	phone := o.jack("fxs1")
	if got := phone.lamp(); got != want {
		o.t.Errorf("the lamp was told %v, not %v", got, want)
	}
	if phone.audioOn() || phone.now().Reversed || o.g.lamp.Load() != nil {
		o.t.Errorf("the line is not left as it was: %v", phone)
	}
}

// lampTime is longer than a signal with the rest before it.
const lampTime = lampRest + 2*time.Second

// Each standard alerts the telephone in its own way, and some have no message.
func TestLampByStandard(t *testing.T) {
	for _, c := range []struct {
		country, standard string
		drops             int           // open switching intervals
		reversed          bool          // from the beginning to the end
		from              time.Duration // of the audio, after the rest
		alert             bool          // the audio begins with the alerting tone
	}{
		{country: "us", drops: 1, from: 500 * time.Millisecond},
		{country: "au", drops: 1, from: 500 * time.Millisecond},
		{country: "de", alert: true},
		{country: "de", standard: "etsi-alert", alert: true},
		{country: "uk", reversed: true, from: 150 * time.Millisecond, alert: true},
	} {
		open(t, Config{Country: c.country, Lines: []LineConfig{{CallerID: c.standard}}}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			o.messages("fxs1", true)
			time.Sleep(lampRest - time.Millisecond)
			if len(phone.cuts()) > 0 || phone.audioOn() || phone.now().Reversed {
				t.Errorf("%s %s: something is sent before the rest", c.country, c.standard)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if got := len(phone.cuts()); got != c.drops || got > 0 && phone.cuts()[0] != 200*time.Millisecond {
				t.Errorf("%s %s: loop opened %v", c.country, c.standard, phone.cuts())
			}
			if phone.now().Reversed != c.reversed {
				t.Errorf("%s %s: reversed %v", c.country, c.standard, phone.now().Reversed)
			}
			time.Sleep(c.from - 3*time.Millisecond)
			if c.from > 0 && phone.audioOn() {
				t.Errorf("%s %s: audio before %v", c.country, c.standard, c.from)
			}
			time.Sleep(83 * time.Millisecond)
			if heard := phone.recent(60 * time.Millisecond); len(heard) == 0 || sounds(heard, callerid.Alert(0)) != c.alert {
				t.Errorf("%s %s: alerting tone is not %v", c.country, c.standard, c.alert)
			}
			if phone.now().Reversed != c.reversed || phone.now().Ringing {
				t.Errorf("%s %s: %v", c.country, c.standard, phone)
			}
			o.is("fxs1", "idle")
			time.Sleep(2 * time.Second)
			o.lamp(callerid.MessagesWait)
			if len(phone.cuts()) != c.drops {
				t.Errorf("%s %s: loop opened %v", c.country, c.standard, phone.cuts())
			}
		})
	}
	for _, l := range []LineConfig{
		{Country: "se"}, {Country: "nl"}, {CallerID: "dtmf-hash"}, {Country: "jp"},
		{FXS: FXS{NoCallerID: true}}, {GroundStart: true},
	} {
		open(t, Config{Lines: []LineConfig{l}}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			o.messages("fxs1", true)
			for range 40 {
				time.Sleep(100 * time.Millisecond)
				if phone.audioOn() || phone.now().Reversed || len(phone.cuts()) > 0 {
					o.t.Fatalf("%+v: something is sent", l)
				}
			}
			phone.change(jack.OffHook)
			time.Sleep(time.Second)
			if !silences(phone.recent(900 * time.Millisecond)) {
				t.Errorf("%+v: no stutter dial tone", l)
			}
		})
	}
}

// The telephone is told once of each change, and of what it may not know: whenever
// its card has begun anew.
func TestLampIsToldOnce(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		signals := func(want int, why string) {
			t.Helper()
			time.Sleep(lampTime)
			if got := len(phone.cuts()); got != want {
				t.Errorf("%s: %d signals, not %d", why, got, want)
			}
		}
		signals(0, "nobody has said whether messages wait")
		o.messages("fxs1", false)
		signals(1, "none waits, but the lamp may be on")
		o.lamp(callerid.NoMessagesWait)
		o.messages("fxs1", false)
		signals(1, "the same again")
		o.during(350)
		o.messages("fxs1", true)
		signals(2, "the same again in the midst of it")
		o.messages("fxs1", false)
		signals(3, "a change")
		o.messages("fxs1", true)
		time.Sleep(lampRest / 2)
		o.messages("fxs1", false)
		signals(3, "a change that was taken back at once")
		o.messages("fxs1", true)
		signals(4, "a change")
		o.lamp(callerid.MessagesWait)
		phone.change(jack.OffHook)
		time.Sleep(time.Second)
		phone.change(jack.OnHook)
		signals(4, "after a call")
		phone.change(jack.Down)
		signals(4, "no card")
		phone.change(jack.Up)
		signals(5, "the card is back")
		o.lamp(callerid.MessagesWait)
		phone.change(jack.Down)
		o.messages("fxs1", false)
		phone.change(jack.Up)
		phone.change(jack.OffHook)
		time.Sleep(5 * time.Second)
		o.is("fxs1", "off-hook, hears dial tone")
		signals(5, "the telephone is off-hook")
		phone.change(jack.OnHook)
		signals(6, "the card is back, and the telephone is on-hook")
		o.lamp(callerid.NoMessagesWait)
	})
}

// moments of a signal, from its beginning: the loop is open or polarity reversed,
// the silence after it, alerting tone, seizure, message, and its end.
var moments = []time.Duration{1, 120, 350, 550, 800}

// during begins to switch the lamp of fxs1 on, and goes on at a moment of it.
func (o *office) during(moment time.Duration) {
	o.messages("fxs1", true)
	time.Sleep(lampRest + moment*time.Millisecond)
	if o.g.lamp.Load() == nil {
		o.t.Errorf("nothing is on the line after %d ms", moment)
	}
	o.is("fxs1", "idle")
}

// A call that comes in the midst rings at once and tells its caller as any other;
// the lamp is told after it.
func TestCallEndsTheLampsSignal(t *testing.T) {
	for _, country := range []string{"us", "de", "uk"} {
		for _, moment := range moments {
			open(t, Config{Country: country}, "fxs1", func(o *office) {
				phone := o.jack("fxs1")
				o.during(moment)
				p := o.ring("fxs1", leg.Party{Number: "5551234"})
				p.saw("Ringing")
				o.is("fxs1", "ringing, caller 5551234")
				if phone.audioOn() && country != "uk" || phone.now().Reversed && o.g.lamp.Load() != nil {
					t.Errorf("%s, %d ms: the signal goes on: %v", country, moment, phone)
				}
				if country != "uk" {
					time.Sleep(lampCut + time.Millisecond)
					synctest.Wait()
					if !phone.now().Ringing {
						t.Errorf("%s, %d ms: the telephone does not ring", country, moment)
					}
				}
				time.Sleep(5 * time.Second)
				id, ok := callerid.NewReceiver().Receive(phone.recent(5 * time.Second))
				if !ok || id.Number != "5551234" || !phone.now().Ringing {
					t.Errorf("%s, %d ms: caller ID %+v", country, moment, id)
				}
				p.Hangup(leg.Cancelled)
				p.saw("Ringing", "HungUp 16")
				p.draws(map[bool]string{false: `
					b2bua -> fxs1 ring
					b2bua -> fxs1 caller ID 5551234
					b2bua -> fxs1 ringing stopped`, true: `
					b2bua -> fxs1 caller ID 5551234
					b2bua -> fxs1 ring
					b2bua -> fxs1 ringing stopped`}[country == "uk"])
				if o.g.lamp.Load() != nil {
					t.Errorf("%s, %d ms: the lamp is told without a rest", country, moment)
				}
				time.Sleep(lampTime)
				o.lamp(callerid.MessagesWait)
			})
		}
	}
}

// Polarity is normal for a moment before a British call reverses it again.
func TestCallReversesAnew(t *testing.T) {
	open(t, Config{Country: "uk"}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		o.during(100)
		o.ring("fxs1", leg.Party{Number: "5551234"})
		for _, want := range []bool{false, true} {
			if phone.now().Reversed != want {
				t.Errorf("reversed %v", !want)
			}
			time.Sleep(lampCut + time.Millisecond)
			synctest.Wait()
		}
	})
}

// A telephone that is lifted in the midst has dial tone, and is told when it was
// hung up.
func TestLiftedDuringTheLampsSignal(t *testing.T) {
	for _, moment := range moments {
		open(t, Config{Country: "uk"}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			o.during(moment)
			phone.change(jack.OffHook)
			o.is("fxs1", "off-hook, hears dial tone")
			if phone.now().Reversed {
				t.Errorf("%d ms: still reversed", moment)
			}
			time.Sleep(lampTime)
			if !sounds(phone.recent(500*time.Millisecond), us.Dial) { // the British one is the same
				t.Errorf("%d ms: no dial tone", moment)
			}
			phone.change(jack.OnHook)
			time.Sleep(lampRest / 2)
			if phone.audioOn() {
				t.Errorf("%d ms: the lamp is told without a rest", moment)
			}
			time.Sleep(lampTime)
			o.lamp(callerid.MessagesWait)
		})
	}
}

// A change in the midst is what the telephone is told in the end, also if it was
// told all but the last.
func TestChangeDuringTheLampsSignal(t *testing.T) {
	for _, moment := range append(moments, 1100) {
		open(t, Config{}, "fxs1", func(o *office) {
			o.messages("fxs1", false)
			time.Sleep(lampTime)
			o.during(moment)
			o.messages("fxs1", false)
			if o.jack("fxs1").audioOn() {
				t.Errorf("%d ms: the signal goes on", moment)
			}
			time.Sleep(lampTime)
			o.lamp(callerid.NoMessagesWait)
			if cuts := o.jack("fxs1").cuts(); len(cuts) != 3 {
				t.Errorf("%d ms: %d signals", moment, len(cuts))
			}
		})
	}
}

// The card goes, or the gateway is closed, in the midst.
func TestLampsSignalIsLost(t *testing.T) {
	for _, moment := range moments {
		open(t, Config{Country: "uk"}, "fxs1", func(o *office) {
			o.during(moment)
			o.jack("fxs1").change(jack.Down)
			time.Sleep(lampTime)
			if o.g.lamp.Load() != nil {
				t.Errorf("%d ms: the signal of a line without a card goes on", moment)
			}
			o.jack("fxs1").change(jack.Up)
			time.Sleep(lampTime)
			o.lamp(callerid.MessagesWait)
		})
		open(t, Config{Country: "uk"}, "fxs1", func(o *office) {
			o.during(moment)
			o.close()
			if o.jack("fxs1").now().Reversed || o.g.lamp.Load() != nil {
				t.Errorf("%d ms: the signal goes on", moment)
			}
			o.jacks = nil
		})
	}
}

// One telephone is told after the other, also if a card sends no audio.
func TestLampsInTurn(t *testing.T) {
	open(t, Config{}, "fxs1 fxs2 fxs3", func(o *office) {
		o.jack("fxs2").stalled = true
		names := []string{"fxs1", "fxs2", "fxs3"}
		for _, name := range names {
			o.messages(name, true)
		}
		for range 90 {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			on := 0
			for _, name := range names {
				if o.jack(name).audioOn() {
					on++
				}
			}
			if on > 1 {
				o.t.Fatal("two telephones are told at the same time")
			}
		}
		for name, want := range map[string]callerid.Waiting{"fxs1": callerid.MessagesWait, "fxs2": 0, "fxs3": callerid.MessagesWait} {
			if got := o.jack(name).lamp(); got != want || o.jack(name).audioOn() {
				t.Errorf("%s was told %v", name, got)
			}
		}
		if fault := o.status("fxs2").Fault; !strings.Contains(fault, "the card sends no audio") {
			t.Errorf("fault %q", fault)
		}
	})
}

// Independent programs read the message from the line.
func TestLampWitnesses(t *testing.T) {
	heard := map[string][]int16{}
	for _, country := range []string{"us", "de", "uk"} {
		open(t, Config{Country: country}, "fxs1", func(o *office) {
			o.messages("fxs1", true)
			time.Sleep(lampTime)
			heard[country] = o.jack("fxs1").recent(time.Minute)
		})
	}
	t.Run("minimodem", func(t *testing.T) {
		witness.Need(t, "minimodem")
		for country, modem := range map[string]string{"us": "-M 1200 -S 2200", "de": "-M 1300 -S 2100", "uk": "-M 1300 -S 2100"} {
			out := witness.Run(t, "", `minimodem --rx 1200 `+modem+` -8 -q -R 8000 -f "$1"`, witness.WAV(t, heard[country]))
			if want := "\x82\x03\x0b\x01\xff\x70"; !strings.Contains(out, want) {
				t.Errorf("%s: minimodem reads % x, not % x", country, out, want)
			}
		}
	})
	t.Run("spandsp", func(t *testing.T) {
		spandsp := witness.NeedSpandsp(t)
		for country, as := range map[string]string{"us": "class", "de": "clip", "uk": "clip"} {
			if got, want := strings.TrimSpace(spandsp.Hears(heard[country], "adsi", as)), "message 130\n11 \xff"; got != want {
				t.Errorf("%s: spandsp reads %q, not %q", country, got, want)
			}
		}
	})
}

// An exchange that switches the lamp of what it takes for a telephone calls
// nobody; who calls soon after is told as ever.
func TestLampOfAnFXOLine(t *testing.T) {
	for _, country := range []string{"uk", "se"} { // announced; listened for at all times
		standard := callerid.BT
		for _, calls := range []bool{false, true} {
			open(t, Config{Country: country}, "fxo1", func(o *office) {
				line := o.jack("fxo1")
				says := func(s media.Source) {
					if country == "uk" {
						line.change(jack.Polarity)
						time.Sleep(150 * time.Millisecond)
					}
					line.say(s)
					time.Sleep(1200 * time.Millisecond)
				}
				says(callerid.NewWaitingSender(true, callerid.Config{Standard: standard}))
				o.is("fxo1", "idle")
				want := leg.Party{}
				if calls {
					want.Number = "5551234"
					says(callerid.NewSender(callerid.CallerID{Number: want.Number}, callerid.Config{Standard: callerid.Of(country)}))
				}
				line.change(jack.RingOn)
				time.Sleep(time.Second)
				line.change(jack.RingOff)
				time.Sleep(5 * time.Second)
				p := o.comes(1)
				if p.in.Caller != want {
					t.Errorf("%s: caller %+v, not %+v", country, p.in.Caller, want)
				}
				if text := p.ladder.String(); strings.Contains(text, "caller ID") != true || strings.Contains(text, "no caller ID") == calls {
					t.Errorf("%s, with a caller %v:\n%s", country, calls, text)
				}
				p.Hangup(leg.NormalClearing)
			})
		}
		open(t, Config{Country: country}, "fxo1", func(o *office) { // and no call at all
			o.jack("fxo1").change(jack.Polarity)
			time.Sleep(150 * time.Millisecond)
			o.jack("fxo1").say(callerid.NewWaitingSender(false, callerid.Config{Standard: standard}))
			time.Sleep(10 * time.Second)
			o.comes(0)
			o.is("fxo1", "idle")
		})
	}
}
