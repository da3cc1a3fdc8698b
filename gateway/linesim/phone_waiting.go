package linesim

import (
	"math/cmplx"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/internal/dsp"
	"crosspoint/media/dtmf"
)

// waitingEar is what a telephone off-hook hears of a second call: the
// call-waiting tone and, with a display, the alerting signal, which it answers
// to be told who calls (GR-30, EN 300 659-2).
type waitingEar struct {
	tone     burst
	alert    burst
	tones    int           // heard since the telephone was lifted
	quiet    time.Duration // since the last sound of one
	ack      *dtmf.Generator
	ackIn    time.Duration // until the acknowledgement begins
	receiver *callerid.Receiver
	left     time.Duration // that the message may still take; zero: none is expected
}

const (
	ackAfter    = 30 * time.Millisecond  // from the end of the alerting signal (GR-30: up to 100 ms)
	ackLength   = 60 * time.Millisecond  // GR-30: 55 to 65 ms
	messageMost = 3 * time.Second        // from the acknowledgement to the end of the message
	tonesApart  = 900 * time.Millisecond // sounds that follow one another sooner are one tone
)

// A burst follows a sound of known frequencies, to find one of a certain length.
type burst struct{ lasts time.Duration }

// step takes 10 ms and tells how long the sound was that has ended by them;
// zero: none has.
func (b *burst) step(in []int16, hz []float64) (length time.Duration) {
	if sounds(in, hz) {
		b.lasts += stepTime
		return 0
	}
	length, b.lasts = b.lasts, 0
	return length
}

// sounds tells whether the frequencies make up what is heard.
func sounds(in []int16, hz []float64) bool {
	all := dsp.Energy(in)
	if all < float64(len(in))*dsp.MeanSquare(-40) {
		return false
	}
	var x [stepSamples]float64
	for i, s := range in {
		x[i] = float64(s)
	}
	var share float64
	for _, f := range hz {
		peak := cmplx.Abs(dsp.Correlate(x[:len(in)], f))
		share += peak * peak / 2 * float64(len(in))
	}
	return share > 0.7*all
}

// near tells a length from others, as far as steps of 10 ms allow.
func near(length, want time.Duration) bool {
	return (length - want).Abs() <= max(want/8, 2*stepTime)
}

// hearWaiting is a step off-hook. While a message is expected the handset is
// silenced both ways: true, and out is what the telephone says.
func (p *Phone) hearWaiting(in, out []int16) bool {
	w := &p.waiting
	w.quiet += stepTime
	for _, part := range p.sim.country.CallWaiting.Parts[:1] {
		if near(w.tone.step(in, part.Hz), part.For) {
			if w.quiet > tonesApart {
				w.tones++
				p.sim.note(p.name, "hears call-waiting tone")
			}
			w.quiet = 0
		}
	}
	if !p.cfg.WaitingDisplay {
		return false
	}
	cas := callerid.CallWaiting().Parts[0]
	if near(w.alert.step(in, cas.Hz), cas.For) && w.left == 0 {
		w.ack = dtmf.NewGenerator(dtmf.Timing{On: ackLength})
		_ = w.ack.Dial("D")
		w.ackIn, w.left = ackAfter, messageMost
		w.receiver = callerid.NewReceiver()
		p.sim.note(p.name, "answers the alerting signal")
	}
	if w.left == 0 {
		return false
	}
	p.readWaiting(in, out)
	return true
}

// readWaiting acknowledges, and reads the message.
func (p *Phone) readWaiting(in, out []int16) {
	w := &p.waiting
	switch {
	case w.ackIn > 0:
		w.ackIn -= stepTime
	case w.ack.Busy():
		w.ack.Read(out)
	default:
		if id, ok := w.receiver.Receive(in); ok {
			p.id, p.idKnown = id, true
			w.left = 0
			p.sim.note(p.name, "caller ID %s waits", describe(id))
			return
		}
	}
	if w.left -= stepTime; w.left <= 0 {
		w.left = 0
		p.sim.note(p.name, "no caller ID of the waiting call: %v", w.receiver.Err())
	}
}
