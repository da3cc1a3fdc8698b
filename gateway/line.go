package gateway

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/internal/alarm"
	"crosspoint/internal/inbox"
	"crosspoint/media/echo"
)

// A line is one jack in service. Its goroutine owns it; whoever else has
// something for it puts it into the inbox. What it does with it is the
// machine's: an fxo, an fxs or a tdm.
type line struct {
	gw      *Gateway
	cfg     LineConfig
	country country
	cidBy   callerid.Standard // how caller ID is sent
	log     *slog.Logger
	inbox   *inbox.Inbox[event]
	audio   *audio                 // at work in the driver's ticks
	kind    jack.Kind              // FXO, FXS or TDM
	calls   atomic.Uint64          // numbers the calls
	claimed atomic.Bool            // by a call that is here or on its way here
	second  atomic.Bool            // claimed by a second call, for a telephone that talks
	report  atomic.Pointer[report] // what Lines and trunks may see
	done    chan struct{}          // closed as run returns

	// The rest belongs to run.
	m       machine
	why     string     // it is out of service, while the machine is down
	jack    jack.State // what the card reported last
	timers  timers
	call    *call // nil: none
	record  CallRecord
	answer  time.Time // when the call was answered
	data    echo.Data // that the call carries now
	aside   aside     // FXS: the telephone's other call
	stats   Counts
	last    []CallRecord // latest first
	since   time.Time
	fault   string
	faultAt time.Time
	busied  bool
	closing bool
	leaves  leaves
}

// A machine is what a kind of line does with an event, and how it says what it
// is doing.
type machine interface {
	handle(event)
	// says is the state in words, where %s stands for who is at the other end, and
	// what follows them (words.go).
	says() (state, more string)
	ready() bool    // an order to place a call could be obeyed now
	failed() string // why it could not be at any time; empty if it could
	release()       // on-hook, silent, idle
	down() bool     // out of service: the card, the port or the span can't be used
	talks() bool    // both ways
	goesOn() bool   // what the line does goes on though the card has reported anew
	arrive()        // idle, or what the card reports, from out of service
	fall()          // out of service
	side() *outward // nil: no trunk leads over the line
}

// An event is something put into a line's inbox: a jack.Change, an order, or
// one of the types below.
type event any

type (
	// seize brings a call that the line is claimed for.
	seize struct{ call *call }
	// signal is a tone heard on the line, or a voice, that began or ended.
	signal struct {
		heard heard
		on    bool
	}
	// keyDown and keyUp are a DTMF digit on the line.
	keyDown struct{ digit byte }
	keyUp   struct {
		digit byte
		d     time.Duration
	}
	// played: a sound with an end has been sent.
	played struct{ sound *sound }
	// expired: a timer's time has come.
	expired struct{ timer timer }
	// carries: the line begins or ends to carry data in the call with the stream.
	carries struct {
		stream *stream
		data   echo.Data
	}
	// busyOut, messages and closing come from the gateway.
	busyOut  struct{ out bool }
	messages struct{ waiting bool }
	closing  struct{}
)

// run owns the line until it is closed.
func (l *line) run() {
	defer close(l.done)
	next := alarm.New()
	defer next.Stop()
	for {
		for {
			ev, ok := l.inbox.Take()
			if !ok {
				break
			}
			l.take(ev)
		}
		for !l.closing {
			which, ok := l.timers.due(time.Now())
			if !ok {
				break
			}
			l.take(expired{which})
		}
		if l.closing {
			l.close()
			return
		}
		next.Set(l.timers.earliest())
		select {
		case <-l.inbox.Ready():
		case <-next.C():
		}
	}
}

// take sorts an event: what is the same for each kind of line is done here,
// the rest is the machine's.
func (l *line) take(ev event) {
	if l.closing {
		l.refuse(ev)
		return
	}
	switch ev := ev.(type) {
	case closing:
		l.closing = true
		return
	case played:
		if l.audio.over(ev.sound) {
			return
		}
		l.m.handle(ev)
	case carries:
		l.dataCall(ev)
		l.m.handle(ev)
	case busyOut:
		l.busied = ev.out
		l.m.handle(ev)
	case seize:
		if cause := ev.call.hangup.Load(); cause != nil {
			l.claimed.Store(l.call != nil || l.aside.call != nil)
			l.second.Store(l.aside.call != nil)
			ev.call.end(*cause)
			return
		}
		l.m.handle(ev)
	case order:
		switch {
		case !l.mine(ev):
		case ev.what == hold || ev.what == resume:
			l.draw(ev)
		default:
			l.m.handle(ev)
		}
	case jack.Change:
		l.jack = ev.State
		l.log.Debug("card", "change", ev.What, "off_hook", ev.State.OffHook, "battery", ev.State.Battery, "for", ev.For)
		l.m.handle(ev)
	case expired:
		if ev.timer == tickTimer {
			l.watch()
			return
		}
		l.m.handle(ev)
	case retire:
	default:
		l.m.handle(ev)
	}
	l.leave(ev)
	l.publish()
}

// mine tells whether an order is for the call that the line has; an order for
// a call that has moved on is sent after it.
func (l *line) mine(o order) bool {
	if o.call == l.call || o.call == l.aside.call {
		return true
	}
	if now := o.call.line.Load(); now != l && !o.call.over.Load() {
		now.inbox.Put(o)
	}
	return false
}

