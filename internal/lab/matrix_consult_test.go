package lab

import (
	"slices"
	"testing"
	"time"

	"crosspoint/b2bua"
)

// by is what is so for a SIP phone and for an analog one.
func by(kind, sip, analog string) string {
	if kind == "analog" {
		return analog
	}
	return sip
}

// takesBack has B, whose consultation has come to nothing, talk to A again: an
// analog telephone has that by itself.
func (s *trial) takesBack() {
	s.t.Helper()
	s.tried()
	if _, sip := s.who("B").(*sipPerson); sip {
		s.user("B").retrieve()
	}
	s.settle()
	s.talk("AB")
	s.listens("")
}

// tried waits until nobody is called any more: a phone that is unplugged is given
// up after 32 s (RFC 3261 §17.1.1.2).
func (s *trial) tried() {
	s.t.Helper()
	s.settle()
	for range 40 {
		calls := s.Office.Exchange.Calls()
		if !slices.ContainsFunc(calls, func(r b2bua.Record) bool {
			return r.State != "talking" && r.State != "conference" && r.State != "consulting"
		}) {
			return
		}
		time.Sleep(time.Second)
	}
	s.t.Fatalf("%s: somebody is still called: %v", s.title, s.Office.Exchange.Calls())
}

// consults has B, who talks to A, hold A and call C, who answers.
func (s *trial) consults() {
	s.t.Helper()
	s.consultsBy(func(string) { s.settle() })
}

// consultsBy does so step by step.
func (s *trial) consultsBy(rung func(string)) {
	s.t.Helper()
	s.talking("A", "B", "202")
	s.user("B").hold()
	rung("A is held")
	s.who("B").call("203")
	s.until("C", rings)
	rung("C rings")
	s.who("C").answer()
	rung("C answers")
}

// bConsultsC is B's call to C while A is held.
func bConsultsC(cast []string) string {
	return aCallsB + bHoldsA + by(cast[1], `
		B calls 203
		C is called
		B waits
		C rings
		B hears ringing
		C answers
		B is answered
	`, `
		B presses 203
		C is called
		C rings
		C answers
	`)
}

// Consultation hold (draft 2.2, RFC 5359 §2.2): B holds A, calls C, ends that, and
// takes A back.
func TestConsultationOfAllKinds(t *testing.T) {
	for _, cast := range append(casts(3), someFromTown()...) {
		b := cast[1]
		service{
			people: 3, calls: withMusic,
			play: func(s *trial) {
				s.consultsBy(s.rung)
				s.talk("BC")
				s.listens("A")
				s.user("B").endConsult()
				s.settle()
				s.talk("AB")
				s.listens("")
				s.who("A").hangUp()
			},
			ladder: bConsultsC(cast) + by(b, "B hangs up\nC is told\n"+bRetrievesA, `
				B flashes
				A is taken back
				A agrees
				B flashes
				C is told`) + "\nA hangs up\nB is told",
			// B keeps A on hold, or has the other one by itself; of an analog B who
			// hangs up the two others talk.
			leaves: map[string]string{
				"A is held: B": by(b, "", "A talks, B rings"),
				"C rings: A":   by(b, "B waits, C rings", ""),
				"C rings: B":   by(b, "", "A talks, C rings"),
				"C rings: C":   by(b, "A talks, B holds", "A talks, B talks"),
				"C answers: A": "B talks, C talks",
				"C answers: B": by(b, "", "A talks, C talks"),
				"C answers: C": by(b, "A talks, B holds", "A talks, B talks"),
			},
			fails: []failure{
				{name: "C is busy", play: func(s *trial) { s.consultsInVain(func() { s.who("C").busy(true) }, "203") }},
				{name: "C is gone", play: func(s *trial) {
					s.who("C").gone(true)
					defer s.who("C").gone(false)
					s.consultsInVain(nil, "203")
				}},
				{name: "C is unknown", play: func(s *trial) { s.consultsInVain(nil, "299") }},
				{name: "C does not answer", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.who("B").call("203")
					s.until("C", rings)
					s.user("B").giveUp()
					s.until("C", idle)
					s.takesBack()
				}},
				{name: "A and C hang up at once", play: func(s *trial) {
					s.consults()
					s.who("A").hangUp()
					s.who("C").hangUp()
					s.settle()
					s.finds("")
				}},
				{name: "B and C hang up at once", play: func(s *trial) {
					s.consults()
					s.who("B").hangUp()
					s.who("C").hangUp()
					s.settle()
					s.finds("")
				}},
				{name: "C answers as B gives up", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.who("B").call("203")
					s.until("C", rings)
					s.settle()
					s.who("C").answer()
					s.user("B").giveUp()
					s.settle()
				}},
				{name: "A hangs up as B retrieves", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.user("B").retrieve()
					s.who("A").hangUp()
					s.settle()
					s.finds("")
				}},
			},
		}.run(t, [][]string{cast})
	}
}

// consultsInVain has B, who talks to A, hold A and call somebody who can't be
// reached; B has A again.
func (s *trial) consultsInVain(before func(), number string) {
	s.t.Helper()
	s.talking("A", "B", "202")
	if before != nil {
		before()
	}
	s.user("B").hold()
	s.settle()
	s.who("B").call(number)
	s.takesBack()
}
