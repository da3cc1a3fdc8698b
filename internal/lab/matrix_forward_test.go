package lab

import (
	"testing"
	"time"
)

// Forwarding with all casts: A calls B, whose calls go to C, always, when B is
// busy, or when B does not answer.

// cAnswers is how each of these ladders goes on to its end.
const cAnswers = `
	C answers
	A is answered
	A hangs up
	C is told
`

// cTalks is what is played meanwhile.
func cTalks(s *trial) {
	s.until("C", rings)
	s.rung("C rings")
	s.who("C").answer()
	s.until("A", talks)
	s.rung("C talks")
	s.talk("AC")
	s.who("A").hangUp()
}

// Forwarding unconditional (draft 2.5, RFC 5359 §2.5).
func TestForwardAlwaysOfAllKinds(t *testing.T) {
	service{
		people: 3,
		phones: map[string]string{"B": `forward = { always = "203" }`},
		play: func(s *trial) {
			s.who("A").call("202")
			cTalks(s)
		},
		ladder: `
			A calls 202
			C is called
			A waits
			C rings
			A hears ringing` + cAnswers,
		fails: []failure{
			{"C is busy", func(s *trial) { s.who("C").busy(true); s.callsInVain("A", "202") }, `
				A calls 202
				C is called, unless C is analog
				A waits, unless C is analog
				C refuses
				A is refused 486`},
			{"C does not answer", func(s *trial) { s.callsInVain("A", "202") }, `
				A calls 202
				C is called
				A waits
				C rings
				A hears ringing
				C is let go
				A misses 480
				C rings no more`},
			{"C is gone", func(s *trial) { s.away("C"); s.callsInVain("A", "202") }, `
				A calls 202
				C is called, unless C is analog, unless C is new
				A waits, unless C is analog, unless C is new
				A misses 480, unless C is analog, unless C is new
				A is refused 480, unless C is old, unless C is analog
				A is refused 502, unless C is old, unless C is new`},
		},
	}.run(t, append(casts(3), withTown(3, 0)...))
}

// Forwarding on busy (draft 2.6, RFC 5359 §2.6).
func TestForwardBusyOfAllKinds(t *testing.T) {
	const bIsBusy = `
		A calls 202
		B is called, unless B is analog
		A waits
		B refuses
	`
	service{
		people: 3,
		phones: map[string]string{"B": `forward = { busy = "203" }`},
		play: func(s *trial) {
			s.who("B").busy(true)
			s.who("A").call("202")
			cTalks(s)
		},
		ladder: bIsBusy + `
			C is called
			C rings
			A hears ringing` + cAnswers,
		fails: []failure{
			{"C is busy too", func(s *trial) {
				s.who("B").busy(true)
				s.who("C").busy(true)
				s.callsInVain("A", "202")
			}, `
				A calls 202
				B is called, unless B is analog
				A waits, unless B and C are analog
				B refuses
				C is called, unless C is analog
				C refuses
				A is refused 486`},
			{"C does not answer", func(s *trial) { s.who("B").busy(true); s.callsInVain("A", "202") }, bIsBusy + `
				C is called
				C rings
				A hears ringing
				C is let go
				A misses 480
				C rings no more`},
			{"C is gone", func(s *trial) { s.who("B").busy(true); s.away("C"); s.callsInVain("A", "202") }, ""},
			{"B is free", func(s *trial) {
				s.who("A").call("202")
				s.until("B", rings)
				s.who("B").answer()
				s.until("A", talks)
				s.talk("AB")
				s.who("B").hangUp()
			}, `
				A calls 202
				B is called
				A waits
				B rings
				A hears ringing
				B answers
				A is answered
				B hangs up
				A is told`},
		},
	}.run(t, append(casts(3), withTown(3, 0)...))
}

