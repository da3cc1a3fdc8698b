package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media"
	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// A town is a gateway whose lines lead to a simulated card, with the town
// exchange and the telephones behind it.
type town struct {
	t    *testing.T
	sim  *linesim.Sim
	card *linecard.Card
	g    *gateway.Gateway

	mu sync.Mutex
	in []*end
}

// An end is our side of a line: it keeps the leg's events, hears the line, and
// speaks to it.
type end struct {
	leg.Leg
	caller leg.Party
	dialed string
	ladder *leg.Ladder

	mu     sync.Mutex
	events []leg.Event
	heard  []int16
	on     map[string]time.Time // when the first event of each kind came
}

func (e *end) Deliver(ev leg.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, ev)
	kind := strings.TrimPrefix(fmt.Sprintf("%T", ev), "leg.")
	if e.on == nil {
		e.on = map[string]time.Time{}
	}
	if _, ok := e.on[kind]; !ok {
		e.on[kind] = time.Now()
	}
}

// Write hears the line (media.Sink).
func (e *end) Write(p *media.Packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range p.Payload {
		e.heard = append(e.heard, p.Law.DecodeSample(c))
	}
}

func (e *end) hearing() []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int16(nil), e.heard...)
}

// has tells whether an event of the kind came.
func (e *end) has(kind string) bool {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.on[kind].IsZero()
}

// cause is that of the leg's end; zero if it is not over.
func (e *end) cause() leg.Cause {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.events); n > 0 {
		if h, ok := e.events[n-1].(leg.HungUp); ok {
			return h.Cause.Filled()
		}
	}
	return leg.Cause{}
}

func (t *town) Accept(in leg.Incoming) leg.Sink {
	e := &end{Leg: in.Leg, caller: in.Caller, dialed: in.Dialed, ladder: in.Ladder}
	in.Leg.Stream().Feed(e)
	t.mu.Lock()
	t.in = append(t.in, e)
	t.mu.Unlock()
	return e
}

