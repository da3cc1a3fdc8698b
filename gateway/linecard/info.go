package linecard

import (
	"fmt"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
)

// Info is what is known of a card, at one moment.
type Info struct {
	Name, Device  string
	Up            bool
	State         string    // "closed", "opening", "greeting", "refused", "up", "leaving" or "parting"
	Since         time.Time // when State began
	Problem       string    // why the card is not up, or "" while it is
	Model, Serial string    // as last told by the card
	Version       string    // of the protocol that the card speaks: "1.0"
	Boot          uint32    // another value: the card has started anew
	Ports         []jack.Kind
}

// Info tells what is known of the card now.
func (c *Card) Info() Info { return *c.info.Load() }

// publish renews what Info tells.
func (c *Card) publish() {
	i := &Info{
		Name: c.cfg.Name, Device: c.cfg.Device,
		Up: c.state == up, State: c.state.String(), Since: c.since, Problem: c.problem,
		Model: c.hello.Model, Serial: c.hello.Serial, Boot: c.hello.Boot,
	}
	if c.hello.Major != 0 {
		i.Version = fmt.Sprintf("%d.%d", c.hello.Major, c.hello.Minor)
	}
	for _, p := range c.hello.Ports {
		i.Ports = append(i.Ports, jack.Kind(p.Kind))
	}
	c.info.Store(i)
}

// Counters count a card's traffic since New.
type Counters struct {
	Sessions     uint64 // how often the card was taken up
	FramesIn     uint64 // whole frames of control from the card
	FramesOut    uint64 // frames of control to the card
	MediaIn      uint64 // ticks from the card
	MediaOut     uint64 // frames of 20 ms answered
	BadFCS       uint64 // damaged frames
	Resyncs      uint64 // aborted, too short or too long frames
	Ignored      uint64 // whole frames that made no sense where they came
	Retransmits  uint64 // orders repeated for want of an answer
	Naks         uint64 // orders that the card refused
	EventGaps    uint64 // events that came before an earlier one
	DamagedTicks uint64 // damaged ticks that were used nevertheless
	LostTicks    uint64 // ticks that never came
	DroppedTicks uint64 // answers dropped because the line was too slow

	// What the card reports of this session.
	Margin      time.Duration // least time between a tick's arrival and its playout in the last 200 ms
	Lead        time.Duration // from a tick's end to the playout of its answer
	LateTicks   uint64        // of ours that came after their time
	Missing     uint64        // ticks for which the card had nothing to play
	CardBadFCS  uint64        // our frames that reached the card damaged
	CardDropped uint64        // ticks that the card could not send in time
}

// counters are written by the owner and the writer, and read by anyone.
type counters struct {
	sessions, framesIn, framesOut, mediaIn, mediaOut, badFCS, resyncs, ignored, retransmits, naks,
	eventGaps, damagedTicks, lostTicks, droppedTicks atomic.Uint64
	lead                                   atomic.Int64
	margin                                 atomic.Int64
	late, missing, cardBadFCS, cardDropped atomic.Uint64
}

func (n *counters) report(r Report) {
	n.margin.Store(int64(Duration(int(r.Margin))))
	n.late.Store(uint64(r.Late))
	n.missing.Store(uint64(r.Missing))
	n.cardBadFCS.Store(uint64(r.BadFCS))
	n.cardDropped.Store(uint64(r.Dropped))
}

// Counters tells how the card's traffic stands now.
func (c *Card) Counters() Counters {
	n := &c.count
	return Counters{
		Sessions: n.sessions.Load(), FramesIn: n.framesIn.Load(), FramesOut: n.framesOut.Load(),
		MediaIn: n.mediaIn.Load(), MediaOut: n.mediaOut.Load(), BadFCS: n.badFCS.Load(),
		Resyncs: n.resyncs.Load(), Ignored: n.ignored.Load(), Retransmits: n.retransmits.Load(),
		Naks: n.naks.Load(), EventGaps: n.eventGaps.Load(), DamagedTicks: n.damagedTicks.Load(),
		LostTicks: n.lostTicks.Load(), DroppedTicks: n.droppedTicks.Load(),
		Margin: time.Duration(n.margin.Load()), Lead: time.Duration(n.lead.Load()),
		LateTicks: n.late.Load(), Missing: n.missing.Load(), CardBadFCS: n.cardBadFCS.Load(), CardDropped: n.cardDropped.Load(),
	}
}
