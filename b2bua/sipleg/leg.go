package sipleg

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"crosspoint/internal/crew"
	"crosspoint/media"
	"crosspoint/media/g711"
	"github.com/emiago/sipgo/sip"
)

// state is where a leg is, whoever called.
type state uint8

const (
	calling state = iota // our INVITE has no final response yet
	called               // theirs has none yet
	talking              // a 2xx was sent or received
	leaving              // we said goodbye and wait for the confirmation
	over                 // nothing is left to do here
)

func (s state) String() string {
	return [...]string{"calling", "called", "talking", "leaving", "over"}[s]
}

// A Leg is one party's SIP dialog, of either direction. Its fields belong to
// run, except those marked otherwise.
type Leg struct {
	identity // does not change
	agent    *Agent
	label    string // does not change
	in       *crew.Place[any]
	party    atomic.Pointer[leg.Party] // read by anyone
	stage    atomic.Uint32             // state, read by anyone
	far      atomic.Pointer[string]    // the party's tag, read by anyone; nil: theirTag
	flows    []wire.Flow               // connections that are watched; the table's lock guards it

	name   string // set before anyone else knows the leg
	log    *slog.Logger
	ladder *leg.Ladder
	sink   leg.Sink // nil: call control does not know the leg yet
	audio  audio    // what is negotiated and heard (audio.go)

	ofPhone bool // the party is a phone of ours
	trusted bool // it may be told who is at the other end
	state   state
	dialog  *dialog // the one that counts; of an outgoing leg before its 2xx the INVITE's own half
	clients []*request
	servers []*server
	settled settled

	out    inviteOut    // invite_out.go
	inv    inviteIn     // invite_in.go
	modify modify       // reinvite.go
	timer  sessionTimer // session_timer.go
	refer  refer        // refer.go

	ending   *request  // our BYE; nil: none
	why      leg.Cause // of the end, when leaving
	patience time.Time // when HungUp is reported though nobody confirmed; zero: it is reported, or nobody left
	reported bool      // HungUp was delivered
}

var _ leg.Leg = (*Leg)(nil)

// newLeg makes a leg that nobody knows yet.
func newLeg(a *Agent, id identity) *Leg {
	l := &Leg{identity: id, agent: a, label: "sip-" + base36(a.serial.Add(1)), state: calling}
	l.in = crew.NewPlace[any](a.crew, l.run)
	l.log = a.log.With("leg", l.label)
	l.party.Store(&leg.Party{})
	return l
}

// run does what there is to do, and tells when something will be; gone: the call
// is over, and nothing is left of the leg.
func (l *Leg) run() (next time.Time, gone bool) {
	l.work()
	if l.state != over {
		l.guard("timers", func() { l.expire(time.Now()) })
	}
	if l.state != over {
		l.settle()
		return l.deadline(), false
	}
	l.bury()
	l.agent.running.Done()
	return time.Time{}, true
}

// work takes what has come in, until there is nothing more or the leg is over.
func (l *Leg) work() {
	for l.state != over {
		item, ok := l.in.Take()
		if !ok {
			return
		}
		switch item := item.(type) {
		case wire.Inbound:
			l.guard(item, func() { l.received(item) })
		case func():
			l.guard("order", item)
		}
	}
}

// guard does something that must not end the process, whatever a message held
// that no one foresaw: the leg ends instead.
func (l *Leg) guard(what any, do func()) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if in, ok := what.(wire.Inbound); ok {
			what = in.Message().String()
		}
		l.log.Error("sip: the leg ends by an error of ours; this is a bug", "panic", r, "at", what, "stack", string(debug.Stack()))
		l.finish(leg.TemporaryFailure.GivenBy(leg.Us).Because("internal error"))
	}()
	do()
}

func (l *Leg) received(in wire.Inbound) {
	if in.Response != nil {
		l.response(in.Response, time.Now())
	} else {
		l.request(in, time.Now())
	}
}

// deadline is the earliest time at which something is to be done; zero: never.
func (l *Leg) deadline() time.Time {
	next := l.patience
	for _, r := range l.clients {
		next = alarm.Sooner(next, r.Deadline())
	}
	for _, s := range l.servers {
		next = alarm.Sooner(next, s.Deadline())
	}
	next = alarm.Sooner(next, l.settled.deadline())
	if l.state == called {
		next = alarm.Sooner(next, l.inv.trying, l.inv.again, l.inv.expires)
	}
	return alarm.Sooner(next, l.inv.repeat.Deadline(), l.inv.reliable.Deadline(), l.modify.deadline(), l.timer.deadline())
}

// expire does what is due.
func (l *Leg) expire(now time.Time) {
	for _, r := range l.clients {
		if r.Expire(now) && r.on != nil {
			r.on(made(r.Request, 408))
		}
	}
	for _, s := range l.servers {
		if s.Expire(now) && s == l.inv.tx {
			l.log.Debug("sip: no ACK for our refusal")
			l.left()
		}
	}
	l.clients = keep(l.clients, func(r *request) bool { return r.State() != txn.Terminated })
	l.servers = keep(l.servers, func(s *server) bool { return s.State() != txn.Terminated })
	l.settled.expire(l.agent, now)
	l.expireAnswer(now)
	l.expireReliable(now)
	l.expireTimer(now)
	l.expireModify(now)
	if alarm.Due(l.patience, now) {
		l.report(l.why)
	}
}

