package linesim

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// The card lives in steps of its sample clock.
const (
	stepTime    = 10 * time.Millisecond
	stepSamples = 80
)

// A machine that was held up makes up for it one step at a time, with a pause
// for the host to answer, and not at all beyond longestStall.
const (
	catchUpPause = 2500 * time.Microsecond
	longestStall = 500 * time.Millisecond
)

// A Card is one simulated card.
type Card struct {
	sim   *Sim
	cfg   CardConfig
	path  atomic.Pointer[string]
	cable atomic.Pointer[Impairment]

	// All below belongs to the Sim.
	ports    []port
	terminal *terminal // nil: reached by Open
	conn     *conn     // nil: nobody has the line open, or the card is unplugged
	plugged  bool
	powered  bool
	replug   time.Time // zero: not by itself
	epoch    time.Time // when step 0 was due
	steps    int64     // since epoch
	due      time.Time // of the next step
	span     span
	firmware
}

func newCard(s *Sim, cfg CardConfig) (*Card, error) {
	if n := cfg.FXO + cfg.FXS + len(cfg.Timeslots); n > 32 || cfg.FXO < 0 || cfg.FXS < 0 {
		return nil, fmt.Errorf("linesim: card %s has %d ports: a card has 1 to 32", cfg.Name, n)
	}
	if cfg.SkewPPM < -100000 || cfg.SkewPPM > 100000 {
		return nil, fmt.Errorf("linesim: card %s: a clock skew of %v ppm is no crystal: at most 100000", cfg.Name, cfg.SkewPPM)
	}
	if cfg.Model == "" {
		cfg.Model = "linesim"
	}
	if cfg.Serial == "" {
		cfg.Serial = "SIM-" + cfg.Name
	}
	c := &Card{sim: s, cfg: cfg, plugged: true}
	c.setImpairment(cfg.Impairment)
	c.epoch = time.Now()
	c.due = c.epoch.Add(stepTime)
	return c, nil
}

// Name is the card's name: "card1".
func (c *Card) Name() string { return c.cfg.Name }

// Path is where a host finds the card, "/tmp/linesim-…/card1": a link that is
// gone while the card is unplugged. Empty without Start.
func (c *Card) Path() string {
	if p := c.path.Load(); p != nil {
		return *p
	}
	return ""
}

// Open is the host's end of the line to a card without a terminal, for
// linecard.Config.Open. A line opened before is cut.
func (c *Card) Open() (rw io.ReadWriteCloser, err error) {
	err = errors.New("the simulated town is closed")
	c.sim.do(func() {
		switch {
		case c.terminal != nil:
			err = fmt.Errorf("card %s is on a terminal: open %s", c.cfg.Name, c.Path())
		case !c.plugged:
			err = errors.New("no such device: is it plugged in?")
		default:
			c.disconnect()
			ours, theirs := net.Pipe()
			c.conn = newConn(c, ours)
			rw, err = theirs, nil
		}
	})
	return rw, err
}

// Unplug pulls the card's cable for a time, or until Plug if d is zero. A card
// that is not SelfPowered starts anew afterwards.
func (c *Card) Unplug(d time.Duration) {
	c.sim.do(func() {
		if !c.plugged {
			return
		}
		c.sim.note(c.cfg.Name, "unplugged")
		c.plugged = false
		c.replug = time.Time{}
		if d > 0 {
			c.replug = time.Now().Add(d)
		}
		c.disconnect()
		if c.terminal != nil {
			c.terminal.unplug()
		}
		if !c.cfg.SelfPowered {
			c.off()
		}
	})
}

// Plug puts the cable back.
func (c *Card) Plug() (err error) {
	c.sim.do(func() { err = c.plug() })
	return err
}

// Impair spoils the octets on the card's serial line from now on.
func (c *Card) Impair(im Impairment) { c.sim.do(func() { c.setImpairment(im) }) }

func (c *Card) setImpairment(im Impairment) { c.cable.Store(&im) }

// Reboot starts the card anew, as after a crash of its firmware: all state is
// lost and the host is not told.
func (c *Card) Reboot() {
	c.sim.do(func() {
		c.sim.note(c.cfg.Name, "reboots")
		c.off()
		c.boot()
	})
}

// CardStatus is how a card stands.
type CardStatus struct {
	Plugged   bool
	Session   bool   // a host has taken it up
	Clock     uint64 // its sample counter
	Late      uint64 // ticks of the host that came after their time
	Missing   uint64 // ticks without anything to play
	BadFCS    uint64 // frames of the host that came damaged
	Dropped   uint64 // ticks that the line was too slow for
	Watchdogs uint64 // how often the host was given up
	Alarm     string // what is wrong with its span, as Card.Alarm takes it; empty: nothing
}

// Status tells how the card stands.
func (c *Card) Status() (st CardStatus) {
	c.sim.do(func() {
		st = CardStatus{
			Plugged: c.plugged, Session: c.session != 0, Clock: c.clock, Late: c.late,
			Missing: c.missing, BadFCS: c.frames.Errors.BadFCS, Watchdogs: c.watchdogs,
		}
		for name, a := range alarmNames {
			if a == c.span.condition && a != 0 {
				st.Alarm = name
			}
		}
		if c.conn != nil {
			st.Dropped = uint64(c.conn.out.droppedTicks())
		}
	})
	return st
}

// plug connects the card, and starts it if it was without power.
func (c *Card) plug() error {
	if c.terminal != nil && c.conn == nil {
		rw, err := c.terminal.open()
		if err != nil {
			return err
		}
		c.conn = newConn(c, rw)
	}
	if !c.plugged {
		c.plugged = true
		c.replug = time.Time{}
		c.sim.note(c.cfg.Name, "plugged in")
		if !c.powered {
			c.boot()
		}
	}
	return nil
}

// disconnect cuts the line to the host.
func (c *Card) disconnect() {
	if c.conn != nil {
		n := c.conn
		c.conn = nil
		n.Close()
	}
}

// hostGone notices that a line broke from the host's side. A terminal outlives
// its host, a pipe does not.
func (c *Card) hostGone(n *conn) {
	if c.conn == n {
		c.disconnect()
	}
}

// destroy ends the card with its Sim.
func (c *Card) destroy() {
	c.disconnect()
	if c.terminal != nil {
		c.terminal.remove()
	}
}

// advance lives the step that is due.
func (c *Card) advance(now time.Time) {
	if c.due.After(now) {
		return
	}
	if !c.replug.IsZero() && !c.replug.After(now) {
		c.replug = time.Time{}
		if err := c.plug(); err != nil {
			c.sim.log.Error(err.Error())
		}
	}
	c.step()
	c.steps++
	// The next step is due by the crystal, which runs at its own speed.
	period := float64(stepTime) / (1 + c.cfg.SkewPPM*1e-6)
	next := c.epoch.Add(time.Duration(float64(c.steps+1) * period))
	if now.Sub(next) > longestStall {
		c.epoch, c.steps = now, 0
		next = now.Add(stepTime)
	}
	if soonest := now.Add(catchUpPause); next.Before(soonest) {
		next = soonest
	}
	c.due = next
}