// comes waits until the nth call comes in.
func (t *town) comes(n int) *end {
	t.t.Helper()
	for range 300 {
		t.mu.Lock()
		if len(t.in) >= n {
			defer t.mu.Unlock()
			return t.in[n-1]
		}
		t.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
	t.t.Fatalf("call %d did not come in", n)
	return nil
}

func (t *town) dial(number string) *end {
	t.t.Helper()
	e := &end{ladder: new(leg.Ladder)}
	l, err := t.g.Dial("pstn", number, leg.Outgoing{Sink: e, Ladder: e.ladder})
	if err != nil {
		t.t.Fatal(err)
	}
	e.Leg = l
	l.Stream().Feed(e)
	return e
}

func (t *town) phone(line string, from leg.Party) *end {
	t.t.Helper()
	e := &end{ladder: new(leg.Ladder)}
	l, err := t.g.DialLine(line, leg.Outgoing{Sink: e, Ladder: e.ladder, From: from})
	if err != nil {
		t.t.Fatal(err)
	}
	e.Leg = l
	l.Stream().Feed(e)
	return e
}

// until waits for an event of the kind, a minute at most.
func (e *end) until(t *testing.T, kind string) {
	t.Helper()
	for range 600 {
		if e.has(kind) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("no %s; events %v\n%v", kind, e.events, e.ladder)
}

// say speaks pcm to the line, and returns as it has been said.
func (e *end) say(pcm []int16) {
	var codes [g711.FrameSize]byte
	p := media.Packet{Source: 1}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(pcm) >= len(codes) {
		g711.MuLaw.Encode(codes[:], pcm[:len(codes)])
		p.Payload = codes[:]
		e.Stream().Write(&p)
		p.Seq++
		p.Timestamp += g711.FrameSize
		pcm = pcm[len(codes):]
		<-tick.C
	}
}

func (t *town) status(line string) gateway.Status {
	synctest.Wait()
	for _, s := range t.g.Lines() {
		if s.Line == line {
			return s
		}
	}
	t.t.Fatalf("no line %s", line)
	return gateway.Status{}
}

// live runs body in a town with two FXO and two FXS lines.
func live(t *testing.T, sc linesim.Config, change func(*gateway.Config), body func(*town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tn := &town{t: t}
		var err error
		if tn.sim, err = linesim.New(sc); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := tn.sim.Close(); err != nil {
				t.Error(err)
			}
		}()
		tn.card = linecard.New(linecard.Config{Name: "card1", Device: "/dev/ttySIM", Open: tn.sim.Card(1).Open, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		defer tn.card.Close()
		c := gateway.Config{
			Accept: tn,
			Lines: []gateway.LineConfig{
				{Name: "fxo1", Kind: jack.FXO}, {Name: "fxo2", Kind: jack.FXO},
				{Name: "fxs1", Kind: jack.FXS, FXS: gateway.FXS{Extension: "103"}},
				{Name: "fxs2", Kind: jack.FXS, FXS: gateway.FXS{Extension: "104"}},
			},
			Trunks: []gateway.TrunkConfig{{Name: "pstn", Lines: []string{"fxo1", "fxo2"}}},
		}
		for i := range c.Lines {
			c.Lines[i].Port = tn.card.Port(i + 1)
		}
		if change != nil {
			change(&c)
		}
		for i, l := range c.Lines {
			if l.Port == nil {
				c.Lines[i].Port = tn.card.Port(i + 1)
			}
		}
		if tn.g, err = gateway.New(c); err != nil {
			t.Fatal(err)
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := tn.g.Close(ctx); err != nil {
				t.Error(err)
			}
			time.Sleep(500 * time.Millisecond) // the card obeys
			for _, l := range tn.sim.Town().Lines() {
				if l.Status().OffHook {
					t.Errorf("%s is left off-hook", l.Name())
				}
			}
		}()
		time.Sleep(time.Second) // the card is taken up
		body(tn)
	})
}

func (t *town) lineConfig(cfg linesim.LineConfig) {
	t.t.Helper()
	for _, l := range t.sim.Town().Lines() {
		if err := l.Set(cfg); err != nil {
			t.t.Fatal(err)
		}
	}
}

// hangsUp is the end of a test's call from our side, seen at the town.
func (t *town) hangsUp(e *end, number string) linesim.CallRecord {
	t.t.Helper()
	e.Hangup(leg.NormalClearing)
	if c := e.cause(); c.Q850 != 16 {
		t.t.Errorf("cause %v", c)
	}
	time.Sleep(time.Second)
	rec, ok := t.sim.Town().LastCall(number)
	if !ok || rec.Ended.IsZero() {
		t.t.Errorf("the town still has the call: %+v", rec.Why)
	}
	return rec
}

// clear checks that got is sent, with little beside.
func clear30(t *testing.T, what string, sent, got []int16) {
	t.Helper()
	r := measure.Compare(sent, got)
	if r.SNR < 30 || r.Gain < -1 || r.Gain > 1 {
		t.Errorf("%s: %+v", what, r)
	}
}

func TestTownAnswers(t *testing.T) {
	for _, reversal := range []bool{false, true} {
		live(t, linesim.Config{}, nil, func(tn *town) {
			tn.lineConfig(linesim.LineConfig{Reversal: reversal})
			e := tn.dial("7773660")
			e.until(t, "Answered")
			e.say(linesim.Signal(5 * time.Second))
			time.Sleep(time.Second)
			rec := tn.hangsUp(e, "7773660")
			if rec.Dialed != "7773660" {
				t.Errorf("the town heard %q", rec.Dialed)
			}
			clear30(t, "towards the town", linesim.Signal(5*time.Second), rec.Heard)
			clear30(t, "from the town", rec.Played, e.hearing())
			how := "voice"
			if reversal {
				how = "polarity"
			}
			if late := e.on["Answered"].Sub(rec.Answered); late > 400*time.Millisecond || late < 0 {
				t.Errorf("answer by %s noticed after %v", how, late)
			}
			for _, want := range []string{"off-hook", "dial tone", "DTMF 7773660", "answer (" + how + ")", "on-hook"} {
				if !strings.Contains(e.ladder.String(), want) {
					t.Errorf("no %q in\n%v", want, e.ladder)
				}
			}
		})
	}
}

func TestTownRefuses(t *testing.T) {
	for number, q := range map[string]int{"5550101": 17, "5550104": 34} {
		live(t, linesim.Config{}, nil, func(tn *town) {
			e := tn.dial(number)
			e.until(t, "HungUp")
			if c := e.cause(); c.Q850 != q {
				t.Errorf("%s: cause %v\n%v", number, c, e.ladder)
			}
		})
	}
}

func TestTownDoesNotAnswer(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		e := tn.dial("5550102")
		e.until(t, "Ringing")
		time.Sleep(45 * time.Second)
		if e.has("Answered") || e.has("HungUp") {
			t.Errorf("events %v", e.events)
		}
		tn.hangsUp(e, "5550102")
	})
}

