package lab

import "testing"

// kinds of telephones: of today, of 1999, analog.
var kinds = []string{"new", "old", "analog"}

// casts are all ways to put n people at telephones of the three kinds.
func casts(n int) [][]string {
	if n == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for _, rest := range casts(n - 1) {
		for _, kind := range kinds {
			all = append(all, append([]string{kind}, rest...))
		}
	}
	return all
}

// withTown are casts in which somebody in the town, at the end of a line, is at the
// given place, and telephones of all kinds are at the others.
func withTown(n, place int) (all [][]string) {
	for _, rest := range casts(n - 1) {
		cast := append(append(append([]string(nil), rest[:place]...), "town"), rest[place:]...)
		all = append(all, cast)
	}
	return all
}

// A calls B, without any service.
func TestCallsOfAllKinds(t *testing.T) {
	const bRings = `
		A calls 202
		B is called
		A waits
		B rings
		A hears ringing
	`
	service{
		people: 2,
		play: func(s *trial) {
			s.who("A").call("202")
			s.until("B", rings)
			s.rung("B rings")
			s.who("B").answer()
			s.until("A", talks)
			s.rung("B talks")
			s.talk("AB")
			s.who("A").hangUp()
		},
		ladder: bRings + `
			B answers
			A is answered
			A hangs up
			B is told`,
		fails: []failure{
			{"B is busy", func(s *trial) { s.who("B").busy(true); s.callsInVain("A", "202") }, `
				A calls 202
				B is called, unless B is analog
				A waits, unless B is analog
				B refuses
				A is refused 486`},
			{"B does not answer", func(s *trial) { s.callsInVain("A", "202") }, bRings + `
				B is let go
				A misses 480
				B rings no more`},
			{"B is gone", func(s *trial) { s.away("B"); s.callsInVain("A", "202") }, ""},
			{"nobody has the number", func(s *trial) { s.callsInVain("A", "299") }, ""},
			{"B hangs up", func(s *trial) { s.bAnswers("A") }, bRings + `
				B answers
				A is answered
				B hangs up
				A is told`},
		},
	}.run(t, append(casts(2), withTown(2, 0)...))
}
