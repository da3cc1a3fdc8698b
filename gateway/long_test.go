package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// lasting is how long a long test lasts: all of it with CROSSPOINT_LONG=1, as
// `make bench-lines` sets it, else as much as a test may take.
func lasting(all time.Duration) time.Duration {
	switch {
	case os.Getenv("CROSSPOINT_LONG") == "1":
		return all
	case underRace:
		return 75 * time.Second // one slip
	}
	return 5 * time.Minute
}

// A clickFinder watches a tone of 400 Hz that swells and fades: a jump in it
// stands out from the largest bend that the tone, coded in µ-law, has.
type clickFinder struct {
	last, before float64
	clicks       atomic.Int64
	loud         atomic.Int64 // samples that were part of a sound
}

const toneAmplitude = 8000

func (f *clickFinder) listen(codes []byte) {
	for _, c := range codes {
		x := float64(g711.MuLaw.DecodeSample(c))
		if math.Abs(x-2*f.last+f.before) > 0.35*toneAmplitude {
			f.clicks.Add(1)
		}
		if math.Abs(x) > toneAmplitude/4 {
			f.loud.Add(1)
		}
		f.before, f.last = f.last, x
	}
}

// tapped is a port whose audio to the line is watched.
type tapped struct {
	jack.Port
	finder *clickFinder
}

type tappedHandler struct {
	jack.Handler
	finder *clickFinder
}

func (p tapped) Attach(h jack.Handler) { p.Port.Attach(tappedHandler{h, p.finder}) }
func (p tapped) Playout() uint64       { return p.Port.(jack.Timed).Playout() }

func (h tappedHandler) Tick(rx, tx []byte, clock uint64) {
	h.Handler.Tick(rx, tx, clock)
	h.finder.listen(tx)
}

// syllables is 2 s of words of 400 Hz with pauses between, or a tone without any.
func syllables(pauses bool) []int16 {
	pcm := make([]int16, 2*g711.SampleRate)
	for i := range pcm {
		t := float64(i) / g711.SampleRate
		swell := 1.0
		if pauses {
			swell = max(0, math.Sin(2*math.Pi*2*t)) * min(1, 2*(2-t))
		}
		pcm[i] = int16(toneAmplitude * swell * math.Sin(2*math.Pi*400*t))
	}
	return pcm
}

// saysFor says pcm again and again, in packets that one source numbers.
func saysFor(e *end, pcm []int16, length time.Duration) {
	codes := make([]byte, len(pcm))
	g711.MuLaw.Encode(codes, pcm)
	p := media.Packet{Source: 1}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range int(length / (20 * time.Millisecond)) {
		at := int(p.Timestamp) % len(codes)
		p.Payload = codes[at : at+g711.FrameSize]
		e.Stream().Write(&p)
		p.Seq++
		p.Timestamp += g711.FrameSize
		<-tick.C
	}
}

// A drift is by how much a card's crystal is off, and whether what is said has
// pauses in which a buffer may follow.
type drift struct {
	ppm    float64
	pauses bool
}

// drifts are both ways with and without pauses; under the race detector, which
// finds nothing in it, half of them.
func drifts() []drift {
	if underRace {
		return []drift{{200, true}, {-200, false}}
	}
	return []drift{{200, true}, {-200, true}, {200, false}, {-200, false}}
}

// TestDrift: the card's crystal is 200 ppm off for an hour, and neither end
// hears a click: the line's clock is the card's, ours is the network's.
func TestDrift(t *testing.T) {
	for _, c := range drifts() {
		t.Run(fmt.Sprintf("%+.0fppm,pauses=%v", c.ppm, c.pauses), func(t *testing.T) {
			finder := new(clickFinder)
			length := lasting(time.Hour)
			live(t, linesim.Config{Cards: []linesim.CardConfig{{SkewPPM: c.ppm}}}, func(g *gateway.Config) {
				for i := range g.Lines {
					g.Lines[i].EchoTail = -1
				}
				g.Lines[0].Port = tapped{g.Lines[0].Port, finder}
				g.Lines[0].FXO.Silence = -1
			}, func(tn *town) {
				said := syllables(c.pauses)
				if err := tn.sim.Town().Add(linesim.Subscriber{Number: "7773661", Answer: time.Second, Plays: said, Repeat: true}); err != nil {
					t.Fatal(err)
				}
				e := tn.dial("7773661")
				e.until(t, "Answered")
				finder.clicks.Store(0) // digits are full of bends
				back := new(clickFinder)
				var gaps, packets int
				var last media.Packet
				e.Stream().Feed(listener(func(p *media.Packet) {
					if packets > 0 && (p.Seq != last.Seq+1 || p.Timestamp != last.Timestamp+160) {
						gaps++
					}
					packets++
					last = *p
					back.listen(p.Payload)
				}))
				saysFor(e, said, length)
				e.Stream().Feed(nil)
				j := gateway.JitterOf(e.Stream())
				if n := finder.clicks.Load(); n != 0 {
					t.Errorf("the line heard %d clicks", n)
				}
				if n := back.clicks.Load(); n != 0 || gaps != 0 {
					t.Errorf("we heard %d clicks, %d gaps", n, gaps)
				}
				want := length.Seconds() * 50 * (1 + c.ppm*1e-6) // the card's frames
				if math.Abs(float64(packets)-want) > 5 || finder.loud.Load() < int64(packets)*10 {
					t.Errorf("%d packets, %d loud samples to the line", packets, finder.loud.Load())
				}
				// Less than two frames of drift need not move the buffer yet.
				follows := j.Slips > 0 || length.Seconds()*math.Abs(c.ppm)*1e-6 < 0.04
				if c.pauses && (j.Underruns+j.Overruns != 0 || !follows) {
					t.Errorf("the buffer did not follow in the pauses: %+v", j)
				}
				if j.Depth > 120*time.Millisecond {
					t.Errorf("the delay has grown to %v", j.Depth)
				}
				if !t.Failed() {
					t.Logf("%+.0f ppm, pauses %v, %v: no click; %d slips, %d underruns, %d overruns, %d samples made up, depth %v", c.ppm, c.pauses, length, j.Slips, j.Underruns, j.Overruns, j.Concealed, j.Depth)
				}
				e.Hangup(leg.NormalClearing)
				time.Sleep(time.Second)
			})
		})
	}
}

