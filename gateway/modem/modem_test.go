package modem_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
	"crosspoint/gateway/modem"
	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A user is a gateway in small: it keeps what the port reports, and speaks and
// hears in the ticks.
type user struct {
	mu      sync.Mutex
	changes []jack.Change
	at      []time.Time
	heard   []int16
	says    interface{ Read([]int16) int }
	clocks  []uint64
}

func (u *user) Changed(c jack.Change) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes = append(u.changes, c)
	u.at = append(u.at, time.Now())
}

func (u *user) Tick(rx, tx []byte, clock uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var pcm [jack.FrameSize]int16
	g711.MuLaw.Decode(pcm[:], rx)
	u.heard = append(u.heard, pcm[:]...)
	u.clocks = append(u.clocks, clock)
	if u.says != nil {
		clear(pcm[u.says.Read(pcm[:]):])
		g711.MuLaw.Encode(tx, pcm[:])
	}
}

func (u *user) say(s interface{ Read([]int16) int }) { u.mu.Lock(); u.says = s; u.mu.Unlock() }

func (u *user) recording() []int16 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]int16(nil), u.heard...)
}

// saw is the latest change of the kind.
func (u *user) saw(what jack.What) (last jack.Change, n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range u.changes {
		if c.What == what {
			last = c
			n++
		}
	}
	return last, n
}

// until waits for the nth change of the kind.
func (u *user) until(t *testing.T, what jack.What, nth int) jack.Change {
	t.Helper()
	for range 400 {
		if c, n := u.saw(what); n >= nth {
			return c
		}
		time.Sleep(50 * time.Millisecond)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	t.Fatalf("no %v number %d; there were %+v", what, nth, u.changes)
	return jack.Change{}
}

// A bench is a driver, a simulated modem and the town behind it.
type bench struct {
	t    *testing.T
	sim  *linesim.Sim
	m    *linesim.Modem
	d    *modem.Modem
	u    *user
	line *linesim.Line
}

func on(t *testing.T, cfg linesim.Config, body func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Modems == nil {
			cfg.Modems = []linesim.ModemConfig{{}}
		}
		sim, err := linesim.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		m := sim.Modems()[0]
		d := modem.New(modem.Config{Name: "modem1", Open: m.Open, CallerID: "bell202", Log: slog.New(slog.DiscardHandler)})
		defer d.Close()
		b := &bench{t: t, sim: sim, m: m, d: d, u: &user{}, line: m.Line()}
		d.Attach(b.u)
		body(b)
	})
}

func (b *bench) lift() {
	b.t.Helper()
	_, n := b.u.saw(jack.OffHook)
	b.d.SetAudio(true)
	b.d.SetHook(true)
	b.u.until(b.t, jack.OffHook, n+1)
}

func (b *bench) dial(number string) {
	b.t.Helper()
	g := dtmf.NewGenerator(dtmf.Timing{})
	if err := g.Dial(number); err != nil {
		b.t.Fatal(err)
	}
	b.u.say(g)
}

