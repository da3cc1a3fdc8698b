package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/media/g711"
	"crosspoint/media/tone"
)

// plan knows 101 to 199, 9 followed by 7 digits, 0, and 0 followed by 3 digits.
func plan(_, digits string) Completeness {
	switch {
	case digits == "1" || digits == "9":
		return Partial
	case digits == "0":
		return CompleteOrMore
	case strings.Contains(digits, "*"), strings.Contains(digits, "#"):
		return Impossible
	case digits[0] == '1':
		if len(digits) < 3 {
			return Partial
		}
		return Complete
	case digits[0] == '9':
		if len(digits) < 8 {
			return Partial
		}
		return Complete
	case digits[0] == '0':
		if len(digits) < 4 {
			return Partial
		}
		return Complete
	}
	return Impossible
}

// hearsTone fails unless the telephone hears the tone in the next 2.5 s.
func (o *office) hearsTone(line string, t tone.Tone, what string) {
	o.t.Helper()
	time.Sleep(2500 * time.Millisecond)
	if !sounds(o.jack(line).recent(2400*time.Millisecond), t) {
		o.t.Errorf("the telephone on %s hears no %s", line, what)
	}
}

func TestPhoneCalls(t *testing.T) {
	open(t, Config{Complete: plan}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		phone.change(jack.OffHook)
		o.hearsTone("fxs1", us.Dial, "dial tone")
		o.is("fxs1", "off-hook, hears dial tone")
		phone.press("1")
		time.Sleep(500 * time.Millisecond)
		if sounds(phone.recent(400*time.Millisecond), us.Dial) {
			t.Error("dial tone goes on after a digit")
		}
		o.is("fxs1", "off-hook, has dialled 1")
		phone.press("02")
		p := o.comes(1)
		if p.in.Source != (leg.Source{Kind: leg.Phone, Name: "101"}) || p.in.Dialed != "102" || p.in.Caller.Number != "101" {
			t.Errorf("incoming %+v", p.in)
		}
		p.Ringing()
		o.hearsTone("fxs1", us.Ringback, "ringback")
		o.is("fxs1", "calling 102")
		p.Answer()
		o.is("fxs1", "talking with 102")
		time.Sleep(time.Second)
		phone.change(jack.OnHook)
		p.saw("HungUp 16")
		p.because(16, "was hung up")
		p.draws(`
			fxs1  -> b2bua off-hook
			b2bua -> fxs1  dial tone
			fxs1  -> b2bua dials 102
			b2bua -> fxs1  ringback
			b2bua -> fxs1  answer
			fxs1  -> b2bua on-hook`)
		o.is("fxs1", "idle")
	})
}

func TestWhenANumberIsComplete(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		plan       func(string, string) Completeness
		wait       time.Duration // until the call is offered, after the last key; less is checked too
		dialed     string
	}{
		{"complete", "102", plan, 0, "102"},
		{"complete or more", "0", plan, 3 * time.Second, "0"},
		{"more", "0123", plan, 0, "0123"},
		{"partial", "95", plan, 8 * time.Second, "95"},
		{"ended by #", "95#", plan, 0, "95"},
		{"impossible", "7", plan, 0, "7"},
		{"star", "*7", plan, 0, "*"},
		{"no plan", "102", nil, 8 * time.Second, "102"},
		{"no plan, ended by #", "102#", nil, 0, "102"},
	} {
		t.Run(c.name, func(t *testing.T) {
			open(t, Config{Complete: c.plan}, "fxs1", func(o *office) {
				phone := o.jack("fxs1")
				phone.change(jack.OffHook)
				time.Sleep(time.Second)
				phone.press(c.keys)
				if c.wait > 0 {
					time.Sleep(c.wait - 300*time.Millisecond)
					o.comes(0)
					time.Sleep(200 * time.Millisecond)
				}
				if p := o.comes(1); p.in.Dialed != c.dialed {
					t.Errorf("dialled %q, expected %q", p.in.Dialed, c.dialed)
				}
			})
		})
	}
}

func TestPulseDialingPhone(t *testing.T) {
	open(t, Config{Complete: plan}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		phone.change(jack.OffHook)
		time.Sleep(time.Second)
		for _, d := range "102" {
			phone.changed(jack.Change{What: jack.Pulse, Digit: byte(d)})
			time.Sleep(time.Second)
		}
		p := o.comes(1)
		if p.in.Dialed != "102" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		p.Answer()
		synctest.Wait()
		phone.changed(jack.Change{What: jack.Pulse, Digit: '7'})
		p.saw("Digit 7")
		if p.events[0].(leg.Digit).Relayed {
			t.Error("pulses are not in the audio")
		}
	})
}