// begin makes c the line's call.
func (l *line) begin(c *call, incoming bool) {
	l.call = c
	l.claimed.Store(true)
	l.answer, l.data = time.Time{}, echo.None
	l.record = CallRecord{At: time.Now(), Incoming: incoming, Number: c.other.Number}
	if incoming {
		l.stats.Incoming++
	} else {
		l.stats.Outgoing++
	}
}

// answered notes when the talk began, and begins to watch the card's audio.
func (l *line) answered() {
	l.answer = time.Now()
	l.stats.Answered++
	l.watchAudio()
}

// watchAudio begins to watch the card's audio.
func (l *line) watchAudio() {
	l.audio.alive()
	l.timers.set(tickTimer, silentCard)
}

// end ends the line's call with its cause.
func (l *line) end(cause leg.Cause) {
	c := l.drop(cause.Filled().Text)
	c.end(cause)
}

// drop takes the call off the line and keeps its record.
func (l *line) drop(why string) *call {
	c := l.call
	l.call = nil
	l.timers.stop(tickTimer)
	if l.record.At.IsZero() { // it was not offered yet
		return c
	}
	l.record.Ended = why
	if !l.answer.IsZero() {
		l.record.Talked = time.Since(l.answer)
		l.stats.Talked += l.record.Talked
	}
	l.last = append([]CallRecord{l.record}, l.last[:min(len(l.last), maxRecords-1)]...)
	l.record = CallRecord{}
	return c
}

// lost is the cause of a call whose card or port is gone.
func (l *line) lost(why string, talking bool) leg.Cause {
	cause := leg.Cause{Q850: 27}
	if talking {
		cause = leg.TemporaryFailure
	}
	text, hint, _ := strings.Cut(why, ": ")
	cause = cause.GivenBy(l.cfg.Name).Because("%s: %s", l.where(), text)
	cause.Hint = hint
	return cause
}

// trouble keeps a fault for the report.
func (l *line) trouble(format string, args ...any) {
	l.fault, l.faultAt = fmt.Sprintf(format, args...), time.Now()
	l.log.Warn(l.fault)
}

// where names the line for an operator: "line fxo1 (card1:1 at /dev/ttyUSB0)".
func (l *line) where() string { return fmt.Sprintf("line %s (%s)", l.cfg.Name, l.cfg.Port.Name()) }

// in and out draw an arrow from and to the line.
func (l *line) in(format string, args ...any) {
	if l.call != nil {
		l.call.ladder.In(l.cfg.Name, fmt.Sprintf(format, args...))
	}
}

func (l *line) out(format string, args ...any) {
	if l.call != nil {
		l.call.ladder.Out(l.cfg.Name, fmt.Sprintf(format, args...))
	}
}

// dataCall notes that the call became one of a fax machine or a modem, or ended
// to be one: the ticks have switched off what would disturb it.
func (l *line) dataCall(c carries) {
	if l.call == nil || l.call.stream != c.stream {
		return
	}
	l.data = c.data
	if c.data == echo.None {
		l.in("silence after %s", l.record.Data)
		return
	}
	l.record.Data = c.data.String()
	l.in("%s signal", c.data)
	l.log.Info("the call carries data: echo canceller off, delay fixed", "data", c.data)
}

// silentCard is how long the card may send no audio in a call before the leg
// is reported silent.
const silentCard = 3 * time.Second

// watch looks whether the card still sends audio while a call talks.
func (l *line) watch() {
	if l.call == nil {
		return
	}
	c := l.call
	quiet, was := l.audio.quiet(), l.audio.reported
	switch {
	case quiet >= silentCard && !was:
		l.audio.reported = true
		l.trouble("%s: the card sends no audio for %v", l.where(), quiet.Round(time.Second))
		c.deliver(leg.Silent{Of: c.of(), For: quiet})
	case quiet < silentCard && was:
		l.audio.reported = false
		c.deliver(leg.Heard{Of: c.of()})
	}
	if quiet >= silentCard {
		quiet = silentCard - time.Second
	}
	l.timers.set(tickTimer, silentCard-quiet)
}

// close ends what the line is doing as the gateway is closed.
func (l *line) close() {
	if l.call != nil {
		l.end(leg.ShuttingDown.GivenBy(leg.Us))
	}
	l.endAside(leg.ShuttingDown.GivenBy(leg.Us))
	l.m.release()
	for _, ev := range l.inbox.Close() {
		l.refuse(ev)
	}
	l.publish()
}

// refuse ends a call that comes too late.
func (l *line) refuse(ev event) {
	s, ok := ev.(seize)
	switch {
	case !ok:
	case s.call.trunk != nil && l.leaves.told.Load(): // others of its trunk may place it
		s.call.hunt(l, leg.ShuttingDown.GivenBy(leg.Us).Because("%s leaves service", l.where()))
	default:
		s.call.end(leg.ShuttingDown.GivenBy(leg.Us))
	}
}

// Changed and Tick are the driver's way in (jack.Handler).
func (l *line) Changed(c jack.Change)            { l.inbox.Put(c) }
func (l *line) Tick(rx, tx []byte, clock uint64) { l.audio.tick(rx, tx, clock) }
