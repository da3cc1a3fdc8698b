package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
)

// answered is a call over fxo1 that talks.
func (o *office) answered() *party {
	o.t.Helper()
	p := o.reach("7773660")
	o.jack("fxo1").change(jack.Polarity)
	p.saw("Trying", "EarlyMedia", "Answered")
	time.Sleep(time.Second)
	return p
}

// TestDisconnectSupervision: each way in which a line says that the other end
// has hung up.
func TestDisconnectSupervision(t *testing.T) {
	for _, c := range []struct {
		name string
		fxo  FXO
		does func(*fakeJack)
		text string
	}{
		{"loop drop", FXO{}, func(j *fakeJack) { j.changed(jack.Change{What: jack.LoopDrop, For: 80 * time.Millisecond}) }, "loop-current drop"},
		{"battery", FXO{}, func(j *fakeJack) { j.change(jack.BatteryOff) }, "loop current lost"},
		{"reversal back", FXO{}, func(j *fakeJack) { j.change(jack.Polarity) }, "polarity reversal"},
		{"busy", FXO{}, func(j *fakeJack) { j.say(plays(us.Busy)) }, "busy tone"},
		{"congestion", FXO{}, func(j *fakeJack) { j.say(plays(us.Congestion)) }, "congestion tone"},
		{"dial tone", FXO{}, func(j *fakeJack) { j.say(plays(us.Dial)) }, "dial tone"},
		{"howler", FXO{}, func(j *fakeJack) { j.say(plays(us.Howler)) }, "off-hook warning"},
		{"silence", FXO{Silence: 10 * time.Second}, func(j *fakeJack) {}, "silence for 10s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			open(t, Config{Lines: []LineConfig{{FXO: c.fxo}}}, "fxo1", func(o *office) {
				p := o.answered()
				c.does(o.jack("fxo1"))
				time.Sleep(12 * time.Second)
				p.because(16, "the other end hung up ("+c.text+")")
				if by := p.ended().By; by != "fxo1" {
					t.Errorf("ended by %q", by)
				}
				if o.jack("fxo1").now().OffHook {
					t.Error("the line is still off-hook")
				}
			})
		})
	}
}

// TestNoFalseDisconnect: what happens in calls and is no hang-up.
func TestNoFalseDisconnect(t *testing.T) {
	for _, c := range []struct {
		name string
		does func(*fakeJack)
	}{
		{"speech", func(j *fakeJack) { j.say(&talk{}) }},
		{"silence", func(j *fakeJack) {}},
		{"short drop", func(j *fakeJack) { j.changed(jack.Change{What: jack.LoopDrop, For: 60 * time.Millisecond}) }},
		{"battery comes back", func(j *fakeJack) {
			j.change(jack.BatteryOff)
			time.Sleep(50 * time.Millisecond)
			j.change(jack.BatteryOn)
		}},
		{"digits at the tempo of busy tone", func(j *fakeJack) {
			for range 10 {
				g := dtmf.NewGenerator(dtmf.Timing{On: 500 * time.Millisecond, Off: 500 * time.Millisecond})
				_ = g.Dial("5")
				j.say(g)
				time.Sleep(time.Second)
			}
		}},
		{"ringback: transferred outside", func(j *fakeJack) { j.say(plays(us.Ringback)) }},
		{"call waiting", func(j *fakeJack) { j.say(plays(us.CallWaiting)) }},
		{"ring", func(j *fakeJack) { j.change(jack.RingOn); j.change(jack.RingOff) }},
		{"snapshot", func(j *fakeJack) { j.change(jack.Up) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			open(t, Config{}, "fxo1", func(o *office) {
				p := o.answered()
				c.does(o.jack("fxo1"))
				time.Sleep(15 * time.Second)
				o.is("fxo1", "talking with 7773660")
				p.Hangup(leg.NormalClearing)
				p.because(16, "")
			})
		})
	}
}

// TestDeafAfterOffHook: the exchange's switching just after off-hook, and just
// after the answer, is no hang-up.
func TestDeafAfterOffHook(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.rings(1, tells("5551234", ""))
		o.comes(1).Answer()
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		line.changed(jack.Change{What: jack.LoopDrop, For: 200 * time.Millisecond})
		o.is("fxo1", "talking with 5551234")
	})
	open(t, Config{}, "fxo1", func(o *office) {
		o.reach("7773660")
		line := o.jack("fxo1")
		line.change(jack.Polarity)
		time.Sleep(300 * time.Millisecond)
		line.change(jack.Polarity)
		o.is("fxo1", "talking with 7773660")
	})
}

func TestReversalOnAnIncomingCall(t *testing.T) {
	for _, hangup := range []bool{false, true} {
		open(t, Config{Lines: []LineConfig{{FXO: FXO{PolarityHangup: hangup}}}}, "fxo1", func(o *office) {
			line := o.jack("fxo1")
			line.rings(1, tells("5551234", ""))
			p := o.comes(1)
			p.Answer()
			synctest.Wait()
			time.Sleep(time.Second)
			line.change(jack.Polarity)
			if hangup {
				p.because(16, "polarity reversal")
			} else {
				o.is("fxo1", "talking with 5551234")
			}
		})
	}
}

