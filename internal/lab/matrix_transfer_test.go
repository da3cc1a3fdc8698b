package lab

import (
	"strings"
	"testing"
	"time"
)

// of is what is so for a phone of today, of 1999 and an analog one.
func of(kind, today, of1999, analog string) string {
	return map[string]string{"new": today, "old": of1999, "analog": analog}[kind]
}

// cRings is C's telephone as it begins to ring, by whom B has sent to it: an
// analog one rings at once, and B, who waits for that on a phone of today, has
// not confirmed what it heard before.
func cRings(cast []string) string {
	b, c := cast[1], cast[2]
	switch {
	case b == "old":
		return "\nC is sent 202\nC rings\n"
	case c == "analog":
		return "\nC is sent 202\nB hears 180\nB nods\nB nods\n"
	}
	return "\nC is sent 202\nB nods\nC rings\nB hears 180\nB nods\n"
}

// bSendsAtoC is the transfer up to C's answer.
func bSendsAtoC(cast []string) string {
	return aCallsB + of(cast[1],
		"B sends 203"+cRings(cast)+"C answers\nB hears 200\nB is sent away\nB nods\nB nods\n",
		"B sends 203"+cRings(cast)+"C answers\n", `
		B flashes
		A is held
		A agrees
		B presses 203
		C is called
		C rings
		B hangs up
		A is taken back
		A agrees
		C answers
	`)
}

// Unattended transfer (draft 2.3, RFC 5359 §2.4): A calls B, who sends A to C: by
// REFER, by BYE with Also, by hook-flash.
func TestTransferOfAllKinds(t *testing.T) {
	for _, cast := range append(casts(3), fromTown(3)...) {
		b := cast[1]
		back := of(b, "A talks, B talks", "", "A talks, B rings") // when C can't be had
		atOnce := of(b, "A talks, B talks", "", "")               // or that is told before B hangs up
		service{
			people: 3, calls: withMusic,
			play: func(s *trial) {
				s.sends()
				s.who("C").answer()
				s.rung("C answers")
				s.talk("AC")
				s.who("A").hangUp()
			},
			ladder: bSendsAtoC(cast) + "\nA hangs up\nC is told",
			leaves: map[string]string{
				"C rings: B": "A talks, C rings",
				"C rings: C": back,
			},
			fails: []failure{
				{name: "C is busy", play: func(s *trial) {
					s.who("C").busy(true)
					s.sendsInVain("203", atOnce)
				}},
				{name: "C is gone", play: func(s *trial) {
					s.who("C").gone(true)
					defer s.who("C").gone(false)
					s.sendsInVain("203", atOnce)
				}},
				{name: "C is unknown", play: func(s *trial) { s.sendsInVain("299", atOnce) }},
				{name: "C does not answer", play: func(s *trial) {
					s.sends()
					time.Sleep(ringTime)
					s.settle()
					s.finds(back)
				}},
				{name: "B hangs up right after the 202", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").send("203")
					s.who("B").hangUp()
					s.until("C", rings)
					s.settle()
					s.who("C").answer()
					s.settle()
					s.finds("A talks, C talks")
				}},
				{name: "A hangs up as B sends it", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.who("A").hangUp()
					s.user("B").send("203")
					s.settle()
				}},
				{name: "A and C hang up at once", play: func(s *trial) {
					s.sends()
					s.who("C").answer()
					s.settle()
					s.who("A").hangUp()
					s.who("C").hangUp()
					s.settle()
					s.finds("")
				}},
			},
		}.run(t, [][]string{cast})
	}
}

// sends has B, who talks to A, send it to C, who rings.
func (s *trial) sends() {
	s.t.Helper()
	s.talking("A", "B", "202")
	s.user("B").send("203")
	s.until("C", rings)
	s.rung("C rings")
}

// sendsInVain has B send A where it can't come.
func (s *trial) sendsInVain(number, then string) {
	s.t.Helper()
	s.talking("A", "B", "202")
	s.user("B").send(number)
	s.tried()
	s.settle()
	s.finds(then)
}

// As in the draft's figure: B sends A to C, who sends it on to D.
func TestChainedTransferOfAllKinds(t *testing.T) {
	for _, cast := range casts(4) {
		c := cast[2]
		service{
			people: 4, calls: withMusic,
			play: func(s *trial) {
				s.talking("A", "B", "202")
				s.user("B").send("203")
				s.until("C", rings)
				s.settle()
				s.who("C").answer()
				s.settle()
				s.user("C").send("204")
				s.until("D", rings)
				s.rung("D rings")
				s.who("D").answer()
				s.rung("D answers")
				s.talk("AD")
				s.who("A").hangUp()
			},
			ladder: bSendsAtoC(cast) + "\n" + onward(bSendsAtoC([]string{"", c, cast[3]})) + "\nA hangs up\nD is told",
			leaves: map[string]string{
				"D rings: C": "A talks, D rings",
				"D rings: D": of(c, "A talks, C talks", "", "A talks, C rings"),
			},
		}.run(t, [][]string{cast})
	}
}

// onward is a transfer one person further: C sends A to D.
func onward(transfer string) string {
	transfer = strings.TrimPrefix(transfer, aCallsB)
	return strings.NewReplacer("C ", "D ", "B ", "C ", "203", "204", "202", "203").Replace(transfer)
}

// B, whose extension may call the town, sends A to somebody there; if it may not,
// nothing is dialled, whatever A itself may do: B answers for the call.
func TestTransferToTheTownOfAllKinds(t *testing.T) {
	number := townNumber("C")
	for _, two := range casts(2) {
		b := two[1]
		for _, may := range []bool{true, false} {
			text := map[string]string{"A": "allow = [\"internal\", \"local\"]", "B": "allow = [\"internal\", \"local\"]"}
			name := "allowed/"
			if !may {
				text["B"], name = "", "not allowed/"
			}
			t.Run(name+two[0]+"-"+b, func(t *testing.T) {
				v := service{people: 3, phones: text, calls: withMusic, called: "202"}
				v.calls.RingFor = 10 * time.Second
				cast := []string{two[0], b, "town"}
				onTrial(t, v.office(cast), v.calls, cast, func(s *trial) {
					s.act(name, func() {
						s.talking("A", "B", "202")
						s.user("B").send(number)
						if !may {
							s.tried()
							s.settle()
							s.finds(of(b, "A talks, B talks", "", ""))
							if dialled := s.who("C").(*townPerson).now(); !dialled.lifted.IsZero() {
								s.t.Errorf("the town was called: %+v", dialled)
							}
							return
						}
						s.until("C", rings)
						s.who("C").answer()
						s.settle()
						s.finds("A talks, C talks")
						s.who("C").hangUp()
						s.settle()
						s.finds("")
					})
				})
			})
		}
	}
}
