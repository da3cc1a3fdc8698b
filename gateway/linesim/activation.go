package linesim

import (
	"time"

	"crosspoint/gateway/callerid"
)

// activation is how a Japanese exchange tells a telephone the caller before it
// rings (see callerid.NTT).
type activation struct {
	phase activationPhase
	at    time.Duration // since the phase began
}

type activationPhase uint8

const (
	notActivated activationPhase = iota // the call has no such beginning
	announced                           // polarity was reversed
	activated                           // the activation signal rings
	answeredOnce                        // off-hook for the message
	ringsAtLast                         // the bell rings
)

// primarySilence is the silence between the primary answer and the message.
const primarySilence = 200 * time.Millisecond

// activate is 10 ms of it, and tells whether ring voltage is on the line.
func (a *alert) activate(l *Line, out []int16) bool {
	p := &a.activation
	at := p.at
	p.at += stepTime
	switch p.phase {
	case announced:
		l.reversed = true
		if p.at >= afterReversal {
			p.begin(activated)
		}
	case activated:
		if at < callerid.ActivationLimit {
			return cadenceOn(callerid.Activation(), at)
		}
		l.note("no primary answer")
		p.begin(ringsAtLast)
	case answeredOnce:
		if at >= primarySilence && a.sender != nil {
			a.sender.Read(out)
			if !a.sender.Busy() {
				a.sender = nil
			}
		}
		if at >= callerid.CompletionLimit {
			l.hungUpByOther("caller ID was taken, and the line left off-hook")
		}
	case ringsAtLast:
		return at >= beforeRing && cadenceOn(a.cadence, at-beforeRing)
	}
	return false
}

func (p *activation) begin(phase activationPhase) { *p = activation{phase: phase} }

// primaryAnswer tells whether an off-hook is one.
func (a *alert) primaryAnswer() bool {
	if a.activation.phase != activated {
		return false
	}
	a.activation.begin(answeredOnce)
	return true
}

// complete tells whether an on-hook is the end of the reception.
func (a *alert) complete() bool {
	if a.activation.phase != answeredOnce {
		return false
	}
	a.activation.begin(ringsAtLast)
	return true
}

// A display is how a Japanese telephone takes caller ID: it answers the
// activation signal by itself, without ringing. The zero value waits.
type display struct {
	burst    time.Duration // of the ring under way
	held     time.Duration // of it, kept from the bell until it was too long to be of the activation signal
	quiet    time.Duration // since the last one
	served   bool          // the message of the call is over: what rings now is the bell, in whatever cadence
	taking   bool          // off-hook for the message
	taken    time.Duration // how long
	receiver *callerid.Receiver
	until    time.Duration // of taken: on-hook again. Zero: the message is not over
}

const (
	displayWait = 4 * time.Second        // for a message that can be read
	displayRest = 100 * time.Millisecond // after it: the carrier ends
)

// rings takes 10 ms of the line on-hook, and tells whether this is a ring for
// the bell, and whether the telephone goes off-hook for the message now.
func (d *display) rings(ring bool) (bell, primary bool) {
	if !ring {
		primary = !d.served && callerid.IsActivation(d.burst)
		d.burst, d.held = 0, 0
		if d.quiet += stepTime; d.quiet >= ringOver {
			d.served = false
		}
		if primary {
			*d = display{taking: true, receiver: callerid.NewReceiver()}
		}
		return false, primary
	}
	d.quiet = 0
	if d.served {
		return true, false
	}
	d.burst += stepTime
	if bell = !callerid.IsActivation(d.burst) && d.burst >= callerid.ActivationBurst; !bell {
		d.held += stepTime
	}
	return bell, false
}

// take takes 10 ms of the line off-hook. Over: it goes on-hook again.
func (d *display) take(in []int16) (id callerid.CallerID, ok, over bool) {
	d.taken += stepTime
	id, ok = d.receiver.Receive(in)
	if d.until == 0 && (ok || d.receiver.Failed() != nil) {
		d.until = d.taken + displayRest
	}
	over = d.until > 0 && d.taken >= d.until || d.taken >= displayWait
	if over {
		*d = display{served: true}
	}
	return id, ok, over
}