func (b *bench) state(want string) {
	b.t.Helper()
	for range 200 {
		if b.line.Status().State == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("the line is %+v, not %s; driver %+v", b.line.Status(), want, b.d.Info())
}

// TestFamilies: each family is told by its answers, and its own compression is
// chosen. A whole call goes over each: dialled in the audio, talked both ways,
// hung up, and once more.
func TestFamilies(t *testing.T) {
	for family, want := range map[string]string{
		"v253": "V.253 µ-law (+VSM=4)", "conexant": "Conexant µ-law (+VSM=131)",
		"usr": "USRobotics µ-law (+VSM=131)", "lucent": "Lucent µ-law (+VSM=131)",
	} {
		t.Run(family, func(t *testing.T) {
			on(t, linesim.Config{Modems: []linesim.ModemConfig{{Family: family}}}, func(b *bench) {
				b.u.until(t, jack.Up, 1)
				if i := b.d.Info(); i.Family+" "+i.Coding != want || !i.Up || i.State != "idle" {
					t.Errorf("%+v, not %s", i, want)
				}
				for range 2 {
					b.call()
				}
				if i := b.d.Info(); i.Dropped != 0 {
					t.Errorf("%d frames dropped", i.Dropped)
				}
			})
		})
	}
}

// call makes one call and compares what both sides hear with what was said.
func (b *bench) call() {
	b.t.Helper()
	t := b.t
	sent := make([]int16, 4*8000)
	measure.NewSignal(1, -15).Read(sent)
	if err := b.sim.Town().Add(linesim.Subscriber{Number: "12", Answer: 50 * time.Millisecond, Plays: sent}); err != nil {
		t.Fatal(err)
	}
	b.lift()
	b.state("dial tone")
	b.dial("12")
	b.state("talking")
	b.u.say(&played{pcm: sent})
	time.Sleep(5 * time.Second)
	b.d.SetHook(false)
	b.state("idle")
	rec, _ := b.sim.Town().LastCall("12")
	for who, heard := range map[string][]int16{"host": b.u.recording(), "town": rec.Heard} {
		r := measure.Compare(sent, heard)
		if !r.Heard() || r.Median < 33 || r.Lost > 0 {
			t.Errorf("%s hears %+v", who, r)
		}
	}
	b.u.mu.Lock()
	b.u.heard = nil
	b.u.mu.Unlock()
	time.Sleep(2 * time.Second)
}

type played struct {
	pcm []int16
	at  int
}

func (p *played) Read(pcm []int16) int {
	n := copy(pcm, p.pcm[p.at:])
	p.at += n
	return n
}

// TestQuirks: a call goes over a modem with each fault that a driver can live with.
func TestQuirks(t *testing.T) {
	for _, q := range []linesim.ModemQuirk{linesim.TripleStop, linesim.NoLoopEvents, linesim.FalseDialTone, linesim.Forgetful,
		linesim.GarbledEcho, linesim.StrayU, linesim.LateOffHook, linesim.SilentEnd, linesim.DeafAfterBeep} {
		t.Run(string(q), func(t *testing.T) {
			on(t, linesim.Config{Modems: []linesim.ModemConfig{{Quirks: []linesim.ModemQuirk{q}}}}, func(b *bench) {
				b.u.until(t, jack.Up, 1)
				b.call()
				b.call()
				if _, n := b.u.saw(jack.Down); n != 0 {
					t.Errorf("the modem was given up: %+v", b.d.Info())
				}
			})
		})
	}
}

// TestUnusableModems: a modem that cannot do what is needed is not in service,
// and the driver says why.
func TestUnusableModems(t *testing.T) {
	for q, want := range map[linesim.ModemQuirk]string{
		linesim.NoVoice:      "no voice mode",
		linesim.NoCompanding: "neither µ-law nor A-law",
	} {
		on(t, linesim.Config{Modems: []linesim.ModemConfig{{Quirks: []linesim.ModemQuirk{q}}}}, func(b *bench) {
			time.Sleep(5 * time.Second)
			if i := b.d.Info(); i.Up || !strings.Contains(i.Problem, want) {
				t.Errorf("%s: %+v", q, i)
			}
		})
	}
	on(t, linesim.Config{Modems: []linesim.ModemConfig{{Quirks: []linesim.ModemQuirk{linesim.HalfDuplex}}}}, func(b *bench) {
		b.u.until(t, jack.Up, 1)
		b.d.SetHook(true)
		b.u.until(t, jack.Down, 1)
		if i := b.d.Info(); i.Up || !strings.Contains(i.Problem, "no duplex audio") {
			t.Errorf("%+v", i)
		}
	})
}

// TestRefusesOffHook: the line stays usable, and the next order is tried.
func TestRefusesOffHook(t *testing.T) {
	on(t, linesim.Config{Modems: []linesim.ModemConfig{{Quirks: []linesim.ModemQuirk{linesim.RefusesOffHook}}}}, func(b *bench) {
		b.u.until(t, jack.Up, 1)
		b.d.SetHook(true)
		time.Sleep(5 * time.Second)
		if _, n := b.u.saw(jack.OffHook); n != 0 || !b.d.Info().Up || b.d.Info().State != "idle" {
			t.Errorf("%d, %+v", n, b.d.Info())
		}
	})
}

// TestIncomingCall: ring, caller ID, answer, and how the end of the call shows.
func TestIncomingCall(t *testing.T) {
	for _, family := range []string{"v253", "conexant", "usr", "lucent"} {
		t.Run(family, func(t *testing.T) {
			on(t, linesim.Config{Modems: []linesim.ModemConfig{{Family: family}}}, func(b *bench) {
				b.u.until(t, jack.Up, 1)
				if err := b.sim.Town().Ring(b.line.Name(), linesim.Subscriber{Number: "5551234", Name: "Joe"}); err != nil {
					t.Fatal(err)
				}
				b.u.until(t, jack.RingOn, 1)
				c := b.u.until(t, jack.CallerID, 1)
				if c.Caller != (jack.Caller{Number: "5551234", Name: "Joe"}) {
					t.Errorf("caller %+v", c.Caller)
				}
				b.u.until(t, jack.RingOn, 2)
				b.u.until(t, jack.RingOff, 2)
				b.lift()
				b.state("talking")
				b.line.HangUp()
				switch _, n := b.u.saw(jack.LoopDrop); family {
				case "usr":
					b.u.until(t, jack.Heard, 1)
					if n != 0 {
						t.Error("loop drop told")
					}
				default:
					b.u.until(t, jack.LoopDrop, 1)
				}
				if c := b.u.until(t, jack.Heard, 1); c.Tone != jack.BusyTone {
					t.Errorf("heard %v", c.Tone)
				}
				b.d.SetHook(false)
				b.state("idle")
			})
		})
	}
}

// TestFlash: the modem breaks the loop outside of its stream, and goes on.
func TestFlash(t *testing.T) {
	on(t, linesim.Config{Lines: []linesim.LineConfig{{Flash: time.Second}}}, func(b *bench) {
		b.u.until(t, jack.Up, 1)
		b.lift()
		b.state("dial tone")
		b.dial("7773660")
		b.state("talking")
		b.d.FlashHook(750 * time.Millisecond)
		b.u.until(t, jack.OffHook, 2)
		flashed := false
		for _, e := range b.sim.Events() {
			flashed = flashed || strings.HasPrefix(e.What, "flash ")
		}
		if !flashed || b.line.Status().State != "talking" {
			t.Errorf("flashed %v, %+v", flashed, b.line.Status())
		}
		b.u.mu.Lock()
		defer b.u.mu.Unlock()
		for i := 1; i < len(b.u.clocks); i++ { // the clock goes on over the pause
			if gap := b.u.clocks[i] - b.u.clocks[i-1]; gap < 160 || gap > 8*3000 {
				t.Fatalf("tick %d is %d samples after the one before", i, gap)
			}
		}
	})
}

// TestHangs: a modem that stops answering, idle or in a call, is given up and
// taken up again.
func TestHangs(t *testing.T) {
	on(t, linesim.Config{}, func(b *bench) {
		b.u.until(t, jack.Up, 1)
		b.m.Hang(20 * time.Second)
		b.u.until(t, jack.Down, 1)
		time.Sleep(3 * time.Second)
		if i := b.d.Info(); !strings.Contains(i.Problem, "answer") {
			t.Errorf("%+v", i)
		}
		time.Sleep(10 * time.Second)
		b.u.until(t, jack.Up, 2)
		b.call()
		b.lift()
		b.m.Hang(2 * time.Second)
		began := time.Now()
		b.u.until(t, jack.Down, 2)
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("the dead stream was noticed after %v", d)
		}
		b.u.until(t, jack.Up, 3)
		b.state("idle")
		b.call()
	})
}