func TestSilenceIsOfBothSides(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXO: FXO{Silence: 10 * time.Second}}}}, "fxo1", func(o *office) {
		p := o.answered()
		stop := o.speaks(p, &talk{}) // our side talks, the line is silent
		time.Sleep(25 * time.Second)
		o.is("fxo1", "talking with 7773660")
		stop()
		time.Sleep(11 * time.Second)
		p.because(16, "silence for 10s")
	})
	open(t, Config{Lines: []LineConfig{{FXO: FXO{Silence: -1}}}}, "fxo1", func(o *office) {
		o.answered()
		time.Sleep(time.Minute)
		o.is("fxo1", "talking with 7773660")
	})
}

// speaks writes what s says to the party's stream until stop.
func (o *office) speaks(p *party, s media.Source) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var pcm [160]int16
		var codes [160]byte
		pk := media.Packet{Law: g711.ALaw, Source: 7}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			clear(pcm[s.Read(pcm[:]):])
			pk.Law.Encode(codes[:], pcm[:])
			pk.Payload = codes[:]
			p.Stream().Write(&pk)
			pk.Seq++
			pk.Timestamp += 160
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

func TestDigitsDuringACall(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		p := o.answered()
		line.dialled()
		stop := o.speaks(p, &talk{})
		for _, d := range "42#" {
			p.Digit(byte(d), 80*time.Millisecond)
		}
		p.Digit('?', 0) // no digit: nothing is sent
		time.Sleep(time.Second)
		stop()
		if got := line.dialled(); got != "42#" {
			t.Errorf("the exchange heard %q", got)
		}
		line.press("7")
		p.saw("Trying", "EarlyMedia", "Answered", "Digit 7")
		if d := p.events[3].(leg.Digit); !d.Relayed || d.For < 80*time.Millisecond || d.For > 120*time.Millisecond {
			t.Errorf("digit %+v", d)
		}
	})
}

func TestTelephoneEventsBecomeTones(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		p := o.answered()
		line.dialled()
		pk := media.Packet{Kind: media.Event, Source: 9, Timestamp: 8000, Marker: true}
		for i := 1; i <= 8; i++ {
			pk.Payload = media.TelephoneEvent{Code: 5, Duration: uint16(i * 160), End: i >= 6, Volume: 10}.Put(make([]byte, 4))
			if i > 6 { // the end is sent three times
				pk.Payload = media.TelephoneEvent{Code: 5, Duration: 960, End: true, Volume: 10}.Put(make([]byte, 4))
			}
			p.Stream().Write(&pk)
			pk.Seq++
			pk.Marker = false
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if got := line.dialled(); got != "5" {
			t.Errorf("the exchange heard %q", got)
		}
	})
}

func TestFlashToTheExchange(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		p := o.answered()
		p.Flash()
		synctest.Wait()
		if b := line.breaks(); len(b) != 1 || b[0] != 750*time.Millisecond {
			t.Errorf("flashes %v", b)
		}
		time.Sleep(760 * time.Millisecond) // the card sees our own break
		line.changed(jack.Change{What: jack.LoopDrop, For: 750 * time.Millisecond})
		o.is("fxo1", "talking with 7773660")
	})
}

func TestSilentCardIsReported(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		p := o.answered()
		line.mu.Lock()
		line.stalled = true
		line.mu.Unlock()
		time.Sleep(3100 * time.Millisecond)
		p.saw("Trying", "EarlyMedia", "Answered", "Silent")
		line.mu.Lock()
		line.stalled = false
		line.mu.Unlock()
		time.Sleep(2 * time.Second)
		p.saw("Trying", "EarlyMedia", "Answered", "Silent", "Heard")
	})
}

func TestCardGoneDuringACall(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		p := o.answered()
		o.jack("fxo1").change(jack.Down)
		p.because(41, "line fxo1 (card1:fxo1 (/dev/ttyTEST)): the line card is gone: is it plugged in?")
		o.is("fxo1", "failed: the line card is gone: is it plugged in?")
		if q := o.dial("7773660"); q.Name() != "fxo2" {
			t.Errorf("the next call went to %s", q.Name())
		}
		o.jack("fxo1").change(jack.Up)
		o.is("fxo1", "idle")
	})
}

func TestBatteryOfAnIdleLine(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.change(jack.BatteryOff)
		o.is("fxo1", "failed: no battery: is the wall jack plugged in?")
		time.Sleep(2 * time.Second)
		s := o.status("fxo1")
		if s.Ready || s.Failed == "" || s.Fault == "" {
			t.Errorf("report %+v", s)
		}
		line.change(jack.BatteryOn)
		o.is("fxo1", "idle")
		if s := o.status("fxo1"); !s.Ready || s.Failed != "" {
			t.Errorf("report %+v", s)
		}
	})
}

func TestBusyOut(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		if err := o.g.BusyOut("fxo1", true); err != nil {
			t.Fatal(err)
		}
		o.is("fxo1", "busied out")
		if _, err := o.tryDial("7773660"); err == nil {
			t.Error("a line out of service was seized")
		}
		if err := o.g.BusyOut("fxo1", false); err != nil {
			t.Fatal(err)
		}
		o.is("fxo1", "idle")
		if err := o.g.BusyOut("fxo9", true); err == nil {
			t.Error("no error for a line that does not exist")
		}
	})
}
