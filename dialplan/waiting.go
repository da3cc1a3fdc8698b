package dialplan

import (
	"fmt"
	"slices"
)

// CallWaiting says whether a phone that is in a call is offered a second one.
type CallWaiting uint8

const (
	WaitingUnset CallWaiting = iota // it is, unless it forwards its calls when busy
	WaitingOn                       // it is; what it forwards as busy is what it can't take
	WaitingOff                      // it is not: it is busy
)

// callWaiting is what the phone's user has set, else what the file says.
func (s *search) callWaiting(e *extension) CallWaiting {
	set := s.settings(e.number).CallWaiting
	switch {
	case set != WaitingUnset || !e.phone.Has("call_waiting"):
		return set
	case e.phone.Waiting:
		return WaitingOn
	}
	return WaitingOff
}

// offered leaves out the phones that are in a call and take no second one.
func (s *search) offered(targets []Target) []Target {
	return slices.DeleteFunc(targets, func(t Target) bool {
		e := s.plan.extensions[t.Name]
		if e == nil || e.phone == nil || s.callWaiting(e) != WaitingOff || !s.busy(t.Name) {
			return false
		}
		s.step("extension "+t.Name, e.phone.Key("call_waiting"), "passed over: it is in a call, and its call waiting is off")
		s.refusal = &Refusal{Status: 486, Q850: 17, Reason: fmt.Sprintf("phone %s is in a call, and its call waiting is off", t.Name), Pos: e.phone.Key("call_waiting"), Busy: t.Name}
		return true
	})
}
