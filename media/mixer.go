package media

import (
	"sync/atomic"

	"crosspoint/media/g711"
)

// maxTalkers is how many voices are added up at most: the loudest. More only
// add their rooms' noise.
const maxTalkers = 8

// A mixer lets three or more parties hear each other: each gets the sum of the
// others, at the pacer's clock. Each party's packets wait in a jitter buffer.
type mixer struct {
	members atomic.Pointer[[]mixed] // replaced, never changed; tick walks it without a lock

	// The rest belongs to tick.
	sum    [g711.FrameSize]int32
	pcm    [g711.FrameSize]int16
	codes  [2][g711.FrameSize]byte // the sum of all, for those who say nothing
	shared [2]bool                 // codes is made
}

// mixed is one party of a mixer.
type mixed struct {
	*voice
	hears bool // false: it hears something else now, but is heard
}

// A voice is what a mixer keeps of a party for as long as it is mixed.
type voice struct {
	stream Stream
	in     *JitterBuffer
	inlet  Sink // in front of in: telephone-events are heard as tones

	// The rest belongs to tick.
	pcm   [g711.FrameSize]int16
	power float64 // of the last frames, smoothed
	added bool    // is part of the sum
	out   packetMaker
}

func newVoice(s Stream) *voice {
	v := &voice{stream: s, in: NewJitterBuffer(JitterConfig{Law: s.Law()}), out: newPacketMaker()}
	v.inlet = NewInBand(v.in, s.Law)
	return v
}

// tick mixes one frame for each member.
func (m *mixer) tick(n uint64) {
	members := *m.members.Load()
	m.listen(members)
	clear(m.sum[:])
	for _, v := range members {
		if !v.added {
			continue
		}
		for i, s := range v.pcm {
			m.sum[i] += int32(s)
		}
	}
	m.shared = [2]bool{}
	for _, v := range members {
		if v.hears {
			m.speak(v.voice, n)
		}
	}
}

// listen takes a frame of each member and chooses whom the sum is made of:
// those who are not silent, the loudest if they are too many.
func (m *mixer) listen(members []mixed) {
	talkers := 0
	for _, v := range members {
		v.in.ReadLinear(&v.pcm)
		var power float64
		for _, s := range v.pcm {
			power += float64(s) * float64(s)
		}
		v.power = max(power, v.power*0.9) // falls by half in 130 ms: nobody is cut off between two words
		v.added = power > 0
		if v.added {
			talkers++
		}
	}
	for ; talkers > maxTalkers; talkers-- {
		var least *voice
		for _, v := range members {
			if v.added && (least == nil || v.power < least.power) {
				least = v.voice
			}
		}
		least.added = false
	}
}

// speak writes frame n to a member: the sum without its own voice.
func (m *mixer) speak(v *voice, n uint64) {
	law := v.stream.Law()
	if !v.added {
		if !m.shared[law] {
			m.subtract(nil)
			law.Encode(m.codes[law][:], m.pcm[:])
			m.shared[law] = true
		}
		v.stream.Write(v.out.encoded(n, law, m.codes[law][:]))
		return
	}
	m.subtract(&v.pcm)
	v.stream.Write(v.out.linear(n, law, &m.pcm))
}

// subtract leaves the sum without own in pcm, at full scale where it is larger.
func (m *mixer) subtract(own *[g711.FrameSize]int16) {
	if own == nil {
		own = new([g711.FrameSize]int16) // does not escape
	}
	for i, s := range m.sum {
		m.pcm[i] = int16(min(max(s-int32(own[i]), -32768), 32767))
	}
}
