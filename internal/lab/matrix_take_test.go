package lab

import (
	"testing"
	"time"

	"crosspoint/b2bua"
)

// Pickup, park and retrieve with all casts: C takes A over from B.

// officeCodes are the codes that these services are dialled by.
const officeCodes = `
[features]
pickup = "*8"
pickup_directed = "*88"
park = "*70"
retrieve = "*71"
redial = "*66"
call_back = "*65"
`

// Directed and group pickup (RFC 5359 §2.11): A calls B; C takes the call.
func TestPickupOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		name, code string
		casts      [][]string
	}{{"directed", "*88202", append(casts(3), withTown(3, 0)...)}, {"group", "*8", casts(3)}} {
		t.Run(c.name, func(t *testing.T) {
			code := c.code
			service{
				people: 3, text: officeCodes,
				calls: b2bua.Config{RingFor: time.Minute},
				play: func(s *trial) {
					s.who("A").call("202")
					s.until("B", rings)
					s.rung("B rings")
					s.who("C").call(code)
					s.until("A", talks)
					s.rung("C talks")
					s.talk("AC")
					s.who("C").hangUp()
				},
				ladder: `
					A calls 202
					B is called
					A waits
					B rings
					A hears ringing
					C calls ` + code + `
					C waits
					C is connected
					A is connected
					B is let go
					C acks
					A acks
					B rings no more
					C hangs up
					A is told`,
				fails: []failure{
					{"nothing rings", func(s *trial) { s.callsInVain("C", code) }, `
						C calls ` + code + `
						C is refused 404`},
					{"A has given up", func(s *trial) {
						s.who("A").call("202")
						s.until("B", rings)
						s.who("A").hangUp()
						s.settle()
						s.callsInVain("C", code)
					}, ""},
					{"B has answered", func(s *trial) {
						s.who("A").call("202")
						s.until("B", rings)
						s.who("B").answer()
						s.until("A", talks)
						s.callsInVain("C", code)
						s.talk("AB")
						s.who("A").hangUp()
					}, ""},
					{"B answers as C takes it", func(s *trial) {
						for _, early := range []time.Duration{10, -10} {
							s.crossesCode("C", code, early*time.Millisecond, "B", person.answer)
							s.oneTalks("B", "C")
							s.allHangUp()
						}
					}, ""},
					{"A gives up as C takes it", func(s *trial) {
						for _, early := range []time.Duration{10, -10} {
							s.crossesCode("C", code, early*time.Millisecond, "A", person.hangUp)
							s.finds("")
							s.allHangUp()
						}
					}, ""},
				},
			}.run(t, c.casts)
		})
	}
}

// crossesCode: A calls B, whom somebody takes the call from by a code; and just
// before the code has come to the exchange another one does something.
func (s *trial) crossesCode(by, code string, early time.Duration, who string, does func(person)) {
	s.t.Helper()
	s.who("A").call("202")
	s.until("B", rings)
	s.settle()
	takes := 30 * time.Millisecond // INVITE, 407, INVITE
	if _, analog := s.who(by).(*analogPerson); analog {
		takes = 3*time.Second + 100*time.Millisecond + time.Duration(len(code))*120*time.Millisecond // it may go on
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.who(by).call(code)
	}()
	time.Sleep(takes - early)
	does(s.who(who))
	<-done
	time.Sleep(100 * time.Millisecond)
	s.settle()
	s.settle()
}

// oneTalks fails unless A talks to one of two, and the other one is in no call.
func (s *trial) oneTalks(x, y string) {
	s.t.Helper()
	for _, who := range []string{x, y} {
		if s.doing() == "A talks, "+who+" talks" {
			s.talk("A" + who)
			return
		}
	}
	s.t.Errorf("%s: %s", s.title, s.doing())
}

// allHangUp ends what there is.
func (s *trial) allHangUp() {
	for _, a := range s.people {
		a.hangUp()
		s.settle()
	}
	s.settle()
}

