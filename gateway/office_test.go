package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/tone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An office is a gateway with fake jacks, and the call control of a test.
type office struct {
	t     *testing.T
	g     *Gateway
	jacks map[string]*fakeJack

	mu       sync.Mutex
	incoming []*party
}

// A party is one leg with what came of it.
type party struct {
	leg.Leg
	t      *testing.T
	in     leg.Incoming // of a call that came in
	ladder *leg.Ladder
	mu     sync.Mutex
	events []leg.Event
}

func (p *party) Deliver(ev leg.Event) {
	p.mu.Lock()
	p.events = append(p.events, ev)
	p.mu.Unlock()
}

func (o *office) Accept(in leg.Incoming) leg.Sink {
	p := &party{Leg: in.Leg, t: o.t, in: in, ladder: in.Ladder}
	o.mu.Lock()
	o.incoming = append(o.incoming, p)
	o.mu.Unlock()
	return p
}

// open runs body with a gateway that has the named lines, "fxo…" and "tdm…" to an
// exchange and "fxs…" to telephones, and a trunk "pstn" of the former.
func open(t *testing.T, c Config, names string, body func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &office{t: t, jacks: map[string]*fakeJack{}}
		c := c
		given := c.Lines
		c.Lines = nil
		trunk := TrunkConfig{Name: "pstn"}
		if len(c.Trunks) > 0 {
			trunk.Hunt, trunk.Access = c.Trunks[0].Hunt, c.Trunks[0].Access
		}
		for i, name := range strings.Fields(names) {
			l := LineConfig{}
			if i < len(given) {
				l = given[i]
			}
			l.Name = name
			kind := jack.FXO
			switch {
			case strings.HasPrefix(name, "fxs"):
				kind = jack.FXS
				l.FXS.Extension = "10" + name[3:]
			default:
				if strings.HasPrefix(name, "tdm") {
					kind = jack.TDM
				}
				trunk.Lines = append(trunk.Lines, name)
			}
			o.jacks[name] = newFakeJack(t, name, kind)
			l.Port = o.jacks[name]
			c.Lines = append(c.Lines, l)
		}
		c.Trunks = nil
		if len(trunk.Lines) > 0 {
			c.Trunks = []TrunkConfig{trunk}
		}
		c.Accept = o
		var err error
		if o.g, err = New(c); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		defer o.close()
		body(o)
	})
}

// close stops the gateway, and looks at what it left behind.
func (o *office) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := o.g.Close(ctx); err != nil {
		o.t.Error(err)
	}
	for name, j := range o.jacks {
		if s := j.now(); j.kind != jack.FXS && s.OffHook || s.Ringing && j.kind == jack.FXS || j.audioOn() {
			o.t.Errorf("%s is not left idle: %v", name, j)
		}
		close(j.done)
	}
}

// jack is a line's.
func (o *office) jack(name string) *fakeJack { return o.jacks[name] }

// dial calls a number over the trunk.
func (o *office) dial(number string) *party {
	o.t.Helper()
	p, err := o.tryDial(number)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

func (o *office) tryDial(number string) (*party, error) {
	p := &party{t: o.t, ladder: new(leg.Ladder)}
	l, err := o.g.Dial("pstn", number, leg.Outgoing{Sink: p, Ladder: p.ladder})
	p.Leg = l
	synctest.Wait()
	return p, err
}

// ring calls a telephone.
func (o *office) ring(line string, from leg.Party) *party {
	o.t.Helper()
	p := &party{t: o.t, ladder: new(leg.Ladder)}
	l, err := o.g.DialLine(line, leg.Outgoing{Sink: p, Ladder: p.ladder, From: from})
	if err != nil {
		o.t.Fatal(err)
	}
	p.Leg = l
	synctest.Wait()
	return p
}

// meets claims a line for a call just before the line learns of a change.
func (o *office) meets(name string, change jack.Change) *party {
	o.t.Helper()
	p := &party{t: o.t, ladder: new(leg.Ladder)}
	c := newCall("call", leg.Party{}, leg.Outgoing{Sink: p, Ladder: p.ladder}, o.g.log)
	c.trunk, c.number, p.Leg = o.g.now.Load().trunks["pstn"], []step{{digits: "1"}}, c
	pick := func() *line {
		l := o.g.now.Load().byName[name]
		l.claimed.Store(true)
		l.inbox.Put(change)
		return l
	}
	if _, err := o.g.place(c, pick, nil); err != nil {
		o.t.Fatal(err)
	}
	synctest.Wait()
	return p
}

// comes is the call that came in last; it fails if there are not n.
func (o *office) comes(n int) *party {
	o.t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.incoming) != n {
		o.t.Fatalf("%d calls came in, expected %d", len(o.incoming), n)
	}
	if n == 0 {
		return nil
	}
	return o.incoming[n-1]
}

