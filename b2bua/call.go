package b2bua

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/internal/inbox"
	"crosspoint/media"
)

// A Call joins the caller's leg to the leg that answers. Fields belong to run,
// except x, id, turn, in, inbox, log and done, which never change.
type Call struct {
	x     *Exchange
	id    string
	turn  uint32 // number of the call, for groups that rotate
	in    leg.Incoming
	log   *slog.Logger
	inbox *inbox.Inbox[leg.Event]
	done  chan struct{} // closed as run returns

	state      State
	caller     leg.Leg
	callee     leg.Leg            // nil until somebody answers
	legs       map[leg.Leg]role   // every leg that has not hung up yet
	extensions map[leg.Leg]string // which of them make an extension busy
	bridge     *media.Bridge      // who hears whom
	route      dialplan.Route     // what was matched
	trail      dialplan.Trail     // and why
	ladder     *leg.Ladder        // what passed between whom
	setup      setup              // setup.go
	hold       map[leg.Leg]bool   // hold.go: who has put the other on hold
	audio      map[leg.Leg]bool   // talking.go: who was reported silent
	giveUp     time.Time          // when this state ends by itself; zero is never
	began      time.Time          // when the call came in
	answer     time.Time          // when it was answered; zero: it was not
	over       time.Time          // when it ended
	cause      leg.Cause          // why it ended
}

// A role is what a leg is to its call.
type role uint8

const (
	caller role = iota // called us
	rung               // is being called by a stage
	callee             // has answered
	letGo              // was told to hang up; only its HungUp still matters
)

// Events that are no leg's.
type (
	timedOut struct{} // giveUp has passed
	stop     struct{} // the exchange is being stopped
	question struct{ answer chan<- Record }
)

func (timedOut) From() leg.Leg { return nil }
func (stop) From() leg.Leg     { return nil }
func (question) From() leg.Leg { return nil }

// stuckAfter is how long a call waits for its last leg to report HungUp. A SIP
// leg takes 64*T1 = 32 s at most (RFC 3261 §17.1.2.2); longer is a fault of
// ours, and the call must not stay for ever.
const stuckAfter = 40 * time.Second

func newCall(x *Exchange, turn uint32, in leg.Incoming) *Call {
	id := fmt.Sprintf("%05x", turn&0xfffff)
	if in.Ladder == nil {
		in.Ladder = new(leg.Ladder)
	}
	return &Call{
		x: x, id: id, turn: turn, in: in,
		log:        x.cfg.Log.With("call", id),
		inbox:      inbox.New[leg.Event](),
		done:       make(chan struct{}),
		caller:     in.Leg,
		legs:       map[leg.Leg]role{in.Leg: caller},
		extensions: make(map[leg.Leg]string),
		bridge:     media.NewBridge(),
		ladder:     in.Ladder,
		hold:       make(map[leg.Leg]bool),
		audio:      make(map[leg.Leg]bool),
		began:      time.Now(),
	}
}

// Deliver queues an event of one of the call's legs.
func (c *Call) Deliver(ev leg.Event) { c.inbox.Put(ev) }

// ask is the call's record as it stands; false: the call has ended meanwhile.
func (c *Call) ask() (Record, bool) {
	answer := make(chan Record, 1)
	if !c.inbox.Put(question{answer}) {
		return Record{}, false
	}
	select {
	case rec := <-answer:
		return rec, true
	case <-c.done:
		return Record{}, false
	}
}

// run owns the call from its first moment until no leg is left.
func (c *Call) run() {
	defer close(c.done)
	defer c.inbox.Close()
	defer c.bridge.Close()
	defer c.forget()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	c.become(c.begin())
	for c.state != Ended {
		var late <-chan time.Time
		if !c.giveUp.IsZero() {
			timer.Reset(time.Until(c.giveUp))
			late = timer.C
		}
		select {
		case <-c.inbox.Ready():
			for c.state != Ended {
				ev, ok := c.inbox.Take()
				if !ok {
					break
				}
				c.become(c.next(ev))
			}
		case <-late:
			c.giveUp = time.Time{}
			c.become(c.next(timedOut{}))
		}
	}
}

// become enters a state if it is another one.
func (c *Call) become(s State) {
	if s == c.state {
		return
	}
	c.log.Debug("call changes state", "from", c.state, "to", s)
	c.state = s
	c.enter(s)
}

// enter does what belongs to arriving in a state, whatever the way in.
func (c *Call) enter(s State) {
	switch s {
	case Talking:
		c.giveUp = time.Time{}
		c.answer = time.Now()
	case Ending:
		c.giveUp = time.Now().Add(stuckAfter)
	}
}

// occupy notes that an extension is in this call by that leg.
func (c *Call) occupy(l leg.Leg, extension string) {
	c.extensions[l] = extension
	c.x.use(extension, 1)
}

// leave forgets a leg that has hung up.
func (c *Call) leave(l leg.Leg) {
	if extension, ok := c.extensions[l]; ok {
		delete(c.extensions, l)
		c.x.use(extension, -1)
	}
	delete(c.legs, l)
	delete(c.hold, l)
	c.bridge.Leave(l.Stream())
}

// forget leaves the legs that never reported HungUp.
func (c *Call) forget() {
	for l := range c.legs {
		c.leave(l)
	}
}

// release tells a leg to hang up and waits for nothing.
func (c *Call) release(l leg.Leg, why leg.Cause) {
	if r, ok := c.legs[l]; !ok || r == letGo {
		return
	}
	c.legs[l] = letGo
	c.bridge.Leave(l.Stream())
	l.Hangup(why)
}

// end hangs up every leg that is left; the call ends with the last of them.
// Only the first cause counts.
func (c *Call) end(why leg.Cause) State {
	if c.over.IsZero() {
		c.over, c.cause = time.Now(), why.Filled()
	}
	for l, r := range c.legs {
		switch {
		case r == caller:
			c.release(l, c.toCaller(why))
		case c.answer.IsZero():
			c.release(l, c.toRung(why))
		default:
			c.release(l, why)
		}
	}
	if len(c.legs) == 0 {
		return Ended
	}
	return Ending
}

// toCaller is the cause as the caller is told it: a call that was never
// answered can't end as if somebody had hung up.
func (c *Call) toCaller(why leg.Cause) leg.Cause {
	if f := why.Filled(); c.answer.IsZero() && f.Status < 300 {
		return leg.TemporaryFailure.GivenBy(why.By)
	}
	return why
}

// toRung is the cause as a place is told it that rings and need not any more.
func (c *Call) toRung(why leg.Cause) leg.Cause {
	if why.By == c.caller.Name() || why.Normal() {
		return leg.Cancelled.GivenBy(why.By)
	}
	return why
}

// ending waits for the legs to go.
func (c *Call) ending(ev leg.Event) State {
	switch ev.(type) {
	case timedOut:
		var left []string
		for l := range c.legs {
			left = append(left, l.ID())
		}
		c.log.Error("legs did not end; the call leaves them", "after", stuckAfter, "legs", strings.Join(left, " "))
		return Ended
	case leg.HungUp:
		if len(c.legs) == 0 {
			return Ended
		}
	}
	return Ending
}

// describe is an event's name for a log.
func describe(ev leg.Event) string {
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", ev), "leg."), "b2bua.")
}
