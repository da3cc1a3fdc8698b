package modem

import (
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media/g711"
)

const (
	// lead is how much silence is sent ahead of the first answer: as much as
	// the modem has in hand when a frame of ours is late.
	lead = 3 // frames
	// underrunPause is how often at most more silence is sent because the modem
	// has run out of data.
	underrunPause = 100 * time.Millisecond
)

// talk is the stream of one call: each 20 ms that the modem sends is answered
// with as much, so that its crystal is the clock of both directions.
type talk struct {
	clock   uint64 // samples since the modem was taken up, with those that time has taken between two streams
	heard   time.Time
	count   uint64 // frames of this stream
	law     g711.Law
	link    *link
	n       int // samples of the frame under way
	skip    bool
	filled  time.Time // when silence was last sent to fill up
	rx, tx  [jack.FrameSize]byte
	silence [jack.FrameSize]byte
	began   bool
}

// begin starts a stream.
func (t *talk) begin(l *link, law g711.Law) {
	now := time.Now()
	if t.began { // the line went on while nobody listened
		t.clock += uint64(now.Sub(t.heard).Milliseconds()) * 8
	}
	t.began = true
	t.link, t.law, t.n, t.skip, t.heard, t.count = l, law, 0, false, now, 0
	t.filled = now
	for i := range t.silence {
		t.silence[i] = law.Silence()
	}
	for range lead {
		l.audio(t.silence[:])
	}
}

// sample takes one sample of the line (sink).
func (m *Modem) sample(code byte) {
	t := &m.talk
	if m.state != streaming {
		if m.state == stopping && m.decoder.ok() {
			m.stopped()
		}
		return
	}
	t.rx[t.n] = code
	t.clock++
	if t.n++; t.n < len(t.rx) {
		return
	}
	t.n = 0
	t.count++
	if t.law == g711.ALaw {
		g711.ALaw.Convert(t.rx[:], t.rx[:])
	}
	for i := range t.tx {
		t.tx[i] = g711.MuLaw.Silence()
	}
	if m.want.audio && m.handler != nil {
		m.handler.Tick(t.rx[:], t.tx[:], t.clock-jack.FrameSize)
	}
	if t.law == g711.ALaw {
		g711.MuLaw.Convert(t.tx[:], t.tx[:])
	}
	if t.skip {
		t.skip = false
		return
	}
	t.link.audio(t.tx[:])
}

// underrun: the modem has run out of data. More silence makes up for it.
func (t *talk) underrun() {
	if now := time.Now(); t.link != nil && t.count > lead && now.Sub(t.filled) >= underrunPause {
		t.filled = now
		t.link.audio(t.silence[:])
	}
}

// overrun: the modem has more data than it can hold.
func (t *talk) overrun() { t.skip = true }
