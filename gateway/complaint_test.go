package gateway_test

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/linesim"
	"crosspoint/media"
	"crosspoint/media/dtmf"
	"crosspoint/media/measure"
	"crosspoint/media/tone"
)

// What offices complain of most about their lines, each over the whole path:
// gateway, driver, serial line, hardware, exchange. The table of all complaints
// is docs/line-complaints.md.

// recorded is a source's first seconds.
func recorded(s media.Source, seconds int) []int16 {
	pcm := make([]int16, seconds*8000)
	s.Read(pcm)
	return pcm
}

// mixed is two signals at once.
func mixed(a, b []int16) []int16 {
	sum := make([]int16, min(len(a), len(b)))
	for i := range sum {
		sum[i] = a[i]/2 + b[i]/2
	}
	return sum
}

// families of modems: under the race detector one that tells of everything and
// one that tells of little.
func families() []string {
	if underRace {
		return []string{"conexant", "usr"}
	}
	return []string{"conexant", "usr", "lucent", "v253"}
}

// TestComplaintNeverDisconnects: a modem's line is released whatever its family
// tells and however the exchange shows the end of the call.
func TestComplaintNeverDisconnects(t *testing.T) {
	for _, family := range families() {
		for name, line := range map[string]linesim.LineConfig{
			"loop drop":       {},
			"busy tone":       {LoopDrop: -1},
			"dial tone":       {LoopDrop: -1, AfterHangUp: linesim.ThenDial},
			"congestion tone": {LoopDrop: -1, AfterHangUp: linesim.ThenCongestion},
			"silence":         {LoopDrop: -1, AfterHangUp: linesim.ThenSilence},
		} {
			t.Run(family+"/"+name, func(t *testing.T) {
				online(t, modemOf(family), gateway.LineConfig{FXO: gateway.FXO{Silence: 20 * time.Second}}, nil, func(tn *town) {
					if err := tn.modemLine().Set(line); err != nil {
						t.Fatal(err)
					}
					e := tn.dial("5550100")
					e.until(t, "Answered")
					e.until(t, "HungUp")
					rec, _ := tn.sim.Town().LastCall("5550100")
					if late := e.on["HungUp"].Sub(rec.Ended); e.cause().Q850 != 16 || late < 0 || late > 25*time.Second {
						t.Errorf("noticed %v after the other end hung up: %v", late, e.cause())
					}
					tn.idles()
				})
			})
		}
	}
}

// TestComplaintFalselyDisconnects: digits at the tempo of busy tone, music, a
// conference, and a modem that takes all that for dial tone, end no call.
func TestComplaintFalselyDisconnects(t *testing.T) {
	keys := dtmf.NewGenerator(dtmf.Timing{On: 500 * time.Millisecond, Off: 500 * time.Millisecond})
	if err := keys.Dial(strings.Repeat("5", 30)); err != nil {
		t.Fatal(err)
	}
	chord := tone.NewGenerator(tone.Tone{Parts: []tone.Part{ // three bars, again and again
		{Hz: []float64{262, 330, 392}, Level: -18, For: 480 * time.Millisecond},
		{Hz: []float64{294, 370, 440}, Level: -18, For: 480 * time.Millisecond},
		{Hz: []float64{330, 415, 494}, Level: -18, For: 480 * time.Millisecond},
	}})
	steps := tone.NewGenerator(tone.Tone{Parts: []tone.Part{ // the tempo of busy tone
		{Hz: []float64{262, 330, 392}, Level: -18, For: 500 * time.Millisecond}, {For: 500 * time.Millisecond},
		{Hz: []float64{440, 554, 659}, Level: -18, For: 500 * time.Millisecond}, {For: 500 * time.Millisecond},
	}})
	one, two := linesim.Signal(30*time.Second), linesim.Announcement(30*time.Second)
	for name, sound := range map[string][]int16{
		"digits": recorded(keys, 30), "music": recorded(chord, 30), "staccato": recorded(steps, 30), "conference": mixed(one, two),
	} {
		for _, family := range families()[:2] {
			t.Run(name+"/"+family, func(t *testing.T) {
				sc := modemOf(family, linesim.FalseDialTone)
				sc.Subscribers = []linesim.Subscriber{{Number: "5550111", Answer: time.Second, Plays: sound}}
				online(t, sc, gateway.LineConfig{}, nil, func(tn *town) {
					e := tn.dial("5550111")
					e.until(t, "Answered")
					time.Sleep(32 * time.Second)
					if e.has("HungUp") {
						t.Fatalf("ended: %v\n%v", e.cause(), e.ladder)
					}
					tn.hangsUp(e, "5550111")
				})
			})
		}
	}
}

