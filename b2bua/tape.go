package b2bua

import (
	"io"
	"log/slog"
	"slices"
	"sync"

	"crosspoint/media"
)

// A Tape is where a call is recorded: linear samples at 8 kHz, in stereo, the
// caller on the left.
type Tape interface {
	media.SampleWriter
	io.Closer
	// Name says where the recording is found: a file's path.
	Name() string
}

// tape is a call's recording. It begins when somebody talks who is to be
// recorded, and goes on until the call ends; while nobody of those talks, and
// while one dials, waits or is parked, it is silent.
type tape struct {
	recorder *media.Recorder // nil: the call is not recorded
	to       Tape
	talking  []string // who talks now, by their names; nil: nobody does
	failed   string   // why it is not whole, or why there is none; empty: nothing is wrong
}

// followTape looks whether the call is to be recorded, if others talk than
// before. A recording that fails stops no call.
func (c *Call) followTape() {
	if c.x.cfg.Record == nil {
		return
	}
	talking := c.names()
	if slices.Equal(talking, c.tape.talking) {
		return
	}
	c.tape.talking = talking
	if talking == nil || c.x.cfg.Recorded != nil && !c.x.cfg.Recorded(talking) {
		c.bridge.Record(nil)
		return
	}
	if c.tape.recorder == nil && c.tape.failed == "" {
		c.openTape()
	}
	if c.tape.recorder != nil {
		c.bridge.Record(c.tape.recorder)
	}
}

// names are those of the parties that talk, by all that the office calls them:
// extension, line, trunk, peer. Who is held while others consult is left out.
// Nil: the call is not so far that two talk.
func (c *Call) names() (list []string) {
	if c.state != Talking && c.state != Conference && c.state != Consulting {
		return nil
	}
	for _, p := range c.joinedParties() {
		if c.state == Consulting && p == c.desk.held {
			continue
		}
		for _, name := range [...]string{p.extension, p.trunk, p.source.Name, p.target.Name, p.name()} {
			if name != "" && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return list
}

func (c *Call) openTape() {
	to, err := c.x.cfg.Record(c.record())
	if err != nil {
		c.tape.failed = "not recorded: " + err.Error()
		c.log.Error("the call is not recorded", "err", err)
		return
	}
	c.tape.to = to
	c.tape.recorder = media.NewRecorder(&c.x.pacer, &complaining{to: to, log: c.log})
	c.log.Info("recorded", "in", to.Name())
}

// endRecording writes what is left and closes the tape.
func (c *Call) endRecording() {
	if c.tape.recorder == nil {
		return
	}
	c.bridge.Record(nil)
	err := c.tape.recorder.Close()
	if closing := c.tape.to.Close(); err == nil {
		err = closing
	}
	if err != nil {
		c.tape.failed = "not whole: " + err.Error()
		c.log.Error("the recording of the call is not whole", "file", c.tape.to.Name(), "err", err)
	}
}

// complaining logs the first failure of a tape as it happens: a call may last
// for hours after that.
type complaining struct {
	to   Tape
	log  *slog.Logger
	once sync.Once
}

func (w *complaining) Write(pcm []int16) error {
	err := w.to.Write(pcm)
	if err != nil {
		w.once.Do(func() {
			w.log.Error("the rest of the call is not recorded; the call goes on", "file", w.to.Name(), "err", err)
		})
	}
	return err
}
