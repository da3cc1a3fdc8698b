package rtp

import (
	"fmt"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

const (
	defaultDigit = 100 * time.Millisecond
	shortest     = 40 * time.Millisecond  // that ITU-T Q.24 receivers take for a digit
	endings      = 3                      // times that the end of an event is sent (RFC 4733 §2.5.1.4)
	digitPause   = 60 * time.Millisecond  // after a digit; ITU-T Q.24 asks for 40 ms
	segment      = 0xffff                 // the longest duration of one segment (RFC 4733 §2.5.1.3)
	eventVolume  = 10                     // -10 dBm0
	eventSize    = 4                      // bytes of a telephone-event
	frame        = g711.FrameSize         // samples between two updates
	frameTime    = media.FrameTime        //
	contended    = 500 * time.Microsecond // when to try again if somebody else is writing
	maxQueued    = 128                    // digits that wait; more are refused
)

// digitsOut sends our digits one after the other: as telephone-events if the
// party takes them, else as tones. It belongs to the RTP socket's loop.
type digitsOut struct {
	s     *Session
	queue []press
	next  time.Time // when step has something to do; zero: never

	on      bool
	now     press
	code    byte
	event   bool   // sent as telephone-event
	start   uint32 // timestamp of the present segment
	sent    int    // samples reported or played
	before  int    // samples in earlier segments
	total   int    // samples of the digit
	endings int    // ends still to be sent
	tones   media.Source
	pcm     []int16 // a frame of them; nil: none was played yet
}

// press is a digit to send.
type press struct {
	digit byte
	d     time.Duration
}

// SendDigit sends a DTMF digit, 0-9 * # A-D, after those that still wait. Zero
// d is 100 ms, less than 40 ms is 40 ms. Nothing else is sent meanwhile. While
// the party holds us digits are lost.
func (s *Session) SendDigit(digit byte, d time.Duration) error {
	if _, ok := media.EventCode(digit); !ok {
		return fmt.Errorf("cannot send %q as DTMF: digits are 0-9 * # A-D", digit)
	}
	if d <= 0 {
		d = defaultDigit
	}
	s.loop.post(func() { s.play.add(press{digit, max(d, shortest)}) })
	return nil
}

func (d *digitsOut) add(p press) {
	if len(d.queue) >= maxQueued {
		d.s.log.Warn("too many digits wait to be sent; one is lost")
		return
	}
	d.queue = append(d.queue, p)
	if d.next.IsZero() {
		d.next = time.Now()
	}
	d.s.loop.wakeAt(d.next)
}

// step does what is due.
func (d *digitsOut) step(now time.Time) {
	if d.next.IsZero() || now.Before(d.next) {
		return
	}
	o := &d.s.out
	if !o.enter() {
		d.next = now.Add(contended)
		return
	}
	defer o.leave()
	if !d.on && !d.begin(now) {
		return
	}
	switch {
	case d.endings > 0:
		d.end(o)
	case d.event:
		d.update(o)
	default:
		d.tone(o)
	}
}

// begin starts the next digit; false: there is none that can be sent.
func (d *digitsOut) begin(now time.Time) bool {
	d.next = time.Time{}
	if len(d.queue) == 0 {
		return false
	}
	s, o := d.s, &d.s.out
	d.now = d.queue[0]
	d.queue = d.queue[:copy(d.queue, d.queue[1:])]
	if s.target.Load() == nil || !s.Direction().Sends() {
		s.log.Info("digit not sent: the party does not listen now", "direction", s.Direction())
		d.next = now
		return false
	}
	d.code, _ = media.EventCode(d.now.digit)
	d.event = s.format.Load().EventPT != 0
	d.total = int(d.now.d * g711.SampleRate / time.Second)
	d.sent, d.before, d.endings = 0, 0, 0
	if !d.event {
		d.tones = media.Digit(d.now.digit)
		if d.pcm == nil {
			d.pcm = make([]int16, frame)
		}
	}
	o.spliceNow(now)
	o.seq-- // each packet of the digit counts it up
	o.length = 0
	d.start = o.ts
	d.on, o.digit = true, true
	d.next = now
	return true
}

// update reports the digit as it grows, every 20 ms, the first time at once.
func (d *digitsOut) update(o *sender) {
	first := d.sent == 0
	d.sent = min(d.sent+frame, d.total)
	if d.sent-d.before > segment {
		d.report(o, segment, false, false)
		d.before += segment
		d.start += segment
	}
	if d.sent == d.total {
		d.endings = endings // from the next update on, when that much time has passed
	} else {
		d.report(o, d.sent-d.before, first, false)
	}
	d.next = d.next.Add(frameTime)
}

// end sends the end of the event, three times 20 ms apart.
func (d *digitsOut) end(o *sender) {
	d.report(o, d.total-d.before, false, true)
	d.endings--
	d.next = d.next.Add(frameTime)
	if d.endings == 0 {
		// The event ended when its first end was sent, two updates ago.
		d.finish(o, d.next.Add(digitPause-endings*frameTime))
	}
}

func (d *digitsOut) report(o *sender, duration int, marker, end bool) {
	e := media.TelephoneEvent{Code: d.code, End: end, Volume: eventVolume, Duration: uint16(duration)}
	n := len(e.Put(o.body(eventSize)))
	o.seq++
	o.emit(d.s.format.Load().EventPT, marker, o.seq, d.start, n)
}

// tone plays the next 20 ms of the digit as audio.
func (d *digitsOut) tone(o *sender) {
	if d.sent >= d.total {
		d.finish(o, d.next.Add(digitPause))
		return
	}
	n := min(frame, d.total-d.sent)
	f := d.s.format.Load()
	d.tones.Read(d.pcm)
	clear(d.pcm[n:])
	f.Law.Encode(o.body(frame), d.pcm)
	o.seq++
	o.emit(f.audioPT(), d.sent == 0, o.seq, d.start+uint32(d.sent), frame)
	d.sent += n
	d.next = d.next.Add(frameTime)
}

// finish ends the digit; the next may begin at the given time.
func (d *digitsOut) finish(o *sender, next time.Time) {
	o.ts = d.start + uint32(d.total-d.before)
	o.splice, o.digit, d.on = true, false, false
	d.next = next
}