func TestNoDigit(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		phone.change(jack.OffHook)
		time.Sleep(15900 * time.Millisecond)
		o.is("fxs1", "off-hook, hears dial tone")
		time.Sleep(200 * time.Millisecond)
		o.hearsTone("fxs1", us.Congestion, "congestion tone")
		o.is("fxs1", "off-hook, hears congestion tone")
		time.Sleep(28 * time.Second)
		o.hearsTone("fxs1", us.Howler, "howler")
		o.is("fxs1", "off-hook, hears the howler")
		time.Sleep(time.Minute)
		o.is("fxs1", "left off-hook")
		if phone.audioOn() {
			t.Error("audio of a telephone that was left off-hook is still on")
		}
		phone.change(jack.OnHook)
		o.is("fxs1", "idle")
		o.comes(0)
	})
}

func TestPhoneHangsUpAtEveryRung(t *testing.T) {
	steps := []func(*office){
		func(o *office) {},
		func(o *office) { o.jack("fxs1").press("1") },
		func(o *office) { o.jack("fxs1").press("02") },
		func(o *office) { o.comes(1).Ringing() },
		func(o *office) { o.comes(1).Progress() },
		func(o *office) { o.comes(1).Answer() },
		func(o *office) { o.comes(1).Hangup(leg.NormalClearing); synctest.Wait() },
	}
	for n := range steps {
		open(t, Config{Complete: plan}, "fxs1", func(o *office) {
			o.jack("fxs1").change(jack.OffHook)
			time.Sleep(time.Second)
			for _, step := range steps[:n+1] {
				step(o)
			}
			synctest.Wait()
			o.jack("fxs1").change(jack.OnHook)
			o.is("fxs1", "idle")
			if n >= 2 {
				o.comes(1).saw("HungUp 16")
			}
			p := o.ring("fxs1", leg.Party{Number: "102"}) // it can be rung again
			p.saw("Ringing")
		})
	}
}

// TestRefusalsAreHeard: what a telephone hears of each cause.
func TestRefusalsAreHeard(t *testing.T) {
	for _, c := range []struct {
		cause leg.Cause
		tone  tone.Tone
		words string
	}{
		{leg.Busy, us.Busy, "busy tone"},
		{leg.NoAnswer, us.Busy, "busy tone"},
		{leg.Unallocated, us.Congestion, "congestion tone"},
		{leg.NoCircuit, us.Congestion, "congestion tone"},
	} {
		open(t, Config{Complete: plan}, "fxs1", func(o *office) {
			o.jack("fxs1").change(jack.OffHook)
			time.Sleep(time.Second)
			o.jack("fxs1").press("102")
			p := o.comes(1)
			p.Hangup(c.cause)
			p.because(c.cause.Q850, c.cause.Text)
			o.hearsTone("fxs1", c.tone, c.words)
			o.is("fxs1", "off-hook, hears "+c.words)
		})
	}
}

func TestRemoteHangUp(t *testing.T) {
	open(t, Config{Complete: plan}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		phone.change(jack.OffHook)
		time.Sleep(time.Second)
		phone.press("102")
		p := o.comes(1)
		p.Answer()
		synctest.Wait()
		p.Hangup(leg.NormalClearing)
		p.saw("HungUp 16")
		if cuts := phone.cuts(); len(cuts) != 1 || cuts[0] != openTime {
			t.Errorf("loop drops %v", cuts)
		}
		o.hearsTone("fxs1", us.Busy, "busy tone")
		phone.changed(jack.Change{What: jack.Flash, For: 500 * time.Millisecond}) // another call
		o.hearsTone("fxs1", us.Dial, "dial tone")
	})
}

