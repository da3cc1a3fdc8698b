// Package gateway makes call legs of telephone lines. An FXO line faces a
// telephone exchange: it is seized and dialled on, and rings. An FXS line
// faces a telephone: it rings it, gives it tones, and collects the digits that
// it dials. A TDM line is a timeslot of a T1 or E1 to another exchange, whose hook
// is signalling bits. Each is a leg.Leg while it has a call.
//
// Each line is owned by one goroutine with an inbox and a timer (line.go); what
// an FXO line does stands in the files fxo*.go, what an FXS line does in
// fxs*.go, a TDM line in tdm*.go. The card's 20 ms ticks do the audio work in audio.go, in the
// driver's goroutine, without waiting for the owner. The package knows no card
// and no protocol: a line driver offers each jack as a jack.Port.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/internal/inbox"
)

// A Gateway owns the telephone lines of the exchange.
type Gateway struct {
	cfg Config
	log *slog.Logger
	now atomic.Pointer[lineup]

	lamp atomic.Pointer[line] // whose telephone's message lamp is being switched; nil: none

	reloading sync.Mutex // one at a time, and none while the gateway is closed
	closed    bool
}

// New attaches to the port of each line and takes it into service as its card
// answers. Its error says which line or trunk of the configuration
// contradicts itself.
func New(c Config) (*Gateway, error) {
	g := &Gateway{cfg: c, log: c.Log}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	first, fresh, err := g.lineup(c, new(lineup))
	if err != nil {
		return nil, err
	}
	g.now.Store(first)
	for _, l := range fresh { // nothing can go wrong any more
		l.start(false)
	}
	return g, nil
}

// newLine makes a line that does not run yet.
func (g *Gateway) newLine(c LineConfig) (*line, error) {
	switch {
	case c.Name == "":
		return nil, errors.New("a line has no name")
	case c.Port == nil:
		return nil, fmt.Errorf("line %s has no port", c.Name)
	}
	country, err := countryOf(c.Country)
	if err != nil {
		return nil, fmt.Errorf("line %s: %w", c.Name, err)
	}
	standard := callerid.Of(country.Code)
	if c.CallerID != "" {
		if standard, err = callerid.Lookup(c.CallerID); err != nil {
			return nil, fmt.Errorf("line %s: %w", c.Name, err)
		}
	}
	l := &line{
		gw:      g,
		cfg:     c,
		country: country,
		cidBy:   standard,
		log:     g.log.With("line", c.Name),
		inbox:   inbox.New[event](),
		done:    make(chan struct{}),
		busied:  c.BusiedOut,
		why:     "the line card has not answered yet",
	}
	kind := c.Kind
	if kind == jack.Unknown {
		kind = c.Port.Kind()
	}
	switch kind {
	case jack.FXO:
		l.m = newFXO(l)
	case jack.FXS:
		l.m = newFXS(l)
	case jack.TDM:
		slot, ok := c.Port.(jack.Timeslot)
		if !ok {
			return nil, fmt.Errorf("line %s (%s): the jack can't be a timeslot", c.Name, c.Port.Name())
		}
		l.m = newTDM(l, slot)
	default:
		return nil, fmt.Errorf(`line %s (%s): kind is %s; say "fxo" for a line to an exchange, "fxs" for one to a telephone, "tdm" for a trunk over a timeslot`,
			c.Name, c.Port.Name(), kind)
	}
	l.kind = kind
	l.audio = newAudio(l)
	l.publish()
	return l, nil
}

// Dial places a call to a number over a trunk: it seizes the first idle line
// in hunting order, and the next when that has no dial tone. The error is a
// leg.Cause: leg.NoCircuit with what each line is doing, leg.InvalidNumber for
// what can't be dialled. An emergency call that finds no idle line takes one
// from another call, which ends with Q.850 cause 8.
//
// Number is digits 0-9 * # A-D; ' ', '-', '.', '(' and ')' are skipped. ','
// is a pause of 2 s, 'w' waits for another dial tone (two-stage dialling).
func (g *Gateway) Dial(trunk, number string, o leg.Outgoing) (leg.Leg, error) {
	t := g.now.Load().trunks[trunk]
	if t == nil {
		return nil, leg.NoCircuit.GivenBy(leg.Us).Because("there is no trunk %q", trunk)
	}
	steps, err := parseNumber(number)
	if err != nil {
		return nil, leg.InvalidNumber.GivenBy(leg.Us).Because("%v", err)
	}
	c := newCall(fmt.Sprintf("%s-%x", trunk, t.calls.Add(1)), leg.Party{Number: number}, o, g.log)
	c.trunk, c.number, c.dialed = t, append(slices.Clone(t.first), steps...), number
	return g.place(c, func() *line {
		if l := t.pick(nil); l != nil || !o.Emergency {
			return l
		}
		return t.preempt(nil)
	}, t.allBusy)
}

