package lab

import "testing"

// Find-me (draft 2.10) with all casts: A calls 501, whose places are B, a number
// of the town (D, over an FXO line) and C.
func TestFindMeOfAllKinds(t *testing.T) {
	const bRings = `
		A calls 501
		B is called
		A waits
		B rings
		A hears ringing
	`
	const dRings = `
		B is let go
		D is called
		D is dialled
		B rings no more
		D rings
	`
	const onToC = `
		D is let go
		C is called
		C rings
	`
	var all [][]string
	for _, cast := range casts(3) {
		all = append(all, append(cast, "town"))
	}
	service{
		people: 4,
		text: "[[phone]]\nextension = \"501\"\nallow = [\"internal\", \"local\"]\nring = \"2s\"\n" +
			"find_me = [\"202\", \"74\", \"203\"]\n",
		play: func(s *trial) {
			s.who("A").call("501")
			s.until("B", rings)
			s.rung("B rings")
			s.until("D", rings)
			s.rung("D rings")
			cTalks(s)
		},
		ladder: bRings + dRings + onToC + cAnswers,
		leaves: map[string]string{"B rings: B": "A waits", "D rings: D": "A waits, C rings"},
		fails: []failure{
			{"D in the town answers", func(s *trial) {
				s.who("A").call("501")
				s.until("D", rings)
				s.who("D").answer()
				s.until("A", talks)
				s.talk("AD")
				s.who("A").hangUp()
			}, bRings + dRings + `
				D answers
				A is answered
				A hangs up
				D is told`},
			{"B is busy, D too", func(s *trial) {
				s.who("B").busy(true)
				s.who("D").busy(true)
				s.who("A").call("501")
				cTalks(s)
			}, `
				A calls 501
				B is called, unless B is analog
				A waits
				B refuses
				D is called
				D is dialled
				A hears ringing
				D refuses
				C is called
				C rings` + cAnswers},
			{"B is gone, D too", func(s *trial) {
				s.away("B")
				s.away("D")
				s.who("A").call("501")
				cTalks(s)
			}, ""},
			{"nobody answers", func(s *trial) { s.callsInVain("A", "501") }, bRings + dRings + onToC + `
				C is let go
				A misses 480
				C rings no more`},
			{"C is busy", func(s *trial) { s.who("C").busy(true); s.callsInVain("A", "501") }, ""},
			{"nobody is there", func(s *trial) {
				for _, name := range []string{"B", "C", "D"} {
					s.away(name)
				}
				s.callsInVain("A", "501")
			}, ""},
		},
	}.run(t, all)
}
