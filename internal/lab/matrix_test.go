package lab

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
)

// The services between all mixes of phones of today, of 1999 and analog ones.

// casts are all ways to put n actors at telephones of the three kinds.
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

// pairs are casts of three in which each kind meets each other one at every two
// of the three places: a Latin square.
func pairs() (all [][]string) {
	for i := range kinds {
		for j := range kinds {
			all = append(all, []string{kinds[i], kinds[j], kinds[(i+j)%len(kinds)]})
		}
	}
	return all
}

// numberOf is the extension of the ith actor, from 1, at a telephone of a kind.
func numberOf(kind string, i int) string {
	return map[string]string{"new": "20", "old": "30", "analog": "40"}[kind] + string(rune('0'+i))
}

// each runs a scene with all casts.
func each(t *testing.T, casts [][]string, extra func(cast []string) string, calls b2bua.Config, scene func(s *stage, cast []string)) {
	for _, cast := range casts {
		t.Run(strings.Join(cast, "-"), func(t *testing.T) {
			text := ""
			if extra != nil {
				text = extra(cast)
			}
			onStage(t, text, calls, cast, func(s *stage) { scene(s, cast) })
		})
	}
}

// A calls B; either hangs up.
func TestCallsOfAllKinds(t *testing.T) {
	for _, who := range []int{0, 1} {
		each(t, casts(2), nil, b2bua.Config{}, func(s *stage, cast []string) {
			a, b := s.actors[0], s.actors[1]
			s.connect(a, b, numberOf(cast[1], 2))
			s.talk(a, b)
			s.actors[who].hangUp()
		})
	}
}

// A calls B, who is busy or does not answer: the call goes to C.
func TestForwardingOfAllKinds(t *testing.T) {
	forward := func(cast []string) string {
		return "[[phone]]\nextension = \"501\"\nsets = [\"" + numberOf(cast[1], 2) + "\"]\nforward = { busy = \"" + numberOf(cast[2], 3) +
			"\", no_answer = \"" + numberOf(cast[2], 3) + "\", after = \"6s\" }\n"
	}
	t.Run("no answer", func(t *testing.T) {
		each(t, pairs(), forward, b2bua.Config{}, func(s *stage, _ []string) {
			a, b, c := s.actors[0], s.actors[1], s.actors[2]
			a.call("501")
			s.until(b.name()+" rings", b.ringing)
			s.answers(c)
			s.talk(a, c)
			a.hangUp()
		})
	})
	t.Run("busy", func(t *testing.T) {
		each(t, pairs(), forward, b2bua.Config{}, func(s *stage, cast []string) {
			a, b, c := s.actors[0], s.actors[1], s.actors[2]
			if cast[1] == "analog" {
				b.answer() // off-hook
				s.pass(time.Second)
				a.call("501")
			} else {
				a.call("501")
				s.until(b.name()+" rings", b.ringing)
				b.busy()
			}
			s.answers(c)
			s.talk(a, c)
			c.hangUp()
		})
	})
}

// Several sets ring together: B answers, C stops ringing.
func TestSetsOfAllKinds(t *testing.T) {
	sets := func(cast []string) string {
		return "[[phone]]\nextension = \"501\"\nsets = [\"" + numberOf(cast[1], 2) + "\", \"" + numberOf(cast[2], 3) + "\"]\n"
	}
	each(t, pairs(), sets, b2bua.Config{}, func(s *stage, _ []string) {
		a, b, c := s.actors[0], s.actors[1], s.actors[2]
		a.call("501")
		s.until(c.name()+" rings", c.ringing)
		s.answers(b)
		s.until(c.name()+" rings no more", func() bool { return !c.ringing() })
		s.talk(a, b)
		b.hangUp()
	})
}

// A hangs up while B rings.
func TestCallerLeavesOfAllKinds(t *testing.T) {
	each(t, casts(2), nil, b2bua.Config{}, func(s *stage, cast []string) {
		a, b := s.actors[0], s.actors[1]
		a.call(numberOf(cast[1], 2))
		s.until(b.name()+" rings", b.ringing)
		s.pass(time.Second)
		a.(interface{ giveUp() }).giveUp()
		s.until(b.name()+" rings no more", func() bool { return !b.ringing() })
	})
}
