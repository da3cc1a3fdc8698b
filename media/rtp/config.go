package rtp

import (
	"log/slog"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// Direction is what an offer and answer left us to do (RFC 3264 §6.1), seen
// from the exchange. The zero value is SendRecv.
type Direction uint8

const (
	SendRecv Direction = iota
	SendOnly           // the party is to be silent: we hold it
	RecvOnly           // the party does not want to hear us: it holds us
	Inactive
)

func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}

// Sends tells whether we may send audio.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives tells whether the party may send audio.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Format is what was negotiated about packets. The zero value is PCMU as
// payload type 0, and nothing else.
type Format struct {
	Law     g711.Law // to send; PCMU and PCMA by their static types are both understood
	AudioPT uint8    // payload type of Law; zero: the static one of RFC 3551, 0 or 8
	EventPT uint8    // of telephone-events to send (RFC 4733); zero: none, digits are sent as tones
	NoisePT uint8    // of comfort noise (RFC 3389), commonly 13; zero: none
	// EventPTIn is the payload type of telephone-events to receive, where it is
	// not that of sending; zero: EventPT.
	EventPTIn uint8
	// PTime is how much audio the party wants in a packet, 10 to 120 ms; zero:
	// packets are as large as those they are made from.
	PTime time.Duration
}

// kind tells what a payload type carries.
func (f *Format) kind(pt uint8) (kind media.Kind, law g711.Law, ok bool) {
	switch {
	case pt == f.audioPT():
		return media.Audio, f.Law, true
	case pt == f.EventPTIn && pt != 0, pt == f.EventPT && pt != 0:
		return media.Event, f.Law, true
	case pt == 0:
		return media.Audio, g711.MuLaw, true
	case pt == 8:
		return media.Audio, g711.ALaw, true
	case pt == f.NoisePT, pt == staticNoise:
		return media.Noise, f.Law, true
	}
	return 0, 0, false
}

const staticNoise = 13 // RFC 3551 table 4

func (f *Format) audioPT() uint8 {
	if f.AudioPT == 0 && f.Law == g711.ALaw {
		return 8
	}
	return f.AudioPT
}

// packetSamples is PTime in samples; 0: as they come.
func (f *Format) packetSamples() int {
	if f.PTime <= 0 {
		return 0
	}
	ptime := min(max(f.PTime, 10*time.Millisecond), 120*time.Millisecond)
	return int(ptime * g711.SampleRate / time.Second)
}

// Config is what a Session needs to know from its start. The zero value is
// ready. The functions are called on the session's goroutine: they must not
// block, and must not call Close; they post to their owner's inbox.
type Config struct {
	Format    Format
	Direction Direction
	// OnDigit is told of each DTMF digit that the party sends as
	// telephone-event, once, at its end, with how long it was pressed.
	OnDigit func(digit byte, d time.Duration)
	// OnSilent is told once when the party was not heard for the time that
	// Watch set though the direction lets it speak; OnHeard when it is again.
	OnSilent func(since time.Duration)
	OnHeard  func()
	// Watch is as the method of that name; zero: not watched until it is called.
	Watch time.Duration
	// Meter measures the level of what is received, for Stats: about 0.1 µs a packet.
	Meter bool
	// CNAME names us in RTCP (RFC 3550 §6.5.1); empty: random, as RFC 7022 advises.
	CNAME string
	Log   *slog.Logger // nil: silent
}
