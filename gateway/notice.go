package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/media/g711"
	"crosspoint/media/tone"
)

// A notice tells a telephone that talks of a waiting call: the country's tone,
// and the caller ID if the telephone answers for a display. It belongs to the
// ticks once a program has it.
type notice struct {
	*callerid.OffHook
	told bool
}

// noticed: a notice has come to its end, by itself or by its telephone's silence.
type noticed struct{ notice *notice }

// active tells that the notice has something to do; that of no notice has not.
func (n *notice) active() bool { return n != nil && !n.told }

// unknownDelay is added to what a driver that can't tell takes to play, so that
// a telephone's answer is not missed.
const unknownDelay = 100 * time.Millisecond

// underNotice listens for the telephone's answer to a notice, and gives what the
// other side may hear of the line meanwhile. Keys are not listened for while
// signals are on the line.
func (a *audio) underNotice(p *program, rx []byte, clock uint64) []byte {
	pcm := a.pcm[:]
	g711.MuLaw.Decode(pcm, rx)
	n := p.notice
	cut := n.Cut()
	n.Listen(pcm, clock)
	if cut {
		rx = a.rx[:]
		silence(rx)
		return rx
	}
	if p.keys {
		a.detect(pcm)
	}
	return rx
}

// notify fills tx with the notice. What the other side says meanwhile is passed
// over.
func (a *audio) notify(p *program, tx []byte, clock uint64) {
	if p.stream != nil {
		p.stream.hear(tx)
	}
	n := p.notice
	if n.Over() { // by the silence of the telephone, or its voice is back
		a.endNotice(n)
		return
	}
	n.Speak(a.pcm[:], a.echo.playout(clock, unknownDelay))
	g711.MuLaw.Encode(tx, a.pcm[:])
	if n.Over() {
		a.endNotice(n)
	}
}

func (a *audio) endNotice(n *notice) {
	n.told = true
	a.keys.Reset() // what it heard of an answer is no digit
	a.line.inbox.Put(noticed{n})
}

// interrupt begins a notice over what is played, or ends one: nil.
func (a *audio) interrupt(n *notice) {
	a.current.notice = n
	p := *a.next.Load()
	p.notice, p.anew = n, false
	a.next.Store(&p)
}

// newNotice tells of a caller; nil is the tone alone.
func (l *line) newNotice(caller *leg.Party) *notice {
	burst, _ := onceOf(l.country.CallWaiting)
	if caller == nil {
		return &notice{OffHook: callerid.NewWaitingTone(burst)}
	}
	return &notice{OffHook: callerid.NewOffHook(burst, callerIDOf(*caller, time.Now()), l.cidBy)}
}

// onceOf is a repeated tone once, without its longest silence. Period is the
// length of the whole.
func onceOf(t tone.Tone) (once tone.Tone, period time.Duration) {
	longest := -1
	for i, p := range t.Parts {
		period += p.For
		if len(p.Hz) == 0 && (longest < 0 || p.For > t.Parts[longest].For) {
			longest = i
		}
	}
	if longest < 0 {
		return tone.Tone{Parts: t.Parts, Loop: -1}, period
	}
	once.Loop = -1
	once.Parts = append(append(once.Parts, t.Parts[longest+1:]...), t.Parts[:longest]...)
	return once, period
}
