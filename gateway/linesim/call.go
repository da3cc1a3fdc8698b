package linesim

import "time"

const (
	recordMost = 5 * 60 * 8000 // samples kept of what each side of a call said
	audioKept  = 10            // calls of which the audio is kept
	echoDelay  = 800           // samples, of a subscriber or a telephone that echoes
)

// A Call is one call over a line of the town, between a card's port and a
// subscriber. It belongs to the Sim.
type Call struct {
	sim      *Sim
	line     *Line
	sub      Subscriber
	incoming bool // the subscriber called the line
	dialed   string
	called   string // incoming: which of the line's numbers
	placed   time.Time
	answered time.Time
	ended    time.Time
	why      string
	digits   []byte

	talked int // samples since the answer
	played []int16
	heard  []int16
	back   echo
}

// CallRecord tells of a call, as it stands or as it ended.
type CallRecord struct {
	Line     string
	Number   string // of the subscriber
	Incoming bool   // the subscriber called the line
	Called   string // when Incoming: which of the line's numbers
	Dialed   string // what the town collected from the line, "" when Incoming
	Placed   time.Time
	Answered time.Time // zero: not answered (yet)
	Ended    time.Time // zero: not ended yet
	Why      string    // why it ended: "caller hung up" …
	Digits   string    // DTMF that the subscriber heard after answering
	Played   []int16   // what the subscriber said, from the answer on
	Heard    []int16   // what it heard, sample for sample beside Played
}

func newCall(s *Sim, l *Line, sub Subscriber, incoming bool) *Call {
	if sub.Answer == 0 {
		sub.Answer = time.Second
	}
	if sub.GiveUp == 0 {
		sub.GiveUp = time.Minute
	}
	return &Call{sim: s, line: l, sub: sub, incoming: incoming, placed: time.Now()}
}

func (c *Call) record() CallRecord {
	return CallRecord{
		Line: c.line.name, Number: c.sub.Number, Incoming: c.incoming, Called: c.called, Dialed: c.dialed,
		Placed: c.placed, Answered: c.answered, Ended: c.ended, Why: c.why, Digits: string(c.digits),
		Played: append([]int16(nil), c.played...), Heard: append([]int16(nil), c.heard...),
	}
}

func (c *Call) answer() { c.answered = time.Now() }

func (c *Call) end(why string) {
	if c.ended.IsZero() {
		c.ended, c.why = time.Now(), why
		c.sim.note(c.line.name, "call ended: %s", why)
	}
}

// converse is one step of talk: the subscriber hears in and says out. False:
// it hangs up.
func (c *Call) converse(in, out []int16) bool {
	s := &c.sub
	clear(out)
	play(out, s.Plays, c.talked, s.Repeat)
	if s.Echo {
		c.back.add(in, out)
	}
	c.talked += len(out)
	c.heard = record(c.heard, in)
	c.played = record(c.played, out)
	return s.HangUp == 0 || time.Duration(c.talked)*(time.Second/8000) < s.HangUp
}

// play writes what of a sound comes at a time, in samples, and leaves the rest of
// out as it is when the sound is over.
func play(out, pcm []int16, at int, repeat bool) {
	for i := range out {
		n := at + i
		if repeat && len(pcm) > 0 {
			n %= len(pcm)
		}
		if n < len(pcm) {
			out[i] = pcm[n]
		}
	}
}

// record appends what fits.
func record(to, pcm []int16) []int16 {
	return append(to, pcm[:min(len(pcm), max(recordMost-len(to), 0))]...)
}

// echo gives back what it was given, later and weaker.
type echo struct {
	ring [echoDelay]int16
	at   int
}

// add puts in into the delay and adds what comes out of it to out.
func (e *echo) add(in, out []int16) {
	for i, s := range in {
		out[i] = saturate(int(out[i]) + int(e.ring[e.at])/2)
		e.ring[e.at] = s
		e.at = (e.at + 1) % len(e.ring)
	}
}

func saturate(v int) int16 { return int16(max(-32768, min(v, 32767))) }
