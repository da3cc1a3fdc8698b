package gateway

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/media/tone"
)

const ms = time.Millisecond

// A journal is a log that a test reads.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// of is how many lines have the words, of those written so far.
func (j *journal) of(words string) int {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), words)
}

func (j *journal) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// ringsAs calls a telephone with a ring of a name.
func (o *office) ringsAs(line, ring string) *party {
	o.t.Helper()
	p := &party{t: o.t, ladder: new(leg.Ladder)}
	l, err := o.g.DialLine(line, leg.Outgoing{Sink: p, Ladder: p.ladder, From: leg.Party{Number: "5551234"}, Ring: leg.Ring{Name: ring}})
	if err != nil {
		o.t.Fatal(err)
	}
	p.Leg = l
	synctest.Wait()
	return p
}

var door = []time.Duration{300 * ms, 200 * ms, 300 * ms, 4 * time.Second}

// TestTelephoneRingsAsItsCallAsks: by the office's own cadence, else by the
// country's; a name that nobody has rings as any call, and the log says so once.
func TestTelephoneRingsAsItsCallAsks(t *testing.T) {
	own := []time.Duration{time.Second, 300 * ms, time.Second, 3 * time.Second}
	british, _ := tone.Lookup("uk")
	uk, _ := british.Ring("inside")
	for _, c := range []struct {
		country, ring string
		want          []time.Duration
		arrow         string
	}{
		{"us", "", us.Bell, "ring"},
		{"us", "outside", us.Bell, "ring"},
		{"us", "inside", []time.Duration{400 * ms, 200 * ms, 400 * ms, 4 * time.Second}, "ring"},
		{"uk", "inside", uk, "ring"}, // not as elsewhere
		{"us", "recall", []time.Duration{300 * ms, 200 * ms, 300 * ms, 200 * ms, 300 * ms, 4 * time.Second}, "ring"},
		{"de", "dr2", []time.Duration{800 * ms, 400 * ms, 800 * ms, 4 * time.Second}, "ring (dr2)"},
		{"us", "door", door, "ring (door)"},
		{"us", "urgent", own, "ring (urgent)"}, // the office has another for it
		{"us", "bell of doom", us.Bell, "ring"},
	} {
		log := &journal{}
		cfg := Config{Country: c.country, Log: log.log(), Rings: map[string][]time.Duration{"door": door, "urgent": own},
			Lines: []LineConfig{{FXS: FXS{NoCallerID: true}}}}
		open(t, cfg, "fxs1", func(o *office) {
			p := o.ringsAs("fxs1", c.ring)
			if got := o.jack("fxs1").rhythm(); !slices.Equal(got, c.want) {
				t.Errorf("%s, ring %q: rings %v, want %v", c.country, c.ring, got, c.want)
			}
			p.draws("b2bua -> fxs1 " + c.arrow)
			want := 0
			if c.ring == "bell of doom" {
				want = 1
			}
			if n := log.of(`ring \"bell of doom\" has no cadence: the telephone rings as for any call`); n != want {
				t.Errorf("ring %q: said %d times that there is none", c.ring, n)
			}
		})
	}
}

// A line whose device takes another ring for none rings as any does.
func TestPlainRing(t *testing.T) {
	cfg := Config{Rings: map[string][]time.Duration{"outside": door}, Lines: []LineConfig{{FXS: FXS{PlainRing: true}}}}
	open(t, cfg, "fxs1 fxs2", func(o *office) {
		for _, ring := range []string{"", "inside", "dr4", "none such"} {
			p := o.ringsAs("fxs1", ring)
			if got := o.jack("fxs1").rhythm(); !slices.Equal(got, us.Bell) {
				t.Errorf("ring %q: rings %v", ring, got)
			}
			p.draws("b2bua -> fxs1 ring")
			p.Hangup(leg.Cancelled)
			synctest.Wait()
		}
		o.ringsAs("fxs2", "")
		if got := o.jack("fxs2").rhythm(); !slices.Equal(got, door) {
			t.Errorf("its neighbour rings %v, not as the office's own outside", got)
		}
	})
}

