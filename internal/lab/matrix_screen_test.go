package lab

import (
	"strings"
	"testing"
)

// Screening, do not disturb and click to dial with all casts: A calls B.

// Incoming and outgoing call screening (draft 2.11 and 2.12): B does not accept
// A, or A may not call B. C is on no list.
func TestScreeningOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		name   string
		phones map[string]string
		why    string
	}{
		{"incoming", map[string]string{"B": `refuse = "201"`}, "Screening Failure (Terminating)"},
		{"outgoing", map[string]string{"A": `never_dial = "202"`}, "Screening Failure (Originating)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			service{
				people: 3, phones: c.phones,
				play: func(s *trial) {
					s.callsInVain("A", "202")
					if s.cast[0] != "analog" && !s.said("A", "SIP/2.0 403 "+c.why) {
						s.t.Errorf("A is not told %q", c.why)
					}
				},
				ladder: `
					A calls 202
					A is refused 403`,
				fails: []failure{
					{"C may call B", func(s *trial) { s.bAnswers("C") }, ""},
					{"A may call C", func(s *trial) {
						s.who("A").call("203")
						s.until("C", rings)
						s.who("C").answer()
						s.until("A", talks)
						s.talk("AC")
						s.who("A").hangUp()
					}, ""},
				},
			}.run(t, casts(3))
		})
	}
}

// said tells whether a SIP phone was sent a response that begins so.
func (s *trial) said(letter, response string) bool {
	a := s.who(letter).(*sipPerson)
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.HasPrefix(a.refusal, response)
}

// bAnswers: B is called, and talks.
func (s *trial) bAnswers(caller string) {
	s.t.Helper()
	s.who(caller).call("202")
	s.until("B", rings)
	s.who("B").answer()
	s.until(caller, talks)
	s.talk(caller + "B")
	s.who("B").hangUp()
}

// Do not disturb: B dials *78, and A's call is refused as busy; B dials *79, and
// is reached again.
func TestDoNotDisturbOfAllKinds(t *testing.T) {
	service{
		people: 2,
		text:   "[features]\ndo_not_disturb = \"*78\"\ndo_not_disturb_off = \"*79\"\n",
		users:  true,
		play: func(s *trial) {
			s.dialsCode("B", "*78")
			s.callsInVain("A", "202")
			s.dialsCode("B", "*79")
		},
		ladder: `
			B calls *78
			B waits
			B is answered
			B is told
			A calls 202
			A is refused 486
			B calls *79
			B waits
			B is answered
			B is told`,
		fails: []failure{
			{"afterwards", func(s *trial) { s.bAnswers("A") }, ""},
			{"B calls out all the same", func(s *trial) {
				s.dialsCode("B", "*78")
				s.who("B").call("201")
				s.until("A", rings)
				s.who("A").answer()
				s.until("B", talks)
				s.talk("AB")
				s.who("B").hangUp()
				s.settle()
				s.dialsCode("B", "*79")
			}, ""},
			{"B hangs up at once", func(s *trial) {
				s.who("B").call("*78")
				s.settle()
				s.who("B").hangUp()
				s.settle()
				s.callsInVain("A", "202")
				s.dialsCode("B", "*79")
			}, ""},
		},
	}.run(t, casts(2))
}

// dialsCode: somebody dials a code, hears that it is done, and hangs up.
func (s *trial) dialsCode(letter, code string) {
	s.t.Helper()
	s.who(letter).call(code)
	s.untilOver(letter)
	s.settle()
	s.settle()
}

// Click to dial (RFC 5359 §2.19): a program has A and B connected.
func TestClickToDialOfAllKinds(t *testing.T) {
	const aIsRung = `
		A is called
		A rings
	`
	click := func(s *trial) {
		_, err := s.Office.Exchange.Originate("201", "202")
		s.must(err)
		s.until("A", rings)
	}
	service{
		people: 2,
		play: func(s *trial) {
			click(s)
			s.rung("A rings")
			s.who("A").answer()
			s.until("B", rings)
			s.rung("B rings")
			s.who("B").answer()
			s.until("B", talks)
			s.rung("B talks")
			s.talk("AB")
			s.who("A").hangUp()
		},
		ladder: aIsRung + `
			A answers
			B is called
			B rings
			B answers
			A hangs up
			B is told`,
		fails: []failure{
			{"A is busy", func(s *trial) {
				s.who("A").busy(true)
				_, err := s.Office.Exchange.Originate("201", "202")
				if err == nil {
					s.settle()
				}
				s.finds("")
			}, ""},
			{"A does not answer", func(s *trial) { click(s); s.untilOver("A") }, aIsRung + "A is let go\nA rings no more"},
			{"A is gone", func(s *trial) {
				s.away("A")
				if _, err := s.Office.Exchange.Originate("201", "202"); err == nil {
					s.settle()
				}
			}, ""},
			{"B is busy", func(s *trial) { s.who("B").busy(true); click(s); s.who("A").answer(); s.untilOver("A") }, aIsRung + `
				A answers
				B is called, unless B is analog
				B refuses
				A is told`},
			{"B does not answer", func(s *trial) { click(s); s.who("A").answer(); s.until("B", rings); s.untilOver("A") }, ""},
			{"B is gone", func(s *trial) { s.away("B"); click(s); s.who("A").answer(); s.untilOver("A") }, ""},
		},
	}.run(t, casts(2))
}
