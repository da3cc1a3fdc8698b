package callerid

import (
	"time"

	"crosspoint/internal/dsp"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// A telephone that is in use is told of another caller between the two voices
// ("type II" caller ID; Telcordia GR-30 and GR-575, ETSI EN 300 659-2):
//
//	exchange                          telephone
//	   |--call-waiting tone--------------->|  the other party does not hear it
//	   |--2130+2750 Hz for 80 ms---------->|  from here both voices are cut
//	   |<--DTMF D, about 60 ms-------------|  begun within 100 ms, by one that has a display
//	   |--80 marks and the message-------->|  50 to 500 ms after the D
//
// One without a display says nothing, and the voices are back at once.

const (
	// ackGap is the silence between the call-waiting tone and the alerting
	// signal, which may follow at once (GR-30: 0 to 50 ms).
	ackGap = 20 * time.Millisecond
	// ackWithin is how long after the alerting signal the acknowledgement must
	// have come (GR-30, EN 300 659-2: 155 to 165 ms).
	ackWithin = 160 * time.Millisecond
	// ackSure is how long after a digit's beginning the detector may be sure of
	// it, beyond what ackWithin leaves of one that begins in time.
	ackSure = 20 * time.Millisecond
	// ackMost is the longest acknowledgement: twice the longest tone of GR-30.
	// What is longer is a key that somebody presses.
	ackMost = 130 * time.Millisecond
	// ackPause is the least silence between the acknowledgement and the marks
	// (GR-30: 50 to 500 ms). What the line takes to play comes to it.
	ackPause = 60 * time.Millisecond
)

// offHook is the phase of an OffHook.
type offHook uint8

const (
	offHookTone    offHook = iota // the call-waiting tone and the alerting signal are played
	offHookWait                   // for the acknowledgement to begin
	offHookAck                    // for it to end
	offHookPause                  // before the message
	offHookMessage                // is played
	offHookTail                   // it has yet to reach the telephone
	offHookOver
)

// An OffHook tells a telephone in use of another caller: the call-waiting tone,
// and caller ID if the telephone asks for it. It is fed with what the line says
// and makes what the line hears, both in the line's own time, in samples of
// 1/8000 s, so that a driver's delay costs the telephone nothing of its time to
// answer. It belongs to one goroutine and allocates nothing once made.
type OffHook struct {
	phase   offHook
	tone    tone.Generator
	cut     int // samples of tone before the voices are cut; negative: they are not
	keys    *dtmf.Detector
	message *Sender // nil: the tone is all
	until   uint64  // when the phase ends
	begun   uint64  // when the acknowledgement began
	acked   bool
}

// NewOffHook tells c by a standard that is an exchange's on-hook one, after a
// tone that ends by itself. Networks that send digits to an idle telephone have
// no digits for one in use: it is told as EN 300 659-2 has it.
func NewOffHook(t tone.Tone, c CallerID, s Standard) *OffHook {
	if s != Bellcore {
		s = ETSI
	}
	parts := append([]tone.Part(nil), t.Parts...)
	var length time.Duration
	for _, p := range parts {
		length += p.For
	}
	parts = append(append(parts, tone.Part{For: ackGap}), CallWaiting().Parts...)
	o := &OffHook{
		cut:     samples(length + ackGap),
		keys:    dtmf.NewDetector(dtmf.Limits{}),
		message: NewSender(c, Config{Standard: s, OffHook: true}),
	}
	o.tone.Start(tone.Tone{Parts: parts, Loop: -1})
	return o
}

// NewWaitingTone is the tone alone, for a telephone without a display.
func NewWaitingTone(t tone.Tone) *OffHook {
	o := &OffHook{cut: -1}
	o.tone.Start(t)
	return o
}

func samples(d time.Duration) int { return int(d * dsp.SampleRate / time.Second) }

// Over tells that all is done: the voices are as before.
func (o *OffHook) Over() bool { return o.phase == offHookOver }

// Acknowledged tells that the telephone has asked for the caller ID, and was
// sent it as far as it has come.
func (o *OffHook) Acknowledged() bool { return o.acked }

// Cut tells that neither voice may pass: signals are on the line.
func (o *OffHook) Cut() bool {
	return o.phase == offHookTone && o.cut == 0 || o.phase > offHookTone && o.phase < offHookOver
}

// Speak fills pcm with what the telephone shall hear; at is the line's time at
// which it will hear the first sample.
func (o *OffHook) Speak(pcm []int16, at uint64) {
	n := 0
	switch o.phase {
	case offHookTone:
		n = o.tone.Read(pcm)
		if o.cut >= 0 {
			o.cut = max(0, o.cut-n)
		}
		switch {
		case o.tone.Playing():
		case o.message == nil:
			o.phase = offHookOver
		default:
			o.phase, o.until = offHookWait, at+uint64(n+samples(ackWithin+ackSure))
		}
	case offHookPause:
		if at >= o.until {
			o.phase = offHookMessage
			n = o.send(pcm, at)
		}
	case offHookMessage:
		n = o.send(pcm, at)
	}
	clear(pcm[n:])
}

func (o *OffHook) send(pcm []int16, at uint64) int {
	n := o.message.Read(pcm)
	if !o.message.Busy() {
		o.phase, o.until = offHookTail, at+uint64(n)
	}
	return n
}

// Listen takes what the telephone says; at is the line's time at which it said
// the first sample.
func (o *OffHook) Listen(pcm []int16, at uint64) {
	end := at + uint64(len(pcm))
	switch o.phase {
	case offHookWait, offHookAck:
		o.listen(pcm, end)
	case offHookTail:
		if end >= o.until {
			o.phase = offHookOver
		}
	}
}

// listen looks for the acknowledgement.
func (o *OffHook) listen(pcm []int16, end uint64) {
	for _, e := range o.keys.Detect(pcm) {
		switch {
		case e.Digit != 'D':
		case e.Down && o.phase == offHookWait:
			o.phase, o.begun = offHookAck, end
		case !e.Down && o.phase == offHookAck:
			o.phase, o.until, o.acked = offHookPause, end+uint64(samples(ackPause)), true
			return
		}
	}
	late := o.phase == offHookWait && end >= o.until
	if late || o.phase == offHookAck && end-o.begun > uint64(samples(ackMost)) {
		o.phase = offHookOver
	}
}
