package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/media/tone"
)

// cadence reads "800 400 800", in milliseconds.
func cadence(s string) (times []time.Duration) {
	for _, w := range strings.Fields(s) {
		d, err := time.ParseDuration(w + "ms")
		if err != nil {
			panic(err)
		}
		times = append(times, d)
	}
	return times
}

// ringsOf are the rings of the names as numbers of a line, each number its ring's name.
func ringsOf(c tone.Country, names string) (known []numberRing) {
	for _, name := range strings.Fields(names) {
		times, ok := c.Ring(name)
		if !ok {
			panic(name)
		}
		known = append(known, numberRing{RingNumber{name, name}, times[:len(times)-1]})
	}
	return known
}

// TestWhichNumber: what was heard is the ring that it is closest to, within a
// quarter of each ring and half of each pause, or 100 and 150 ms.
func TestWhichNumber(t *testing.T) {
	uk, _ := tone.Lookup("uk")
	for _, c := range []struct {
		country tone.Country
		numbers string
		heard   string
		want    string // empty: none
	}{
		{us, "outside dr2 dr3 dr4", "2000", "outside"},
		{us, "outside dr2 dr3 dr4", "800 400 800", "dr2"},
		{us, "outside dr2 dr3 dr4", "400 200 400 200 800", "dr3"},
		{us, "outside dr2 dr3 dr4", "300 200 1000 200 300", "dr4"},
		// what debouncing, and a card that is slow, make of them
		{us, "outside dr2 dr3 dr4", "1500", "outside"},
		{us, "outside dr2 dr3 dr4", "2500", "outside"},
		{us, "outside dr2 dr3 dr4", "736 464 736", "dr2"},
		{us, "outside dr2 dr3 dr4", "600 600 1000", "dr2"},
		{us, "outside dr2 dr3 dr4", "300 350 500 50 1000", "dr3"},
		{us, "outside dr2 dr3 dr4", "200 350 1250 350 400", "dr4"},
		{us, "outside dr2 dr3 dr4", "400 150 900 250 200", "dr4"},
		// a modem that counts in tenths
		{us, "outside dr2 dr3 dr4", "400 100 300 200 800", "dr3"},
		// none of them
		{us, "outside dr2 dr3 dr4", "1490", ""},
		{us, "outside dr2 dr3 dr4", "2510", ""},
		{us, "outside dr2 dr3 dr4", "590 400 800", ""},
		{us, "outside dr2 dr3 dr4", "800 620 800", ""},
		{us, "outside dr2 dr3 dr4", "800", ""}, // the caller gave up
		{us, "outside dr2 dr3 dr4", "800 400", ""},
		{us, "outside dr2 dr3 dr4", "400 200 400 200 800 200 400", ""},
		{us, "outside dr2 dr3 dr4", "", ""},
		{us, "dr3", "300 200 1000 200 300", ""},
		{us, "", "2000", ""},
		// where several would do, the closest
		{us, "inside dr2", "500 300 500", "inside"},
		{us, "dr2 inside", "480 200 480", "inside"},
		{uk, "outside dr2", "600 300 600", "dr2"},
		{uk, "outside dr2 inside", "400 200 400", "outside"},
		{uk, "outside dr2 inside", "1100", "inside"},
	} {
		if got, _ := recognise(cadence(c.heard), ringsOf(c.country, c.numbers)); got.Number != c.want {
			t.Errorf("%s of %s: %q, expected %q", c.heard, c.numbers, got.Number, c.want)
		}
	}
}

// Whatever a line's exchange rings by, each of its rings is told from the others
// though each time is wrong by as much as debouncing and a modem's tenths can make
// it, at any length of them.
func TestRingsAreToldApartWithNoise(t *testing.T) {
	for _, code := range tone.Codes() {
		c, err := tone.Lookup(code)
		if err != nil {
			t.Fatal(err)
		}
		known := ringsOf(c, "outside inside dr2 dr3 dr4")
		for _, n := range known {
			if err := endsPlainly(append(n.times, 4*time.Second)); err != nil {
				t.Errorf("%s: %s: %v", code, n.Ring, err)
			}
			for wrong := -64 * time.Millisecond; wrong <= 64*time.Millisecond; wrong += 16 * time.Millisecond {
				heard := make([]time.Duration, len(n.times))
				for i, d := range n.times {
					if heard[i] = d + wrong; i%2 == 1 { // a ring that is longer has a shorter pause after it
						heard[i] = d - wrong
					}
				}
				got, ok := recognise(heard, known)
				if !ok || got.Ring != n.Ring && !alike(n.times, ringsOf(c, got.Ring)[0].times) {
					t.Errorf("%s: %v, which is %s, is taken for %q", code, heard, n.Ring, got.Ring)
				}
			}
		}
	}
}

