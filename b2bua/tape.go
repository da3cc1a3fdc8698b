package b2bua

import (
	"io"

	"crosspoint/media"
)

// A Tape is where a call is recorded: linear samples at 8 kHz, in stereo, the
// caller on the left.
type Tape interface {
	media.SampleWriter
	io.Closer
}

// tape is a call's recording.
type tape struct {
	asked    bool            // Config.Record was asked: a call is recorded from its answer on or not at all
	recorder *media.Recorder // nil: the call is not recorded
	to       Tape
}

// beginRecording records the call from now on if the configuration says so.
// A recording that fails stops no call.
func (c *Call) beginRecording() {
	if c.tape.asked || c.x.cfg.Record == nil {
		return
	}
	c.tape.asked = true
	to, err := c.x.cfg.Record(c.record())
	if err != nil {
		c.log.Error("the call is not recorded", "err", err)
		return
	}
	if to == nil {
		return
	}
	c.tape.to, c.tape.recorder = to, media.NewRecorder(&c.x.pacer, to)
	c.bridge.Record(c.tape.recorder)
}

// endRecording writes what is left and closes the tape.
func (c *Call) endRecording() {
	if c.tape.recorder == nil {
		return
	}
	c.bridge.Record(nil)
	if err := c.tape.recorder.Close(); err != nil {
		c.log.Error("the recording of the call is not whole", "err", err)
	}
	if err := c.tape.to.Close(); err != nil {
		c.log.Error("the recording of the call could not be closed", "err", err)
	}
}
