package linecard

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/internal/alarm"
	"crosspoint/internal/inbox"
)

// Timers of the host's side (§4.3, §7.2).
const (
	helloInterval   = 500 * time.Millisecond // HELLO until the card answers
	silentHello     = 3 * time.Second        // then the log says that nothing answers
	pingInterval    = time.Second            //
	deadAfter       = 3 * time.Second        // without one whole frame from the card
	orderRetry      = 150 * time.Millisecond // an order without answer is repeated
	gapPatience     = 500 * time.Millisecond // then a snapshot replaces missing events
	refusedInterval = 5 * time.Second        // HELLO to a card of another version
	leaveWait       = time.Second            // for the answer to BYE
	defaultRetry    = time.Second            // between attempts to open the device
	defaultLead     = 40 * time.Millisecond  // see Config.Lead
	maxLead         = 200 * time.Millisecond //
	leadStep        = 5 * time.Millisecond   //
	leadPatience    = 10 * time.Second       // of ample margin, before the lead shrinks
)

// Config says which card and how to reach it. Open is needed; everything else
// works as zero.
type Config struct {
	Name   string // for people and logs: "card1"
	Device string // where it is, for people: "/dev/ttyUSB0"

	// Open opens the line to the card, each time that the card is (again) to
	// be taken up. Close of what it returns must unblock a Read and a Write.
	Open func() (io.ReadWriteCloser, error)

	Tick   time.Duration // of media frames: 5, 10 or 20 ms, if the card offers it. Zero means 20 ms
	Lead   time.Duration // from the end of a tick to the playout of its answer, to begin with; it grows when answers come late. Zero means 40 ms
	Retry  time.Duration // between attempts to open the device. Zero means 1 s
	Timing Timing        // of every FXO and FXS port, where its fields are not zero
	Log    *slog.Logger  // nil: slog.Default
}

// A Card is one line card, whether it answers now or not.
type Card struct {
	cfg   Config
	log   *slog.Logger
	inbox *inbox.Inbox[func()]
	done  chan struct{} // closed as run returns
	info  atomic.Pointer[Info]
	count counters

	// All below belongs to run.
	state   state
	since   time.Time // when this state began
	closing bool
	link    *link
	problem string // why the card is not up, in words; as last logged
	next    time.Time
	hello   CardHello
	session uint32
	heard   time.Time // the last whole frame
	ping    struct {
		at  time.Time
		seq uint16
	}
	events struct {
		last uint16
		gap  time.Time // since when an event is missing; zero: none is
	}
	slots   [MaxPorts + 1]port // 0 is the card itself
	media   media
	scratch []byte
}

// state is how far the card is taken up.
type state uint8

const (
	closed   state = iota // the device is not open; next attempt at Card.next
	opening               // Open runs
	greeting              // HELLO goes out until the card answers
	refused               // the card speaks another version
	up                    // the card answers
	leaving               // BYE is sent, its answer awaited
	parting               // the link's goroutines are ending
)

var stateNames = [...]string{"closed", "opening", "greeting", "refused", "up", "leaving", "parting"}

func (s state) String() string { return stateNames[s] }

// New takes up a card and keeps it up until Close. It returns at once; the
// ports are usable before the card answers.
func New(cfg Config) *Card {
	if cfg.Tick == 0 {
		cfg.Tick = 20 * time.Millisecond
	}
	if cfg.Lead == 0 {
		cfg.Lead = defaultLead
	}
	if cfg.Retry == 0 {
		cfg.Retry = defaultRetry
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	c := &Card{
		cfg:   cfg,
		log:   cfg.Log.With("card", cfg.Name),
		inbox: inbox.New[func()](),
		done:  make(chan struct{}),
	}
	for i := range c.slots {
		c.slots[i].card, c.slots[i].n = c, uint8(i)
	}
	c.publish()
	go c.run() // ends with Close
	return c
}

// Port is the jack with this number, from 1 to MaxPorts, as printed on the
// card. A number that the card turns out not to have is never Up. Numbers out
// of range panic: they are a mistake in the program.
func (c *Card) Port(n int) jack.Port {
	if n < 1 || n > MaxPorts {
		panic(fmt.Sprintf("linecard: port %d: a card has ports 1 to %d", n, MaxPorts))
	}
	return &c.slots[n]
}

// Close leaves every port idle (FXO on-hook), waits for the card's word for it
// up to 1 s, and closes the device. All handlers hear Down before it returns.
func (c *Card) Close() error {
	c.inbox.Put(func() { c.close() })
	<-c.done
	return nil
}

// String names the card in messages: "card card1 (/dev/ttyUSB0)".
func (c *Card) String() string {
	if c.cfg.Device == "" {
		return "card " + c.cfg.Name
	}
	return "card " + c.cfg.Name + " (" + c.cfg.Device + ")"
}

// run owns the card until Close.
func (c *Card) run() {
	defer close(c.done)
	due := alarm.New()
	due.Set(time.Now())
	defer due.Stop()
	var set time.Time
	for !c.closing || c.state != closed {
		var rx <-chan []byte
		if c.link != nil {
			rx = c.link.Rx()
		}
		select {
		case <-c.inbox.Ready():
			for f, ok := c.inbox.Take(); ok; f, ok = c.inbox.Take() {
				f()
			}
		case chunk := <-rx:
			c.received(chunk)
		case <-due.C():
			set = time.Time{}
			due.Stop()
		}
		c.expire(time.Now())
		if at := c.earliest(); !at.Equal(set) {
			set = at
			due.Set(at)
		}
	}
	for _, f := range c.inbox.Close() { // orders to a closed card are lost, an Open that has succeeded meanwhile is not
		f()
	}
}

// enter begins a state.
func (c *Card) enter(s state) {
	c.state, c.since, c.next = s, time.Now(), time.Time{}
	c.publish()
}

// earliest is when something is next to be done; zero: never.
func (c *Card) earliest() time.Time {
	at := c.next
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if c.state == up || c.state == leaving {
		for i := range c.slots {
			sooner(c.slots[i].retry)
		}
	}
	if c.state == up {
		sooner(c.ping.at)
		if !c.events.gap.IsZero() {
			sooner(c.events.gap.Add(gapPatience))
		}
	}
	return at
}

// expire does what is due.
func (c *Card) expire(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	switch c.state {
	case closed:
		if !c.closing && !c.next.After(now) {
			c.open()
		}
	case greeting, refused:
		if due(c.next) {
			c.sayHello(now)
		}
	case leaving:
		if due(c.next) {
			c.part("card did not confirm that its lines are idle")
			return
		}
	case up:
		if now.Sub(c.heard) >= deadAfter {
			c.down(fmt.Sprintf("no answer for %v: is it still plugged in?", deadAfter))
			return
		}
		if due(c.ping.at) {
			c.ping.at = now.Add(pingInterval)
			c.ping.seq++
			c.send(Ping{Session: c.session}.Append(c.scratch[:0], c.ping.seq))
		}
		if !c.events.gap.IsZero() && due(c.events.gap.Add(gapPatience)) {
			c.events.gap = now
			c.send(Header{Type: TypeSnapshotRequest}.Append(c.scratch[:0]))
		}
	}
	if c.state == up || c.state == leaving {
		for i := range c.slots {
			if due(c.slots[i].retry) {
				c.count.retransmits.Add(1)
				c.slots[i].transmit(now)
			}
		}
	}
}