// TestOutOfService: an announcement after the special information tone is no answer.
func TestOutOfService(t *testing.T) {
	subs := append(linesim.DefaultSubscribers(), linesim.Subscriber{Number: "5550105", Intercepted: true, Plays: linesim.Announcement(5 * time.Second)})
	live(t, linesim.Config{Subscribers: subs}, nil, func(tn *town) {
		e := tn.dial("5550105")
		time.Sleep(time.Minute)
		if e.has("Answered") {
			t.Errorf("an announcement was taken for an answer\n%v", e.ladder)
		}
		e.Hangup(leg.Cancelled)
	})
}

// TestTownHangsUp: every way in which the town may tell.
func TestTownHangsUp(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  linesim.LineConfig
		how  string
	}{
		{"loop drop", linesim.LineConfig{}, "loop-current drop"},
		{"short loop drop", linesim.LineConfig{LoopDrop: 100 * time.Millisecond}, "loop-current drop"},
		{"busy tone", linesim.LineConfig{LoopDrop: -1}, "busy tone"},
		{"dial tone", linesim.LineConfig{LoopDrop: -1, AfterHangUp: linesim.ThenDial}, "dial tone"},
		{"congestion", linesim.LineConfig{LoopDrop: -1, AfterHangUp: linesim.ThenCongestion}, "congestion tone"},
		{"polarity", linesim.LineConfig{LoopDrop: -1, AfterHangUp: linesim.ThenSilence, Reversal: true}, "polarity reversal"},
		{"silence", linesim.LineConfig{LoopDrop: -1, AfterHangUp: linesim.ThenSilence}, "silence for 20s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			live(t, linesim.Config{}, func(g *gateway.Config) {
				g.Lines[0].FXO.Silence = 20 * time.Second
			}, func(tn *town) {
				tn.lineConfig(c.cfg)
				e := tn.dial("5550100")
				e.until(t, "Answered")
				e.until(t, "HungUp")
				if cause := e.cause(); cause.Q850 != 16 || !strings.Contains(cause.Text, c.how) {
					t.Errorf("cause %v\n%v", cause, e.ladder)
				}
				rec, _ := tn.sim.Town().LastCall("5550100")
				if talked := rec.Ended.Sub(rec.Answered); talked < 9*time.Second {
					t.Errorf("ended after %v", talked)
				}
				if after := e.on["HungUp"].Sub(rec.Answered); after > 35*time.Second {
					t.Errorf("noticed %v after the answer", after)
				}
			})
		})
	}
}

func TestTownCalls(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		sig := linesim.Signal(5 * time.Second)
		if err := tn.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "5551234", Name: "Joe", Plays: sig, HangUp: 10 * time.Second}); err != nil {
			t.Fatal(err)
		}
		e := tn.comes(1)
		if e.caller != (leg.Party{Number: "5551234", Name: "Joe"}) {
			t.Errorf("caller %+v", e.caller)
		}
		e.Ringing()
		time.Sleep(3 * time.Second)
		e.Answer()
		time.Sleep(500 * time.Millisecond)
		e.say(sig)
		e.until(t, "HungUp")
		if c := e.cause(); c.Q850 != 16 || !strings.Contains(c.Text, "loop-current drop") {
			t.Errorf("cause %v", c)
		}
		time.Sleep(time.Second)
		if n := tn.status("fxo1").Counts.LostTicks; n != 0 {
			t.Errorf("%d frames are said to be lost: while it rang there were none", n)
		}
		rec, _ := tn.sim.Town().LastCall("5551234")
		clear30(t, "towards the town", sig, rec.Heard)
		clear30(t, "from the town", rec.Played, e.hearing())
	})
}

func TestTownCallsWithout(t *testing.T) {
	for _, c := range []struct {
		sub  linesim.Subscriber
		want leg.Party
	}{
		{linesim.Subscriber{Number: "5551234", Withheld: true}, leg.Party{Withheld: true}},
		{linesim.Subscriber{Number: "5551234", NoCallerID: true}, leg.Party{}},
		{linesim.Subscriber{Number: "5551234", BadCallerID: true}, leg.Party{}},
	} {
		live(t, linesim.Config{}, nil, func(tn *town) {
			c.sub.GiveUp = 15 * time.Second
			if err := tn.sim.Town().Ring("fxo2", c.sub); err != nil {
				t.Fatal(err)
			}
			e := tn.comes(1)
			e.caller.Name = ""
			if e.caller != c.want {
				t.Errorf("caller %+v, expected %+v", e.caller, c.want)
			}
			e.until(t, "HungUp")
			if cause := e.cause(); cause.Status != 487 {
				t.Errorf("cause %v", cause)
			}
		})
	}
}