// park sends the other party to a parking place: by REFER, by BYE with Also, by
// hook-flash.
func (s *trial) park(letter, code string) {
	s.t.Helper()
	if a, analog := s.who(letter).(*analogPerson); analog {
		a.flash()
		a.call(code)                // it is lifted: it dials
		time.Sleep(3 * time.Second) // the code may go on
		s.settle()
	} else {
		s.user(letter).send(code)
	}
	s.until(letter, idle)
	s.settle()
}

// Park and retrieve (RFC 5359 §2.17): B parks A, whom C retrieves.
func TestParkOfAllKinds(t *testing.T) {
	const bParksA = `
		B sends *701, unless B is analog
		B hears 200, unless B is analog, unless B is old
		B is sent away, unless B is analog, unless B is old
		B nods, unless B is analog, unless B is old
		B nods, unless B is analog, unless B is old
		B nods, unless B is analog, unless B is old
		B flashes, unless B is sip
		A is held, unless B is sip
		A agrees, unless B is sip
		B presses *701, unless B is sip
		A is taken back, unless B is sip
		B is told, unless B is sip
		A agrees, unless B is sip
	`
	parks := func(s *trial) {
		s.talking("A", "B", "202")
		s.park("B", "*701")
	}
	calls := withMusic
	calls.ParkFor = 6 * time.Second
	service{
		people: 3, text: officeCodes, calls: calls,
		play: func(s *trial) {
			parks(s)
			s.listens("A")
			s.rung("A is parked")
			s.who("C").call("*711")
			s.until("C", talks)
			s.settle()
			s.rung("C talks")
			s.talk("AC")
			s.listens("")
			s.who("A").hangUp()
		},
		ladder: aCallsB + bParksA + `
			C calls *711
			C waits
			C is answered
			A hangs up
			C is told`,
		fails: []failure{
			{"nobody is parked", func(s *trial) { s.callsInVain("C", "*711") }, `
				C calls *711
				C is refused 404`},
			{"B hangs up right behind the code", func(s *trial) {
				if s.cast[1] != "analog" {
					return
				}
				s.talking("A", "B", "202")
				s.user("B").send("*701")
				s.settle()
				s.finds("A talks")
				s.listens("A")
				s.who("C").call("*711")
				s.until("C", talks)
				s.settle()
				s.finds("A talks, C talks")
			}, ""},
			{"A has left", func(s *trial) {
				parks(s)
				s.who("A").hangUp()
				s.settle()
				s.callsInVain("C", "*711")
			}, ""},
			{"two retrieve A at once", func(s *trial) {
				parks(s)
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.who("B").call("*711")
				}()
				s.who("C").call("*711")
				<-done
				time.Sleep(3200 * time.Millisecond)
				s.settle()
				s.oneTalks("B", "C")
			}, ""},
			{"A leaves as C retrieves it", func(s *trial) {
				parks(s)
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.who("C").call("*711")
				}()
				time.Sleep(25 * time.Millisecond)
				s.who("A").hangUp()
				<-done
				time.Sleep(3200 * time.Millisecond)
				s.settle()
				s.settle()
				s.finds("")
			}, ""},
			{"nobody retrieves A, B is called", func(s *trial) {
				parks(s)
				s.untilIn(time.Minute, "B", rings)
				s.who("B").answer()
				s.settle()
				s.talk("AB")
				s.listens("")
				s.who("B").hangUp()
			}, ""},
			{"B does not answer, and C retrieves A", func(s *trial) {
				parks(s)
				s.untilIn(time.Minute, "B", rings)
				s.untilIn(time.Minute, "B", idle)
				time.Sleep(time.Second)
				s.listens("A")
				s.who("C").call("*711")
				s.until("C", talks)
				s.settle()
				s.talk("AC")
				s.who("C").hangUp()
			}, ""},
			{"C retrieves A while B is called", func(s *trial) {
				parks(s)
				s.untilIn(time.Minute, "B", rings)
				s.who("C").call("*711")
				s.until("C", talks)
				s.settle()
				s.finds("A talks, C talks")
			}, ""},
		},
	}.run(t, append(casts(3), withTown(3, 0)...))
}
