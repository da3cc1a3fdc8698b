package gateway

import "crosspoint/media/tone"

// An ear listens for the signals of an exchange. It belongs to the ticks.
type ear struct {
	detector *tone.Detector
	doubt    bool // a voice is heard that may be the echo of our side
}

func newEar(c country) *ear { return &ear{detector: tone.NewDetector(tone.Config{Country: c.Country})} }

// reset forgets what was heard; expectDial tells that the line was just seized.
func (e *ear) reset(expectDial bool) {
	e.detector.Reset()
	e.doubt = false
	if expectDial {
		e.detector.ExpectDial()
	}
}

// listen takes 20 ms of the line and tells it of signals that began or ended.
// A voice counts once our side has been quiet: until then it may be an echo.
func (e *ear) listen(pcm []int16, echo bool, l *line) {
	for _, ev := range e.detector.Detect(pcm) {
		h := heardOf(ev.Kind)
		switch {
		case h == nothing:
		case h == voice:
			e.doubt = ev.On
		default:
			l.inbox.Put(signal{h, ev.On})
		}
	}
	if e.doubt && !echo {
		e.doubt = false
		l.inbox.Put(signal{voice, true})
	}
}

// heardOf is what a kind of tone means to a line.
func heardOf(k tone.Kind) heard {
	switch k {
	case tone.Voice:
		return voice
	case tone.Dial:
		return dialTone
	case tone.Ringback:
		return ringbackTone
	case tone.Busy:
		return busyTone
	case tone.Congestion:
		return congestionTone
	case tone.SIT:
		return specialTone
	case tone.Howler:
		return howlerTone
	case tone.FaxCalling, tone.Answer:
		return faxTone
	}
	return nothing
}