func TestEachCountry(t *testing.T) {
	for _, country := range []string{"us", "uk", "de", "fr", "jp", "au", "se", "nl"} {
		t.Run(country, func(t *testing.T) {
			live(t, linesim.Config{Country: country, Phones: make([]linesim.PhoneConfig, 2)}, func(g *gateway.Config) { g.Country = country }, func(tn *town) {
				e := tn.dial("5550101")
				e.until(t, "HungUp")
				if c := e.cause(); c.Q850 != 17 {
					t.Errorf("busy: cause %v\n%v", c, e.ladder)
				}
				time.Sleep(5 * time.Second)
				e = tn.dial("7773660")
				e.until(t, "Answered")
				tn.hangsUp(e, "7773660")
				time.Sleep(5 * time.Second)
				if err := tn.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "5551234"}); err != nil {
					t.Fatal(err)
				}
				in := tn.comes(1)
				if in.caller.Number != "5551234" {
					t.Errorf("caller %+v\n%v", in.caller, in.ladder)
				}
				in.Answer()
				time.Sleep(3 * time.Second)
				in.Hangup(leg.NormalClearing)
				// and a telephone, with the country's caller ID
				p := tn.phone("fxs1", leg.Party{Number: "5551234"})
				time.Sleep(8 * time.Second)
				if s := tn.sim.Phone("fxs1").Status(); !s.Ringing || s.CallerID.Number != "5551234" {
					t.Errorf("the telephone: %+v", s)
				}
				p.Hangup(leg.Cancelled)
			})
		})
	}
}

func TestPhoneToPhone(t *testing.T) {
	live(t, linesim.Config{Phones: make([]linesim.PhoneConfig, 2)}, nil, func(tn *town) {
		a, b := tn.sim.Phone("fxs1"), tn.sim.Phone("fxs2")
		a.OffHook()
		time.Sleep(time.Second)
		if err := a.Dial("104#"); err != nil {
			t.Fatal(err)
		}
		caller := tn.comes(1)
		if caller.dialed != "104" || caller.caller.Number != "103" {
			t.Fatalf("dialled %q by %v", caller.dialed, caller.caller)
		}
		callee := tn.phone("fxs2", caller.caller)
		caller.Ringing()
		time.Sleep(5 * time.Second)
		if s := b.Status(); !s.Ringing || s.CallerID.Number != "103" {
			t.Errorf("the called telephone: %+v", s)
		}
		b.OffHook()
		callee.until(t, "Answered")
		caller.Answer()
		caller.Stream().Feed(callee.Stream())
		callee.Stream().Feed(caller.Stream())
		time.Sleep(500 * time.Millisecond)
		sig := linesim.Signal(5 * time.Second)
		a.Play(sig, false)
		b.Play(sig, false)
		time.Sleep(6 * time.Second)
		clear30(t, "caller hears", sig, a.Heard())
		clear30(t, "callee hears", sig, b.Heard())
		if n, m := tn.status("fxs1").Counts.LostTicks, tn.status("fxs2").Counts.LostTicks; n+m != 0 {
			t.Errorf("%d and %d frames are said to be lost: while it rang there were none", n, m)
		}
		b.Flash(0)
		time.Sleep(2 * time.Second)
		if !callee.has("Flash") || callee.has("HungUp") {
			t.Errorf("events %v", callee.events)
		}
		a.OnHook()
		caller.until(t, "HungUp")
		callee.Hangup(leg.NormalClearing)
		time.Sleep(3 * time.Second)
		if s := b.Status(); s.Drops != 1 {
			t.Errorf("the called telephone: %+v", s)
		}
		b.OnHook()
		time.Sleep(2 * time.Second)
		if s := tn.status("fxs2"); s.State != "idle" {
			t.Errorf("fxs2 is %s", s.State)
		}
	})
}

func TestPhoneDialsPulses(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		p := tn.sim.Phone("fxs1")
		p.OffHook()
		time.Sleep(time.Second)
		if err := p.DialPulse("104"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second) // no plan: the timer ends the number
		if e := tn.comes(1); e.dialed != "104" {
			t.Errorf("dialled %q", e.dialed)
		}
	})
}