func TestPhoneRings(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		p := o.ring("fxs1", leg.Party{Number: "5551234", Name: "Joe"})
		p.saw("Ringing")
		if s := phone.now(); !s.Ringing || len(phone.cadence) != 2 || phone.cadence[0] != 2*time.Second {
			t.Errorf("ringing %v, cadence %v", s.Ringing, phone.cadence)
		}
		o.is("fxs1", `ringing, caller 5551234 "Joe"`)
		time.Sleep(2400 * time.Millisecond)
		if phone.audioOn() {
			t.Error("caller ID begins too soon after the ring")
		}
		time.Sleep(3 * time.Second)
		r := callerid.NewReceiver()
		id, ok := r.Receive(phone.recent(4 * time.Second))
		if !ok || id.Number != "5551234" || id.Name != "Joe" {
			t.Errorf("caller ID %+v, %v", id, r.Err())
		}
		if phone.audioOn() {
			t.Error("audio is still on after the caller ID")
		}
		phone.change(jack.OffHook)
		p.saw("Ringing", "Answered")
		o.is("fxs1", `talking with 5551234 "Joe"`)
		if phone.now().Ringing {
			t.Error("the telephone rings on")
		}
		phone.changed(jack.Change{What: jack.Flash, For: 500 * time.Millisecond})
		phone.changed(jack.Change{What: jack.Flash, For: 100 * time.Millisecond}) // too short in this country
		phone.press("7")
		p.saw("Ringing", "Answered", "Flash", "Digit 7")
		phone.change(jack.OnHook)
		p.saw("Ringing", "Answered", "Flash", "Digit 7", "HungUp 16")
		p.draws(`
			b2bua -> fxs1  ring
			b2bua -> fxs1  caller ID 5551234 "Joe"
			fxs1  -> b2bua off-hook
			fxs1  -> b2bua flash
			fxs1  -> b2bua DTMF 7
			fxs1  -> b2bua on-hook`)
	})
}

func TestRingingIsCancelled(t *testing.T) {
	for d := time.Duration(0); d < 7*time.Second; d += 300 * time.Millisecond {
		open(t, Config{}, "fxs1", func(o *office) {
			p := o.ring("fxs1", leg.Party{Number: "5551234"})
			time.Sleep(d)
			p.Hangup(leg.Cancelled)
			p.saw("Ringing", "HungUp 16")
			if o.jack("fxs1").now().Ringing {
				t.Error("the telephone rings on")
			}
			o.is("fxs1", "idle")
			o.jack("fxs1").change(jack.OffHook) // too late: it is a call of its own
			p.saw("Ringing", "HungUp 16")
			o.is("fxs1", "off-hook, hears dial tone")
		})
	}
}

func TestLiftedDuringCallerID(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		p := o.ring("fxs1", leg.Party{Number: "5551234"})
		time.Sleep(2700 * time.Millisecond)
		o.jack("fxs1").change(jack.OffHook)
		p.saw("Ringing", "Answered")
		time.Sleep(5 * time.Second)
		if !o.jack("fxs1").audioOn() {
			t.Error("the end of the caller ID switched the call's audio off")
		}
	})
}

func TestBusyPhone(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		o.jack("fxs1").change(jack.OffHook)
		synctest.Wait()
		_, err := o.g.DialLine("fxs1", leg.Outgoing{})
		if c := asCause(t, err); c.Q850 != 17 || c.Text != "the telephone on line fxs1 is off-hook, hears dial tone" {
			t.Errorf("cause %v", c)
		}
		for line, q := range map[string]int{"fxs9": 1} {
			_, err := o.g.DialLine(line, leg.Outgoing{})
			if c := asCause(t, err); c.Q850 != q {
				t.Errorf("%s: cause %v", line, c)
			}
		}
	})
	open(t, Config{}, "fxs1", func(o *office) { // lifted as the call is on its way
		p := o.meets("fxs1", jack.Change{What: jack.OffHook, State: jack.State{Present: true, OffHook: true}})
		p.saw("HungUp 17")
		o.is("fxs1", "off-hook, hears dial tone")
		o.jack("fxs1").change(jack.OnHook)
		synctest.Wait()
		o.ring("fxs1", leg.Party{}).saw("Ringing")
	})
	open(t, Config{}, "fxs1", func(o *office) {
		o.jack("fxs1").change(jack.Down)
		synctest.Wait()
		_, err := o.g.DialLine("fxs1", leg.Outgoing{})
		if c := asCause(t, err); c.Q850 != 27 {
			t.Errorf("cause %v", c)
		}
	})
}

