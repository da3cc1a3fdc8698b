package linesim_test

import (
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/linesim"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// waitingCall is what a telephone in use hears of a second call: the tone, the
// alerting signal, time to answer it, and the message.
func waitingCall() []int16 {
	country, _ := tone.Lookup("us")
	parts := append([]tone.Part{}, country.CallWaiting.Parts[0], tone.Part{For: 20 * time.Millisecond})
	parts = append(append(parts, callerid.CallWaiting().Parts...), tone.Part{For: 300 * time.Millisecond})
	g := tone.NewGenerator(tone.Tone{Parts: parts, Loop: -1})
	pcm := make([]int16, 700*8)
	g.Read(pcm)
	s := callerid.NewSender(callerid.CallerID{Number: "5551234", Name: "Joe"}, callerid.Config{OffHook: true})
	for s.Busy() {
		var block [160]int16
		n := s.Read(block[:])
		pcm = append(pcm, block[:n]...)
	}
	return pcm
}

// A telephone in use hears the call-waiting tone; one with a display answers the
// alerting signal, says nothing else meanwhile, and shows who calls.
func TestTelephoneHearsOfAWaitingCall(t *testing.T) {
	for _, display := range []bool{true, false} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{Phones: []linesim.PhoneConfig{}})
			u, phone := h.line[3], h.sim.Phone("fxs1")
			wait(100 * time.Millisecond)
			if display {
				if _, err := h.sim.Command("phone fxs1 display on"); err != nil {
					t.Fatal(err)
				}
			}
			u.port.SetAudio(true)
			phone.OffHook()
			wait(1500 * time.Millisecond)
			u.forget()
			u.say(waitingCall())
			wait(2 * time.Second)
			var digits []dtmf.Event
			for _, e := range dtmf.NewDetector(dtmf.Limits{}).Detect(u.recording()) {
				if !e.Down {
					digits = append(digits, e)
				}
			}
			st := phone.Status()
			if st.Waiting != 1 || st.HasID != display || display && (st.CallerID.Number != "5551234" || st.CallerID.Name != "Joe") {
				t.Errorf("display %v: %+v", display, st)
			}
			switch {
			case !display && len(digits) > 0:
				t.Errorf("a telephone without display says %+v", digits)
			case display && (len(digits) != 1 || digits[0].Digit != 'D' || digits[0].Duration < 50*time.Millisecond || digits[0].Duration > 70*time.Millisecond):
				t.Errorf("it answers by %+v", digits)
			}
			events, _ := h.sim.Command("events 9")
			if !strings.Contains(events, "hears call-waiting tone") || strings.Contains(events, "caller ID 5551234 \"Joe\" waits") != display {
				t.Errorf("events:\n%s", events)
			}
		})
	}
}