func TestUnplugDuringACall(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		e := tn.dial("5550103")
		e.until(t, "Answered")
		tn.sim.Card(1).Unplug(5 * time.Second)
		e.until(t, "HungUp")
		if c := e.cause(); c.Q850 != 41 || !strings.Contains(c.Error(), "line card") {
			t.Errorf("cause %v", c)
		}
		if s := tn.status("fxo1"); !strings.HasPrefix(s.State, "failed: ") || s.Ready {
			t.Errorf("line %+v", s)
		}
		if _, err := tn.g.Dial("pstn", "7773660", leg.Outgoing{}); err == nil {
			t.Error("a line of a card that is gone was seized")
		}
		time.Sleep(10 * time.Second)
		if s := tn.status("fxo1"); s.State != "idle" {
			t.Errorf("after the card came back the line is %s", s.State)
		}
		e = tn.dial("7773660")
		e.until(t, "Answered")
		tn.hangsUp(e, "7773660")
	})
}

func TestCardStartsAnewDuringACall(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		e := tn.dial("5550103")
		e.until(t, "Answered")
		tn.sim.Card(1).Reboot()
		e.until(t, "HungUp")
		time.Sleep(10 * time.Second)
		e = tn.dial("7773660")
		e.until(t, "Answered")
		tn.hangsUp(e, "7773660")
	})
}

func TestCutWire(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		tn.sim.Town().Line("fxo1").Cut(true)
		time.Sleep(3 * time.Second)
		if s := tn.status("fxo1"); s.State != "failed: no battery: is the wall jack plugged in?" {
			t.Errorf("fxo1 is %s", s.State)
		}
		e := tn.dial("7773660")
		e.until(t, "Answered")
		if e.Name() != "fxo2" {
			t.Errorf("called on %s", e.Name())
		}
		tn.sim.Town().Line("fxo2").Cut(true)
		e.until(t, "HungUp")
		tn.sim.Town().Line("fxo1").Cut(false)
		time.Sleep(3 * time.Second)
		if s := tn.status("fxo1"); s.State != "idle" {
			t.Errorf("fxo1 is %s", s.State)
		}
	})
}

func TestTownWithoutDialTone(t *testing.T) {
	live(t, linesim.Config{Lines: []linesim.LineConfig{{DialToneAfter: -1}}}, nil, func(tn *town) {
		e := tn.dial("7773660")
		e.until(t, "Answered")
		if e.Name() != "fxo2" {
			t.Errorf("called on %s", e.Name())
		}
		if s := tn.status("fxo1"); s.Counts.NoDialTone != 1 || !strings.Contains(s.Fault, "no dial tone after 3s") {
			t.Errorf("fxo1: %+v", s)
		}
	})
}

// TestClockSkew: the card's crystal is off by 1000 ppm, ten times what crystals
// are, so that a minute shows what ten do: 60 ms, more than the jitter buffer
// has. It slips in pauses, and nothing is lost.
func TestClockSkew(t *testing.T) {
	for _, ppm := range []float64{1000, -1000} {
		live(t, linesim.Config{Cards: []linesim.CardConfig{{SkewPPM: ppm}}}, nil, func(tn *town) {
			e := tn.dial("7773660")
			e.until(t, "Answered")
			sig := linesim.Signal(time.Minute)
			for at := 16000; at < len(sig); at += 16000 { // pauses, as speech has
				clear(sig[at-3200 : at])
			}
			e.say(sig)
			rec := tn.hangsUp(e, "7773660")
			r := measure.Compare(sig, rec.Heard)
			if r.Lost > 6 || r.Slips < 2 || r.Slips > 8 || r.Median < 30 {
				t.Errorf("%+v ppm: %+v", ppm, r)
			}
			if n := tn.status("fxo1").Counts.LostTicks; n != 0 {
				t.Errorf("%d ticks lost", n)
			}
		})
	}
}

// TestBadCable: at a bit error rate of 1e-4 a call is disturbed, not lost.
func TestBadCable(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		tn.sim.Card(1).Impair(linesim.Impairment{BitErrors: 1e-4})
		e := tn.dial("7773660")
		e.until(t, "Answered")
		time.Sleep(30 * time.Second)
		if e.has("HungUp") {
			t.Fatalf("the call was lost: %v", e.cause())
		}
		if rec := tn.hangsUp(e, "7773660"); rec.Dialed != "7773660" {
			t.Errorf("the town heard %q", rec.Dialed)
		}
		time.Sleep(5 * time.Second)
		if s := tn.status("fxo1"); s.State != "idle" || s.OffHook {
			t.Errorf("fxo1 is %s", s.State)
		}
	})
}