// The caller ID comes in the longest pause of what is rung, after its first ring.
func TestCallerIDInTheCallsOwnPause(t *testing.T) {
	for _, c := range []struct {
		ring string
		at   time.Duration // when the caller ID begins
	}{
		{"dr3", 2*time.Second + 500*ms},
		{"door", 800*ms + 500*ms},
		{"early", 500*ms + 500*ms},
	} {
		rings := map[string][]time.Duration{"door": door, "early": {500 * ms, 4 * time.Second, 500 * ms, 200 * ms}}
		open(t, Config{Rings: rings}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			o.ringsAs("fxs1", c.ring)
			time.Sleep(c.at - 20*ms)
			if phone.audioOn() {
				t.Errorf("ring %q: caller ID before %v", c.ring, c.at)
			}
			time.Sleep(1800 * ms)
			if id, ok := callerid.NewReceiver().Receive(phone.recent(1800 * ms)); !ok || id.Number != "5551234" {
				t.Errorf("ring %q: caller ID %+v, %v", c.ring, id, ok)
			}
		})
	}
}

// The office's cadences are in force at once after a reload, on lines that stay as
// they were too; one that can't be rung changes nothing.
func TestRingsAfterReload(t *testing.T) {
	open(t, Config{Rings: map[string][]time.Duration{"door": door}}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		since := o.status("fxs1").Since
		next := Config{Accept: o, Lines: []LineConfig{{Name: "fxs1", Port: phone, FXS: FXS{Extension: "101"}}},
			Rings: map[string][]time.Duration{"door": {time.Second, 3 * time.Second}}}
		if err := o.g.Reload(next); err != nil {
			t.Fatal(err)
		}
		next.Rings["door"] = us.Bell // what was given is not ours any more
		p := o.ringsAs("fxs1", "door")
		if got := phone.rhythm(); !slices.Equal(got, []time.Duration{time.Second, 3 * time.Second}) {
			t.Errorf("rings %v", got)
		}
		p.Hangup(leg.Cancelled)
		synctest.Wait()
		if s := o.status("fxs1"); s.Since.Before(since) || len(s.Last) != 1 {
			t.Errorf("the line was taken up anew: %+v", s)
		}
		next.Rings = map[string][]time.Duration{"door": {time.Second}}
		if err := o.g.Reload(next); err == nil {
			t.Error("a ring without pause was taken")
		}
		o.ringsAs("fxs1", "door")
		if got := phone.rhythm(); len(got) != 2 || got[0] != time.Second {
			t.Errorf("after a refused reload it rings %v", got)
		}
	})
}

// A telephone that was hung up with a call on hold rings as a recall; for a call
// that waits, as that call rings.
func TestRingsBack(t *testing.T) {
	recall, _ := us.Ring("recall")
	for name, c := range map[string]struct {
		flash bool // the second call is talked in, the first held
		want  []time.Duration
		arrow string
	}{
		"held":    {true, recall, "ring"},
		"waiting": {false, door, "ring (door)"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Rings: map[string][]time.Duration{"door": door}, Lines: []LineConfig{{FXS: FXS{NoCallerID: true}}}}
			open(t, cfg, "fxs1", func(o *office) {
				phone := o.jack("fxs1")
				left := o.talks()
				second := &party{t: t, ladder: new(leg.Ladder)}
				if _, err := o.g.CallWaiting("fxs1", leg.Outgoing{Sink: second, Ladder: second.ladder, Ring: leg.Ring{Name: "door"}}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if c.flash {
					o.flash()
				} else {
					left = second
				}
				phone.change(jack.OnHook)
				synctest.Wait()
				if got := phone.rhythm(); !phone.now().Ringing || !slices.Equal(got, c.want) {
					t.Errorf("rings %v, want %v", got, c.want)
				}
				if all := left.ladder.String(); !strings.HasSuffix(strings.TrimSpace(all), c.arrow) {
					t.Errorf("the ladder ends otherwise than with %q:\n%s", c.arrow, all)
				}
			})
		})
	}
}