// deliver tells call control a fact.
func (l *Leg) deliver(ev leg.Event) {
	if l.sink != nil && !l.reported {
		l.sink.Deliver(ev)
	}
}

func (l *Leg) of() leg.Of { return leg.Of{Leg: l} }

// enter changes the state.
func (l *Leg) enter(s state) {
	l.state = s
	l.stage.Store(uint32(s))
}

// leave begins the end from our side: the goodbye has been sent, the
// confirmation is awaited. HungUp is not held up for longer than 4*T1.
func (l *Leg) leave(why leg.Cause) {
	l.why = why
	l.patience = time.Now().Add(4 * l.agent.cfg.Timing.T1)
	l.enter(leaving)
	l.quiet()
}

// left ends a leg whose goodbye is confirmed, or who waits in vain for it.
func (l *Leg) left() {
	if l.state == leaving {
		l.finish(l.why)
	}
}

// finish ends the leg now.
func (l *Leg) finish(why leg.Cause) {
	l.quiet()
	l.report(why)
	l.enter(over)
}

// report delivers HungUp, the last event.
func (l *Leg) report(why leg.Cause) {
	l.patience = time.Time{}
	l.deliver(leg.HungUp{Of: l.of(), Cause: why, Moved: l.out.moved, MovedFor: l.out.movedFor})
	l.reported = true
}

// quiet stops all that belongs to a call in progress.
func (l *Leg) quiet() {
	l.audio.close()
	l.inv.repeat.Stop()
	l.inv.reliable.Stop()
	l.timer = sessionTimer{}
	l.modify.stop()
}

// abandon ends the leg without waiting for anyone: the exchange closes.
func (l *Leg) abandon() {
	l.Hangup(leg.ShuttingDown.GivenBy(leg.Us))
	l.work()
	if l.state != over {
		l.finish(l.why)
	}
}

// bury takes the leg out of the table and leaves a tombstone if something may
// still be repeated.
func (l *Leg) bury() {
	t := l.agent.table
	tomb := l.tombstone()
	t.mu.Lock()
	t.remove(l)
	rest := l.in.Close()
	if tomb != nil {
		t.add(tomb)
		l.agent.desk.in.Put(deskItem{tomb: tomb, bury: true})
	}
	t.mu.Unlock()
	l.agent.again(rest)
}

// id, take and talks make a Leg an owner.
func (l *Leg) id() *identity { return &l.identity }

func (l *Leg) take(in wire.Inbound) { l.in.Put(in) }

func (l *Leg) talks() bool { return state(l.stage.Load()) <= talking }

// ID is "sip-" and a number.
func (l *Leg) ID() string { return l.label }

// Name is the phone's extension, the peer's name or the host.
func (l *Leg) Name() string { return l.name }

// Party is who is at the other end.
func (l *Leg) Party() leg.Party { return *l.party.Load() }

// Stream is the party's audio.
func (l *Leg) Stream() media.Stream { return l.audio.stream() }

// String is the leg for a log: "sip-1f 101 talking".
func (l *Leg) String() string {
	return fmt.Sprintf("%s %s %s", l.label, l.name, state(l.stage.Load()))
}

// order queues what call control wants.
func (l *Leg) order(what string, do func()) {
	ok := l.in.Put(func() {
		if l.state == leaving || l.state == over {
			l.log.Debug("order to a leg that is over", "order", what)
			return
		}
		do()
	})
	if !ok {
		l.agent.log.Debug("order to a leg that is over", "order", what, "leg", l.label)
	}
}

// Prefer asks for a law; see leg.Leg.
func (l *Leg) Prefer(law g711.Law) { l.order("prefer", func() { l.audio.prefer(law) }) }

// Ringing sends 180.
func (l *Leg) Ringing() { l.order("ringing", l.ring) }

// Progress sends 183 with a session description: early media.
func (l *Leg) Progress() { l.order("progress", l.progress) }

// Answer sends 200.
func (l *Leg) Answer() { l.order("answer", l.answer) }

// Hold and Resume send a re-INVITE.
func (l *Leg) Hold()   { l.order("hold", func() { l.want(true) }) }
func (l *Leg) Resume() { l.order("resume", func() { l.want(false) }) }

// Digit sends a telephone-event, or INFO to a party that knows none.
func (l *Leg) Digit(digit byte, d time.Duration) {
	l.order("digit", func() { l.digit(digit, d) })
}

// Flash sends a hook-flash as INFO: SIP has no other way to an exchange.
func (l *Leg) Flash() { l.order("flash", l.flash) }

// Identify tells the party whom it is connected to.
func (l *Leg) Identify(p leg.Party) { l.order("identify", func() { l.identify(p) }) }

// Refer sends REFER.
func (l *Leg) Refer(r leg.Refer) { l.order("refer", func() { l.sendRefer(r) }) }

// Notify sends NOTIFY about the party's own REFER.
func (l *Leg) Notify(c leg.Cause) { l.order("notify", func() { l.notify(c) }) }

// Hangup ends the leg: CANCEL, a refusal or BYE.
func (l *Leg) Hangup(why leg.Cause) {
	l.order("hangup", func() {
		l.log.Debug("hang up", "state", l.state, "cause", why)
		switch l.state {
		case calling:
			l.cancel(why)
		case called:
			l.refuse(why)
		case talking:
			l.bye(why)
		}
	})
}

// hostName is a party's column where it has no better name.
func hostName(u sip.Uri) string { return strings.Trim(u.Host, "[]") }
