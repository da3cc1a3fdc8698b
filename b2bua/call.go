package b2bua

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/internal/crew"
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
	inbox *crew.Place[leg.Event]
	start func() State  // how the call begins; nil: it has begun
	done  chan struct{} // closed as the call ends

	state   State
	parties map[leg.Leg]*party // everyone who has not hung up yet
	caller  *party             // who called us
	callee  *party             // nil until somebody answers
	bridge  *media.Bridge      // who hears whom
	route   dialplan.Route     // what was matched
	trail   dialplan.Trail     // and why
	ladder  *leg.Ladder        // what passed between whom
	setup   setup              // setup.go
	handing *handover          // handover.go; nil: nobody is handed over
	host    *party             // conference.go: who joined the three
	tape    tape               // tape.go
	missed  inactivity         // inactivity.go
	desk    *desk              // desk.go; nil: no hook-flash service is going on
	payer   string             // redirect.go: the extension that pays for the call beside the caller; empty: none
	slot    string             // park.go: the parking place
	parker  string             // park.go: the extension that parked
	giveUp  time.Time          // when this state ends by itself; zero is never
	began   time.Time          // when the call came in
	answer  time.Time          // when it was answered; zero: it was not
	over    time.Time          // when it ended
	cause   leg.Cause          // why it ended
}

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
	if in.Ladder == nil {
		in.Ladder = new(leg.Ladder)
	}
	id := fmt.Sprintf("%05x", turn&0xfffff)
	c := &Call{
		x: x, id: id, turn: turn, in: in,
		log:     x.cfg.Log.With("call", id),
		done:    make(chan struct{}),
		parties: make(map[leg.Leg]*party),
		bridge:  media.NewBridge(&x.pacer),
		ladder:  in.Ladder,
		began:   time.Now(),
	}
	c.inbox = crew.NewPlace[leg.Event](x.crew, c.run)
	return c
}

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

// run does what there is to do, from the call's first moment until no leg is
// left, and tells when something will be; over: the call has ended.
func (c *Call) run() (next time.Time, over bool) {
	if begin := c.start; begin != nil {
		c.start = nil
		c.become(begin())
	}
	c.takeAll()
	if c.state != Ended {
		c.expire(time.Now())
	}
	if c.state != Ended {
		return c.deadline(), false
	}
	for _, p := range c.parties { // who never reported HungUp
		c.leave(p)
	}
	c.endRecording()
	c.bridge.Close()
	c.close()
	close(c.done)
	c.x.finish(c)
	return time.Time{}, true
}

// deadline is when the call has something to do by itself; zero: never.
func (c *Call) deadline() time.Time {
	if c.giveUp.IsZero() || !c.missed.look.IsZero() && c.missed.look.Before(c.giveUp) {
		return c.missed.look
	}
	return c.giveUp
}

// expire does what is due.
func (c *Call) expire(now time.Time) {
	if at := c.missed.look; !at.IsZero() && !now.Before(at) {
		c.become(c.lookAround(now))
		return
	}
	if !c.giveUp.IsZero() && !now.Before(c.giveUp) {
		c.giveUp = time.Time{}
		c.become(c.next(timedOut{}))
	}
}

// close refuses what is still asked of a call that has ended.
func (c *Call) close() {
	for _, ev := range c.inbox.Close() {
		if r, ok := ev.(replace); ok {
			c.refuse(r, errNoSuchDialog)
		}
	}
}

// takeAll gives every waiting event to the state that it finds.
func (c *Call) takeAll() {
	for c.state != Ended {
		ev, ok := c.inbox.Take()
		if !ok {
			return
		}
		c.become(c.next(ev))
	}
}

// become enters a state if it is another one. It follows each event.
func (c *Call) become(s State) {
	if s != c.state {
		c.log.Debug("call changes state", "from", c.state, "to", s)
		c.state = s
		c.enter(s)
	}
	c.followTape()
	c.noteUndisturbed()
}

// enter does what belongs to arriving in a state, whatever the way in.
func (c *Call) enter(s State) {
	c.expectAll()
	switch s {
	case Talking, Serving:
		c.giveUp = time.Time{}
		if c.answer.IsZero() {
			c.answer = time.Now()
		}
		if c.route.MaxTalk > 0 {
			c.giveUp = c.answer.Add(c.route.MaxTalk)
		}
	case Parked:
		c.giveUp = time.Now().Add(c.x.cfg.ParkFor)
	case HandingOver, Conference, Consulting:
		c.giveUp = time.Time{}
	case Ending:
		c.giveUp = time.Now().Add(stuckAfter)
	}
}

// end hangs up everyone who is left; the call ends with the last of them.
// Only the first cause counts.
func (c *Call) end(why leg.Cause) State {
	if c.over.IsZero() {
		c.x.leaveSlot(c)
		c.over, c.cause = time.Now(), why.Filled()
		c.account()
	}
	for _, p := range c.parties {
		switch p.role {
		case seeking:
			c.release(p, refusal(why))
		case rung:
			c.release(p, c.needless(why))
		case joined:
			c.release(p, why)
		}
	}
	if len(c.parties) == 0 {
		return Ended
	}
	return Ending
}

// refusal is the cause as a caller is told it who was never answered: that
// can't look as if somebody had hung up.
func refusal(why leg.Cause) leg.Cause {
	if f := why.Filled(); f.Status < 300 {
		return leg.TemporaryFailure.GivenBy(why.By)
	}
	return why
}

// needless is the cause as a place is told it that rings and need not any more.
func (c *Call) needless(why leg.Cause) leg.Cause {
	if c.caller != nil && why.By == c.caller.name() || why.Normal() {
		return leg.Cancelled.GivenBy(why.By)
	}
	return why
}

// ending waits for the legs to go.
func (c *Call) ending(ev leg.Event) State {
	if _, late := ev.(timedOut); late {
		var left []string
		for l := range c.parties {
			left = append(left, l.ID())
		}
		c.log.Error("legs did not end; the call leaves them", "after", stuckAfter, "legs", strings.Join(left, " "))
		return Ended
	}
	if len(c.parties) == 0 {
		return Ended
	}
	return Ending
}

// describe is an event's name for a log.
func describe(ev leg.Event) string {
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", ev), "leg."), "b2bua.")
}