// DialLine rings the telephone on an FXS line. The error is a leg.Cause:
// leg.Busy if the telephone is off-hook.
func (g *Gateway) DialLine(name string, o leg.Outgoing) (leg.Leg, error) {
	l, phone, err := g.telephone(name)
	if err != nil {
		return nil, err
	}
	return g.place(phone.called(o), func() *line {
		if l.report.Load().Ready && l.claimed.CompareAndSwap(false, true) {
			return l
		}
		return nil
	}, l.unavailable)
}

// CallWaiting offers a second call to the telephone on an FXS line, which talks.
// It hears the call-waiting tone and, if it has a display, is told who calls; a
// hook-flash answers. The error is a leg.Cause: leg.Busy if the telephone does
// not talk, has two calls already, or its call carries fax or modem signals.
func (g *Gateway) CallWaiting(name string, o leg.Outgoing) (leg.Leg, error) {
	l, phone, err := g.telephone(name)
	if err != nil {
		return nil, err
	}
	return g.place(phone.called(o), func() *line {
		if l.report.Load().waits && l.second.CompareAndSwap(false, true) {
			return l
		}
		return nil
	}, l.unavailable)
}

// telephone is the FXS line of a name.
func (g *Gateway) telephone(name string) (*line, *fxs, error) {
	l := g.now.Load().byName[name]
	if l == nil {
		return nil, nil, leg.Unallocated.GivenBy(leg.Us).Because("there is no line %q", name)
	}
	phone, ok := l.m.(*fxs)
	if !ok {
		return nil, nil, leg.Unallocated.GivenBy(leg.Us).Because("line %s leads to an exchange: it is called over a trunk", name)
	}
	return l, phone, nil
}

// called makes a call to the telephone.
func (f *fxs) called(o leg.Outgoing) *call {
	return newCall(f.nextID(), leg.Party{Number: f.opt.Extension, Name: f.opt.Name}, o, f.gw.log)
}

// place gives a call to the line that pick claims for it.
func (g *Gateway) place(c *call, pick func() *line, none func() leg.Cause) (leg.Leg, error) {
	l := pick()
	if l == nil {
		return nil, none()
	}
	c.line.Store(l)
	if !l.inbox.Put(seize{c}) {
		return nil, leg.ShuttingDown.GivenBy(leg.Us)
	}
	return c, nil
}

// Lines reports on each line, in the order of the configuration; those that
// leave follow.
func (g *Gateway) Lines() []Status {
	now := g.now.Load()
	all := make([]Status, 0, len(now.lines)+len(now.leaving))
	for _, l := range now.lines {
		all = append(all, l.status())
	}
	for _, l := range now.leaving {
		if !l.over() {
			s := l.status()
			s.State += ", leaves service"
			all = append(all, s)
		}
	}
	return all
}

// BusyOut takes a line out of service for new calls, and puts it back. A call
// on it goes on.
func (g *Gateway) BusyOut(line string, out bool) error { return g.tell(line, busyOut{out}) }

// MessageWaiting says whether the telephone on an FXS line is told that messages
// wait: by a stutter dial tone, and by its message lamp where the line's standard
// of caller ID has a message for it, which is sent when the line is idle.
func (g *Gateway) MessageWaiting(line string, waiting bool) error {
	return g.tell(line, messages{waiting})
}

func (g *Gateway) tell(line string, ev event) error {
	l := g.now.Load().byName[line]
	if l == nil {
		return fmt.Errorf("there is no line %q", line)
	}
	l.inbox.Put(ev)
	return nil
}

// Close ends all calls and leaves each line on-hook and silent. It waits for
// the lines' goroutines until ctx ends.
func (g *Gateway) Close(ctx context.Context) error {
	g.reloading.Lock()
	g.closed = true
	g.reloading.Unlock()
	now := g.now.Load()
	lines := append(slices.Clone(now.lines), now.leaving...)
	for _, l := range lines {
		l.inbox.Put(closing{})
	}
	for _, l := range lines {
		select {
		case <-l.done:
		case <-ctx.Done():
			return fmt.Errorf("line %s is not yet on-hook: %w", l.cfg.Name, ctx.Err())
		}
	}
	return nil
}
