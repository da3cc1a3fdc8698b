// Package alarm is the one timer of a goroutine that owns something: set to the
// earliest of its deadlines, which may have passed already.
//
// A deadline that has passed rings without a timer of the runtime. It is found
// sooner so; and a runtime timer that is due before anybody waits for it, in a
// synctest bubble where another goroutine's timer is just firing, breaks the
// race detector (it lends both the one context of the bubble).
package alarm

import "time"

// An Alarm belongs to one goroutine. Use New.
type Alarm struct {
	timer *time.Timer
	past  bool
}

// New returns an alarm that is not set.
func New() *Alarm {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &Alarm{timer: t}
}

// Set makes the alarm ring at a time, once, or at once if that has passed; zero:
// never. What was set before does not ring any more.
func (a *Alarm) Set(at time.Time) {
	a.past = false
	if at.IsZero() {
		a.timer.Stop()
		return
	}
	if wait := time.Until(at); wait > 0 {
		a.timer.Reset(wait)
		return
	}
	a.timer.Stop()
	a.past = true
}

// C is readable when the alarm rings. It is to be asked for anew after each Set,
// and after it was read the alarm must be set again.
func (a *Alarm) C() <-chan time.Time {
	if a.past {
		return rung
	}
	return a.timer.C
}

// Stop sets the alarm to never.
func (a *Alarm) Stop() { a.Set(time.Time{}) }

// rung is readable at all times.
var rung = func() chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()
