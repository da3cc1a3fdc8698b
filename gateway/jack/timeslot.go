package jack

// A Timeslot is a port that may be a channel of a T1 or E1 span, whose hook and
// ringing are signalling bits (channel-associated signalling, CAS). What its
// bits stand for is agreed with whoever is at the span's other end.
type Timeslot interface {
	Port
	// SetSignalling says what the bits stand for, from now on and through
	// sessions. A port that turns out to be no timeslot ignores it. A card that
	// does not know the signalling reports Fault.
	SetSignalling(Signalling)
	// SetBlocked tells the far end of an E&M timeslot that it is out of service
	// (true), for as long as that is so.
	SetBlocked(blocked bool)
}

// Signalling is what the bits of a timeslot stand for (docs/linecard-protocol.md
// §5.5). The zero value leaves the card what it has.
type Signalling uint8

const (
	EM            Signalling = iota + 1 // a trunk: A is the hook, both ways
	FXOLoop                             // we are the subscriber's end of an exchange line, loop start
	FXOGround                           // the same, ground start
	FXSLoop                             // we are the exchange's end of a telephone's line, loop start
	FXSGround                           // the same, ground start: another exchange's trunk port
	maxSignalling = FXSGround
)

var signallings = [...]string{"none", "E&M", "FXO loop-start", "FXO ground-start", "FXS loop-start", "FXS ground-start"}

func (s Signalling) String() string {
	if s > maxSignalling {
		return "unknown"
	}
	return signallings[s]
}

// Kind is the kind of jack that a timeslot with this signalling behaves like.
func (s Signalling) Kind() Kind {
	switch s {
	case EM:
		return TDM
	case FXOLoop, FXOGround:
		return FXO
	case FXSLoop, FXSGround:
		return FXS
	}
	return Unknown
}

// An Alarm is what is wrong with a span, as the card found it (ITU-T G.775,
// ANSI T1.231). The zero value is none.
type Alarm uint8

const (
	NoAlarm      Alarm = iota
	LossOfSignal       // red: nothing is received
	LossOfFrame        // red: what is received has no frames, or no multiframes
	AIS                // blue: all ones, somebody on the way has lost the signal
	Yellow             // RAI: the far end does not receive us
)

var alarms = [...]string{"", "red alarm, loss of signal", "red alarm, loss of frame", "blue alarm (AIS)", "yellow alarm (RAI)"}

func (a Alarm) String() string {
	if int(a) < len(alarms) {
		return alarms[a]
	}
	return "alarm of an unknown kind"
}

// Hint says what to look at.
func (a Alarm) Hint() string {
	switch a {
	case NoAlarm:
		return ""
	case LossOfSignal:
		return "is the span's cable plugged in, and the channel bank or exchange at its end switched on?"
	case LossOfFrame:
		return "do both ends of the span have the same framing, line code and clock source?"
	case AIS:
		return "the carrier's equipment has lost the signal from the far end: call the carrier"
	case Yellow:
		return "the far end does not receive this card: look at the transmit pair of the span's cable"
	}
	return "look at the card"
}
