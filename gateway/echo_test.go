package gateway_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"crosspoint/gateway"
	"crosspoint/gateway/linesim"
	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// hybridPath is what comes back of an impulse on a line with a poor hybrid.
func hybridPath() []float64 {
	h := make([]float64, 96)
	for n := 8; n < len(h); n++ {
		t := float64(n - 8)
		h[n] = math.Exp(-t/14) * (0.5*math.Cos(0.9*t) + 0.3*math.Cos(1.7*t+1))
	}
	return h
}

// echoing is a town whose lines return what they hear, and mix in noise. They
// tell of an answer by polarity.
func echoing(loss, noise float64) func(*town) {
	return func(tn *town) {
		tn.lineConfig(linesim.LineConfig{Reversal: true, Hybrid: linesim.Hybrid{ReturnLoss: loss, Delay: 2 * time.Millisecond, Path: hybridPath(), Noise: noise}})
	}
}

// level is the mean level of pcm in dBm0.
func level(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10*math.Log10(sum/float64(len(pcm))+1e-9) - 10*math.Log10(32636*32636/2/2.0749)
}

// TestEchoOfTheLine: a caller does not hear himself from a line with a poor
// hybrid, hears the other end whole, and the line's status tells its return loss.
func TestEchoOfTheLine(t *testing.T) {
	for name, tail := range map[string]time.Duration{"on": 0, "64ms": 64 * time.Millisecond, "off": -1} {
		t.Run(name, func(t *testing.T) {
			live(t, linesim.Config{}, func(c *gateway.Config) {
				for i := range c.Lines {
					c.Lines[i].EchoTail = tail
				}
			}, func(tn *town) {
				echoing(8, 0)(tn)
				if err := tn.sim.Town().Add(linesim.Subscriber{Number: "7773661", Answer: time.Second, Repeat: false}); err != nil {
					t.Fatal(err)
				}
				e := tn.dial("7773661")
				e.until(t, "Answered")
				before := len(e.hearing())
				e.say(linesim.Signal(4 * time.Second))
				heard := e.hearing()[before+8000:]
				got := level(heard)
				s := tn.status("fxo1")
				t.Logf("echo at %.1f dBm0, return loss %.1f dB, cancelled by %.1f dB", got, s.ReturnLoss, s.Enhancement)
				if tail < 0 {
					if got < -30 || s.ReturnLoss != 0 {
						t.Errorf("switched off, but the echo is at %.1f dBm0, return loss %v", got, s.ReturnLoss)
					}
					return
				}
				if got > -60 {
					t.Errorf("the caller hears himself at %.1f dBm0", got)
				}
				if s.ReturnLoss < 4 || s.ReturnLoss > 16 || s.Enhancement < 20 {
					t.Errorf("status says return loss %.1f dB, enhancement %.1f dB", s.ReturnLoss, s.Enhancement)
				}
			})
		})
	}
}

// TestEchoWhileBothTalk: the other end is heard whole while we talk.
func TestEchoWhileBothTalk(t *testing.T) {
	live(t, linesim.Config{}, nil, func(tn *town) {
		echoing(10, 0)(tn)
		talk := make([]int16, 6*g711.SampleRate)
		measure.NewSignal(77, -16).Read(talk)
		if err := tn.sim.Town().Add(linesim.Subscriber{Number: "7773661", Answer: time.Second, Plays: append(make([]int16, 3*g711.SampleRate), talk...)}); err != nil {
			t.Fatal(err)
		}
		e := tn.dial("7773661")
		e.until(t, "Answered")
		e.say(linesim.Signal(8 * time.Second))
		r := measure.Compare(talk, e.hearing())
		if !r.Heard() || r.SNR < 20 || float64(r.Lost) > 0.02*float64(r.Segments) {
			t.Errorf("%+v", r)
		}
	})
}

// fax is a fax machine that answers: an answer tone, or only the flags before
// its first command (ITU-T V.21), then pages of data, with the pauses between.
func fax(answers string) []int16 {
	r := rand.New(rand.NewPCG(1, 1))
	pcm := make([]int16, 0, 12*g711.SampleRate)
	phase := 0.0
	for i := range 3 * g711.SampleRate {
		hz := 2100.
		switch bit := i * 300 / g711.SampleRate; {
		case answers == "reversals" && i > 0 && i%3600 == 0:
			phase += math.Pi
		case answers == "flags" && bit%8 >= 1 && bit%8 <= 6:
			hz = 1650
		case answers == "flags":
			hz = 1850
		}
		phase += 2 * math.Pi * hz / g711.SampleRate
		pcm = append(pcm, int16(8000*math.Sin(phase)))
	}
	pcm = append(pcm, make([]int16, g711.SampleRate/10)...)
	for range 6 * g711.SampleRate {
		pcm = append(pcm, int16(4000*(r.Float64()-0.5)))
	}
	return pcm
}

// TestFaxPassesClean: from the answer tone on nothing is changed either way,
// and no delay either, though the line has an echo; the call's record says so.
func TestFaxPassesClean(t *testing.T) {
	for answers, want := range map[string]string{"tone": "fax", "reversals": "modem", "flags": "fax"} {
		live(t, linesim.Config{}, nil, func(tn *town) {
			echoing(12, 0)(tn)
			page := fax(answers)
			if err := tn.sim.Town().Add(linesim.Subscriber{Number: "7773661", Answer: time.Second, Plays: page}); err != nil {
				t.Fatal(err)
			}
			e := tn.dial("7773661")
			e.until(t, "Answered")
			time.Sleep(4 * time.Second)
			sent := make([]int16, 4*g711.SampleRate)
			measure.NewSignal(5, -12).Read(sent)
			e.say(sent)
			time.Sleep(time.Second)
			heard := e.hearing()
			// After the tone the page arrives with the echo of what we sent, which a
			// canceller would have taken out: the difference is that echo alone.
			data := page[3*g711.SampleRate+900:]
			r := measure.Compare(data[:g711.SampleRate/2], heard)
			if r.Slips != 0 || r.Lost != 0 || r.SNR < 34 {
				t.Errorf("%s: the page before we sent: %+v", answers, r)
			}
			rec := tn.hangsUp(e, "7773661")
			towards := measure.Compare(sent, rec.Heard)
			if towards.Slips != 0 || towards.Lost != 0 || towards.SNR < 34 {
				t.Errorf("%s: towards the fax machine: %+v", answers, towards)
			}
			if last := tn.status("fxo1").Last; len(last) == 0 || last[0].Data != want {
				t.Errorf("the record of the call is %+v, expected %s", last, want)
			}
		})
	}
}