// listener is a function as a sink.
type listener func(*media.Packet)

func (l listener) Write(p *media.Packet) { l(p) }

// TestBusyCard: all 32 ports of a card at 3 Mbaud talk both ways, with echo
// cancellers, and nothing is late or lost.
func TestBusyCard(t *testing.T) {
	length := lasting(10 * time.Minute)
	if os.Getenv("CROSSPOINT_LONG") != "1" {
		length = 20 * time.Second
	}
	if underRace {
		length = 5 * time.Second
	}
	synctest.Test(t, func(t *testing.T) {
		sim, err := linesim.New(linesim.Config{Cards: []linesim.CardConfig{{FXO: 16, FXS: 16}},
			Phones:      make([]linesim.PhoneConfig, 16),
			Subscribers: []linesim.Subscriber{{Number: "7773661", Answer: time.Second, Plays: linesim.Signal(5 * time.Second), Repeat: true}}})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		card := linecard.New(linecard.Config{Name: "card1", Open: at3Mbaud(sim.Card(1)), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		defer card.Close()
		time.Sleep(time.Second)
		tn := &town{t: t, sim: sim, card: card}
		c := gateway.Config{Accept: tn, Trunks: []gateway.TrunkConfig{{Name: "pstn"}}}
		for n := 1; n <= 32; n++ {
			l := gateway.LineConfig{Name: fmt.Sprintf("fxo%d", n), Port: card.Port(n), FXO: gateway.FXO{Silence: -1}}
			if n > 16 {
				l.Name, l.FXS.Extension = fmt.Sprintf("fxs%d", n-16), fmt.Sprint(100+n)
			} else {
				c.Trunks[0].Lines = append(c.Trunks[0].Lines, l.Name)
			}
			c.Lines = append(c.Lines, l)
		}
		if tn.g, err = gateway.New(c); err != nil {
			t.Fatal(err)
		}
		defer tn.g.Close(context.Background())
		time.Sleep(time.Second) // the card is taken up
		for _, l := range sim.Town().Lines() {
			if err := l.Set(linesim.LineConfig{Reversal: true, Hybrid: linesim.Hybrid{ReturnLoss: 12}}); err != nil {
				t.Fatal(err)
			}
		}
		var ends []*end
		for n := 1; n <= 16; n++ {
			ends = append(ends, tn.dial("7773661"), tn.phone(fmt.Sprintf("fxs%d", n), leg.Party{}))
		}
		time.Sleep(2 * time.Second)
		for n := 1; n <= 16; n++ {
			p := sim.Phone(fmt.Sprintf("fxs%d", n))
			p.OffHook()
			p.Play(linesim.Signal(5*time.Second), true)
		}
		var talking sync.WaitGroup
		before, began := cpuTime(), time.Now()
		for _, e := range ends {
			e.until(t, "Answered")
			e.Stream().Feed(listener(func(*media.Packet) {}))
			talking.Add(1)
			go func() { // until all is said
				defer talking.Done()
				saysFor(e, linesim.Signal(5*time.Second), length)
			}()
		}
		talking.Wait()
		used := cpuTime() - before
		simulated := time.Since(began)
		h, s := card.Counters(), sim.Card(1).Status()
		t.Logf("%v of 32 calls took %v of one processor's time, the simulator's included: %.1f %%",
			simulated.Round(time.Second), used.Round(10*time.Millisecond), 100*used.Seconds()/simulated.Seconds())
		if h.LostTicks+h.DroppedTicks+h.BadFCS+h.Retransmits != 0 || s.Missing+s.Late+s.Dropped != 0 {
			t.Errorf("host %+v\ncard %+v", h, s)
		}
		for _, e := range ends {
			if j := gateway.JitterOf(e.Stream()); j.Overruns != 0 || j.Slips > 2 || j.Frames < uint64(length/(20*time.Millisecond)) {
				t.Errorf("%+v", j)
			}
			e.Hangup(leg.NormalClearing)
		}
		time.Sleep(3 * time.Second)
	})
}

// A serialLine takes as long for its octets as 3 Mbaud do: 8 bits, a start and
// a stop bit each.
type serialLine struct{ io.ReadWriteCloser }

func at3Mbaud(c *linesim.Card) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) {
		rw, err := c.Open()
		return serialLine{rw}, err
	}
}

func onTheWire(octets int) { time.Sleep(time.Duration(octets) * 10 * time.Second / 3e6) }

func (l serialLine) Read(b []byte) (int, error) {
	n, err := l.ReadWriteCloser.Read(b)
	onTheWire(n)
	return n, err
}

func (l serialLine) Write(b []byte) (int, error) {
	onTheWire(len(b))
	return l.ReadWriteCloser.Write(b)
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