// A severalNumbers line has three, told by their rings.
func severalNumbers(wait time.Duration) Config {
	return Config{Rings: map[string][]time.Duration{"door": {300 * ms, 200 * ms, 300 * ms, 4 * time.Second}}, Lines: []LineConfig{{FXO: FXO{
		CallerIDWait: wait,
		Numbers:      [4]RingNumber{{"outside", "+12015550101"}, {"dr2", "+12015550102"}, {"dr3", "+12015550103"}, {"door", "+12015550104"}},
	}}}}
}

// first rings the line by a cadence, without the pause at its end.
func (j *fakeJack) first(times string) {
	for i, d := range cadence(times) {
		if i%2 == 0 {
			j.burst(d)
		} else {
			time.Sleep(d)
		}
	}
}

// TestRingTellsTheNumber: the call is offered when the caller is known and not
// before the first ring is over; which of the line's numbers was called is part of
// it, and of the line's report.
func TestRingTellsTheNumber(t *testing.T) {
	for rings, number := range map[string]string{
		"2000": "+12015550101", "750 450 850": "+12015550102", "400 200 400 200 800": "+12015550103", "330 170 310": "+12015550104",
	} {
		t.Run(rings, func(t *testing.T) {
			open(t, severalNumbers(0), "fxo1", func(o *office) {
				line := o.jack("fxo1")
				go func() {
					time.Sleep(time.Second)
					o.is("fxo1", "ringing, waits for the end of the first ring")
				}()
				line.first(rings)
				time.Sleep(500 * ms)
				line.say(tells("5551234", "Joe"))
				time.Sleep(2 * time.Second)
				p := o.comes(1)
				if p.in.Dialed != number || p.in.Caller.Number != "5551234" {
					t.Errorf("dialled %q by %v", p.in.Dialed, p.in.Caller)
				}
				o.is("fxo1", `ringing, caller 5551234 "Joe", for `+number)
				p.draws(fmt.Sprintf(`
					fxo1 -> b2bua ring
					fxo1 -> b2bua called %s
					fxo1 -> b2bua caller ID 5551234 "Joe"`, number))
				time.Sleep(10 * time.Second)
				p.because(16, "hung up before the answer")
				if s := o.status("fxo1"); s.Last[0].Dialed != number || s.Counts.NoNumber != 0 {
					t.Errorf("report %+v", s)
				}
			})
		})
	}
}

// TestRingOfNoNumber: a call whose ring is none of the line's, or whose caller gives
// up in the midst of it, goes on without a number; the log says what was heard.
func TestRingOfNoNumber(t *testing.T) {
	for rings, heard := range map[string]string{
		"1000":        "1.0s",
		"800":         "0.8s", // gave up after the first of two
		"900 260 300": "0.9s/0.3s/0.3s",
		"800 300 70":  "0.8s/0.3s/0.1s", // it ends in a click, and is a call all the same
		"300 200 300 200 300 200 300 200 300 200 300": "0.3s/0.2s/0.3s/0.2s/0.3s/0.2s/0.3s", // it rings on
		"3000": "2.6s", // the same
	} {
		t.Run(rings, func(t *testing.T) {
			log := &journal{}
			c := severalNumbers(0)
			c.Log = log.log()
			open(t, c, "fxo1", func(o *office) {
				o.jack("fxo1").first(rings)
				time.Sleep(3900 * ms)
				o.comes(0)
				time.Sleep(200 * ms)
				p := o.comes(1)
				if p.in.Dialed != "" {
					t.Errorf("dialled %q", p.in.Dialed)
				}
				if said := "rang " + heard + ", which is none of the line's numbers"; log.of(said) != 1 {
					t.Errorf("the log does not say %q:\n%s", said, log.text.String())
				}
				p.draws("fxo1 -> b2bua ring\nfxo1 -> b2bua rang " + heard + "\nfxo1 -> b2bua no caller ID")
				if n := o.status("fxo1").Counts.NoNumber; n != 1 {
					t.Errorf("%d calls of no number", n)
				}
				time.Sleep(5 * time.Second)
				p.because(16, "hung up before the answer")
			})
		})
	}
}

