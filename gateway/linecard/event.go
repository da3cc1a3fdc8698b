package linecard

import (
	"encoding/binary"
	"fmt"
	"time"
)

// State is the full state of a port in one octet (§5.1).
type State uint8

const (
	Present  State = 1 << 0 // the port works
	OffHook  State = 1 << 1 // FXO, E&M: we are off-hook. FXS: the telephone is
	Ringing  State = 1 << 2 // FXO: ring voltage now. FXS: the card rings. E&M: the far end is off-hook
	Battery  State = 1 << 3 // FXO: battery or loop current. TDM: no alarm
	Reversed State = 1 << 4 // polarity is reversed

	alarmShift       = 5
	alarmMask  State = 7 << alarmShift
)

// InAlarm is the state with an alarm of the span, bits 5 to 7 (§5.5).
func (s State) InAlarm(a Alarm) State { return s&^alarmMask | State(a)<<alarmShift&alarmMask }

// Alarm is the alarm of the span that a TDM port is part of.
func (s State) Alarm() Alarm { return Alarm(s >> alarmShift) }

// Alarm is what is wrong with a span. Its numbers are those of jack.Alarm.
type Alarm uint8

const (
	NoAlarm      Alarm = 0
	LossOfSignal Alarm = 1
	LossOfFrame  Alarm = 2
	AlarmAIS     Alarm = 3
	AlarmYellow  Alarm = 4
)

// Has tells whether all of the given bits are set.
func (s State) Has(bits State) bool { return s&bits == bits }

// What tells what happened at a port. Its numbers are those of jack.What.
type What uint8

const (
	WhatRingOn     What = 3
	WhatRingOff    What = 4
	WhatOffHook    What = 5
	WhatOnHook     What = 6  // E&M: Arg: how long the far end was off-hook, ms
	WhatFlash      What = 7  // Arg: its length, ms
	WhatLoopDrop   What = 8  // Arg: its length, ms
	WhatBatteryOff What = 9  // also at the start of a session without battery. TDM: an alarm, or another one
	WhatBatteryOn  What = 10 //
	WhatPolarity   What = 11
	WhatFault      What = 12
	WhatPulse      What = 13 // Arg: the digit, 0 to 9
	WhatRepaired   What = 14 // a faulty port works again
)

// An Event is a fact about a port, with its full state after it. The card
// repeats it until the host has acknowledged it (§5.2).
type Event struct {
	Clock uint32 // the card's sample counter as it happened
	What  What
	State State
	Arg   uint16
}

// Append appends the content of an EVENT frame.
func (m Event) Append(b []byte, port uint8, seq uint16) []byte {
	b = Header{Type: TypeEvent, Port: port, Seq: seq}.Append(b)
	b = binary.BigEndian.AppendUint32(b, m.Clock)
	b = append(b, byte(m.What), byte(m.State))
	return binary.BigEndian.AppendUint16(b, m.Arg)
}

// ParseEvent reads the payload of an EVENT.
func ParseEvent(payload []byte) (Event, error) {
	r := reader{b: payload}
	m := Event{Clock: r.u32(), What: What(r.u8()), State: State(r.u8()), Arg: r.u16()}
	return m, r.err
}

// A Snapshot is the state of every port. It replaces all events up to its
// sequence number (§5.3).
type Snapshot struct {
	Clock  uint32
	States []State // of port 1, 2, …
}

// Append appends the content of a SNAPSHOT frame; seq is that of the newest
// event included.
func (m Snapshot) Append(b []byte, seq uint16) []byte {
	b = Header{Type: TypeSnapshot, Seq: seq}.Append(b)
	b = binary.BigEndian.AppendUint32(b, m.Clock)
	b = append(b, byte(len(m.States)))
	for _, s := range m.States {
		b = append(b, byte(s))
	}
	return b
}

// ParseSnapshot reads the payload of a SNAPSHOT.
func ParseSnapshot(payload []byte) (Snapshot, error) {
	r := reader{b: payload}
	m := Snapshot{Clock: r.u32()}
	n := int(r.u8())
	if n > MaxPorts {
		return m, fmt.Errorf("SNAPSHOT of %d ports: at most %d", n, MaxPorts)
	}
	for _, s := range r.take(n) {
		m.States = append(m.States, State(s))
	}
	return m, r.err
}

// A Report tells how the host's media reach the card's playout buffer. The
// counters begin at HELLO and wrap (§6.4).
type Report struct {
	Clock   uint32
	Margin  int16  // least samples between a tick's arrival and its playout since the last report; negative: late
	Late    uint16 // host ticks that came after their time
	Missing uint16 // ticks for which nothing was there to play
	BadFCS  uint16 // frames that reached the card damaged
	Dropped uint16 // media frames that the card could not send in time
}

// Append appends the content of a REPORT frame.
func (m Report) Append(b []byte, seq uint16) []byte {
	b = Header{Type: TypeReport, Seq: seq}.Append(b)
	b = binary.BigEndian.AppendUint32(b, m.Clock)
	for _, v := range [...]uint16{uint16(m.Margin), m.Late, m.Missing, m.BadFCS, m.Dropped} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

// ParseReport reads the payload of a REPORT.
func ParseReport(payload []byte) (Report, error) {
	r := reader{b: payload}
	m := Report{Clock: r.u32(), Margin: int16(r.u16()), Late: r.u16(), Missing: r.u16(), BadFCS: r.u16(), Dropped: r.u16()}
	return m, r.err
}

// Samples is a duration in samples of 1/8000 s, rounded down.
func Samples(d time.Duration) int { return int(d / (time.Second / 8000)) }

// Duration is how long n samples of 1/8000 s last.
func Duration(n int) time.Duration { return time.Duration(n) * (time.Second / 8000) }
