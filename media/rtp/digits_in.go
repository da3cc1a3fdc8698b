package rtp

import (
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// eventTimeout is how long after its last update an event counts as over, if
// all packets of its end were lost. Updates come every 20 to 50 ms.
const eventTimeout = 200 * time.Millisecond

// digitsIn makes one digit of the packets of one telephone-event (RFC 4733).
type digitsIn struct {
	told func(digit byte, d time.Duration)

	active    bool
	seen      bool // start and code are of an event that is over: repetitions of its end follow
	code      byte
	start     uint32 // timestamp of the event's present segment
	before    uint32 // samples of earlier segments
	duration  uint32 // samples of this segment
	lastHeard time.Time
}

// take follows an update.
func (d *digitsIn) take(timestamp uint32, marker bool, payload []byte, now time.Time) {
	e, ok := media.ParseTelephoneEvent(payload)
	if !ok {
		return
	}
	if d.seen && timestamp == d.start && e.Code == d.code {
		return
	}
	switch {
	case d.active && timestamp == d.start && e.Code == d.code:
	case d.active && e.Code == d.code && !marker && d.duration > 0 && timestamp == d.start+d.duration:
		d.before += d.duration // the next segment of a long event, §2.5.1.3
		d.start, d.duration = timestamp, 0
	case d.active && int32(timestamp-d.start) < 0:
		return // a straggler of an earlier event
	case !d.active && d.seen && int32(timestamp-d.start) < 0 && int32(timestamp-d.start) > -g711.SampleRate:
		return
	default:
		d.finish()
		d.active, d.seen = true, false
		d.code, d.start, d.before, d.duration = e.Code, timestamp, 0, 0
	}
	d.duration = max(d.duration, uint32(e.Duration))
	d.lastHeard = now
	if e.End {
		d.finish()
	}
}

// deadline is when the event is over though its end was not heard; zero: no
// event is on.
func (d *digitsIn) deadline() time.Time {
	if !d.active {
		return time.Time{}
	}
	return d.lastHeard.Add(eventTimeout)
}

// finish reports the event that is on, if one is.
func (d *digitsIn) finish() {
	if !d.active {
		return
	}
	d.active, d.seen = false, true
	digit, ok := media.TelephoneEvent{Code: d.code}.Digit()
	if ok && d.told != nil {
		d.told(digit, time.Duration(d.before+d.duration)*time.Second/g711.SampleRate)
	}
}
