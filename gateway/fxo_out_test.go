package gateway

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// reach dials over fxo1 until the exchange has all digits.
func (o *office) reach(number string) *party {
	o.t.Helper()
	line := o.jack("fxo1")
	p := o.dial(number)
	if !line.now().OffHook {
		o.t.Fatal("the line is not off-hook")
	}
	o.is("fxo1", "seized for "+number+", waits for dial tone")
	line.dialTone()
	time.Sleep(time.Second + time.Duration(len(number))*200*time.Millisecond)
	if got := line.dialled(); got != number {
		o.t.Errorf("the exchange heard %q, expected %q", got, number)
	}
	return p
}

func TestOutgoingCall(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		p := o.reach("7773660")
		p.saw("Trying", "EarlyMedia")
		line.say(plays(us.Ringback))
		time.Sleep(7 * time.Second)
		p.saw("Trying", "EarlyMedia", "Ringing")
		o.is("fxo1", "calling 7773660")
		line.change(jack.Polarity)
		line.say(nil)
		p.saw("Trying", "EarlyMedia", "Ringing", "Answered")
		o.is("fxo1", "talking with 7773660")
		time.Sleep(time.Minute)
		p.Hangup(leg.NormalClearing)
		p.saw("Trying", "EarlyMedia", "Ringing", "Answered", "HungUp 16")
		p.draws(`
			b2bua -> fxo1  off-hook
			fxo1  -> b2bua dial tone
			b2bua -> fxo1  DTMF 7773660
			fxo1  -> b2bua ringback
			fxo1  -> b2bua answer (polarity)
			b2bua -> fxo1  on-hook`)
		if line.now().OffHook {
			t.Error("the line is still off-hook")
		}
		if s := o.status("fxo1"); s.Counts.Outgoing != 1 || s.Last[0].Number != "7773660" || s.Last[0].Talked != time.Minute {
			t.Errorf("report %+v", s)
		}
	})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"7773660":         "7773660",
		"(555) 12-34.5":   "55512345",
		"9,,5551234":      "9 4s 5551234",
		"18005551234w42#": "18005551234 w 42#",
		"*67a":            "*67A",
		",5":              "2s 5",
	} {
		steps, err := parseNumber(in)
		var got []string
		for _, s := range steps {
			switch {
			case s.digits != "":
				got = append(got, s.digits)
			case s.pause > 0:
				got = append(got, s.pause.String())
			default:
				got = append(got, "w")
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q is %q, %v; expected %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"":                       "no digit",
		",w":                     "no digit",
		"alice":                  `'l' is not a digit`,
		"555+1":                  `'+' is not a digit`,
		strings.Repeat("1", 100): "at most 64",
	} {
		if _, err := parseNumber(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", in, err, want)
		}
	}
	open(t, Config{}, "fxo1", func(o *office) {
		_, err := o.tryDial("alice")
		if c := asCause(t, err); c.Q850 != 28 {
			t.Errorf("cause %v", c)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"7773660", "9,w5", "", "(555) 1", "ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		steps, err := parseNumber(s)
		if err == nil && len(steps) == 0 {
			t.Errorf("%q has no step and no error", s)
		}
	})
}

// TestAnswerSigns: what is an answer by each rule, and what is not.
func TestAnswerSigns(t *testing.T) {
	speech := func(o *office) { o.jack("fxo1").say(&talk{}) }
	polarity := func(o *office) { o.jack("fxo1").change(jack.Polarity) }
	ringback := func(o *office) {
		o.jack("fxo1").say(plays(us.Ringback))
		time.Sleep(7 * time.Second)
		o.jack("fxo1").say(nil)
	}
	silence := func(*office) {}
	for _, c := range []struct {
		rule   string
		what   string
		does   func(*office)
		within time.Duration
		answer string // empty: none within the time
	}{
		{"", "polarity", polarity, time.Second, "polarity"},
		{"", "voice", speech, 2 * time.Second, "voice"},
		{"", "ringback", ringback, 10 * time.Second, "end of ringback"},
		{"", "silence", silence, 16 * time.Second, "after 15s"},
		{"", "silence not sooner", silence, 13 * time.Second, ""},
		{"polarity", "polarity", polarity, time.Second, "polarity"},
		{"polarity", "voice", speech, 20 * time.Second, ""},
		{"polarity", "ringback", ringback, 20 * time.Second, ""},
		{"voice", "voice", speech, 2 * time.Second, "voice"},
		{"voice", "polarity", polarity, 2 * time.Second, ""},
		{"voice", "ringback", ringback, 10 * time.Second, ""},
		{"ringback-end", "ringback", ringback, 10 * time.Second, "end of ringback"},
		{"ringback-end", "voice", speech, 5 * time.Second, ""},
		{"after 3s", "silence", silence, 3 * time.Second, "after 3s"},
		{"after 3s", "polarity", polarity, 1 * time.Second, ""},
		{"after 30s", "ringback", ringback, 20 * time.Second, ""},
	} {
		t.Run(c.rule+"/"+c.what, func(t *testing.T) {
			rule, err := ParseAnswerRule(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			open(t, Config{Lines: []LineConfig{{FXO: FXO{Answer: rule}}}}, "fxo1", func(o *office) {
				p := o.reach("7773660")
				c.does(o)
				time.Sleep(c.within)
				synctest.Wait()
				got := ""
				for _, r := range p.ladder.Rungs() {
					if strings.HasPrefix(r.Text, "answer (") {
						got = strings.TrimSuffix(strings.TrimPrefix(r.Text, "answer ("), ")")
					}
				}
				if got != c.answer {
					t.Errorf("answer by %q, expected %q\n%v", got, c.answer, p.ladder)
				}
			})
		})
	}
}

func TestAnswerRules(t *testing.T) {
	for in, want := range map[string]AnswerRule{
		"": {}, "auto": {}, "voice": {By: AnswerVoice}, "polarity": {By: AnswerPolarity},
		"ringback-end": {By: AnswerRingbackEnd}, "after 3s": {AnswerAfter, 3 * time.Second},
	} {
		if got, err := ParseAnswerRule(in); err != nil || got != want {
			t.Errorf("%q is %v, %v", in, got, err)
		}
		if want.String() != in && in != "" {
			t.Errorf("%v is written %q", want, want.String())
		}
	}
	for _, bad := range []string{"after", "after soon", "after -1s", "voice 3s", "maybe"} {
		if r, err := ParseAnswerRule(bad); err == nil {
			t.Errorf("%q is %v", bad, r)
		}
	}
}

// TestRefusedByTheExchange: what the exchange says instead of an answer.
func TestRefusedByTheExchange(t *testing.T) {
	for _, c := range []struct {
		name  string
		does  func(*fakeJack)
		cause int
		text  string
	}{
		{"busy", func(j *fakeJack) { j.say(plays(us.Busy)) }, 17, "busy tone on line fxo1"},
		{"congestion", func(j *fakeJack) { j.say(plays(us.Congestion)) }, 34, "congestion tone on line fxo1"},
		{"dial tone", func(j *fakeJack) { j.say(plays(us.Dial)) }, 31, "gave the call up before an answer (dial tone)"},
		{"loop drop", func(j *fakeJack) { j.changed(jack.Change{What: jack.LoopDrop, For: 300 * time.Millisecond}) }, 31, "loop-current drop"},
		{"battery", func(j *fakeJack) { j.change(jack.BatteryOff) }, 31, "loop current lost"},
		{"card gone", func(j *fakeJack) { j.change(jack.Down) }, 27, "the line card is gone"},
		{"fault", func(j *fakeJack) { j.change(jack.Fault) }, 27, "the port is out of order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			open(t, Config{}, "fxo1", func(o *office) {
				p := o.reach("7773660")
				c.does(o.jack("fxo1"))
				time.Sleep(8 * time.Second)
				p.because(c.cause, c.text)
				if o.jack("fxo1").now().OffHook {
					t.Error("the line is still off-hook")
				}
			})
		})
	}
}

