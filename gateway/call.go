package gateway

import (
	"log/slog"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// A call is one call of a line, as a leg. Its orders go to the inbox of the
// line that has it: while a trunk is hunted that may be one line after another.
type call struct {
	id     string
	party  leg.Party // who is at the line's end, as its leg shows it
	stream *stream
	ladder *leg.Ladder
	log    *slog.Logger
	line   atomic.Pointer[line]      // who has the call now
	hangup atomic.Pointer[leg.Cause] // ordered, maybe before the line knew the call
	over   atomic.Bool               // HungUp was delivered

	// The rest belongs to the line that has the call.
	sink   leg.Sink
	trunk  *trunk // hunted; nil: the call stays where it is
	number []step // what is dialled on a trunk
	dialed string // the same, for people
	from   leg.Party
	ring   string // the name of the ring that it asks for
	tried  []*line

	emergency bool      // it may take a line from another call, and none may take its line
	other     leg.Party // who is at the other end of the line's talk, for its report
	trying    bool      // Trying was delivered
	rings     bool      // Ringing was delivered
	held      bool      // the party waits, as the ladder has it
	special   bool      // an announcement of the exchange was begun by its tones
	worst     leg.Cause // why the line tried last did not do
}

// newCall makes the call of a leg.Outgoing or, with a zero one, of a line.
func newCall(id string, party leg.Party, o leg.Outgoing, log *slog.Logger) *call {
	c := &call{id: id, party: party, other: party, stream: newStream(), ladder: o.Ladder, sink: o.Sink, from: o.From, ring: o.Ring.Name, emergency: o.Emergency}
	if c.ladder == nil {
		c.ladder = new(leg.Ladder)
	}
	c.log = log
	if o.Log != nil {
		c.log = o.Log
	}
	c.log = c.log.With("leg", id)
	return c
}

func (c *call) ID() string           { return c.id }
func (c *call) Name() string         { return c.line.Load().cfg.Name }
func (c *call) Party() leg.Party     { return c.party }
func (c *call) Stream() media.Stream { return c.stream }

// Prefer has nothing to ask: a line speaks µ-law, whatever is preferred.
func (c *call) Prefer(g711.Law) {}

func (c *call) Ringing()  { c.order(order{what: alert}) }
func (c *call) Progress() { c.order(order{what: progress}) }
func (c *call) Answer()   { c.order(order{what: answer}) }

// Hold and Resume are for the ladder alone: a line has no form to be told in, and
// what it hears is the bridge's matter.
func (c *call) Hold()   { c.order(order{what: hold}) }
func (c *call) Resume() { c.order(order{what: resume}) }

func (c *call) Digit(digit byte, d time.Duration) {
	c.order(order{what: sendDigit, digit: digit, d: d})
}
func (c *call) Flash() { c.order(order{what: sendFlash}) }

// Identify, Refer and Notify have no form that a telephone line understands
// during a call.
func (c *call) Identify(leg.Party) {}
func (c *call) Refer(leg.Refer)    {}
func (c *call) Notify(leg.Cause)   {}

func (c *call) Hangup(cause leg.Cause) {
	c.hangup.CompareAndSwap(nil, &cause)
	c.order(order{what: hangup, cause: cause})
}

func (c *call) order(o order) {
	if c.over.Load() {
		c.log.Debug("order to a leg that is over", "order", o.what)
		return
	}
	o.call = c
	c.line.Load().inbox.Put(o)
}

// of is the head of this leg's events.
func (c *call) of() leg.Of { return leg.Of{Leg: c} }

func (c *call) deliver(ev leg.Event) {
	if c.sink != nil {
		c.sink.Deliver(ev)
	}
}

// end delivers the leg's last event, once.
func (c *call) end(cause leg.Cause) {
	if c.over.Swap(true) {
		return
	}
	c.stream.close()
	c.deliver(leg.HungUp{Of: c.of(), Cause: cause})
}

// An order is what a leg was told to do.
type order struct {
	call  *call
	what  what
	cause leg.Cause     // hangup
	digit byte          // sendDigit
	d     time.Duration // sendDigit
}

type what uint8

const (
	alert what = iota + 1
	progress
	answer
	sendDigit
	sendFlash
	hold
	resume
	hangup
)

func (w what) String() string {
	return [...]string{"", "ringing", "progress", "answer", "digit", "flash", "hold", "resume", "hangup"}[w]
}

// draw shows a hold and its end in the ladder.
func (l *line) draw(o order) {
	if held := o.what == hold; held != o.call.held {
		o.call.held = held
		o.call.ladder.Out(l.cfg.Name, o.what.String())
	}
}
