package lab

import (
	"testing"
	"time"
)

// Attended transfer (draft 2.4, RFC 5359 §2.5): B holds A, talks to C, and joins
// the two: by REFER with Replaces, by the hook. A phone of 1999 ends its call with C
// and sends A there by BYE with Also: C rings once more.
func TestAttendedTransferOfAllKinds(t *testing.T) {
	for _, cast := range append(casts(3), someFromTown()...) {
		b := cast[1]
		service{
			people: 3, calls: withMusic,
			play: func(s *trial) {
				s.consults()
				s.joins()
				if b == "old" {
					s.until("C", rings)
					s.rung("C rings again")
					s.who("C").answer()
				}
				s.rung("B has joined them")
				s.talk("AC")
				s.listens("")
				s.who("A").hangUp()
			},
			ladder: bConsultsC(cast) + of(b, `
				B sends 203
				A is taken back
				B is sent away
				B hears 200
				B is sent away
				B nods
				B nods
				B nods
				B nods
				A agrees
			`, `
				B hangs up
				C is told
				B sends 203
				A is taken back`+cRings(cast)+`
				A agrees
				C answers
			`, `
				B hangs up
				A is taken back
				A agrees
			`) + "\nA hangs up\nC is told",
			fails: []failure{
				{name: "C has hung up", play: func(s *trial) {
					s.consults()
					s.who("C").hangUp()
					s.settle()
					s.joins()
					s.settle()
					s.finds(of(b, "A talks, B holds", "A talks, C rings", ""))
				}},
				{name: "A has hung up", play: func(s *trial) {
					s.consults()
					s.who("A").hangUp()
					s.settle()
					s.finds("B talks, C talks")
				}},
				{name: "C hangs up as B joins", play: func(s *trial) {
					s.consults()
					s.who("C").hangUp()
					s.joins()
					s.settle()
				}},
				{name: "A hangs up as B joins", play: func(s *trial) {
					s.consults()
					s.who("A").hangUp()
					s.joins()
					s.settle()
				}},
				{name: "B hangs up right after the 202", play: func(s *trial) {
					s.consults()
					s.joins()
					time.Sleep(25 * time.Millisecond)
					s.who("B").hangUp()
					s.settle()
					s.finds(of(b, "A talks, C talks", "A talks, C rings", "A talks, C talks"))
				}},
			},
		}.run(t, [][]string{cast})
	}
}

// B joins them while C still rings (RFC 5589 §7.2): C answers A.
func TestTransferBeforeTheAnswerOfAllKinds(t *testing.T) {
	for _, two := range append(casts(2), fromTown(2)...) {
		cast := []string{two[0], "new", two[1]}
		service{
			people: 3, calls: withMusic,
			play: func(s *trial) {
				s.talking("A", "B", "202")
				s.user("B").hold()
				s.settle()
				s.who("B").call("203")
				s.until("C", rings)
				s.settle()
				s.joins()
				s.rung("C rings for A")
				s.who("C").answer()
				s.rung("C answers")
				s.talk("AC")
				s.listens("")
				s.who("C").hangUp()
			},
			ladder: aCallsB + bHoldsA + `
				B calls 203
				C is called
				B waits
				C rings
				B hears ringing
				B sends 203
				A is taken back
				B gets 487
				B hears 200
				B is sent away
				B nods
				B nods
				B nods
				B acks
				A agrees
				C answers
				C hangs up
				A is told`,
			fails: []failure{
				{name: "C answers as B joins", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.who("B").call("203")
					s.until("C", rings)
					s.settle()
					s.who("C").answer()
					s.joins()
					s.settle()
					s.finds("A talks, C talks")
				}},
				{name: "C does not answer A", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.who("B").call("203")
					s.until("C", rings)
					s.settle()
					s.joins()
					s.tried()
					s.settle()
					s.finds("")
				}},
			},
		}.run(t, [][]string{cast})
	}
}
