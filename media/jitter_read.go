package media

import (
	"math"

	"crosspoint/media/g711"
)

// quietDBm0 is the level under which a frame may be left out or repeated
// without being heard.
const quietDBm0 = -45

var quietSquares = [2]uint64{
	uint64(zero0[0] * math.Pow(10, quietDBm0/10.0) * slipStep),
	uint64(zero0[1] * math.Pow(10, quietDBm0/10.0) * slipStep),
}

// Read gives the next 20 ms: frame has g711.FrameSize bytes. What is missing
// is made up and fades to silence; false: nothing of the frame was received.
func (j *JitterBuffer) Read(frame []byte) bool {
	frame = frame[:g711.FrameSize]
	j.mu.Lock()
	defer j.mu.Unlock()
	j.adapt()
	if n, there := j.run(j.play, len(frame)); there && n == len(frame) && j.conceal.idle() {
		j.copyOut(frame, j.play) // to the bit: two codes of zero stay two
		j.law.Decode(j.pcm[:], frame)
		j.conceal.good(j.pcm[:])
		j.advance()
		return true
	}
	heard := j.fill()
	j.law.Encode(frame, j.pcm[:])
	j.advance()
	return heard
}

// ReadLinear is Read in linear samples.
func (j *JitterBuffer) ReadLinear(pcm *[g711.FrameSize]int16) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.adapt()
	heard := j.fill()
	*pcm = j.pcm
	j.advance()
	return heard
}

func (j *JitterBuffer) advance() {
	j.play += g711.FrameSize
	j.stats.Frames++
	if int32(j.play-j.high) > 1<<30 {
		j.running = false // silent for days: the count of samples would come round
	}
}

// fill makes the frame at play in pcm, piece by piece: what is there, and what
// is not. It tells whether anything was.
func (j *JitterBuffer) fill() (heard bool) {
	for at := 0; at < len(j.pcm); {
		from := j.play + uint32(at)
		n, there := j.run(from, len(j.pcm)-at)
		piece := j.pcm[at : at+n]
		switch {
		case there:
			heard = true
			j.decode(piece, from)
			j.conceal.good(piece)
		case !j.running:
			clear(piece)
		case j.pause && int32(from-j.high) >= 0:
			j.comfort.fill(piece)
			j.conceal.good(piece)
		default:
			if j.conceal.gap == 0 && int32(from-j.high) >= 0 {
				j.stats.Underruns++
			}
			j.stats.Concealed += uint64(n)
			j.conceal.lost(piece)
		}
		at += n
	}
	return heard
}

func (j *JitterBuffer) decode(pcm []int16, from uint32) {
	at := from % ringSize
	n := j.law.Decode(pcm, j.ring[at:])
	j.law.Decode(pcm[n:], j.ring[:])
}

func (j *JitterBuffer) copyOut(codes []byte, from uint32) {
	n := copy(codes, j.ring[from%ringSize:])
	copy(codes[n:], j.ring[:])
}

// adapt keeps the depth what the network needs. Packets that come more than
// start too early through two periods of observation show that the buffer is
// too deep; one that is almost late shows that it is too shallow. Both are put
// right in silence, by 10 ms; what is far too deep is cut in speech, too.
func (j *JitterBuffer) adapt() {
	if j.fixed {
		j.shorten, j.deepen = 0, 0
		return
	}
	j.frames++
	if j.frames == watchFrames {
		j.observed()
	}
	switch {
	case j.deepen > 0 && j.quiet(j.play-slipStep):
		j.play -= slipStep
		j.deepen -= slipStep
		j.slipped(-slipStep)
	case j.shorten >= slipStep && j.quiet(j.play):
		j.play += slipStep
		j.shorten -= slipStep
		j.slipped(slipStep)
	case j.shorten >= forceSlip:
		j.cut()
	}
}

// observed ends a period of observation.
func (j *JitterBuffer) observed() {
	j.frames = 0
	if j.seen < watchFew {
		return
	}
	if j.low < scarce {
		j.deepen = max(j.deepen, (j.start-j.low+slipStep-1)/slipStep*slipStep)
		j.shorten = 0
	} else if least := min(j.low, j.lastLow); least >= j.start+slipStep {
		j.shorten = least - j.start
	} else {
		j.shorten = 0
	}
	j.low, j.lastLow, j.seen = math.MaxInt32/2, j.low, 0
}

// observeAnew forgets what was observed: the depth has been set by other means.
func (j *JitterBuffer) observeAnew() {
	j.low, j.lastLow, j.seen, j.frames = math.MaxInt32/2, math.MinInt32/2, 0, 0
	j.shorten, j.deepen = 0, 0
}

// slipped keeps the observation in step with a change of play by n samples.
func (j *JitterBuffer) slipped(n int32) {
	j.stats.Slips++
	j.low -= n
	j.lastLow -= n
}

// quiet tells whether the 10 ms at the timestamp are there and below hearing.
func (j *JitterBuffer) quiet(from uint32) bool {
	var sum uint64
	for i := range uint32(slipStep) {
		if !j.has(from + i) {
			return false
		}
		sum += uint64(squares[j.law][j.ring[(from+i)%ringSize]])
	}
	return sum < quietSquares[j.law]
}

// cut leaves about shorten samples of speech out: the end of what is kept is
// cross-faded, over 10 ms, into the place ahead that resembles it most.
func (j *JitterBuffer) cut() {
	const span = slipStep
	var here, there [span]int16
	if n, ok := j.run(j.play, int(j.shorten)+2*span); !ok || n < int(j.shorten)+2*span {
		return // not enough is buffered just now
	}
	j.decode(here[:], j.play)
	best, bestScore := j.shorten, math.Inf(-1)
	for skip := j.shorten - span; skip <= j.shorten; skip++ {
		j.decode(there[:], j.play+uint32(skip))
		var dot, energy int64
		for i := range here {
			dot += int64(here[i]) * int64(there[i])
			energy += int64(there[i]) * int64(there[i])
		}
		if score := float64(dot) / math.Sqrt(float64(energy+1)); score > bestScore {
			best, bestScore = skip, score
		}
	}
	j.decode(there[:], j.play+uint32(best))
	to := j.play + uint32(best)
	for i := range int32(span) {
		s := (int32(here[i])*(span-i) + int32(there[i])*i) / span
		j.ring[(to+uint32(i))%ringSize] = j.law.EncodeSample(int16(s))
	}
	j.play = to
	j.shorten = 0
	j.slipped(best)
}
