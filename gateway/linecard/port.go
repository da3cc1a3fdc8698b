package linecard

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
)

// port is one jack of a card. kind is for anyone; the rest belongs to the
// card's owner.
type port struct {
	card *Card
	n    uint8
	kind atomic.Uint32

	handler jack.Handler
	signal  jack.Signalling // of a timeslot; zero: as the card has it
	up      bool
	state   State
	want    Set
	queue   []pending // orders; the first is under way
	seq     uint16    // of the newest order
	retry   time.Time // when the first is to be repeated; zero: nothing is under way
	rx, tx  [jack.FrameSize]byte
}

// pending is an order that waits for its turn or its answer.
type pending struct {
	kind      Type
	seq       uint16
	set       Set
	length    time.Duration
	timing    Timing
	configure Configure
	signal    Signalling
}

// content is the order as its frame carries it.
func (o *pending) content(b []byte, port uint8) []byte {
	switch o.kind {
	case TypeSet:
		return o.set.Append(b, port, o.seq)
	case TypeFlash, TypeDrop:
		return AppendTimed(b, o.kind, port, o.seq, o.length)
	case TypeConfigure:
		return o.configure.Append(b, o.seq)
	case TypeTiming:
		return o.timing.Append(b, port, o.seq)
	case TypeSignalling:
		return o.signal.Append(b, port, o.seq)
	}
	return Header{Type: o.kind, Port: port, Seq: o.seq}.Append(b)
}

// Name implements jack.Port.
func (p *port) Name() string {
	name := fmt.Sprintf("%s:%d", p.card.cfg.Name, p.n)
	if p.card.cfg.Device != "" {
		name += " (" + p.card.cfg.Device + ")"
	}
	return name
}

// Kind implements jack.Port. It is Unknown until the card has answered once.
func (p *port) Kind() jack.Kind {
	if k := p.kind.Load(); k <= uint32(jack.TDM) {
		return jack.Kind(k)
	}
	return jack.Unknown
}

// Playout implements jack.Timed.
func (p *port) Playout() uint64 { return p.card.media.play }

// Attach implements jack.Port.
func (p *port) Attach(h jack.Handler) {
	p.card.inbox.Put(func() {
		p.handler = h
		if p.up {
			p.changed(jack.Change{What: jack.Up, Clock: p.card.media.newest})
		}
	})
}

// SetHook implements jack.Port.
func (p *port) SetHook(offHook bool) { p.set(WantOffHook, offHook, nil) }

// SetRing implements jack.Port.
func (p *port) SetRing(on bool, cadence []time.Duration) {
	p.set(WantRing, on, slices.Clone(cadence))
}

// SetReversed implements jack.Port. Polarity does not travel over a timeslot (§5.5):
// the card would refuse the ring and the audio that are wanted with it.
func (p *port) SetReversed(reversed bool) {
	p.set(WantReversed, reversed && p.Kind() != jack.TDM, nil)
}

// SetAudio implements jack.Port.
func (p *port) SetAudio(on bool) { p.set(WantAudio, on, nil) }

// FlashHook implements jack.Port.
func (p *port) FlashHook(d time.Duration) { p.timed(TypeFlash, d) }

// DropLoop implements jack.Port.
func (p *port) DropLoop(d time.Duration) { p.timed(TypeDrop, d) }

// SetHookTiming implements jack.HookTimer.
func (p *port) SetHookTiming(t jack.HookTiming) {
	p.card.inbox.Put(func() {
		if p.up && p.acts() == jack.FXS {
			p.order(pending{kind: TypeTiming, timing: Timing{PulseMax: t.PulseMax, FlashMin: t.FlashMin, FlashMax: t.FlashMax}})
		}
	})
}

// SetBlocked implements jack.Timeslot.
func (p *port) SetBlocked(blocked bool) { p.set(WantBlocked, blocked, nil) }

// SetSignalling implements jack.Timeslot.
func (p *port) SetSignalling(s jack.Signalling) {
	p.card.inbox.Put(func() {
		changed := p.signal != s
		if p.signal = s; changed && p.up {
			p.orderSignalling()
		}
	})
}

// orderSignalling tells the card what a timeslot's bits stand for.
func (p *port) orderSignalling() {
	if Kind(p.kind.Load()) == KindTDM && p.signal != 0 {
		p.order(pending{kind: TypeSignalling, signal: Signalling(p.signal)})
	}
}

// refused handles the refusal of a signalling: with another one the port would
// take one signal for another.
func (p *port) refused() {
	p.card.log.Warn(fmt.Sprintf("line %s: the card does not know %s signalling", p.Name(), p.signal))
	p.state &^= Present
	p.changed(jack.Change{What: jack.Fault, Clock: p.card.media.newest})
}

// acts is the kind of jack that the port behaves like: that of a timeslot is
// its signalling's.
func (p *port) acts() jack.Kind {
	if k := p.Kind(); k != jack.TDM {
		return k
	}
	if k := p.signal.Kind(); k != jack.Unknown {
		return k
	}
	return jack.TDM
}

