package media

import (
	"errors"
	"slices"
	"sync"

	"crosspoint/media/g711"
)

const (
	recordChannels = 2
	recordBlock    = 25 * g711.FrameSize * recordChannels // samples handed to the disk at once: half a second
	recordBlocks   = 8                                    // blocks that wait while the disk is slow: 4 s
)

// ErrRecordingBehind: the disk was too slow, and part of a recording is missing.
var ErrRecordingBehind = errors.New("recording: the disk could not keep up and audio is missing from the file: is it full, or on a slow network share?")

// A SampleWriter takes linear samples, left and right in turn: wav.Writer does.
type SampleWriter interface {
	Write(pcm []int16) error
}

// A side is the channel of a recording that somebody is heard on. Zero: none yet.
type side uint8

const (
	left side = 1 + iota
	right
)

func (s side) other() side { return left + right - s }

// A Recorder writes a conversation in stereo. What is tapped on a channel is
// added up there; each tap has its own jitter buffer, so that the two sides of
// the file stay together. The file is written by a goroutine of its own, so a
// slow disk stops no call.
type Recorder struct {
	pacer  *Pacer
	blocks chan []int16
	free   chan []int16
	done   chan struct{} // closed when all is written

	mu     sync.Mutex
	taps   []*tap
	block  []int16 // being filled
	err    error   // the first
	closed bool
}

// A tap is a Sink whose audio is recorded.
type tap struct {
	*InBand
	of   *Recorder
	side side // guarded by the recorder's lock
	in   *JitterBuffer
	pcm  [g711.FrameSize]int16
}

// NewRecorder begins to record to w at the pacer's clock. Close ends it.
func NewRecorder(pacer *Pacer, w SampleWriter) *Recorder {
	r := &Recorder{
		pacer:  pacer,
		blocks: make(chan []int16, recordBlocks),
		free:   make(chan []int16, recordBlocks+1),
		done:   make(chan struct{}),
		block:  make([]int16, 0, recordBlock),
	}
	go r.write(w) // ends when Close closes blocks
	pacer.add(r)
	return r
}

// tap returns a Sink whose audio is recorded on a side.
func (r *Recorder) tap(on side) *tap {
	in := NewJitterBuffer(JitterConfig{})
	t := &tap{
		InBand: NewInBand(in, func() g711.Law { return g711.MuLaw }),
		of:     r,
		side:   on,
		in:     in,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taps = append(r.taps, t)
	return t
}

// move records what comes from now on another side.
func (t *tap) move(to side) {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	t.side = to
}

// drop ends a tap.
func (t *tap) drop() {
	r := t.of
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taps = slices.DeleteFunc(r.taps, func(other *tap) bool { return other == t })
}

// Close ends the recording and waits until it is written. It returns the first
// error of the writer, or ErrRecordingBehind.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		r.pacer.remove(r)
		if len(r.block) > 0 {
			r.hand()
		}
		close(r.blocks)
	}
	r.mu.Unlock()
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Recorder) tick(uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	var sum [recordChannels * g711.FrameSize]int32
	for _, t := range r.taps {
		t.in.ReadLinear(&t.pcm)
		for i, s := range t.pcm {
			sum[recordChannels*i+int(t.side-left)] += int32(s)
		}
	}
	for _, s := range sum {
		r.block = append(r.block, int16(min(max(s, -32768), 32767)))
	}
	if len(r.block) == recordBlock {
		r.hand()
	}
}

// hand gives the block to the writer and takes an empty one.
func (r *Recorder) hand() {
	select {
	case r.blocks <- r.block:
	default:
		r.fail(ErrRecordingBehind)
		r.block = r.block[:0]
		return
	}
	select {
	case r.block = <-r.free:
	default:
		r.block = make([]int16, 0, recordBlock)
	}
}

func (r *Recorder) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// write empties blocks to w until they are closed. After an error the rest is
// thrown away.
func (r *Recorder) write(w SampleWriter) {
	defer close(r.done)
	failed := false
	for block := range r.blocks {
		if !failed {
			if err := w.Write(block); err != nil {
				failed = true
				r.mu.Lock()
				r.fail(err)
				r.mu.Unlock()
			}
		}
		select {
		case r.free <- block[:0]:
		default:
		}
	}
}
