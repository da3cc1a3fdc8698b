package lab

import (
	"testing/synctest"
	"time"
)

// talk has all people speak at once. Those of a group hear each other, and
// nobody hears anybody else. A group has two people.
func (s *trial) talk(groups ...string) {
	s.t.Helper()
	hears := make(map[string]bool)
	for _, g := range groups {
		hears[g], hears[g[1:]+g[:1]] = true, true
	}
	before := s.heard()
	s.speech(200*time.Millisecond, s.people...)
	after := s.heard()
	for pair, n := range after {
		switch n -= before[pair]; {
		case hears[pair] && n < 5:
			s.t.Errorf("%s: %s heard %d frames of %s\n%s", s.title, pair[:1], n, pair[1:], s.Wire.Figure())
		case !hears[pair] && n > 0:
			s.t.Errorf("%s: %s heard %d frames of %s\n%s", s.title, pair[:1], n, pair[1:], s.Wire.Figure())
		}
	}
}

// heard is how many frames each has heard of each other one: "AB" is A of B.
func (s *trial) heard() map[string]int {
	synctest.Wait()
	all := make(map[string]int)
	for i, a := range s.people {
		for j, b := range s.people {
			if i != j {
				all[letter(i)+letter(j)] = a.heard(b.mark())
			}
		}
	}
	return all
}

// attend has the lines carry all that is said, at its pace.
func (s *trial) attend(on bool) {
	for _, w := range s.wires {
		w.attend(on)
	}
}

// speech has people speak, and be heard.
func (s *trial) speech(d time.Duration, people ...person) {
	s.attend(true)
	defer s.attend(false)
	for _, a := range people {
		a.speak(true)
	}
	for range d / (20 * time.Millisecond) {
		for _, a := range people {
			if p, ok := a.(*sipPerson); ok {
				p.packet()
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, a := range people {
		a.speak(false)
	}
	time.Sleep(100 * time.Millisecond)
}
