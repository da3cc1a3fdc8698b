package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// A stream is the audio of one call of a line. What is written to it waits in a
// jitter buffer for the card's next tick; what the line says goes out at the
// tick, with the card's clock as its timestamp.
type stream struct {
	opened atomic.Bool
	to     atomic.Pointer[media.Sink]
	buffer *media.JitterBuffer
	mu     sync.Mutex    // of events: while the bridge changes who is heard, two may write
	events *media.InBand // makes tones of telephone-events

	received, sent, dropped, lost atomic.Uint64
	last                          atomic.Int64 // when the line was last heard, Unix nanoseconds; 0: never
	heard                         media.Meter

	// The rest belongs to the ticks.
	packet media.Packet
}

// sources numbers the streams, so that who reads one notices another.
var sources atomic.Uint32

func newStream() *stream {
	s := &stream{buffer: media.NewJitterBuffer(media.JitterConfig{Law: g711.MuLaw})}
	s.events = media.NewInBand(s.buffer, s.Law)
	s.packet = media.Packet{Law: g711.MuLaw, Source: sources.Add(1), Marker: true}
	return s
}

// open lets audio pass; close drops it for good.
func (s *stream) open()  { s.opened.Store(true) }
func (s *stream) close() { s.opened.Store(false); s.to.Store(nil) }

// pause drops what is written until the stream is opened again.
func (s *stream) pause() { s.opened.Store(false) }

// Write takes what the line shall hear (media.Sink).
func (s *stream) Write(p *media.Packet) {
	if !s.opened.Load() {
		s.dropped.Add(1)
		return
	}
	s.mu.Lock()
	s.events.Write(p)
	s.mu.Unlock()
}

// Feed names who hears the line (media.Stream).
func (s *stream) Feed(to media.Sink) {
	if to == nil {
		s.to.Store(nil)
		return
	}
	s.to.Store(&to)
}

// Law is µ-law: all line hardware of ours speaks it.
func (s *stream) Law() g711.Law { return g711.MuLaw }

func (s *stream) Stats() media.Stats {
	st := media.Stats{
		Received:     s.received.Load(),
		Sent:         s.sent.Load(),
		Lost:         s.lost.Load(),
		Dropped:      s.dropped.Load(),
		ReceivedDBm0: s.heard.DBm0(),
	}
	if at := s.last.Load(); at != 0 {
		st.LastReceived = time.Unix(0, at)
	}
	return st
}

// say sends a frame of the line to whoever hears it. Clock is the card's
// counter; lost is how many frames are missing before it.
func (s *stream) say(frame []byte, clock uint64, lost uint64) {
	s.packet.Seq += uint16(lost)
	s.packet.Timestamp = uint32(clock)
	s.packet.Payload = frame
	s.received.Add(1)
	s.lost.Add(lost)
	s.last.Store(time.Now().UnixNano())
	s.heard.Add(g711.MuLaw, frame)
	if to := s.to.Load(); to != nil {
		(*to).Write(&s.packet)
	}
	s.packet.Seq++
	s.packet.Marker = false
	s.packet.Payload = nil
}

// hear gives the frame that the line shall hear now.
func (s *stream) hear(frame []byte) {
	if s.buffer.Read(frame[:jack.FrameSize]) {
		s.sent.Add(1)
	}
}