// Forwarding on no answer (draft 2.7, RFC 5359 §2.7).
func TestForwardNoAnswerOfAllKinds(t *testing.T) {
	const bRings = `
		A calls 202
		B is called
		A waits
		B rings
		A hears ringing
	`
	const onToC = `
		B is let go
		C is called
		B rings no more
		C rings
	`
	service{
		people: 3,
		phones: map[string]string{"B": `forward = { no_answer = "203", after = "2s" }`},
		play: func(s *trial) {
			s.who("A").call("202")
			s.until("B", rings)
			s.rung("B rings")
			cTalks(s)
		},
		ladder: bRings + onToC + cAnswers,
		leaves: map[string]string{"B rings: B": ""},
		fails: []failure{
			{"C is busy", func(s *trial) { s.who("C").busy(true); s.callsInVain("A", "202") }, ""},
			{"C does not answer either", func(s *trial) { s.callsInVain("A", "202") }, bRings + onToC + `
				C is let go
				A misses 480
				C rings no more`},
			{"C is gone", func(s *trial) { s.away("C"); s.callsInVain("A", "202") }, ""},
			{"B is gone", func(s *trial) { s.away("B"); s.who("A").call("202"); cTalks(s) }, ""},
			{"B answers", func(s *trial) {
				s.who("A").call("202")
				s.until("B", rings)
				time.Sleep(time.Second)
				s.who("B").answer()
				s.until("A", talks)
				time.Sleep(3 * time.Second) // the ring timer is stopped
				s.talk("AB")
				s.who("B").hangUp()
			}, bRings + `
				B answers
				A is answered
				B hangs up
				A is told`},
			{"B's answer crosses the CANCEL", func(s *trial) { s.crossesRingTimer("202"); cTalks(s) }, ""},
		},
	}.run(t, append(casts(3), withTown(3, 0)...))
}

// Forwarding to a number of the town (draft 2.5): B, who may call there, sends its
// calls to C, over an FXO line. The caller hears the town as soon as it is dialled.
func TestForwardToTheTownOfAllKinds(t *testing.T) {
	const aHearsTheTown = `
		A hears the line
		C rings
	` + cAnswers
	var all [][]string
	for _, cast := range append(casts(2), withTown(2, 0)...) {
		all = append(all, append(cast, "town"))
	}
	play := func(before func(s *trial)) func(s *trial) {
		return func(s *trial) {
			before(s)
			s.who("A").call("202")
			cTalks(s)
		}
	}
	vain := func(name string, before func(s *trial)) failure {
		return failure{name: name, play: func(s *trial) { before(s); s.callsInVain("A", "202") }}
	}
	for _, c := range []struct {
		when   string
		before func(s *trial)
		ladder string
	}{
		{"always", func(*trial) {}, `
			A calls 202
			C is called
			A waits
			C is dialled`},
		{"busy", func(s *trial) { s.who("B").busy(true) }, `
			A calls 202
			B is called, unless B is analog
			A waits
			B refuses
			C is called
			C is dialled`},
		{"no_answer", func(*trial) {}, `
			A calls 202
			B is called
			A waits
			B rings
			A hears ringing
			B is let go
			C is called
			C is dialled
			B rings no more`},
	} {
		t.Run(c.when, func(t *testing.T) {
			service{
				people: 3,
				phones: map[string]string{"B": "allow = [\"internal\", \"local\"]\nring = \"2s\"\nforward = { " + c.when + " = \"73\" }"},
				play:   play(c.before),
				ladder: c.ladder + aHearsTheTown,
				fails: []failure{
					vain("C is busy", func(s *trial) { c.before(s); s.who("C").busy(true) }),
					vain("C does not answer", c.before),
					vain("the town has no way", func(s *trial) { c.before(s); s.away("C") }),
				},
			}.run(t, all)
		})
	}
}

// callsInVain: one calls, and is in no call in the end.
func (s *trial) callsInVain(letter, number string) {
	s.t.Helper()
	s.who(letter).call(number)
	s.untilOver(letter)
	s.settle()
	s.settle()
}

// untilOver waits until somebody is in no call any more.
func (s *trial) untilOver(letter string) {
	s.t.Helper()
	s.untilIn(time.Minute, letter, idle, over)
}

// began is when the exchange has begun to ring somebody.
func (s *trial) began(letter string) time.Time {
	s.t.Helper()
	s.until(letter, rings)
	for _, call := range s.Office.Exchange.Calls() {
		for _, r := range call.Ladder.Rungs() {
			if r.To == s.who(letter).name() {
				return r.At
			}
		}
	}
	s.t.Fatalf("%s: nobody has called %s", s.title, letter)
	return time.Time{}
}

// away: somebody's telephone can't be reached.
func (s *trial) away(letter string) {
	s.who(letter).gone(true)
	s.settle()
}
