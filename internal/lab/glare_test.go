package lab

import (
	"strings"
	"time"
)

// What two people do at the same moment. A message takes 10 ms, so that of what
// one does the other has not heard yet.

// collide plays up to a rung once more for each two who may cross each other there.
func (s *trial) collide(v service, r rung) {
	for i, x := range r.in {
		for _, y := range r.in[i+1:] {
			switch [2]string{r.does[x], r.does[y]} {
			case [2]string{waits, rings}, [2]string{rings, waits}:
				if s.cast[0] == "town" {
					continue // that a caller gives up is known only as the next ring is missed
				}
			}
			switch [2]string{r.does[x], r.does[y]} {
			case [2]string{waits, rings}:
				s.givesUp(v, r, x, y)
			case [2]string{rings, waits}:
				s.givesUp(v, r, y, x)
			case [2]string{talks, talks}:
				s.part(v, r, x, y)
			case [2]string{rings, rings}:
				s.race(v, r, x, y)
			}
		}
	}
}

// givesUp: x gives up as y answers, or just before that: y's answer crosses our
// CANCEL. In the end both have hung up.
func (s *trial) givesUp(v service, r rung, x, y int) {
	for _, after := range []time.Duration{0, 15 * time.Millisecond} {
		s.act(r.name+": "+letter(y)+" answers "+after.String()+" after "+letter(x)+" gives up", func() {
			s.upTo(r, v)
			s.people[x].hangUp()
			time.Sleep(after)
			s.people[y].answer()
			s.settle()
			s.settle()
			s.finds("")
		})
	}
}

// part: two who talk hang up at the same moment. Who is left is, unless the
// service says otherwise, whoever is left when one of them has.
func (s *trial) part(v service, r rung, x, y int) {
	key := r.name + ": " + letter(x) + " and " + letter(y)
	s.act(key+" leave", func() {
		s.upTo(r, v)
		s.people[x].hangUp()
		s.people[y].hangUp()
		s.settle()
		s.settle()
		s.finds(v.leaves[key])
	})
}

// race: two who ring answer at the same moment. One of them has the call, the
// other has none.
func (s *trial) race(v service, r rung, x, y int) {
	s.act(r.name+": "+letter(x)+" and "+letter(y)+" answer", func() {
		s.upTo(r, v)
		s.people[y].answer()
		s.people[x].answer()
		s.settle()
		s.settle()
		if s.people[x].doing() == talks && s.people[y].doing() == talks || strings.Count(s.doing(), talks) != 2 || strings.Count(s.doing(), ",") != 1 {
			s.t.Errorf("%s: %s", s.title, s.doing())
		}
		s.finds(s.doing())
	})
}
