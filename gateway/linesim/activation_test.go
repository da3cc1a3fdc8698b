package linesim_test

import (
	"testing"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
)

var tokyo = linesim.Config{Country: "jp", Phones: make([]linesim.PhoneConfig, 2)}

// rings are the lengths of the rings that a line reported.
func (u *user) rings() (all []time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var on uint64
	for _, ch := range u.changes {
		switch ch.What {
		case jack.RingOn:
			on = ch.Clock
		case jack.RingOff:
			all = append(all, time.Duration(ch.Clock-on)*time.Second/8000)
		}
	}
	return all
}

// TestJapaneseExchange: the primary answer is answered with the message and is
// no answer; the on-hook is no end of the call; then it rings.
func TestJapaneseExchange(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, tokyo)
		u, line := h.line[1], h.sim.Town().Line("fxo1")
		wait(200 * time.Millisecond)
		u.port.SetAudio(true)
		if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "0312345678"}); err != nil {
			t.Fatal(err)
		}
		wait(750 * time.Millisecond)
		if r := u.rings(); len(r) != 1 || !callerid.IsActivation(r[0]) {
			t.Fatalf("rings of %v", r)
		}
		if ch, ok := u.saw(jack.Polarity); !ok || !ch.State.Reversed {
			t.Error("polarity was not reversed")
		}
		u.port.SetHook(true)
		wait(2 * time.Second)
		r := callerid.NewReceiver()
		if id, ok := r.Receive(u.recording()); !ok || id != (callerid.CallerID{Number: "0312345678"}) {
			t.Errorf("%+v, %v", id, r.Err())
		}
		rec, _ := h.sim.Town().LastCall("0312345678")
		if st := line.Status(); st.State != "ringing" || !rec.Answered.IsZero() || !rec.Ended.IsZero() {
			t.Errorf("after the primary answer: %+v, %+v", st, rec)
		}
		u.port.SetHook(false)
		u.forget()
		wait(2 * time.Second)
		if r := u.rings(); len(r) != 1 || callerid.IsActivation(r[0]) {
			t.Errorf("after the reception: rings of %v", r)
		}
		u.port.SetHook(true)
		wait(time.Second)
		if st := line.Status(); st.State != "talking" {
			t.Errorf("answered, the line is %+v", st)
		}
		if ch, ok := u.saw(jack.Polarity); !ok || ch.State.Reversed {
			t.Error("polarity was not restored by the answer")
		}
	})
}

// TestJapaneseExchangeUnheeded: a line that does not answer the activation
// rings after 6 s; one that stays off-hook after the message loses its call.
func TestJapaneseExchangeUnheeded(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, tokyo)
		u := h.line[1]
		wait(200 * time.Millisecond)
		if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "0312345678", GiveUp: 9 * time.Second}); err != nil {
			t.Fatal(err)
		}
		wait(8 * time.Second)
		all := u.rings()
		if len(all) != 7 || callerid.IsActivation(all[6]) {
			t.Fatalf("rings of %v", all)
		}
		for _, r := range all[:6] {
			if !callerid.IsActivation(r) {
				t.Errorf("rings of %v", all)
			}
		}
		wait(2 * time.Second) // the caller gives up
		if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "0312345679"}); err != nil {
			t.Fatal(err)
		}
		wait(750 * time.Millisecond)
		u.port.SetHook(true)
		wait(callerid.CompletionLimit - 500*time.Millisecond)
		if rec, _ := h.sim.Town().LastCall("0312345679"); !rec.Ended.IsZero() {
			t.Errorf("%+v", rec)
		}
		wait(time.Second)
		if rec, _ := h.sim.Town().LastCall("0312345679"); rec.Ended.IsZero() || !rec.Answered.IsZero() {
			t.Errorf("%+v", rec)
		}
	})
}

// TestJapaneseTelephone goes off-hook for the message, and rings after it; a
// plain one does not.
func TestJapaneseTelephone(t *testing.T) {
	fake(t, func(t *testing.T) {
		cfg := tokyo
		cfg.Phones = []linesim.PhoneConfig{{}, {Plain: true}}
		h := start(t, cfg)
		wait(200 * time.Millisecond)
		for _, n := range []int{3, 4} {
			h.line[n].port.SetAudio(true)
			h.line[n].port.SetReversed(true)
			h.line[n].port.SetRing(true, callerid.Activation())
		}
		wait(900 * time.Millisecond)
		u, phone := h.line[3], h.sim.Phone("fxs1")
		if _, ok := u.saw(jack.OffHook); !ok {
			t.Fatal("no primary answer")
		}
		if st := phone.Status(); st.Ringing || st.OffHook || st.Rings != 0 {
			t.Errorf("it was heard: %+v", st)
		}
		s := callerid.NewSender(callerid.CallerID{Number: "0312345678"}, callerid.Config{Standard: callerid.NTT})
		pcm := make([]int16, 8000)
		s.Read(pcm)
		u.say(pcm)
		wait(3 * time.Second)
		if _, ok := u.saw(jack.OnHook); !ok {
			t.Error("still off-hook after the message")
		}
		u.port.SetRing(true, []time.Duration{time.Second, 2 * time.Second})
		wait(2 * time.Second)
		if st := phone.Status(); !st.Ringing || st.Rings != 1 || !st.HasID || st.CallerID.Number != "0312345678" {
			t.Errorf("%+v", st)
		}
		if _, ok := h.line[4].saw(jack.OffHook); ok || !h.sim.Phone("fxs2").Status().Ringing {
			t.Error("a telephone without display answered the activation")
		}
	})
}