// TestComplaintCallerID: over a modem the number comes, with the name, withheld
// or not at all, and a damaged one is none.
func TestComplaintCallerID(t *testing.T) {
	for _, c := range []struct {
		sub  linesim.Subscriber
		want leg.Party
	}{
		{linesim.Subscriber{Number: "5551234", Name: "Joe"}, leg.Party{Number: "5551234", Name: "Joe"}},
		{linesim.Subscriber{Number: "5551234", Withheld: true}, leg.Party{Withheld: true}},
		{linesim.Subscriber{Number: "5551234", NoCallerID: true}, leg.Party{}},
		{linesim.Subscriber{Number: "5551234", BadCallerID: true}, leg.Party{}},
	} {
		for _, family := range families() {
			online(t, modemOf(family), gateway.LineConfig{}, nil, func(tn *town) {
				if err := tn.sim.Town().Ring(tn.modemLine().Name(), c.sub); err != nil {
					t.Fatal(err)
				}
				e := tn.comes(1)
				if e.caller != c.want {
					t.Errorf("%s: caller %+v, expected %+v", family, e.caller, c.want)
				}
				e.Answer()
				time.Sleep(3 * time.Second)
				e.Hangup(leg.NormalClearing)
				tn.idles()
			})
		}
	}
}

// TestComplaintCallerIDPerCountry: the standards of caller ID that countries
// have, through a modem that is told which.
func TestComplaintCallerIDPerCountry(t *testing.T) {
	for _, country := range []string{"us", "uk", "de", "nl"} {
		sc := modemOf("lucent")
		sc.Country = country
		online(t, sc, gateway.LineConfig{}, nil, func(tn *town) {
			if err := tn.sim.Town().Ring(tn.modemLine().Name(), linesim.Subscriber{Number: "5551234"}); err != nil {
				t.Fatal(err)
			}
			if e := tn.comes(1); e.caller.Number != "5551234" {
				t.Errorf("%s: caller %+v", country, e.caller)
			}
		})
	}
}

// TestComplaintDelay: a serial line that took nothing for two seconds leaves no
// delay behind, either way.
func TestComplaintDelay(t *testing.T) {
	var until atomic.Int64
	sc := modemOf("conexant")
	said := linesim.Signal(40 * time.Second)
	sc.Subscribers = []linesim.Subscriber{{Number: "5550111", Answer: time.Second, Plays: said}}
	stall := func(rw io.ReadWriteCloser) io.ReadWriteCloser { return stalling{rw, &until} }
	online(t, sc, gateway.LineConfig{}, stall, func(tn *town) {
		e := tn.dial("5550111")
		e.until(t, "Answered")
		time.Sleep(time.Second)
		until.Store(time.Now().Add(2 * time.Second).UnixNano())
		time.Sleep(5 * time.Second)
		began := len(tn.heardBy("5550111"))
		e.say(linesim.Signal(8 * time.Second))
		time.Sleep(2 * time.Second)
		r := measure.Compare(linesim.Signal(8*time.Second), tn.heardBy("5550111")[began:])
		if !r.Heard() || r.Delay > 8*350 {
			t.Errorf("towards the town: %d ms late, %+v", r.Delay/8, r)
		}
		rec, _ := tn.sim.Town().LastCall("5550111")
		heard := e.hearing()
		lately := rec.Played[len(rec.Played)-3*8000:]
		r = measure.Compare(lately[:2*8000], heard[len(heard)-3*8000:])
		if !r.Heard() || r.Delay > 8*350 {
			t.Errorf("from the town: %d ms late, %+v", r.Delay/8, r)
		}
		tn.hangsUp(e, "5550111")
	})
}

