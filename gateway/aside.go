package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/media/echo"
)

// aside is the call of a line beside the one that it talks in: one that waits to
// be answered, or is held.
type aside struct {
	call   *call // nil: none
	record CallRecord
	answer time.Time // when it was answered; zero: it waits
}

// waits tells a call that was not answered yet from one that is held.
func (a *aside) waits() bool { return a.call != nil && a.answer.IsZero() }

// turn makes the line's other call the one that it talks in.
func (l *line) turn() {
	l.call, l.aside.call = l.aside.call, l.call
	l.record, l.aside.record = l.aside.record, l.record
	l.answer, l.aside.answer = l.aside.answer, l.answer
}

// beginAside makes c the line's other call.
func (l *line) beginAside(c *call) {
	data := l.data
	l.turn()
	l.begin(c, false)
	l.turn()
	l.data = data
	l.second.Store(true)
}

// endAside ends the line's other call, if it has one, with its cause.
func (l *line) endAside(cause leg.Cause) {
	if l.aside.call == nil {
		return
	}
	watch := l.timers[tickTimer] // of the call that goes on
	l.turn()
	l.end(cause)
	l.turn()
	l.timers[tickTimer] = watch
	l.second.Store(false)
}

// takeAside makes the other call the only one, when the one talked in is over.
func (l *line) takeAside() {
	l.turn()
	l.data = echo.None
	l.second.Store(false)
}