// TestNumberAndCallerID: whenever the caller is known, the end of the first ring is
// waited for, and no longer.
func TestNumberAndCallerID(t *testing.T) {
	const end = 800 * ms // after the ring
	several := func(wait time.Duration, country string) Config {
		c := severalNumbers(wait)
		c.Country = country
		return c
	}
	for name, c := range map[string]struct {
		Config
		before func(*fakeJack)
		after  time.Duration // the first ring
	}{
		"not waited for":                        {several(-1, "us"), nil, end},
		"waited for longer than the ring takes": {several(2*time.Second, "us"), nil, 2 * time.Second},
		"waited for shorter":                    {several(300*ms, "us"), nil, end},
		"before the ring, by reversal": {several(0, "uk"), func(j *fakeJack) {
			j.change(jack.Polarity)
			time.Sleep(150 * ms)
			j.say(callerid.NewSender(callerid.CallerID{Number: "5551234"}, callerid.Config{Standard: callerid.BT}))
			time.Sleep(2500 * ms)
		}, end},
		"before the ring, read by the hardware": {several(0, "us"), func(j *fakeJack) {
			j.changed(jack.Change{What: jack.CallerID, Caller: jack.Caller{Number: "5551234"}})
		}, end},
	} {
		t.Run(name, func(t *testing.T) {
			open(t, c.Config, "fxo1", func(o *office) {
				line := o.jack("fxo1")
				if c.before != nil {
					c.before(line)
				}
				line.first("800 400 800")
				time.Sleep(c.after - ms)
				o.comes(0)
				time.Sleep(2 * ms)
				p := o.comes(1)
				if known := p.in.Caller.Number == "5551234"; p.in.Dialed != "+12015550102" || known != (c.before != nil) {
					t.Errorf("dialled %q by %v", p.in.Dialed, p.in.Caller)
				}
				p.Answer()
				time.Sleep(ms)
				o.is("fxo1", "talking with "+p.in.Caller.String())
				p.Hangup(leg.NormalClearing)
			})
		})
	}
}

// TestEarlySecondRing: a second ring ends the wait for the caller ID as on any line,
// and the first has told the number.
func TestEarlySecondRing(t *testing.T) {
	open(t, severalNumbers(20*time.Second), "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.first("400 200 400 200 800")
		time.Sleep(900 * ms)
		o.comes(0)
		line.change(jack.RingOn)
		if p := o.comes(1); p.in.Dialed != "+12015550103" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		time.Sleep(800 * ms)
		line.change(jack.RingOff)
		time.Sleep(10 * time.Second)
	})
}

// TestShortBurstBeforeTheRing: a click is no call, and not part of one; nor is what
// a card repeats.
func TestShortBurstBeforeTheRing(t *testing.T) {
	open(t, severalNumbers(-1), "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.burst(70 * ms)
		time.Sleep(400 * ms)
		o.is("fxo1", "idle")
		line.first("800")
		line.change(jack.RingOff) // a card that says it twice
		time.Sleep(400 * ms)
		line.change(jack.RingOn)
		line.first("800")
		time.Sleep(time.Second)
		if p := o.comes(1); p.in.Dialed != "+12015550102" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		time.Sleep(10 * time.Second)
	})
}

// TestGlareTellsNoNumber: who is answered by our own seizure rang for too short a
// time; one that rings in the guard time is heard to the end.
func TestGlareAndNumbers(t *testing.T) {
	open(t, severalNumbers(-1), "fxo1", func(o *office) {
		line := o.jack("fxo1")
		ours := o.dial("1")
		line.change(jack.RingOn)
		ours.because(34, "began to ring")
		p := o.comes(1)
		if p.in.Dialed != "" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		p.Hangup(leg.Rejected)
		line.change(jack.RingOff)
		synctest.Wait()
		ours = o.dial("1")
		o.is("fxo1", "seized for 1, waits out the guard time")
		line.first("800 400 800")
		ours.because(34, "began to ring")
		time.Sleep(time.Second)
		if p = o.comes(2); p.in.Dialed != "+12015550102" {
			t.Errorf("after the guard time: dialled %q", p.in.Dialed)
		}
		time.Sleep(10 * time.Second)
		o.is("fxo1", "idle")
	})
}

// TestSeizedWhileTheFirstRingIsHeard: the line has a call already.
func TestSeizedInTheFirstRing(t *testing.T) {
	open(t, severalNumbers(-1), "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.first("800 400")
		ours := o.meets("fxo1", jack.Change{What: jack.RingOn, State: jack.State{Present: true, Battery: true, Ringing: true}})
		ours.because(34, "ringing, waits for the end of the first ring")
		time.Sleep(800 * ms)
		line.change(jack.RingOff)
		time.Sleep(900 * ms)
		if p := o.comes(1); p.in.Dialed != "+12015550102" || o.status("fxo1").Counts.Glare != 1 {
			t.Errorf("dialled %q, %+v", p.in.Dialed, o.status("fxo1").Counts)
		}
		time.Sleep(10 * time.Second)
	})
}

