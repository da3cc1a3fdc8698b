package gateway

import (
	"math"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media/echo"
	"crosspoint/media/g711"
)

// farRing is how many samples are remembered of what the line will hear: more
// than a driver plays ahead.
const farRing = 4096

// An echoFilter takes the echo of what a line hears out of what it says, and
// leaves the line alone when it carries fax or modem signals. It belongs to the
// ticks, except what is atomic.
type echoFilter struct {
	canceller *echo.Canceller // nil: switched off
	timed     jack.Timed      // nil: what is played is heard soon, it is not known when
	data      echo.Disabler
	carries   echo.Data
	running   bool
	heard     uint64         // the card's clock up to which the line was heard
	said      [farRing]int16 // what the line hears, at the card's clock modulo farRing

	near, far [jack.FrameSize]int16
	out       [jack.FrameSize]byte

	// returnLoss and enhancement are float32 bits, for the status; zero: not measured.
	returnLoss, enhancement atomic.Uint32
}

// untimedTail is the tail where it is not known when the line hears what is
// played: it has room for the driver's delay.
const untimedTail = echo.MaxTail

// newEchoFilter takes a tail as LineConfig.EchoTail has it.
func newEchoFilter(port jack.Port, tail time.Duration) *echoFilter {
	e := new(echoFilter)
	e.timed, _ = port.(jack.Timed)
	if tail < 0 {
		return e
	}
	if tail == 0 && e.timed == nil {
		tail = untimedTail
	}
	e.canceller = echo.New(echo.Config{Tail: tail})
	return e
}

// begin prepares for another call.
func (e *echoFilter) begin() {
	e.data, e.carries, e.running = echo.Disabler{}, echo.None, false
	clear(e.said[:])
	if e.canceller != nil {
		e.canceller.Reset()
	}
}

// clean gives rx without echo. Clock is the card's at the first sample.
func (e *echoFilter) clean(rx []byte, clock uint64) []byte {
	e.align(clock)
	g711.MuLaw.Decode(e.near[:], rx)
	was := e.carries
	e.carries = e.data.Listen(e.near[:], e.far[:])
	if e.canceller == nil {
		return rx
	}
	if e.carries != echo.None {
		return rx
	}
	if was != echo.None {
		e.canceller.Flush() // what the fax machine sent
	}
	changed := e.canceller.Process(e.near[:], e.far[:])
	e.returnLoss.Store(measured(e.canceller.ReturnLoss()))
	e.enhancement.Store(measured(e.canceller.Enhancement()))
	if !changed {
		return rx
	}
	g711.MuLaw.Encode(e.out[:], e.near[:])
	return e.out[:]
}

// align takes into far what the line heard while it said what came at clock,
// and passes over what was lost.
func (e *echoFilter) align(clock uint64) {
	gap := clock - e.heard
	if e.running && gap%jack.FrameSize == 0 && gap <= farRing/2 {
		for ; e.heard < clock; e.heard += jack.FrameSize {
			e.take(e.heard)
			if e.canceller != nil {
				e.canceller.Skip(e.far[:])
			}
		}
	} else if e.running && gap != 0 { // the card's counter jumped
		clear(e.said[:])
		if e.canceller != nil {
			e.canceller.Flush()
		}
	}
	e.running = true
	e.take(clock)
	e.heard = clock + jack.FrameSize
}

// take moves a frame of what was said to far.
func (e *echoFilter) take(clock uint64) {
	for i := range e.far {
		at := &e.said[(clock+uint64(i))%farRing]
		e.far[i], *at = *at, 0
	}
}

// say notes what the line shall hear. Clock is the card's at the frame of the
// line that came with it.
func (e *echoFilter) say(tx []byte, clock uint64) {
	at := e.playout(clock, 0)
	if at-e.heard > farRing-jack.FrameSize { // in the past, or too far ahead: it can't be lined up
		return
	}
	for i, code := range tx {
		e.said[(at+uint64(i))%farRing] = g711.MuLaw.DecodeSample(code)
	}
}

// playout is the card's clock at which the line hears the first sample of what
// is said at the tick of the given clock. Later is added where that is not known.
func (e *echoFilter) playout(clock uint64, later time.Duration) uint64 {
	if e.timed != nil {
		return e.timed.Playout()
	}
	return clock + jack.FrameSize + uint64(later*g711.SampleRate/time.Second)
}

// measured is a measurement for others to read.
func measured(dB float64) uint32 {
	if math.IsNaN(dB) || math.IsInf(dB, 0) {
		return 0
	}
	return math.Float32bits(float32(dB))
}
