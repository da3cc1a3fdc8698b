package gateway

import (
	"math"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/dtmf"
	"crosspoint/media/echo"
	"crosspoint/media/g711"
)

const (
	// maxGain bounds a line's gains, in dB.
	maxGain = 24
	// loud is the level in dBm0 above which a frame is more than the noise of
	// an idle line.
	loud = -45
	// echoTime is how long after our side spoke what is heard may be its echo.
	echoTime = 500 * time.Millisecond
)

// A program is what the ticks of a line do from now on. The owner publishes it
// whole and does not change it afterwards; what it points to then belongs to
// the ticks.
type program struct {
	sound    *sound  // plays instead of the stream; nil: none
	stream   *stream // nil: nobody is connected
	hear     bool    // what the line says goes to the stream
	say      bool    // what the stream brings goes to the line
	tones    bool    // listen for call progress tones
	keys     bool    // listen for DTMF digits
	anew     bool    // forget what the tone detector has heard so far
	dial     bool    // expect dial tone
	callerID *receiver
	notice   *notice // interrupts the talk to tell of a waiting call; nil: nothing
}

// A sound is something that the line plays to whom it is wired to.
type sound struct {
	media.Source
	ended bool // the ticks': it has been played to its end
}

// audio is what a line does at each tick of its card, in the driver's
// goroutine. It tells the owner of what it hears by the line's inbox.
type audio struct {
	line   *line
	next   atomic.Pointer[program]
	lost   atomic.Uint64 // frames missing between card and us
	ticked atomic.Int64  // when the last tick came, Unix nanoseconds
	spoken atomic.Int64  // when either side was last loud, Unix nanoseconds
	heard  media.Meter
	said   media.Meter

	// The owner's.
	current  program
	digits   []digit // still to be played over the stream
	playing  *sound  // the one that is
	reported bool    // the card's silence was reported

	// The rest belongs to the ticks.
	now      *program
	carried  *stream // by the tick before; nil: none
	due      uint64  // clock of the next tick if none is lost
	ear      *ear
	keys     *dtmf.Detector
	lastSaid time.Time // when our side was last loud
	echo     *echoFilter
	during   *stream // that the echo filter works for
	gainIn   *gainTable
	gainOut  *gainTable
	rx       [jack.FrameSize]byte
	pcm      [jack.FrameSize]int16
}

// digit is a DTMF digit to be played over the stream.
type digit struct {
	key byte
	d   time.Duration
}

func newAudio(l *line) *audio {
	a := &audio{line: l, ear: newEar(l.country), keys: dtmf.NewDetector(dtmf.Limits{})}
	a.gainIn, a.gainOut = newGain(l.cfg.ReceiveGain), newGain(l.cfg.SendGain)
	a.echo = newEchoFilter(l.cfg.Port, l.echoTail())
	a.next.Store(&program{})
	return a
}

// play makes p what the ticks do from the next one on.
func (a *audio) play(p program) {
	a.current, a.playing, a.digits = p, nil, nil
	a.next.Store(&p)
}

// digit plays a digit over the stream, after those that are still to be played.
func (a *audio) digit(key byte, d time.Duration) {
	a.digits = append(a.digits, digit{key, d})
	if a.playing == nil {
		a.nextDigit()
	}
}

func (a *audio) nextDigit() {
	p := a.current
	p.anew = false
	a.playing = nil
	if len(a.digits) > 0 {
		d := a.digits[0]
		a.digits = a.digits[1:]
		a.playing = newDigits(string(rune(d.key)), d.d)
		p.sound = a.playing
	}
	a.next.Store(&p)
}

// over tells whether the sound that ended was a digit over the stream, and
// goes on with the next.
func (a *audio) over(s *sound) bool {
	if s == nil || s != a.playing {
		return false
	}
	a.nextDigit()
	return true
}

// alive begins to watch for ticks.
func (a *audio) alive() {
	a.reported = false
	now := time.Now().UnixNano()
	a.ticked.Store(now)
	a.spoken.Store(now)
}

// quiet is how long the card has sent no audio; silentFor is how long nothing
// loud has been heard or said.
func (a *audio) quiet() time.Duration { return time.Duration(time.Now().UnixNano() - a.ticked.Load()) }
func (a *audio) silentFor() time.Duration {
	return time.Duration(time.Now().UnixNano() - a.spoken.Load())
}