// TestHangUpAtEveryRung: our side gives up before the answer.
func TestHangUpAtEveryRung(t *testing.T) {
	for d := time.Duration(0); d < 6*time.Second; d += 250 * time.Millisecond {
		open(t, Config{}, "fxo1", func(o *office) {
			line := o.jack("fxo1")
			p := o.dial("7773660")
			line.dialTone()
			time.Sleep(d)
			p.Hangup(leg.Cancelled)
			p.because(16, leg.Cancelled.Text)
			time.Sleep(40 * time.Millisecond)
			if line.now().OffHook || line.audioOn() {
				t.Errorf("after %v: %v", d, line)
			}
			o.is("fxo1", "idle")
		})
	}
}

func TestNoDialTone(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		p := o.dial("7773660")
		time.Sleep(2990 * time.Millisecond)
		p.saw("Trying")
		time.Sleep(20 * time.Millisecond)
		p.because(38, "line fxo1 (card1:fxo1 (/dev/ttyTEST)): no dial tone after 3s: is the wall jack plugged in?")
		p.draws(`
			b2bua -> fxo1 off-hook
			b2bua -> fxo1 on-hook`)
		if s := o.status("fxo1"); s.Counts.NoDialTone != 1 || !strings.Contains(s.Fault, "no dial tone") {
			t.Errorf("report %+v", s)
		}
	})
}

