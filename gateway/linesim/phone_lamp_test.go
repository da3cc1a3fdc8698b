package linesim_test

import (
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/linesim"
)

// lampMessage is what switches a telephone's lamp, as an exchange of a standard
// sends it.
func lampMessage(on bool, standard callerid.Standard) []int16 {
	pcm := make([]int16, 8000)
	return pcm[:callerid.NewWaitingSender(on, callerid.Config{Standard: standard}).Read(pcm)]
}

// A telephone that is woken in one of the ways of exchanges switches its lamp, and
// shows the caller that it showed before.
func TestTelephoneHasALamp(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: []linesim.PhoneConfig{}})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * time.Millisecond)
		u.port.SetAudio(true)
		u.say(idsent(callerid.CallerID{Number: "101"}))
		wait(3 * time.Second)
		open := func(d time.Duration) func() {
			return func() { u.port.DropLoop(d); wait(d + 300*time.Millisecond) }
		}
		reverse := func(reversed bool) func() {
			return func() { u.port.SetReversed(reversed); wait(150 * time.Millisecond) }
		}
		nothing := func() {}
		lamp := false
		for _, c := range []struct {
			name string
			wake func()
			sent callerid.Standard
			on   bool
			hear bool
		}{
			{"an open loop", open(200 * time.Millisecond), callerid.Bellcore, true, true},
			{"nothing before it", nothing, callerid.Bellcore, false, false},
			{"a loop open for too short", open(100 * time.Millisecond), callerid.Bellcore, false, false},
			{"a loop open for too long", open(400 * time.Millisecond), callerid.Bellcore, false, false},
			{"the alerting tone", nothing, callerid.ETSI, false, true},
			{"polarity reversed", reverse(true), callerid.Bellcore, true, true},
			{"polarity as before", reverse(false), callerid.BT, false, true},
		} {
			c.wake()
			u.say(lampMessage(c.on, c.sent))
			wait(2 * time.Second)
			if c.hear {
				lamp = c.on
			}
			st := phone.Status()
			if st.Lamp != lamp {
				t.Errorf("%s: lamp %v", c.name, st.Lamp)
			}
			if !st.HasID || st.CallerID.Number != "101" {
				t.Errorf("%s: the telephone shows %+v", c.name, st)
			}
			status, _ := h.sim.Command("status")
			if strings.Contains(status, "fxs1   on-hook, caller ID 101, lamp on") != lamp {
				t.Errorf("%s: status\n%s", c.name, status)
			}
			wait(3 * time.Second) // it has waited long enough for another message
		}
		events, _ := h.sim.Command("events 20")
		if n := strings.Count(events, "fxs1 lamp on"); n != 2 || strings.Count(events, "fxs1 lamp off") != 2 {
			t.Errorf("events:\n%s", events)
		}
		if n := strings.Count(events, "that nothing has announced"); n != 3 {
			t.Errorf("%d messages were not announced:\n%s", n, events)
		}
		u.say(append(lampMessage(true, callerid.ETSI), idsent(callerid.CallerID{Number: "102"})...))
		wait(2 * time.Second)
		if st := phone.Status(); !st.Lamp || st.CallerID.Number != "102" {
			t.Errorf("a caller soon after a message: %+v", st)
		}
	})
}

// A telephone without display has no lamp, and one that is off-hook hears of no
// message.
func TestTelephoneWithoutALamp(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: []linesim.PhoneConfig{{Plain: true}, {}}})
		wait(100 * time.Millisecond)
		h.sim.Phone("fxs2").OffHook()
		for i, name := range []string{"fxs1", "fxs2"} {
			u := h.line[3+i]
			u.port.SetAudio(true)
			u.say(lampMessage(true, callerid.ETSI))
			wait(2 * time.Second)
			if h.sim.Phone(name).Status().Lamp {
				t.Errorf("%s has a lamp that is on", name)
			}
		}
	})
}