// tick does the work of 20 ms: rx is what the line said, tx is filled with what
// it shall hear. It does not allocate unless it has something to tell.
func (a *audio) tick(rx, tx []byte, clock uint64) {
	if len(rx) != jack.FrameSize || len(tx) != jack.FrameSize {
		return
	}
	now := time.Now()
	a.ticked.Store(now.UnixNano())
	p := a.program()
	lost := a.follow(clock)
	if p.stream != nil {
		rx = a.withoutEcho(p.stream, rx, clock)
	}
	if a.gainIn != nil {
		a.gainIn.apply(a.rx[:], rx)
		rx = a.rx[:]
	}
	a.heard.Add(g711.MuLaw, rx)
	if media.Level(g711.MuLaw, rx) > loud {
		a.spoken.Store(now.UnixNano())
	}
	if p.notice.active() {
		rx = a.underNotice(p, rx, clock)
	} else if p.tones || p.keys || p.callerID != nil {
		a.listen(p, rx, now)
	}
	if p.stream != nil && p.hear {
		p.stream.say(rx, clock, lost)
	}
	if p.notice.active() {
		a.notify(p, tx, clock)
	} else {
		a.speak(p, tx)
	}
	a.said.Add(g711.MuLaw, tx)
	if media.Level(g711.MuLaw, tx) > loud {
		a.lastSaid = now
		a.spoken.Store(now.UnixNano())
	}
	if a.gainOut != nil {
		a.gainOut.apply(tx, tx)
	}
	if p.stream != nil {
		a.echo.say(tx, clock)
	}
}

// withoutEcho takes our own voice out of what the line says in a call, and
// tells the owner when it begins or ends to carry fax or modem signals.
func (a *audio) withoutEcho(s *stream, rx []byte, clock uint64) []byte {
	e := a.echo
	if a.during != s {
		a.during = s
		e.begin()
	}
	was := e.carries
	rx = e.clean(rx, clock)
	if e.carries != was {
		s.buffer.Fix(e.carries != echo.None)
		a.line.inbox.Put(carries{s, e.carries})
	}
	return rx
}

// program is what is to be done, and forgets what the program before had heard.
func (a *audio) program() *program {
	p := a.next.Load()
	if p == a.now {
		return p
	}
	was := a.now
	a.now = p
	if p.tones && (p.anew || was == nil || !was.tones) {
		a.ear.reset(p.dial)
	}
	if p.keys && (was == nil || !was.keys || was.notice.active()) {
		a.keys.Reset()
	}
	return p
}

// follow tells how many frames of the stream were lost before this one. Before its
// first there are none: the ticks are off between two calls, and while a telephone
// rings.
func (a *audio) follow(clock uint64) (lost uint64) {
	s := a.now.stream
	if gap := clock - a.due; s != nil && s == a.carried && clock > a.due && gap < 8000*3600 {
		lost = (gap + jack.FrameSize/2) / jack.FrameSize
		a.lost.Add(lost)
	}
	a.carried = s
	a.due = clock + jack.FrameSize
	return lost
}

// listen looks for tones, digits and caller ID, as the program says.
func (a *audio) listen(p *program, rx []byte, now time.Time) {
	pcm := a.pcm[:]
	g711.MuLaw.Decode(pcm, rx)
	if p.tones {
		echo := now.Sub(a.lastSaid) < echoTime
		a.ear.listen(pcm, echo, a.line)
	}
	if p.keys {
		a.detect(pcm)
	}
	if p.callerID != nil {
		p.callerID.listen(pcm, a.line)
	}
}

// detect looks for digits, and tells the owner of them.
func (a *audio) detect(pcm []int16) {
	for _, k := range a.keys.Detect(pcm) {
		if k.Down {
			a.line.inbox.Put(keyDown{k.Digit})
		} else {
			a.line.inbox.Put(keyUp{k.Digit, k.Duration})
		}
	}
}

// speak fills tx with the sound, or with what the stream brings.
func (a *audio) speak(p *program, tx []byte) {
	if s := p.sound; s != nil && !s.ended {
		pcm := a.pcm[:]
		n := s.Read(pcm)
		clear(pcm[n:])
		g711.MuLaw.Encode(tx, pcm)
		if n < len(pcm) {
			s.ended = true
			a.line.inbox.Put(played{s})
		}
		return
	}
	if p.stream != nil && p.say {
		p.stream.hear(tx)
		return
	}
	silence(tx)
}

func silence(frame []byte) {
	for i := range frame {
		frame[i] = g711.MuLaw.Silence()
	}
}

// A gainTable is the µ-law code of each µ-law code made louder.
type gainTable [256]byte

// newGain is nil for a gain of nothing.
func newGain(dB float64) *gainTable {
	if dB == 0 {
		return nil
	}
	factor := math.Pow(10, dB/20)
	t := new(gainTable)
	for i := range t {
		s := factor * float64(g711.MuLaw.DecodeSample(byte(i)))
		t[i] = g711.MuLaw.EncodeSample(int16(max(-32768, min(32767, math.Round(s)))))
	}
	return t
}

func (t *gainTable) apply(dst, src []byte) {
	for i, s := range src {
		dst[i] = t[s]
	}
}