func TestNoDialToneTriesTheNextLine(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		p := o.dial("7773660")
		o.jack("fxo2").dialTone()
		time.Sleep(3 * time.Second)
		time.Sleep(4 * time.Second)
		if got := o.jack("fxo2").dialled(); got != "7773660" {
			t.Errorf("fxo2 heard %q", got)
		}
		p.saw("Trying", "EarlyMedia")
		if p.Name() != "fxo2" {
			t.Errorf("the leg is at %s", p.Name())
		}
		p.draws(`
			b2bua -> fxo1  off-hook
			b2bua -> fxo1  on-hook
			b2bua -> fxo2  off-hook
			fxo2  -> b2bua dial tone
			b2bua -> fxo2  DTMF 7773660`)
		o.is("fxo1", "idle")
		// For a while the silent line is tried last.
		if q := o.dial("5550100"); q.Name() != "fxo1" {
			t.Errorf("with fxo2 in use the call went to %s", q.Name())
		}
	})
}

func TestSilentLineIsTriedLast(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		p := o.dial("7773660")
		time.Sleep(3100 * time.Millisecond) // fxo1 silent, now fxo2
		p.Hangup(leg.Cancelled)
		time.Sleep(10 * time.Second)
		if q := o.dial("7773660"); q.Name() != "fxo2" {
			t.Errorf("the call went to %s", q.Name())
		}
		time.Sleep(suspectFor)
	})
}

func TestNoLineOfTheTrunkHasDialTone(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		p := o.dial("7773660")
		time.Sleep(7 * time.Second)
		p.because(38, "(the last of 2 lines tried)")
		p.saw("Trying", "HungUp 38")
	})
}

func TestHangUpWhileHunting(t *testing.T) {
	for d := 2980 * time.Millisecond; d < 3020*time.Millisecond; d += 5 * time.Millisecond {
		open(t, Config{}, "fxo1 fxo2", func(o *office) {
			p := o.dial("7773660")
			time.Sleep(d)
			p.Hangup(leg.Cancelled)
			p.because(16, leg.Cancelled.Text)
			o.is("fxo1", "idle")
			o.is("fxo2", "idle")
		})
	}
}

