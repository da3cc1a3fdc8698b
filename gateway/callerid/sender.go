package callerid

import (
	"crosspoint/internal/dsp"
	"crosspoint/media/dtmf"
	"crosspoint/media/fsk"
	"crosspoint/media/tone"
)

// Config says how a Sender sends. The zero value is MDMF by Bellcore.
type Config struct {
	Standard Standard
	Format   Format
	Level    float64 // of the message in dBm0. Zero means -13.5 dBm0 (GR-30, EN 300 659-1)
	OffHook  bool    // the telephone is in use and has acknowledged: no alert, no seizure, 80 marks (GR-30)
}

// A Sender plays the whole signal of one message: alerting tone where the
// standard has one, channel seizure, marks, message. It belongs to one
// goroutine and allocates nothing once made.
type Sender struct {
	alert  tone.Generator
	gap    int // samples of silence after the alert
	modem  *fsk.Modulator
	digits *dtmf.Generator
}

// NewSender is a Sender that tells c.
func NewSender(c CallerID, cfg Config) *Sender {
	if _, ok := cfg.Standard.modem(); ok {
		return NewMessageSender(Message(c, cfg), cfg)
	}
	t := spoken
	t.Level = cfg.Level
	s := &Sender{digits: dtmf.NewGenerator(t)}
	if err := s.digits.Dial(BuildDTMF(c, cfg.Standard)); err != nil {
		panic("callerid: BuildDTMF made what cannot be dialled: " + err.Error())
	}
	return s
}

// Message is c as the characters that a modem sends, with what protects them.
func Message(c CallerID, cfg Config) []byte {
	if cfg.Standard == NTT {
		return buildNTT(c)
	}
	return Build(c, cfg.Format)
}

// NewMessageSender is a Sender of a message that is built already, of any kind
// that telephones know. A DTMF standard sends no messages: it is taken for Bellcore.
func NewMessageSender(message []byte, cfg Config) *Sender {
	standard, ok := cfg.Standard.modem()
	if !ok {
		standard = fsk.Bell202
	}
	level := cfg.Level
	if level == 0 {
		level = -13.5
	}
	s := &Sender{modem: fsk.NewModulator(standard, level)}
	f := cfg.Standard.frame()
	if cfg.OffHook {
		f = frame{mark: 80}
	}
	if f.alert > 0 {
		s.alert.Start(Alert(f.alert))
		s.gap = int(f.gap.Milliseconds()) * dsp.SampleRate / 1000
	}
	s.modem.Seizure(f.seizure)
	s.modem.Mark(f.mark)
	for _, b := range message {
		s.modem.Send(b)
		s.modem.Mark(f.stop - 1)
	}
	s.modem.Mark(2) // the last stop bit must be heard whole
	return s
}

// NewWaitingSender is a Sender that switches the message lamp of a telephone on or
// off without a call, in a standard that has Lamps. The alerting tone precedes it
// where no open loop does (see OpensLoop), also where caller identification
// follows a ring (EN 300 659-1 §6.2).
func NewWaitingSender(on bool, cfg Config) *Sender {
	if cfg.Standard == ETSI {
		cfg.Standard = ETSIAlert
	}
	return NewMessageSender(BuildWaiting(on), cfg)
}

// Busy tells whether there is something left to send.
func (s *Sender) Busy() bool {
	return s.alert.Playing() || s.gap > 0 || s.modem != nil && s.modem.Busy() || s.digits != nil && s.digits.Busy()
}

// Read fills pcm with the next samples and tells how many there were: less than
// len(pcm) when the signal has ended. The rest of pcm is left as it was.
func (s *Sender) Read(pcm []int16) int {
	n := s.alert.Read(pcm)
	quiet := min(s.gap, len(pcm)-n)
	clear(pcm[n : n+quiet])
	s.gap -= quiet
	n += quiet
	if s.modem != nil {
		return n + s.modem.Read(pcm[n:])
	}
	return n + s.digits.Read(pcm[n:])
}
