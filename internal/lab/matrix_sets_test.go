package lab

import (
	"testing"
	"time"
)

// Several telephones of one extension, with all casts: A calls 501, whose sets
// are B and C.

// line501 is the extension, with more of its settings.
func line501(more string) string {
	return "[[phone]]\nextension = \"501\"\nsets = [\"202\", \"203\"]\n" + more + "\n"
}

// Single line extension, its sets in sequence (draft 2.9): B does not answer, C
// does.
func TestSetsInTurnOfAllKinds(t *testing.T) {
	const bRings = `
		A calls 501
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
		people: 3, called: "501",
		text: line501("ring_sets = \"in-turn\"\nring = \"2s\""),
		play: func(s *trial) {
			s.who("A").call("501")
			s.until("B", rings)
			s.rung("B rings")
			cTalks(s)
		},
		ladder: bRings + onToC + cAnswers,
		leaves: map[string]string{"B rings: B": "A waits, C rings"},
		fails: []failure{
			{"B is busy", func(s *trial) { s.who("B").busy(true); s.who("A").call("501"); cTalks(s) }, `
				A calls 501
				B is called, unless B is analog
				A waits
				B refuses
				C is called
				C rings
				A hears ringing` + cAnswers},
			{"B is gone", func(s *trial) { s.away("B"); s.who("A").call("501"); cTalks(s) }, ""},
			{"both are busy", func(s *trial) {
				s.who("B").busy(true)
				s.who("C").busy(true)
				s.callsInVain("A", "501")
			}, `
				A calls 501
				B is called, unless B is analog
				A waits, unless B and C are analog
				B refuses
				C is called, unless C is analog
				C refuses
				A is refused 486`},
			{"nobody answers", func(s *trial) { s.callsInVain("A", "501") }, bRings + onToC + `
				C is let go
				A misses 480
				C rings no more`},
			{"B's answer crosses the CANCEL", func(s *trial) { s.crossesRingTimer("501"); cTalks(s) }, ""},
		},
	}.run(t, append(casts(3), withTown(3, 0)...))
}

// The sets together (draft 2.9), which is also simultaneous ring: C answers, B
// rings no more.
func TestSetsTogetherOfAllKinds(t *testing.T) {
	const bothRing = `
		A calls 501
		B is called
		C is called
		A waits
		A hears ringing, unless B and C are sip
		B rings
		C rings
		A hears ringing, unless B or C is analog
	`
	play := func(s *trial) {
		s.who("A").call("501")
		s.until("B", rings)
		s.until("C", rings)
		s.rung("both ring")
		s.who("C").answer()
		s.until("A", talks)
		s.rung("C talks")
		s.talk("AC")
		s.who("A").hangUp()
	}
	v := service{
		people: 3, called: "501",
		text: line501(""),
		play: play,
		ladder: bothRing + `
			C answers
			A is connected
			B is let go
			A acks
			B rings no more
			A hangs up
			C is told`,
		leaves: map[string]string{"both ring: B": "A waits, C rings", "both ring: C": "A waits, B rings"},
		fails: []failure{
			{"B is busy", func(s *trial) { s.who("B").busy(true); s.who("A").call("501"); cTalks(s) }, ""},
			{"B is gone", func(s *trial) { s.away("B"); s.who("A").call("501"); cTalks(s) }, ""},
			{"both are busy", func(s *trial) {
				s.who("B").busy(true)
				s.who("C").busy(true)
				s.callsInVain("A", "501")
			}, ""},
			{"both are gone", func(s *trial) { s.away("B"); s.away("C"); s.callsInVain("A", "501") }, ""},
			{"nobody answers", func(s *trial) { s.callsInVain("A", "501") }, bothRing + `
				B is let go
				C is let go
				A misses 480
				B rings no more
				C rings no more`},
			{"B joins in when C talks", func(s *trial) {
				s.who("A").call("501")
				s.until("C", rings)
				s.who("C").answer()
				s.until("A", talks)
				s.settle()
				s.who("B").answer() // it rings no more: a telephone that is lifted has dial tone
				s.settle()
				s.talk("AC")
				s.who("C").hangUp()
			}, ""},
		},
	}
	v.run(t, append(casts(3), withTown(3, 0)...))
	t.Run("as a group", func(t *testing.T) {
		v.text = "[[group]]\nextension = \"501\"\nmembers = [\"202\", \"203\"]\n"
		v.fails = nil
		v.run(t, casts(3))
	})
}

// crossesRingTimer: A calls, and B answers as the ring timer of 2 s has just
// ended, when the CANCEL is on its way or the ringing has stopped.
func (s *trial) crossesRingTimer(number string) {
	s.t.Helper()
	s.who("A").call(number)
	began := s.began("B")
	time.Sleep(time.Until(began.Add(2*time.Second + 5*time.Millisecond)))
	s.who("B").answer()
}
