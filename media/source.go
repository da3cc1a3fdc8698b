package media

import (
	"time"

	"crosspoint/media/dtmf"
)

// FrameTime is the length of the frames in which the exchange makes audio.
const FrameTime = 20 * time.Millisecond

// A Source is audio that the exchange plays: a tone, music, an announcement.
// Read fills pcm with the next linear samples, 8000 a second, and tells how
// many; fewer than len(pcm): the source has ended. It is called by one
// goroutine at a time and does not block.
type Source interface {
	Read(pcm []int16) int
}

// Silence is a Source without end.
type Silence struct{}

// Read clears pcm.
func (Silence) Read(pcm []int16) int {
	clear(pcm)
	return len(pcm)
}

// Samples is a Source that plays PCM once, or for ever if Loop is set. Any
// number of Samples may share one PCM.
type Samples struct {
	PCM  []int16
	Loop bool
	at   int
}

// Read copies the next samples.
func (s *Samples) Read(pcm []int16) int {
	n := 0
	for n < len(pcm) {
		if s.at == len(s.PCM) {
			if !s.Loop || len(s.PCM) == 0 {
				break
			}
			s.at = 0
		}
		k := copy(pcm[n:], s.PCM[s.at:])
		s.at += k
		n += k
	}
	return n
}

// Digit is the tone of a DTMF digit, 0-9 * # A-D, without end; Silence for
// anything else.
func Digit(digit byte) Source {
	g := dtmf.NewGenerator(dtmf.Timing{})
	if g.Press(digit) != nil {
		return Silence{}
	}
	return g
}