// state is what a line says of itself.
func (o *office) state(line string) string {
	o.t.Helper()
	synctest.Wait()
	for _, s := range o.g.Lines() {
		if s.Line == line {
			return s.State
		}
	}
	o.t.Fatalf("no line %s", line)
	return ""
}

func (o *office) status(line string) Status {
	synctest.Wait()
	for _, s := range o.g.Lines() {
		if s.Line == line {
			return s
		}
	}
	o.t.Fatalf("no line %s", line)
	return Status{}
}

func (o *office) is(line, state string) {
	o.t.Helper()
	if s := o.state(line); s != state {
		o.t.Errorf("line %s is %q, expected %q", line, s, state)
	}
}

// saw compares what came of the leg so far.
func (p *party) saw(want ...string) {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for _, ev := range p.events {
		got = append(got, name(ev))
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

// ended is the cause of the leg's last event.
func (p *party) ended() leg.Cause {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.events); n > 0 {
		if h, ok := p.events[n-1].(leg.HungUp); ok {
			return h.Cause.Filled()
		}
	}
	p.t.Fatalf("the leg is not over: %v", p.events)
	return leg.Cause{}
}

// because checks number and words of the cause.
func (p *party) because(q850 int, text string) {
	p.t.Helper()
	c := p.ended()
	if c.Q850 != q850 || !strings.Contains(c.Error(), text) {
		p.t.Errorf("cause %v (%s), expected %d with %q", c, c.Error(), q850, text)
	}
}

func name(ev leg.Event) string {
	switch ev := ev.(type) {
	case leg.HungUp:
		return fmt.Sprintf("HungUp %d", ev.Cause.Filled().Q850)
	case leg.Digit:
		return "Digit " + string(rune(ev.Digit))
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", ev), "leg.")
}

// draws compares the ladder, one arrow a line.
func (p *party) draws(want string) {
	p.t.Helper()
	synctest.Wait()
	var got, lines []string
	for l := range strings.Lines(p.ladder.String()) {
		got = append(got, strings.Join(strings.Fields(l), " "))
	}
	for l := range strings.Lines(want) {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			lines = append(lines, l)
		}
	}
	for i := range max(len(got), len(lines)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(lines) {
			w = lines[i]
		}
		if g != w {
			p.t.Errorf("ladder differs at line %d:\n got %q\nwant %q\nwhole:\n%s", i+1, g, w, strings.Join(got, "\n"))
			return
		}
	}
}

// hears is a media.Sink that keeps what it is given.
type hears struct {
	mu      sync.Mutex
	packets []media.Packet
}

func (h *hears) Write(p *media.Packet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := *p
	c.Payload = slices.Clone(p.Payload)
	h.packets = append(h.packets, c)
}

func (h *hears) all() []media.Packet {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.packets)
}

var us = func() tone.Country {
	c, err := tone.Lookup("us")
	if err != nil {
		panic(err)
	}
	return c
}()

// sounds of the exchange.
func plays(t tone.Tone) media.Source { return tone.NewGenerator(t) }

func tells(number, name string) media.Source {
	return callerid.NewSender(callerid.CallerID{Number: number, Name: name}, callerid.Config{})
}

func asCause(t *testing.T, err error) leg.Cause {
	t.Helper()
	var c leg.Cause
	if !errors.As(err, &c) {
		t.Fatalf("error %v is no leg.Cause", err)
	}
	return c.Filled()
}
