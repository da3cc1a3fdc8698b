package linecard

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
)

// newSpan is a card with two timeslots and an FXS port.
func newSpan(t *testing.T) *fakeCard {
	return newFake(t, func(f *fakeCard, _ *Config) {
		f.hello.Ports = []PortInfo{{KindTDM, 0, Present | Battery}, {KindTDM, 0, Present | Battery | Ringing}, {KindFXS, 1, Present | Battery}}
	})
}

// signals names what a port's bits stand for, and takes what it reports.
func signals(f *fakeCard, n int, s jack.Signalling) *recorder {
	f.card.Port(n).(jack.Timeslot).SetSignalling(s)
	return attach(f, n)
}

// TestSignallingComesFirst: in each session, and only for ports that are
// timeslots.
func TestSignallingComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSpan(t)
		signals(f, 1, jack.EM)
		signals(f, 2, jack.FXSGround)
		signals(f, 3, jack.FXSLoop)
		wait(time.Second)
		f.expect("first session", f.heard("SIGNALLING", "SET"), "SIGNALLING 1 is 1", "SIGNALLING 2 is 5")
		f.card.Port(2).(jack.Timeslot).SetSignalling(jack.FXSGround)
		f.card.Port(2).(jack.Timeslot).SetSignalling(jack.FXSLoop)
		wait(time.Second)
		f.expect("another one", f.heard("SIGNALLING", "SET"), "SIGNALLING 2 is 4")
		f.set(func() { f.hello.Boot++ })
		wait(2 * time.Second)
		f.expect("a card that began anew", f.heard("SIGNALLING", "SET"), "SIGNALLING 1 is 1", "SIGNALLING 2 is 4")
	})
}

// TestTrunkOfBits: what an E&M timeslot is told and tells.
func TestTrunkOfBits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSpan(t)
		one, two := signals(f, 1, jack.EM), signals(f, 2, jack.EM)
		wait(time.Second)
		if s := two.state(); !s.FarOffHook || s.Ringing || s.OffHook || !s.Battery {
			t.Errorf("a timeslot that the far end has seized is %+v", s)
		}
		port := f.card.Port(1).(jack.Timeslot)
		f.heard()
		port.SetHook(true)
		wait(time.Second)
		port.SetHook(false)
		wait(time.Second)
		port.FlashHook(200 * time.Millisecond)
		port.SetBlocked(true)
		wait(time.Second)
		f.expect("orders", f.heard("SET", "FLASH"), "SET 1 0001 []", "SET 1 0000 []", "FLASH 1 200ms", "SET 1 10000 []")
		one.told()
		f.event(1, 1, Event{What: WhatOffHook, State: Present | Battery | Ringing})
		if s := one.state(); !s.FarOffHook {
			t.Errorf("state %+v", s)
		}
		f.event(1, 2, Event{What: WhatPulse, State: Present | Battery | Ringing, Arg: 7})
		f.event(1, 3, Event{What: WhatOnHook, State: Present | Battery, Arg: 200})
		f.expect("far end", one.told(), "off-hook", "pulse digit 7", "on-hook 200ms")
		f.event(1, 4, Event{What: WhatBatteryOff, State: Present.InAlarm(AlarmAIS)})
		if s := one.state(); s.Alarm != jack.AIS || s.Battery || !s.Present {
			t.Errorf("state %+v", s)
		}
		f.event(1, 5, Event{What: WhatBatteryOn, State: Present | Battery})
		if s := one.state(); s.Alarm != jack.NoAlarm || !s.Battery {
			t.Errorf("state %+v", s)
		}
		f.expect("alarm", one.told(), "battery off", "battery on")
	})
}

// TestSnapshotOfSpan: events that were lost are made good by the states: a far
// end that seized, and an alarm.
func TestSnapshotOfSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSpan(t)
		one, two := signals(f, 1, jack.EM), signals(f, 2, jack.FXOLoop)
		wait(time.Second)
		one.told()
		two.told()
		f.say(Snapshot{States: []State{Present | Battery | Ringing, Present | Battery, Present | Battery}}.Append(nil, 9))
		f.expect("E&M", one.told(), "off-hook")
		f.expect("FXO", two.told(), "ring off")
		f.say(Snapshot{States: []State{Present.InAlarm(LossOfSignal), Present.InAlarm(LossOfSignal), Present | Battery}}.Append(nil, 10))
		f.expect("E&M", one.told(), "battery off", "on-hook")
		f.expect("FXO", two.told(), "battery off")
		if one.state().Alarm != jack.LossOfSignal || two.state().Alarm != jack.LossOfSignal {
			t.Errorf("states %+v, %+v", one.state(), two.state())
		}
		f.say(Snapshot{States: []State{Present | Battery, Present.InAlarm(AlarmYellow), Present | Battery}}.Append(nil, 11))
		f.expect("E&M", one.told(), "battery on")
		if f.expect("FXO", two.told(), "battery off"); two.state().Alarm != jack.Yellow {
			t.Errorf("state %+v", two.state())
		}
	})
}

// TestUnknownSignalling: a port whose card can't do what is wanted is out of
// order, for its bits would be taken for others.
func TestUnknownSignalling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSpan(t)
		f.set(func() { f.naks = map[Type]Reason{TypeSignalling: ReasonBadArgument} })
		one := signals(f, 1, jack.FXOGround)
		wait(time.Second)
		f.expect("port 1", one.told(), "up", "fault")
		if one.state().Present {
			t.Errorf("state %+v", one.state())
		}
		if f.logged("the card does not know FXO ground-start signalling") != 1 {
			t.Error("nothing is said of it")
		}
	})
}