func TestPhoneCardGone(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		p := o.ring("fxs1", leg.Party{})
		o.jack("fxs1").change(jack.OffHook)
		synctest.Wait()
		o.jack("fxs1").change(jack.Down)
		p.because(41, "the line card is gone")
		o.is("fxs1", "failed: the line card is gone: is it plugged in?")
		o.jack("fxs1").change(jack.Up) // the telephone is still off-hook
		o.is("fxs1", "off-hook, hears dial tone")
	})
}

func TestEarlyMediaToAPhone(t *testing.T) {
	open(t, Config{Complete: plan}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		phone.change(jack.OffHook)
		time.Sleep(time.Second)
		phone.press("102")
		p := o.comes(1)
		said := &hears{}
		p.Stream().Feed(said)
		stop := o.speaks(p, plays(us.SIT))
		time.Sleep(500 * time.Millisecond)
		stop()
		if sounds(phone.recent(400*time.Millisecond), us.SIT) || len(said.all()) > 0 {
			t.Error("audio passes before Progress")
		}
		p.Progress()
		p.Ringing() // no ringback over it
		stop2 := o.speaks(p, plays(tone.Tone{Parts: []tone.Part{{Hz: []float64{1000}, Level: -10}}}))
		defer stop2()
		o.hearsTone("fxs1", tone.Tone{Parts: []tone.Part{{Hz: []float64{1000}}}}, "early media")
		if len(said.all()) == 0 {
			t.Error("the caller is not heard after Progress")
		}
	})
}

func TestStutterDialTone(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		if err := o.g.MessageWaiting("fxs1", true); err != nil {
			t.Fatal(err)
		}
		phone.change(jack.OffHook)
		time.Sleep(time.Second)
		if !sounds(phone.recent(time.Second), us.Dial) || !silences(phone.recent(900*time.Millisecond)) {
			t.Error("no stutter dial tone")
		}
		time.Sleep(2 * time.Second)
		if silences(phone.recent(time.Second)) {
			t.Error("it stutters on")
		}
	})
}

// silences tells whether there are 80 ms of silence somewhere in pcm.
func silences(pcm []int16) bool {
	run := 0
	for _, s := range pcm {
		if run++; s > 50 || s < -50 {
			run = 0
		}
		if run >= 640 {
			return true
		}
	}
	return false
}

func TestHotline(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXS: FXS{Hotline: "0"}}}}, "fxs1", func(o *office) {
		o.jack("fxs1").change(jack.OffHook)
		if p := o.comes(1); p.in.Dialed != "0" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
	})
	open(t, Config{Lines: []LineConfig{{FXS: FXS{Hotline: "0", HotlineAfter: 5 * time.Second}}}}, "fxs1", func(o *office) {
		o.jack("fxs1").change(jack.OffHook)
		time.Sleep(4900 * time.Millisecond)
		o.comes(0)
		time.Sleep(200 * time.Millisecond)
		o.comes(1)
	})
	open(t, Config{Complete: plan, Lines: []LineConfig{{FXS: FXS{Hotline: "0", HotlineAfter: 5 * time.Second}}}}, "fxs1", func(o *office) {
		o.jack("fxs1").change(jack.OffHook)
		time.Sleep(2 * time.Second)
		o.jack("fxs1").press("102")
		if p := o.comes(1); p.in.Dialed != "102" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
	})
}

func TestReversalOnAnswer(t *testing.T) {
	open(t, Config{Complete: plan, Lines: []LineConfig{{FXS: FXS{ReverseOnAnswer: true}}}}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		phone.change(jack.OffHook)
		time.Sleep(time.Second)
		phone.press("102")
		p := o.comes(1)
		if phone.now().Reversed {
			t.Error("reversed before the answer")
		}
		p.Answer()
		synctest.Wait()
		if !phone.now().Reversed {
			t.Error("not reversed on the answer")
		}
		p.Hangup(leg.NormalClearing)
		synctest.Wait()
		if phone.now().Reversed {
			t.Error("still reversed after the call")
		}
	})
}

func TestCallerIDBeforeThePhoneRings(t *testing.T) {
	for country, reverses := range map[string]bool{"uk": true, "se": false} {
		open(t, Config{Country: country}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			p := o.ring("fxs1", leg.Party{Number: "5551234"})
			time.Sleep(50 * time.Millisecond)
			if s := phone.now(); s.Ringing || s.Reversed != reverses {
				t.Errorf("%s: %+v at first", country, s)
			}
			time.Sleep(5 * time.Second)
			if id, ok := callerid.NewReceiver().Receive(phone.recent(5 * time.Second)); !ok || id.Number != "5551234" {
				t.Errorf("%s: caller ID %+v", country, id)
			}
			if !phone.now().Ringing {
				t.Errorf("%s: does not ring", country)
			}
			phone.change(jack.OffHook)
			p.saw("Ringing", "Answered")
			synctest.Wait()
			if phone.now().Reversed {
				t.Errorf("%s: still reversed", country)
			}
		})
	}
}

