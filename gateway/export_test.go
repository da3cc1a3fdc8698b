package gateway

import "crosspoint/media"

// JitterOf is what the jitter buffer of a line's stream has done.
func JitterOf(s media.Stream) media.JitterStats { return s.(*stream).buffer.Stats() }