// TestCardComesUpInARing: how it began is not known, so that nothing is told by it.
func TestCardComesUpInARing(t *testing.T) {
	open(t, severalNumbers(-1), "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.change(jack.Down)
		line.change(jack.RingOn) // a card that is gone tells nothing
		line.change(jack.Up)
		if p := o.comes(1); p.in.Dialed != "" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		time.Sleep(2 * time.Second)
		line.change(jack.RingOff)
		time.Sleep(10 * time.Second)
	})
}

// TestJapaneseNumbers: the activation signal is no part of the ring, whether it is
// answered or not.
func TestJapaneseNumbers(t *testing.T) {
	several := severalNumbers(0)
	several.Country = "jp"
	several.Lines[0].FXO.Numbers[0] = RingNumber{"outside", "+12015550101"}
	open(t, several, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.activates(ntt(callerid.CallerID{Number: "0312345678"}))
		time.Sleep(1500 * ms)
		line.first("800 400 800")
		time.Sleep(900 * ms)
		p := o.comes(1)
		if p.in.Dialed != "+12015550102" || p.in.Caller.Number != "0312345678" {
			t.Errorf("dialled %q by %v", p.in.Dialed, p.in.Caller)
		}
		time.Sleep(10 * time.Second)
		for i, c := range []struct{ ring, number string }{{"1000", "+12015550101"}, {"210 200 310", "+12015550104"}} { // without activation
			line.first(c.ring)
			time.Sleep(900 * ms)
			if p = o.comes(2 + i); p.in.Dialed != c.number {
				t.Errorf("without caller ID, rung by %s: dialled %q", c.ring, p.in.Dialed)
			}
			time.Sleep(10 * time.Second)
		}
	})
}

// TestUntimedRings: hardware that can't tell how long it rings says so once, and
// calls go on as on any line.
func TestUntimedRings(t *testing.T) {
	log := &journal{}
	c := severalNumbers(-1)
	c.Log = log.log()
	open(t, c, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.change(jack.Down)
		line.mu.Lock()
		line.state.Untimed = true
		line.mu.Unlock()
		line.change(jack.Up)
		const said = "line fxo1 (card1:fxo1 (/dev/ttyTEST)): the hardware can't tell how long a ring is"
		if s := o.status("fxo1"); !strings.HasPrefix(s.Fault, said) || s.Failed != "" || log.of(said) != 1 {
			t.Errorf("fault %q, failed %q, logged %d times", s.Fault, s.Failed, log.of(said))
		}
		for n := 1; n <= 2; n++ {
			line.change(jack.RingOn)
			if p := o.comes(n); p.in.Dialed != "" {
				t.Errorf("dialled %q", p.in.Dialed)
			}
			time.Sleep(500 * ms)
			line.change(jack.RingOff)
			time.Sleep(10 * time.Second)
		}
		if log.of(said) != 1 {
			t.Error("said again for each call")
		}
	})
}

// TestLongPauseWithin: a ring is over when its pause is longer than any within those
// of the line's numbers.
func TestLongPauseWithin(t *testing.T) {
	c := severalNumbers(-1)
	c.Rings["slow"] = cadence("500 900 500 4000")
	c.Lines[0].FXO.Numbers[0].Ring = "slow"
	open(t, c, "fxo1", func(o *office) {
		o.jack("fxo1").first("500 1000 500")
		time.Sleep(1440 * ms)
		o.comes(0)
		time.Sleep(20 * ms)
		if p := o.comes(1); p.in.Dialed != "+12015550101" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		time.Sleep(10 * time.Second)
	})
}

// TestMeasuredRings: hardware that has measured a ring tells of it when it is over,
// and maybe of several at once; its own times count.
func TestMeasuredRings(t *testing.T) {
	open(t, severalNumbers(-1), "fxo1", func(o *office) {
		line := o.jack("fxo1")
		for i, d := range cadence("3800 400 200 400 200 800") { // it begins with the pause before
			what := jack.RingOn
			if i%2 == 1 {
				what = jack.RingOff
			}
			line.changed(jack.Change{What: what, For: d})
		}
		time.Sleep(900 * ms)
		if p := o.comes(1); p.in.Dialed != "+12015550103" {
			t.Errorf("dialled %q", p.in.Dialed)
		}
		time.Sleep(10 * time.Second)
		o.is("fxo1", "idle")
		for i, d := range cadence("0 2000 4000") { // the next ring tells that the first is over
			line.changed(jack.Change{What: [...]jack.What{jack.RingOn, jack.RingOff}[i%2], For: d})
		}
		if p := o.comes(2); p.in.Dialed != "+12015550101" {
			t.Errorf("as the next ring begins: dialled %q", p.in.Dialed)
		}
		line.change(jack.RingOff)
		time.Sleep(10 * time.Second)
	})
}