// TestStreamLeftBehind: a modem that another program left in the midst of a
// stream is taken up.
func TestStreamLeftBehind(t *testing.T) {
	for _, stream := range []string{"AT+VTR", "AT+VRX", "AT+VTX"} {
		on(t, linesim.Config{}, func(b *bench) {
			b.u.until(t, jack.Up, 1)
			b.d.Close()
			rw, err := b.m.Open()
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, rw) }() // ends as the next Open cuts the line
			if _, err := rw.Write([]byte("AT+FCLASS=8\rAT+VLS=1\r" + stream + "\r")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			d := modem.New(modem.Config{Name: "modem1", Open: b.m.Open, Log: slog.New(slog.DiscardHandler)})
			defer d.Close()
			b.d, b.u = d, &user{}
			d.Attach(b.u)
			b.u.until(t, jack.Up, 1)
			b.state("idle")
			b.call()
		})
	}
}

// TestUnplugged: no device, then one.
func TestUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := modem.New(modem.Config{Name: "modem1", Device: "/dev/ttyACM9", Log: slog.New(slog.DiscardHandler),
			Open: func() (io.ReadWriteCloser, error) { return nil, context.DeadlineExceeded }})
		time.Sleep(3 * time.Second)
		if i := d.Info(); i.Up || i.Problem == "" {
			t.Errorf("%+v", i)
		}
		d.Close()
	})
}