func TestBlindDial(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXO: FXO{BlindDial: true, DialToneWait: time.Second}}}}, "fxo1", func(o *office) {
		p := o.dial("7773660")
		time.Sleep(3 * time.Second)
		if got := o.jack("fxo1").dialled(); got != "7773660" {
			t.Errorf("the exchange heard %q", got)
		}
		p.saw("Trying", "EarlyMedia")
	})
}

func TestAllLinesBusy(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2 fxo3", func(o *office) {
		o.jack("fxo2").change(jack.Down)
		o.jack("fxo3").change(jack.BatteryOff)
		o.reach("7773660")
		_, err := o.tryDial("5550100")
		c := asCause(t, err)
		want := "no line of trunk pstn is free: fxo1 calling 7773660, fxo2 failed: the line card is gone: is it plugged in?, fxo3 failed: no battery: is the wall jack plugged in?"
		if c.Q850 != 34 || c.Text != want {
			t.Errorf("cause %v", c)
		}
	})
}

func TestHunting(t *testing.T) {
	for hunt, want := range map[Hunt]string{
		Ascending:      "fxo1 fxo1 fxo1 fxo1",
		Descending:     "fxo3 fxo3 fxo3 fxo3",
		RoundRobin:     "fxo1 fxo2 fxo3 fxo1",
		RoundRobinDown: "fxo3 fxo2 fxo1 fxo3",
	} {
		open(t, Config{Trunks: []TrunkConfig{{Hunt: hunt}}}, "fxo1 fxo2 fxo3", func(o *office) {
			var got []string
			for range 4 {
				p := o.dial("7773660")
				got = append(got, p.Name())
				p.Hangup(leg.Cancelled)
				time.Sleep(5 * time.Second)
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%v: %s, expected %s", hunt, s, want)
			}
		})
	}
}

func TestGuardTime(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		for _, name := range []string{"fxo1", "fxo2"} { // the line that rests comes after the others
			p := o.dial("7773660")
			if p.Name() != name {
				t.Errorf("the call went to %s, expected %s", p.Name(), name)
			}
			p.Hangup(leg.Cancelled)
			synctest.Wait()
		}
		p := o.dial("7773660") // both rest
		o.is("fxo1", "seized for 7773660, waits out the guard time")
		if o.jack("fxo1").now().OffHook {
			t.Error("seized within the guard time")
		}
		time.Sleep(3990 * time.Millisecond)
		synctest.Wait()
		if o.jack("fxo1").now().OffHook {
			t.Error("seized within the guard time")
		}
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		if !o.jack("fxo1").now().OffHook {
			t.Error("not seized after the guard time")
		}
		p.Hangup(leg.Cancelled)
		p.saw("Trying", "HungUp 16")
		q := o.dial("7773660") // guards of fxo2 ended
		if q.Name() != "fxo2" {
			t.Errorf("the call went to %s", q.Name())
		}
	})
}

// TestGlareBeforeOffHook: the line rings while it waits out its guard time.
func TestGlareBeforeOffHook(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		o.dial("7773660").Hangup(leg.Cancelled)
		synctest.Wait()
		p := o.dial("7773660")
		line.rings(1, tells("5551234", ""))
		p.because(34, "began to ring")
		q := o.comes(1)
		if q.in.Caller.Number != "5551234" {
			t.Errorf("caller %v", q.in.Caller)
		}
		if n := o.status("fxo1").Counts.Glare; n != 1 {
			t.Errorf("%d times glare", n)
		}
	})
}

// TestGlare: the exchange rings the line as we seize it, so that we have
// answered. Our call takes another line; the caller waits for an answer inside.
func TestGlare(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		line := o.jack("fxo1")
		p := o.dial("7773660")
		line.change(jack.RingOn)
		q := o.comes(1)
		if p.Name() != "fxo2" || q.Name() != "fxo1" {
			t.Errorf("our call is at %s, the incoming one at %s", p.Name(), q.Name())
		}
		line.change(jack.RingOff)
		q.Ringing()
		time.Sleep(2 * time.Second)
		if !sounds(line.recent(6*time.Second), us.Ringback) {
			t.Error("the caller hears no ringback")
		}
		q.Answer()
		q.saw()
		o.is("fxo1", "talking with unknown")
		p.saw("Trying")
		q.draws(`fxo1 -> b2bua ring (glare)`)
		line.changed(jack.Change{What: jack.LoopDrop, For: 300 * time.Millisecond})
		q.because(16, "loop-current drop")
	})
}