func (t *town) heardBy(number string) []int16 {
	rec, _ := t.sim.Town().LastCall(number)
	return rec.Heard
}

// TestComplaintDrift: two minutes over a modem whose crystal is off by 200 ppm:
// nothing is lost but what slips in pauses, and the delay does not grow.
func TestComplaintDrift(t *testing.T) {
	for _, ppm := range []float64{-200, 200} {
		sc := modemOf("conexant")
		sc.Modems[0].SkewPPM = ppm
		length := 110 * time.Second
		if underRace { // drift is no matter of races
			length = 20 * time.Second
		}
		said := linesim.Signal(length)
		for at := 16000; at < len(said); at += 16000 { // pauses, as speech has
			clear(said[at-3200 : at])
		}
		sc.Subscribers = []linesim.Subscriber{{Number: "5550111", Answer: time.Second, Echo: false}}
		online(t, sc, gateway.LineConfig{}, nil, func(tn *town) {
			e := tn.dial("5550111")
			e.until(t, "Answered")
			began := len(tn.heardBy("5550111"))
			e.say(said)
			last := said[len(said)-8*16000:]
			r := measure.Compare(said, tn.heardBy("5550111")[began:])
			end := measure.Compare(last, tn.heardBy("5550111")[began+len(said)-len(last):])
			tn.hangsUp(e, "5550111")
			if !r.Heard() || r.Median < 30 || r.Lost > 12 || r.Delay > 8*350 || !end.Heard() || end.Delay > 8*350 {
				t.Errorf("%+v ppm: %+v; at the end %+v", ppm, r, end)
			}
		})
	}
}

// TestComplaintLateOffHook: a modem that closes its loop a second after it said
// so still dials and is still answered.
func TestComplaintLateOffHook(t *testing.T) {
	online(t, modemOf("conexant", linesim.LateOffHook), gateway.LineConfig{}, nil, func(tn *town) {
		e := tn.dial("7773660")
		e.until(t, "Answered")
		if rec := tn.hangsUp(e, "7773660"); rec.Dialed != "7773660" {
			t.Errorf("the town heard %q", rec.Dialed)
		}
		tn.idles()
		if err := tn.sim.Town().Ring(tn.modemLine().Name(), linesim.Subscriber{Number: "5551234", Plays: linesim.Signal(20 * time.Second)}); err != nil {
			t.Fatal(err)
		}
		in := tn.comes(1)
		in.Answer()
		time.Sleep(5 * time.Second)
		if s := tn.modemLine().Status(); s.State != "talking" {
			t.Errorf("the line is %s", s.State)
		}
		in.Hangup(leg.NormalClearing)
		tn.idles()
	})
}

// TestComplaintLostCharacters: at a bit error rate of 1e-4, and with octets
// lost, a call over a modem is disturbed, not lost, and its line is released.
func TestComplaintLostCharacters(t *testing.T) {
	for name, cable := range map[string]linesim.Impairment{"bit errors": {BitErrors: 1e-4}, "lost octets": {LostBytes: 1e-5}} {
		t.Run(name, func(t *testing.T) {
			online(t, modemOf("conexant"), gateway.LineConfig{}, nil, func(tn *town) {
				tn.sim.Modem("modem1").Impair(cable)
				e := tn.dial("7773660")
				e.until(t, "Answered")
				time.Sleep(30 * time.Second)
				if e.has("HungUp") {
					t.Fatalf("the call was lost: %v\n%v", e.cause(), e.ladder)
				}
				if rec := tn.hangsUp(e, "7773660"); rec.Dialed != "7773660" {
					t.Errorf("the town heard %q", rec.Dialed)
				}
				tn.idles()
			})
		})
	}
}