// A Japanese telephone is rung as its call asks after it was told who calls.
func TestJapaneseTelephoneRingsAsItsCallAsks(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		p := o.ringsAs("fxs1", "dr2")
		time.Sleep(300 * ms)
		phone.change(jack.OffHook)
		time.Sleep(1500 * ms)
		phone.change(jack.OnHook)
		synctest.Wait()
		if got := phone.rhythm(); !slices.Equal(got, []time.Duration{800 * ms, 400 * ms, 800 * ms, 4 * time.Second}) {
			t.Errorf("rings %v", got)
		}
		p.Hangup(leg.Cancelled)
	})
}

// Each mistake in the office's rings, and in the numbers of a line, has its words.
func TestRingMistakes(t *testing.T) {
	line := func(numbers ...RingNumber) Config {
		l := LineConfig{Name: "fxo1", Port: newFakeJack(t, "fxo1", jack.FXO)}
		copy(l.FXO.Numbers[:], numbers)
		return Config{Lines: []LineConfig{l}, Rings: map[string][]time.Duration{
			"door":  door,
			"slow":  {500 * ms, 1200 * ms, 500 * ms, 4 * time.Second},
			"early": {500 * ms, 4 * time.Second, 500 * ms, 200 * ms},
			"doors": {350 * ms, 250 * ms, 350 * ms, 4 * time.Second},
		}}
	}
	rings := func(cadence ...time.Duration) Config {
		return Config{Rings: map[string][]time.Duration{"door": cadence}}
	}
	for want, c := range map[string]Config{
		`ring "door" has 0 times`:                                                  rings(),
		`ring "door" has 3 times`:                                                  rings(300*ms, 200*ms, 300*ms),
		`ring "door" has 18 times`:                                                 rings(slices.Repeat([]time.Duration{300 * ms, 2 * time.Second}, 9)...),
		`a ring or a pause of 100ms can't be told`:                                 rings(100*ms, 4*time.Second),
		`a ring or a pause of 6s can't be told`:                                    rings(300*ms, 6*time.Second),
		`its longest pause is 1.5s`:                                                rings(300*ms, 1500*ms),
		`the ring [1s 2s] has no name`:                                             {Rings: map[string][]time.Duration{"": {time.Second, 2 * time.Second}}},
		`line fxo1: ring "dr2" is of no number`:                                    line(RingNumber{Ring: "dr2"}),
		`line fxo1: number 102 has no ring`:                                        line(RingNumber{Number: "102"}),
		`line fxo1: number 102: there is no ring "gong"`:                           line(RingNumber{}, RingNumber{"gong", "102"}),
		`rings "outside" and "dr1" sound alike: number 102 can't be told from 101`: line(RingNumber{"outside", "101"}, RingNumber{"dr1", "102"}),
		`rings "door" and "doors" sound alike`:                                     line(RingNumber{"door", "101"}, RingNumber{"doors", "102"}),
		`number 102: ring "slow": it has a pause of 1.2s before its end`:           line(RingNumber{"slow", "102"}),
		`number 102: ring "early": it has a pause of 4s before its end: a ring that tells a number has 1s at the most`: line(RingNumber{"early", "102"}),
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	open(t, Config{Rings: map[string][]time.Duration{"door": door}}, "fxo1", func(o *office) {
		c := Config{Accept: o, Lines: []LineConfig{{Name: "fxo1", Port: o.jack("fxo1"), FXO: FXO{Numbers: [4]RingNumber{{"door", "101"}}}}}}
		if err := o.g.Reload(c); err == nil || !strings.Contains(err.Error(), `there is no ring "door"`) {
			t.Errorf("a reload without the line's ring: %v", err)
		}
	})
}
