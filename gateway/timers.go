package gateway

import "time"

// A timer is one of the things that a line waits for.
type timer uint8

const (
	stateTimer   timer = iota // the state's own end; arriving in a state clears it
	stepTimer                 // the next digit, pulse or pause of dialling
	ringTimer                 // FXO: no ring for so long is the end of ringing. TDM: our wink is over
	answerTimer               // FXO: the answer, by AnswerRule.After. TDM: the end of the wait for the wink
	batteryTimer              // FXO: battery has been off long enough to count
	toneTimer                 // FXO: dial tone has lasted long enough to be no music
	silenceTimer              // look whether the line is silent
	tickTimer                 // look whether the card still sends audio
	waitingTimer              // FXS: the next call-waiting tone
	lampTimer                 // FXS: the next step of the message lamp's signal
	timerCount
)

// timers are an owner's deadlines; zero is none.
type timers [timerCount]time.Time

func (t *timers) set(which timer, d time.Duration) { t[which] = time.Now().Add(d) }
func (t *timers) stop(which timer)                 { t[which] = time.Time{} }
func (t *timers) running(which timer) bool         { return !t[which].IsZero() }

// due is the earliest deadline that has passed, and stops it.
func (t *timers) due(now time.Time) (timer, bool) {
	which, ok := t.first()
	if !ok || t[which].After(now) {
		return 0, false
	}
	t.stop(which)
	return which, true
}

// earliest is the earliest deadline; zero: there is none.
func (t *timers) earliest() time.Time {
	which, ok := t.first()
	if !ok {
		return time.Time{}
	}
	return t[which]
}

func (t *timers) first() (first timer, ok bool) {
	for i, at := range t {
		if !at.IsZero() && (!ok || at.Before(t[first])) {
			first, ok = timer(i), true
		}
	}
	return first, ok
}
