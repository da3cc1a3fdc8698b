package lab

import (
	"testing"
	"time"
)

// sip gives the person's SIP phone; nil: it is none.
func (s *trial) sip(letter string) *sipPerson {
	p, _ := s.who(letter).(*sipPerson)
	return p
}

// INVITE with Replaces (RFC 3891): C takes the place of B, whose dialog it names,
// or of A if B's telephone has none. It calls either of the two; the number does not
// matter.
func TestTakeoverOfAllKinds(t *testing.T) {
	for _, two := range casts(2) {
		if two[0] == "analog" && two[1] == "analog" {
			continue
		}
		place, other, number := "B", "A", "201" // on the other leg
		if two[1] == "analog" {
			place, other, number = "A", "B", "201"
		}
		service{
			people: 3, calls: withMusic,
			play: func(s *trial) {
				s.talking("A", "B", "202")
				s.rung("A talks to B")
				s.sip("C").takes(number, s.sip(place), "")
				s.rung("C has taken over")
				s.finds(inOrder(other+" talks", "C talks"))
				s.who("C").hangUp()
			},
			ladder: aCallsB + `
				C takes ` + number + `
				C waits
				C gets 200
				` + place + ` is told
				C acks
				C hangs up
				` + other + ` is told`,
			fails: []failure{
				{name: "early-only, but answered", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.sip("C").takes(number, s.sip(place), ";early-only")
					s.settle()
					s.finds("A talks, B talks")
				}},
				{name: "of a held call", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.sip("C").takes(number, s.sip(place), "")
					s.settle()
					if place == "B" { // who held
						s.finds("A talks, C talks")
					}
				}},
				{name: "the call has ended", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.who(other).hangUp()
					s.settle()
					s.sip("C").takes(number, s.sip(place), "")
					s.settle()
					s.finds("")
				}},
				{name: "the other one hangs up at that moment", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.who(other).hangUp()
					s.sip("C").takes(number, s.sip(place), "")
					s.settle()
					s.finds("")
				}},
				{name: "who is replaced hangs up at that moment", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.sip("C").takes(number, s.sip(place), "")
					s.who(place).hangUp()
					s.settle()
				}},
				{name: "nobody is waiting for", play: func(s *trial) {
					s.who("A").call("202")
					s.until("B", rings)
					s.settle()
					if a := s.sip("A"); a != nil { // only a dialog that we began may be replaced early
						s.sip("C").takes("202", a, "")
						s.settle()
						s.finds("A waits, B rings")
					}
				}},
			},
		}.run(t, [][]string{{two[0], two[1], "new"}})
	}
}

func inOrder(a, b string) string { return min(a, b) + ", " + max(a, b) }

// A calls B, and C answers for B, whose early dialog it names (RFC 5359 §2.11).
func TestEarlyTakeoverOfAllKinds(t *testing.T) {
	for _, a := range kinds {
		for _, b := range []string{"new", "old"} {
			picks := func(s *trial, number string) {
				s.who("A").call("202")
				s.until("B", rings)
				s.rung("B rings")
				s.sip("C").takes(number, s.sip("B"), ";early-only")
			}
			service{
				people: 3, calls: withMusic,
				play: func(s *trial) {
					picks(s, "201")
					s.rung("C has answered for B")
					s.talk("AC")
					s.who("A").hangUp()
				},
				ladder: `
					A calls 202
					B is called
					A waits
					B rings
					A hears ringing
					C takes 201
					C waits
					C gets 200
					B is let go
					A gets 200
					C acks
					B rings no more
					A acks
					A hangs up
					C is told`,
				leaves: map[string]string{"B rings: A and C": ""},
				fails: []failure{
					{name: "B answers as C does", play: func(s *trial) {
						picks(s, "202")
						time.Sleep(20 * time.Millisecond) // the challenge
						s.who("B").answer()
						s.settle()
						s.finds(s.oneOf("A talks, B talks", "A talks, C talks"))
					}},
					{name: "B answers just before", play: func(s *trial) {
						picks(s, "202")
						s.who("B").answer()
						s.settle()
						s.finds("A talks, B talks")
					}},
					{name: "A gives up as C answers", play: func(s *trial) {
						picks(s, "202")
						time.Sleep(20 * time.Millisecond)
						s.who("A").hangUp()
						s.settle()
						s.settle()
						s.finds("")
					}},
					{name: "B is busy as C answers", play: func(s *trial) {
						picks(s, "202")
						time.Sleep(20 * time.Millisecond)
						s.who("B").hangUp()
						s.settle()
						s.finds(s.oneOf("", "A talks, C talks"))
					}},
				},
			}.run(t, [][]string{{a, b, "new"}})
		}
	}
}

// oneOf is what people do, if that may be; else the first.
func (s *trial) oneOf(may ...string) string {
	for _, is := range may {
		if s.doing() == is {
			return is
		}
	}
	return may[0]
}