// set orders the port's wanted state with one bit changed.
func (p *port) set(bit Wanted, on bool, cadence []time.Duration) {
	p.card.inbox.Put(func() {
		if !p.up {
			return
		}
		want := p.want
		want.Want &^= bit
		if on {
			want.Want |= bit
		}
		if bit == WantRing {
			want.Cadence = cadence
		}
		if want.Want == p.want.Want && slices.Equal(want.Cadence, p.want.Cadence) {
			return
		}
		p.want = want
		p.order(pending{kind: TypeSet, set: want})
	})
}

// timed orders a break of the loop that the card ends by itself.
func (p *port) timed(t Type, d time.Duration) {
	p.card.inbox.Put(func() {
		if p.up {
			p.order(pending{kind: t, length: d})
		}
	})
}

// order queues an order. A wanted state that has not been sent yet is
// replaced by a newer one; the rest keeps its order.
func (p *port) order(o pending) {
	if last := len(p.queue) - 1; last > 0 && o.kind == TypeSet && p.queue[last].kind == TypeSet {
		p.queue[last] = o
		return
	}
	p.queue = append(p.queue, o)
	if len(p.queue) == 1 {
		p.start()
	}
}

// start sends the first order of the queue for the first time.
func (p *port) start() {
	p.seq++ // goes on through sessions, so that no two neighbours are alike (§7.2)
	p.queue[0].seq = p.seq
	p.transmit(time.Now())
}

func (p *port) transmit(now time.Time) {
	p.retry = now.Add(orderRetry)
	p.card.send(p.queue[0].content(p.card.scratch[:0], p.n))
}

// next ends the order under way.
func (p *port) next() {
	p.retry = time.Time{}
	p.queue = append(p.queue[:0], p.queue[1:]...)
	if len(p.queue) > 0 {
		p.start()
	}
}

// forget voids all orders, as at the end of a session.
func (p *port) forget() { p.queue, p.retry, p.want = nil, time.Time{}, Set{} }

// jackState is the port's state as the gateway knows it.
func (p *port) jackState() jack.State {
	s := p.state
	state := jack.State{
		Present:  p.up && s.Has(Present),
		OffHook:  s.Has(OffHook),
		Ringing:  s.Has(Ringing),
		Battery:  s.Has(Battery),
		Reversed: s.Has(Reversed),
	}
	if p.Kind() == jack.TDM {
		state.Alarm = jack.Alarm(s.Alarm())
	}
	if p.acts() == jack.TDM {
		state.Ringing, state.FarOffHook = false, state.Ringing
	}
	return state
}

// changed tells the handler, with the state as it is now.
func (p *port) changed(ch jack.Change) {
	if p.handler != nil {
		ch.State = p.jackState()
		p.handler.Changed(ch)
	}
}

// event takes an event of the card.
func (p *port) event(m Event, clock uint64) {
	p.state = m.State
	if m.What == WhatOffHook { // ring trip: both ends forget the wanted ring (§7.1)
		p.want.Want, p.want.Cadence = p.want.Want&^WantRing, nil
	}
	ch := jack.Change{Clock: clock}
	switch m.What {
	case WhatFlash, WhatLoopDrop, WhatOnHook:
		ch.What, ch.For = jack.What(m.What), time.Duration(m.Arg)*time.Millisecond
	case WhatPulse:
		ch.What, ch.Digit = jack.Pulse, '0'+byte(m.Arg%10)
	case WhatRepaired:
		ch.What = jack.Up
	case WhatFault:
		p.card.log.Warn(fmt.Sprintf("line %s: the card reports a fault", p.Name()))
		ch.What = jack.Fault
	default:
		if m.What < WhatRingOn || m.What > WhatRepaired {
			return // of a later minor version: the state counts (§2)
		}
		ch.What = jack.What(m.What)
	}
	p.changed(ch)
}

// catchUp makes changes of what differs between the known state and s.
func (p *port) catchUp(s State, clock uint64) {
	old := p.state
	tell := func(bit State, on, off jack.What) {
		if old.Has(bit) == s.Has(bit) {
			return
		}
		p.state ^= bit
		what := off
		if s.Has(bit) {
			what = on
		}
		p.changed(jack.Change{What: what, Clock: clock})
	}
	if p.state = p.state.InAlarm(s.Alarm()); old.Alarm() != s.Alarm() && !old.Has(Battery) && !s.Has(Battery) {
		p.changed(jack.Change{What: jack.BatteryOff, Clock: clock}) // another alarm
	}
	tell(Present, jack.Up, jack.Fault)
	tell(Battery, jack.BatteryOn, jack.BatteryOff)
	tell(Reversed, jack.Polarity, jack.Polarity)
	switch p.acts() {
	case jack.FXS:
		tell(OffHook, jack.OffHook, jack.OnHook)
	case jack.TDM:
		tell(Ringing, jack.OffHook, jack.OnHook)
	default:
		tell(Ringing, jack.RingOn, jack.RingOff)
	}
	p.state = s
}
