package gateway

import "strings"

// What a line does, in the words of its report and of refusals. %s stands for who
// is at the other end.

// Lines of several kinds do these alike.
const (
	sayIdle       = "idle"
	sayBusiedOut  = "busied out"
	sayWaiting    = "seized for %s, waits out the guard time"
	sayDialing    = "dialling %s"
	sayProceeding = "calling %s"
	sayTalking    = "talking with %s"
	sayTesting    = "is tested"
)

var fxoSays = [...]string{
	fxoIdle:       sayIdle,
	fxoWaiting:    sayWaiting,
	fxoSeizing:    "seized for %s, waits for dial tone",
	fxoDialing:    sayDialing,
	fxoProceeding: sayProceeding,
	fxoTalking:    sayTalking,
	fxoActivating: "ringing, waits for caller ID",
	fxoReading:    "ringing, takes the caller ID",
	fxoTaken:      "ringing, has taken the caller ID",
	fxoRinging:    "ringing, waits for caller ID",
	fxoOffered:    "ringing, caller %s",
	fxoRefused:    "ringing, refused",
	fxoTesting:    sayTesting,
}

var fxsSays = [...]string{
	fxsIdle:       sayIdle,
	fxsActivating: "ringing, caller %s",
	fxsReading:    "ringing, caller %s",
	fxsRinging:    "ringing, caller %s",
	fxsDialing:    "off-hook, has dialled ",
	fxsCalling:    sayProceeding,
	fxsTalking:    sayTalking,
	fxsReorder:    "off-hook, hears ",
	fxsHowling:    "off-hook, hears the howler",
	fxsParked:     "left off-hook",
}

var tdmSays = [...]string{
	tdmIdle:       sayIdle,
	tdmHeld:       "waits for the far end to release",
	tdmWaiting:    sayWaiting,
	tdmSeizing:    "seized for %s, waits for the wink",
	tdmDialing:    sayDialing,
	tdmProceeding: sayProceeding,
	tdmTalking:    sayTalking,
	tdmCollecting: "seized by the far end, which has dialled ",
	tdmOffered:    "seized by the far end, rings ",
	tdmRefused:    "seized by the far end, which hears ",
	tdmTesting:    sayTesting,
}

// words is what the line does, or why it can't be used.
func (l *line) words() string {
	if why := l.m.failed(); why != "" {
		return "failed: " + why
	}
	other := "unknown"
	if l.call != nil {
		other = l.call.other.String()
	}
	state, more := l.m.says()
	if state == sayIdle && l.busied {
		state = sayBusiedOut
	}
	return strings.Replace(state, "%s", other, 1) + more
}

func (f *fxo) says() (state, more string) {
	state = fxoSays[f.state]
	switch {
	case f.state == fxoRinging && f.ring.first.waits:
		state = "ringing, waits for the end of the first ring"
	case f.state == fxoOffered && f.ring.number != "":
		more = ", for " + f.ring.number
	}
	return state, more
}

func (f *fxs) says() (state, more string) {
	state = fxsSays[f.state]
	switch f.state {
	case fxsDialing:
		if f.digits == "" {
			return "off-hook, hears dial tone", ""
		}
		more = f.digits
	case fxsTalking:
		more = f.asideWords()
	case fxsReorder:
		more = f.hears.String()
	}
	return state, more
}

// asideWords is what a telephone has beside its talk.
func (f *fxs) asideWords() string {
	switch {
	case f.aside.call == nil:
		return ""
	case f.aside.waits():
		return ", " + f.aside.call.other.String() + " waits"
	}
	return ", " + f.aside.call.other.String() + " on hold"
}

func (d *tdm) says() (state, more string) {
	state = tdmSays[d.state]
	switch d.state {
	case tdmHeld:
		if d.busied {
			state = sayBusiedOut + "; the far end is off-hook"
		}
	case tdmSeizing:
		if d.opt.Immediate {
			state = "seized for %s"
		}
	case tdmCollecting:
		if d.inward.digits == "" {
			return "seized by the far end, waits for digits", ""
		}
		more = d.inward.digits
	case tdmOffered:
		more = d.inward.rings()
	case tdmRefused:
		more = d.inward.hears.String()
	}
	return state, more
}
