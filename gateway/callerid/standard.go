package callerid

import (
	"fmt"
	"strings"
	"time"

	"crosspoint/media/dtmf"
	"crosspoint/media/fsk"
	"crosspoint/media/tone"
)

// Standard is how an exchange sends caller identification to an idle line.
type Standard uint8

const (
	Bellcore  Standard = iota // Bell 202 after the first ring (GR-30): North America, Australia, China
	ETSI                      // V.23 after the first ring (EN 300 659-1): most of Europe
	ETSIAlert                 // V.23 before the first ring, after the dual alerting tone (EN 300 659-1)
	BT                        // V.23 before the first ring, after polarity reversal and the alerting tone (SIN 227)
	DTMFA                     // A<number>D<redirecting>C, before the first ring: Denmark, Sweden, Brazil
	DTMFD                     // D<number>C, before the first ring: the Netherlands
	DTMFHash                  // A<number>#, before the first ring
	NTT                       // V.23 to a telephone that goes off-hook for it, before the first ring: Japan
	standards
)

var names = [standards]string{"bellcore", "etsi", "etsi-alert", "bt", "dtmf-a", "dtmf-d", "dtmf-hash", "ntt"}

// String is the name that configurations use.
func (s Standard) String() string {
	if s < standards {
		return names[s]
	}
	return "unknown"
}

// Lookup is the standard of a name, as String gives it. The error lists the names.
func Lookup(name string) (Standard, error) {
	for s, n := range names {
		if n == name {
			return Standard(s), nil
		}
	}
	return 0, fmt.Errorf("caller ID standard %q is not known: choose one of %s", name, strings.Join(names[:], ", "))
}

// Of is what the telephones of a country (ISO 3166 in small letters, or uk) expect.
func Of(country string) Standard {
	switch country {
	case "uk", "gb":
		return BT
	case "de", "fr", "it", "es", "pt", "at", "be", "ch", "no", "pl":
		return ETSI
	case "se", "dk", "fi", "br", "in":
		return DTMFA
	case "nl":
		return DTMFD
	case "jp":
		return NTT
	}
	return Bellcore
}

// BeforeRing tells whether the signal precedes the first ring. If not, it
// follows it, after half a second of silence (GR-30).
func (s Standard) BeforeRing() bool { return s != Bellcore && s != ETSI }

// Reverses tells whether a polarity reversal announces the signal; the signal
// begins 100 ms or more after it (SIN 227).
func (s Standard) Reverses() bool { return s == BT || s == NTT }

// PrimaryAnswer tells whether the telephone takes the signal off-hook: it answers
// the activation signal, listens, hangs up, and is rung then.
func (s Standard) PrimaryAnswer() bool { return s == NTT }

// Lamps tells whether the network has a message for the lamps of telephones: not
// with digits, and none that a telephone answers off-hook is made for it.
func (s Standard) Lamps() bool { return s == Bellcore || s == ETSI || s == ETSIAlert || s == BT }

// OpensLoop tells whether an open switching interval announces a message that no
// ring precedes: a loss of loop current of 150 to 300 ms (GR-30 §2.2).
func (s Standard) OpensLoop() bool { return s == Bellcore }

// modem is what the characters are sent with; ok is false for digits.
func (s Standard) modem() (fsk.Standard, bool) {
	switch s {
	case Bellcore:
		return fsk.Bell202, true
	case ETSI, ETSIAlert, BT, NTT:
		return fsk.V23, true
	}
	return fsk.Standard{}, false
}

// frame is what precedes the characters.
type frame struct {
	alert, gap    time.Duration // the dual alerting tone, and silence after it; zero: none
	seizure, mark int           // bits
	stop          int           // stop bits of a character; zero: 1
}

func (s Standard) frame() frame {
	switch s {
	case ETSIAlert: // EN 300 659-1: 90 to 110 ms, 45 ms or more, 300 bits, 80±25 or 180±25 bits
		return frame{alert: 100 * time.Millisecond, gap: 60 * time.Millisecond, seizure: 300, mark: 80}
	case BT: // SIN 227: 88 to 110 ms, 45 ms or more, 96 to 315 bits, 55 to 90 bits
		return frame{alert: 100 * time.Millisecond, gap: 60 * time.Millisecond, seizure: 160, mark: 80}
	case NTT:
		return frame{mark: 75, stop: 4}
	}
	return frame{seizure: 300, mark: 180} // GR-30, EN 300 659-1
}

// alerting is the level of each tone of the alerting signal in dBm0, within the
// -9 to -40 dBm of SIN 227 at the telephone.
const alerting = -16

// Alert is the dual tone alerting signal that precedes caller identification
// in some networks, 2130 and 2750 Hz for the given time.
func Alert(d time.Duration) tone.Tone {
	return tone.Tone{Parts: []tone.Part{{Hz: []float64{2130, 2750}, Level: alerting, For: d}}, Loop: -1}
}

// CallWaiting is the alerting signal of a telephone that is in use (CAS): 80 ms
// (GR-30). A telephone that understands it answers with DTMF D within
// 160 ms, and is then sent the message by a Sender with OffHook.
func CallWaiting() tone.Tone { return Alert(80 * time.Millisecond) }

// spoken is how digits are sent: 70 ms each, as all networks with DTMF accept.
var spoken = dtmf.Timing{On: 70 * time.Millisecond, Off: 70 * time.Millisecond}
