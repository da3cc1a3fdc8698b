package media

import (
	"math/bits"
	"sync"
	"time"

	"crosspoint/media/g711"
)

// Lengths in samples of 1/8000 s.
const (
	ringSize    = 4096 // 512 ms: more than the longest depth and the longest packet
	slipStep    = 80   // 10 ms: the unit in which the depth is changed
	scarce      = 80   // packets that are ahead by less ask for more depth: a little more drift makes them late
	forceSlip   = 480  // this much too deep is cut off even in speech
	watchFrames = 150  // 3 s: how long a period of observation lasts
	watchFew    = 20   // with fewer packets than this a period says nothing
	fixedExtra  = 320  // 40 ms: what a buffer that may not adapt is deeper
	manyStrays  = 3    // so many packets in a row are far too late if the source's clock went back
)

// JitterConfig says how a JitterBuffer behaves. The zero value is ready.
type JitterConfig struct {
	Law   g711.Law      // of the frames that are read
	Start time.Duration // depth to begin with, and to come back to; zero is 20 ms
	Max   time.Duration // depth at which audio is thrown away; zero is 200 ms, more than 250 ms is 250 ms
}

// JitterStats counts what a JitterBuffer has done.
type JitterStats struct {
	Frames     uint64        // read
	Late       uint64        // packets that came after what follows them was played
	Duplicates uint64        // packets that brought nothing new
	Concealed  uint64        // samples made up
	Underruns  uint64        // times the buffer ran empty
	Overruns   uint64        // times it was too full and audio was thrown away
	Slips      uint64        // times the depth was changed, in silence or by force
	Depth      time.Duration // what is buffered now
}

// A JitterBuffer takes packets as the network brings them and gives 20 ms
// frames at its reader's clock: a telephone line's, or a mixer's. It puts
// packets in order whatever their length, drops duplicates, conceals losses,
// and follows the jitter and the drift between the two clocks: it deepens when
// packets come late and shortens in silence when they do not any more.
//
// It is a Sink. One goroutine writes and one reads; they may be two.
type JitterBuffer struct {
	law        g711.Law
	start, max int32 // samples

	mu      sync.Mutex
	ring    [ringSize]byte        // codes, at timestamp modulo ringSize
	present [ringSize / 64]uint64 // which of them are filled; bits before high only
	running bool                  // a packet has come
	source  uint32                // whose timestamps these are
	play    uint32                // timestamp of the next sample to be read
	high    uint32                // timestamp after the newest sample written
	strays  int                   // packets in a row that came far too late
	pause   bool                  // the source is silent and said so (RFC 3389)
	comfort noise

	// Observation of how far packets are ahead of play when they come. Play
	// moves by frames, so two clocks that drift change it by a frame at a time.
	low, lastLow int32 // least of this period and of the one before
	seen, frames int   // packets and frames of this period
	shorten      int32 // samples to leave out at the next silence
	deepen       int32 // samples to repeat at the next silence
	fixed        bool  // the depth stays as it is

	conceal concealer
	pcm     [g711.FrameSize]int16
	stats   JitterStats
}

// NewJitterBuffer returns an empty buffer.
func NewJitterBuffer(c JitterConfig) *JitterBuffer {
	if c.Start <= 0 {
		c.Start = FrameTime
	}
	if c.Max <= 0 {
		c.Max = 200 * time.Millisecond
	}
	c.Max = min(c.Max, 250*time.Millisecond)
	j := &JitterBuffer{law: c.Law, start: samples(c.Start), max: samples(c.Max)}
	j.start = min(j.start, j.max)
	j.observeAnew()
	return j
}

func samples(d time.Duration) int32 { return int32(d * g711.SampleRate / time.Second) }

