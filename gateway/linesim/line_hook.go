package linesim

import "time"

// hook tells seizure, answer, pulses, flash and release apart.
func (l *Line) hook(loop bool) {
	if loop {
		l.shut += stepTime
		if !l.offHook && l.shut >= offHookAfter {
			l.offHook = true
			l.open = 0
			l.lifted()
		}
		if l.offHook && l.open > 0 {
			l.broken(l.open)
			l.open = 0
		}
		if l.pulses > 0 && l.shut >= lineDigitGap {
			l.digit(byte('0' + l.pulses%10))
			l.pulses = 0
		}
		return
	}
	l.shut = 0
	if !l.offHook {
		return
	}
	if l.open += stepTime; l.open >= max(onHookAfter, l.cfg.Flash+stepTime) {
		l.offHook, l.open, l.pulses = false, 0, 0
		l.released()
	}
}

// broken sorts a loop break that has ended.
func (l *Line) broken(d time.Duration) {
	switch {
	case d <= pulseMost && (l.state == lineDialTone || l.state == lineDigits):
		l.tone.Stop()
		l.pulses++
	case d > pulseMost && d <= l.cfg.Flash:
		l.note("flash %v", d)
	}
}

// lifted: the card went off-hook.
func (l *Line) lifted() {
	l.note("off-hook")
	if l.state == lineRinging {
		if l.alert.primaryAnswer() {
			l.note("primary answer")
			return
		}
		l.answered()
		l.note("answered")
		return
	}
	l.enter(lineSeized)
}

// released: the card went on-hook, whatever went on.
func (l *Line) released() {
	l.note("on-hook")
	if l.state == lineRinging && l.alert.complete() {
		l.note("reception complete")
		return
	}
	if c := l.call; c != nil {
		l.call = nil
		c.end("line hung up")
		if c.sub.CallBack > 0 && !c.incoming {
			l.after(c.sub.CallBack, func() { l.callBack(c.sub) })
		}
	}
	if p := l.peer; p != nil {
		l.peer, p.peer = nil, nil
		p.hungUpByOther("other line hung up")
	}
	l.enter(lineIdle)
}

func (l *Line) callBack(sub Subscriber) {
	if err := l.ringIn(newCall(l.sim, l, sub, true), l.number); err != nil {
		l.note("call back from %s failed: line is %v", sub.Number, l.state)
	}
}

// listen collects the digits that the line sends.
func (l *Line) listen(in []int16) {
	if !l.offHook {
		return
	}
	for _, e := range l.dtmf.Detect(in) {
		if e.Down {
			l.digit(e.Digit)
		}
	}
}

func (l *Line) digit(d byte) {
	switch l.state {
	case lineDialTone:
		l.digits = append(l.digits[:0], d)
		l.digitAt = l.clock
		l.enter(lineDigits)
	case lineDigits:
		l.digits = append(l.digits, d)
		l.digitAt = l.clock
	case lineTalking:
		if l.call != nil {
			l.call.digits = append(l.call.digits, d)
		}
	}
}