func TestGlareAndTheCallerGivesUp(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		o.dial("7773660")
		o.jack("fxo1").change(jack.RingOn)
		q := o.comes(1)
		o.jack("fxo1").change(jack.RingOff)
		o.jack("fxo1").say(plays(us.Dial))
		time.Sleep(5 * time.Second)
		q.because(16, "the caller hung up before the answer (dial tone)")
		o.is("fxo1", "idle")
	})
}

// TestRingMeetsSeizure: the ring is already in the line's inbox as a trunk
// claims it.
func TestRingMeetsSeizure(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		p := o.meets("fxo1", jack.Change{What: jack.RingOn, State: jack.State{Present: true, Battery: true, Ringing: true}})
		if p.Name() != "fxo2" {
			t.Errorf("our call is at %s", p.Name())
		}
		if o.jack("fxo1").now().OffHook {
			t.Error("the ringing line was seized")
		}
		p.saw("Trying")
		if n := o.status("fxo1").Counts.Glare; n != 1 {
			t.Errorf("%d times glare", n)
		}
	})
}

func TestTwoStages(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) { inTwoStages(o, o.dial("9w5551234")) })
}

// The lines lead to another exchange, which wants a 9 and gives a second dial tone:
// the number is the number all the same.
func TestTrunkAccess(t *testing.T) {
	open(t, Config{Trunks: []TrunkConfig{{Access: "9w"}}}, "fxo1", func(o *office) {
		p := o.dial("5551234")
		inTwoStages(o, p)
		if n := p.Party().Number; n != "5551234" {
			o.t.Errorf("called is %q", n)
		}
	})
}

// inTwoStages lets an exchange give dial tone twice, and looks what is dialled then.
func inTwoStages(o *office, p *party) {
	o.t.Helper()
	line := o.jack("fxo1")
	line.dialTone()
	time.Sleep(1700 * time.Millisecond)
	if got := line.dialled(); got != "9" {
		o.t.Errorf("first stage %q", got)
	}
	line.dialTone()
	time.Sleep(2700 * time.Millisecond)
	if got := line.dialled(); got != "5551234" {
		o.t.Errorf("second stage %q", got)
	}
	p.draws(`
			b2bua -> fxo1  off-hook
			fxo1  -> b2bua dial tone
			b2bua -> fxo1  DTMF 9
			fxo1  -> b2bua dial tone
			b2bua -> fxo1  DTMF 5551234`)
}

func TestPause(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		o.dial("9,5")
		line.dialTone()
		time.Sleep(2 * time.Second)
		if got := line.dialled(); got != "9" {
			t.Errorf("before the pause %q", got)
		}
		time.Sleep(time.Second)
		if got := line.dialled(); got != "5" {
			t.Errorf("after the pause %q", got)
		}
	})
}

func TestPulseDialing(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXO: FXO{Pulse: true}}}}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		p := o.dial("120")
		line.say(plays(us.Dial))
		time.Sleep(700 * time.Millisecond)
		line.say(nil)
		time.Sleep(4 * time.Second)
		if p := line.breaks(); len(p) != 1+2+10 || slices.Max(p) != 61*time.Millisecond {
			t.Errorf("%d pulses: %v", len(p), p)
		}
		p.saw("Trying", "EarlyMedia")
		p.Hangup(leg.Cancelled)
		time.Sleep(5 * time.Second)
		o.dial("5#").because(28, "digits that have none")
		o.is("fxo1", "idle")
	})
}