// Write takes a packet of audio or comfort noise; telephone-events are not its
// business (InBand makes audio of them).
func (j *JitterBuffer) Write(p *Packet) {
	n := int32(len(p.Payload))
	if n == 0 || n > MaxPayload || p.Kind == Event {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if p.Kind == Noise {
		j.pause = true
		j.comfort.setLevel(p.Payload[0])
		return
	}
	j.pause = false
	ahead := int32(p.Timestamp - j.play)
	if j.running && p.Source == j.source && ahead < -j.max-n {
		if j.strays++; j.strays < manyStrays {
			j.stats.Late++
			return
		}
	}
	j.strays = 0
	if !j.running || p.Source != j.source || ahead < -j.max-n || ahead+n > ringSize/2 {
		j.restart(p.Source, p.Timestamp)
		ahead = j.start
	}
	j.low = min(j.low, ahead)
	j.seen++
	if ahead < 0 {
		j.late(p.Timestamp, -ahead, n)
	}
	j.store(p)
	if int32(j.high-j.play) > j.max+n {
		j.stats.Overruns++
		j.play = j.high - uint32(max(j.start, n))
		j.observeAnew()
	}
}

// Fix holds the depth as it is now and 40 ms more, for fax and modem signals
// that bear no change of delay; false lets the buffer adapt again. Only what
// does not fit any more is still thrown away.
func (j *JitterBuffer) Fix(on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if on && !j.fixed && j.running && int32(j.high-j.play) < j.max-fixedExtra {
		j.play -= uint32(fixedExtra)
		j.slipped(-fixedExtra)
	}
	j.fixed = on
	j.shorten, j.deepen = 0, 0
}

// restart begins with a new source, or anew after a jump of its clock.
func (j *JitterBuffer) restart(source, timestamp uint32) {
	j.running = true
	j.source = source
	j.play = timestamp - uint32(j.start)
	j.high = timestamp
	clear(j.present[:])
	j.observeAnew()
}

// late deals with a packet that should have been played by samples ago. If
// nothing newer was played meanwhile, the reader has only waited: it goes on
// from here, and the buffer is that much deeper. Else what is past is lost.
func (j *JitterBuffer) late(timestamp uint32, by, length int32) {
	if int32(timestamp-j.high) >= 0 {
		j.play = timestamp
		j.low += by
		j.lastLow += by
		j.deepen = max(j.deepen, slipStep)
		return
	}
	if j.has(timestamp) {
		return // a duplicate: store counts it
	}
	if by >= length {
		j.stats.Late++
	}
	j.deepen = max(j.deepen, min((by+slipStep-1)/slipStep*slipStep, j.max/2))
}

// store puts the codes of p where they belong.
func (j *JitterBuffer) store(p *Packet) {
	from, n := p.Timestamp, uint32(len(p.Payload))
	if int32(from+n-j.high) > 0 {
		if gap := int32(from - j.high); gap > 0 {
			j.mark(j.high, min(uint32(gap), ringSize), false)
		}
		// What is new is not there yet, whatever lay there a ring ago.
		begin := from
		if int32(j.high-from) > 0 {
			begin = j.high
		}
		j.mark(begin, from+n-begin, false)
		j.high = from + n
	} else if int32(j.high-from) > ringSize {
		return
	}
	if j.mark(from, n, true) == 0 {
		j.stats.Duplicates++
	}
	at := from % ringSize
	first := min(n, ringSize-at)
	j.copyIn(j.ring[at:at+first], p.Law, p.Payload)
	j.copyIn(j.ring[:n-first], p.Law, p.Payload[first:])
}

func (j *JitterBuffer) copyIn(dst []byte, law g711.Law, codes []byte) {
	if law == j.law {
		copy(dst, codes)
	} else {
		law.Convert(dst, codes)
	}
}

// mark sets or clears the presence of n samples and tells how many changed.
func (j *JitterBuffer) mark(from, n uint32, there bool) (changed int) {
	for n > 0 {
		at := from % ringSize
		bit := at % 64
		k := min(n, 64-bit)
		mask := ^uint64(0) >> (64 - k) << bit
		word := &j.present[at/64]
		if there {
			changed += bits.OnesCount64(mask &^ *word)
			*word |= mask
		} else {
			changed += bits.OnesCount64(mask & *word)
			*word &^= mask
		}
		from += k
		n -= k
	}
	return changed
}

// has tells whether the sample is there.
func (j *JitterBuffer) has(timestamp uint32) bool {
	back := int32(j.high - timestamp)
	at := timestamp % ringSize
	return back > 0 && back <= ringSize && j.present[at/64]>>(at%64)&1 != 0
}

// run is how many samples from the timestamp on, n at most, are all there or
// all missing.
func (j *JitterBuffer) run(from uint32, n int) (length int, there bool) {
	there = j.has(from)
	for length = 1; length < n && j.has(from+uint32(length)) == there; length++ {
	}
	return length, there
}

// Stats counts what the buffer has done so far.
func (j *JitterBuffer) Stats() JitterStats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	if depth := int32(j.high - j.play); j.running && depth > 0 {
		s.Depth = time.Duration(depth) * time.Second / g711.SampleRate
	}
	return s
}
