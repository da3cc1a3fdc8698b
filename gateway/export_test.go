package gateway

import "crosspoint/media"

// JitterOf is what the jitter buffer of a line's stream has done.
func JitterOf(s media.Stream) media.JitterStats { return s.(*stream).buffer.Stats() }

// NewOpenStream is a line's stream in a call, and Hear gives what its line hears.
func NewOpenStream() media.Stream {
	s := newStream()
	s.open()
	return s
}

func Hear(s media.Stream, frame []byte) { s.(*stream).hear(frame) }
