package media

import (
	"time"

	"crosspoint/media/dtmf"
	"crosspoint/media/g711"
)

const (
	eventStale = 800 // audio this many samples after an event's last update shows that its end was lost
	eventSeen  = 400 // of an event whose beginning was lost, the last 50 ms are made up
)

// InBand is a Sink that makes tones of telephone-events, for a Sink that only
// takes audio. Each update of an event becomes as much tone as the event has
// grown by, with the event's own timestamps, so InBand needs no clock. What the
// source says beside an event is dropped. It serves one writer at a time.
type InBand struct {
	to     Sink
	law    func() g711.Law
	tones  *dtmf.Generator
	packet Packet
	shift  uint16 // packets that were dropped: later ones are renumbered

	active bool   // an event is on
	ended  bool   // its end was seen: what comes of it is a repetition
	code   byte   // of the event
	start  uint32 // its timestamp
	made   uint32 // how much of it has been made, in samples

	pcm   [MaxPayload]int16
	codes [MaxPayload]byte
}

// NewInBand returns the converter in front of to. law tells the law in which
// to make tones.
func NewInBand(to Sink, law func() g711.Law) *InBand {
	// The tone ends with the event, so its own shortest time is nothing to speak of.
	return &InBand{to: to, law: law, tones: dtmf.NewGenerator(dtmf.Timing{On: time.Millisecond})}
}

// Write converts p if it is a telephone-event, else passes it on.
func (c *InBand) Write(p *Packet) {
	if p.Kind == Event {
		c.event(p)
		return
	}
	if c.active && int32(p.Timestamp-c.start-c.made) >= eventStale {
		c.finish()
	}
	if c.active {
		c.shift++
		return
	}
	c.packet = *p
	c.packet.Seq -= c.shift
	c.to.Write(&c.packet)
}

func (c *InBand) event(p *Packet) {
	e, ok := ParseTelephoneEvent(p.Payload)
	digit, isDigit := e.Digit()
	if !ok || !isDigit || (c.ended && p.Timestamp == c.start) {
		c.shift++
		return
	}
	duration := uint32(e.Duration)
	switch {
	case c.active && p.Timestamp == c.start:
	case c.active && e.Code == c.code && !p.Marker && p.Timestamp-c.start == c.made:
		c.start, c.made = p.Timestamp, 0 // the next segment of a long event, RFC 4733 §2.5.1.3
	default:
		c.finish()
		c.active, c.ended = true, false
		c.code, c.start = e.Code, p.Timestamp
		c.made = uint32(max(int(duration)-eventSeen, 0))
		if err := c.tones.Press(digit); err != nil {
			c.finish()
		}
	}
	if n := min(int32(duration-c.made), MaxPayload); n > 0 && c.active {
		c.sound(p, int(n))
	} else {
		c.shift++
	}
	if e.End {
		c.finish()
		c.ended = true
	}
}

// sound makes n samples of the tone.
func (c *InBand) sound(p *Packet, n int) {
	law := c.law()
	clear(c.pcm[c.tones.Read(c.pcm[:n]):n])
	law.Encode(c.codes[:n], c.pcm[:n])
	c.packet = Packet{
		Law: law, Marker: c.made == 0 && p.Marker,
		Seq: p.Seq - c.shift, Timestamp: c.start + c.made, Source: p.Source,
		Payload: c.codes[:n],
	}
	c.made += uint32(n)
	c.to.Write(&c.packet)
}

func (c *InBand) finish() {
	c.active = false
	c.tones.Stop()
}