func TestNoCallerID(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXS: FXS{NoCallerID: true}}}}, "fxs1", func(o *office) {
		p := o.ring("fxs1", leg.Party{Number: "5551234"})
		time.Sleep(20 * time.Second)
		p.draws(`b2bua -> fxs1 ring`)
	})
}

// TestAudioBothWays: what is said at one end is heard at the other, in order
// and with the card's clock, and a loss on the serial line is a gap.
func TestAudioBothWays(t *testing.T) {
	// The same tone both ways is an echo to an echo canceller.
	open(t, Config{Lines: []LineConfig{{EchoTail: -1}}}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		p := o.ring("fxs1", leg.Party{})
		phone.change(jack.OffHook)
		synctest.Wait()
		said := &hears{}
		p.Stream().Feed(said)
		kHz := tone.Tone{Parts: []tone.Part{{Hz: []float64{1004}, Level: -10}}}
		phone.say(plays(kHz))
		stop := o.speaks(p, plays(kHz))
		time.Sleep(time.Second)
		phone.mu.Lock()
		phone.skip = 3
		phone.mu.Unlock()
		time.Sleep(time.Second)
		stop()
		if !sounds(phone.recent(500*time.Millisecond), kHz) {
			t.Error("the telephone does not hear the other end")
		}
		packets := said.all()
		var pcm []int16
		gaps := 0
		for i, k := range packets {
			if len(k.Payload) != g711.FrameSize || k.Law != g711.MuLaw || k.Source == 0 {
				t.Fatalf("packet %+v", k)
			}
			if i > 0 {
				d := k.Seq - packets[i-1].Seq
				if uint32(d)*160 != k.Timestamp-packets[i-1].Timestamp {
					t.Errorf("sequence and timestamp disagree: %+v after %+v", k, packets[i-1])
				}
				if d != 1 {
					gaps += int(d) - 1
				}
			}
			for _, c := range k.Payload {
				pcm = append(pcm, g711.MuLaw.DecodeSample(c))
			}
		}
		if !sounds(pcm, kHz) || len(packets) < 90 {
			t.Errorf("the other end does not hear the telephone: %d packets", len(packets))
		}
		s := p.Stream().Stats()
		if gaps != 3 || s.Lost != 3 || o.status("fxs1").Counts.LostTicks != 3 {
			t.Errorf("%d gaps, stats %+v", gaps, s)
		}
		if s.Received < uint64(len(packets)) || s.Sent < 90 || s.LastReceived.IsZero() {
			t.Errorf("stats %+v", s)
		}
		if l := o.status("fxs1"); l.Heard < -10.5 || l.Heard > -9.5 || l.Said < -10.5 || l.Said > -9.5 {
			t.Errorf("levels %v, %v dBm0", l.Heard, l.Said)
		}
		phone.change(jack.OnHook)
	})
}

func TestGains(t *testing.T) {
	// As in TestAudioBothWays, the same tone goes both ways.
	open(t, Config{Lines: []LineConfig{{ReceiveGain: 6, SendGain: -6, EchoTail: -1}}}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		p := o.ring("fxs1", leg.Party{})
		phone.change(jack.OffHook)
		synctest.Wait()
		kHz := tone.Tone{Parts: []tone.Part{{Hz: []float64{1004}, Level: -20}}}
		phone.say(plays(kHz))
		stop := o.speaks(p, plays(kHz))
		time.Sleep(3 * time.Second)
		stop()
		if l := p.Stream().Stats().ReceivedDBm0; l < -14.5 || l > -13.5 {
			t.Errorf("received at %v dBm0", l)
		}
		var sum float64
		heard := phone.recent(time.Second)
		for _, s := range heard {
			sum += float64(s) * float64(s)
		}
		if rms := sum / float64(len(heard)); rms < 0.85*levelSquare(-26) || rms > 1.15*levelSquare(-26) {
			t.Errorf("sent with mean square %v, expected %v", rms, levelSquare(-26))
		}
	})
}
