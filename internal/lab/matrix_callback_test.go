package lab

import (
	"testing"
	"time"

	"crosspoint/b2bua"
)

// Automatic redial and redial with all casts: A wants B, who talks to C.

// Call back when free (RFC 5359 §2.18): A finds B busy and dials the code; when B
// has hung up A is called, and then B.
func TestCallBackOfAllKinds(t *testing.T) {
	const cTalksToB = `
		C calls 202
		B is called
		C waits
		B rings
		C hears ringing
		B answers
		C is answered
	`
	const aFindsBBusy = `
		A calls 202
		A is refused 486
		A calls *65
		A waits
		A is answered
		A is told
	`
	const cLeaves = `
		C hangs up
		B is told
	`
	wish := func(s *trial) {
		s.who("C").call("202")
		s.until("B", rings)
		s.who("B").answer()
		s.until("C", talks)
		s.settle()
		s.callsInVain("A", "202")
		s.dialsCode("A", "*65")
		s.finds("B talks, C talks")
		s.ends("C")
	}
	calledBack := func(s *trial) {
		wish(s)
		s.until("A", rings)
	}
	service{
		people: 3, text: officeCodes, calls: b2bua.Config{RingFor: 5 * time.Second},
		phones: map[string]string{"B": "call_waiting = false"},
		play: func(s *trial) {
			calledBack(s)
			s.rung("A rings")
			s.who("A").answer()
			s.until("B", rings)
			s.rung("B rings")
			s.who("B").answer()
			s.until("B", talks)
			s.rung("B talks")
			s.talk("AB")
			s.who("B").hangUp()
		},
		ladder: cTalksToB + aFindsBBusy + cLeaves + `
			A is called
			A rings
			A answers
			B is called
			B rings
			B answers
			B hangs up
			A is told`,
		fails: []failure{
			{"A does not answer", func(s *trial) { calledBack(s); s.untilOver("A"); s.settle(); s.finds("") }, ""},
			{"A is busy then", func(s *trial) {
				wish(s)
				s.settle()
				s.who("A").call("203")
				s.until("C", rings)
				s.who("C").answer()
				s.until("A", talks)
				time.Sleep(3 * time.Second)
				s.settle()
				s.finds("A talks, C talks")
				s.ends("C")
				s.until("A", rings) // now it is free
				s.who("A").answer()
				s.until("B", rings)
			}, ""},
			{"B is in a call again", func(s *trial) {
				wish(s)
				s.settle()
				s.who("C").call("202")
				s.until("B", rings)
				s.who("B").answer()
				s.until("C", talks)
				time.Sleep(3 * time.Second)
				s.settle()
				s.finds("B talks, C talks")
				s.ends("B")
				s.until("A", rings)
				s.who("A").answer()
				s.until("B", rings)
			}, ""},
			{"B does not answer", func(s *trial) { calledBack(s); s.who("A").answer(); s.until("B", rings); s.untilOver("A") }, ""},
			{"B is gone", func(s *trial) {
				wish(s)
				s.settle()
				s.away("B")
				s.until("A", rings)
				s.who("A").answer()
				s.untilOver("A")
			}, ""},
			{"A is gone", func(s *trial) {
				wish(s)
				s.settle()
				s.away("A")
				time.Sleep(3 * time.Second)
				s.settle()
				s.finds("")
			}, ""},
			{"B was off-hook without a call", func(s *trial) {
				if s.cast[1] != "analog" {
					return
				}
				s.who("B").busy(true)
				s.callsInVain("A", "202")
				s.dialsCode("A", "*65")
				time.Sleep(3 * time.Second)
				s.settle()
				s.finds("")
				s.who("B").busy(false)
				s.until("A", rings)
				s.who("A").answer()
				s.until("B", rings)
				s.who("B").answer()
				s.settle()
				s.finds("A talks, B talks")
			}, ""},
			{"nobody was busy", func(s *trial) {
				s.bAnswers("A")
				s.settle()
				s.settle()
				s.callsInVain("A", "*65")
			}, ""},
		},
	}.run(t, casts(3))
}

// Redial: A calls B again by the code.
func TestRedialOfAllKinds(t *testing.T) {
	const aTalksToB = `
		B is called
		A waits
		B rings
		A hears ringing
		B answers
		A is answered
		B hangs up
		A is told
	`
	service{
		people: 2, text: officeCodes,
		play: func(s *trial) {
			s.bAnswers("A")
			s.settle()
			s.settle()
			s.who("A").call("*66")
			s.until("B", rings)
			s.rung("B rings")
			s.who("B").answer()
			s.until("A", talks)
			s.rung("B talks")
			s.talk("AB")
			s.who("B").hangUp()
		},
		ladder: "A calls 202" + aTalksToB + "A calls *66" + aTalksToB,
		fails: []failure{
			{"B is busy", func(s *trial) { s.callsB(); s.who("B").busy(true); s.callsInVain("A", "*66") }, ""},
			{"B does not answer", func(s *trial) { s.callsB(); s.callsInVain("A", "*66") }, ""},
			{"B is gone", func(s *trial) { s.callsB(); s.away("B"); s.callsInVain("A", "*66") }, ""},
		},
	}.run(t, casts(2))
}

// callsB: A has called B, and given up.
func (s *trial) callsB() {
	s.t.Helper()
	s.who("A").call("202")
	s.until("B", rings)
	s.who("A").hangUp()
	s.settle()
	s.settle()
}

// ends: somebody hangs up, and so does who hears that.
func (s *trial) ends(letter string) {
	s.who(letter).hangUp()
	s.settle()
	s.settle()
}
