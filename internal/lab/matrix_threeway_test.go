package lab

import (
	"strings"
	"testing"
	"time"
)

// hearEachOther has people of one call speak in turn: all the others of them hear
// that, and nobody else does. A mixer need not pass a frame on as it was: what
// counts is that something is heard.
func (s *trial) hearEachOther(letters string) {
	s.t.Helper()
	for _, speaker := range letters {
		began, before := time.Now(), make(map[string]int)
		for i, a := range s.people {
			before[letter(i)] = loud(a, began)
		}
		s.speech(200*time.Millisecond, s.who(string(speaker)))
		for i, a := range s.people {
			l := letter(i)
			if l == string(speaker) {
				continue
			}
			if hears := loud(a, began) > before[l]; hears != strings.Contains(letters, l) {
				s.t.Errorf("%s: that %s hears %c is %v\n%s", s.title, l, speaker, hears, s.Wire.Figure())
			}
		}
	}
}

// loud is how much somebody has heard, at whatever level, since a time or earlier.
func loud(a person, since time.Time) int {
	switch a := a.(type) {
	case *sipPerson:
		return a.l.Wire.Loud(rtpOf(a.p))
	case *analogPerson:
		return a.w.loudAfter(since)
	case *townPerson:
		return a.w.loudAfter(since)
	}
	return 0
}

func (w *pair) loudAfter(since time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loud.After(since) {
		return 1
	}
	return 0
}

// remain is who talks on when one of three has left, by the letter of who left.
var remain = map[string]string{"A": "B talks, C talks", "B": "A talks, C talks", "C": "A talks, B talks"}

// remain fails unless these two are left. If the flash came after the other one had
// gone, it has put them on hold, with dial tone for B.
func (s *trial) remain(two string) {
	s.t.Helper()
	if got := s.doing(); got != two {
		s.t.Errorf("%s: %q, want %q\n%s", s.title, got, two, s.Wire.Figure())
	}
}

// after is what remains when somebody leaves at a rung.
func after(rung string, left map[string]string) map[string]string {
	at := make(map[string]string)
	for who, then := range left {
		at[rung+": "+who] = then
	}
	return at
}

// bothTold are A and C as both are told that it is over: a line has no answer to
// wait for.
func bothTold(cast []string) string {
	words := "\nA is sent away\nC is sent away\n"
	for _, i := range []int{0, 2} {
		words += by(cast[i], "", letter(i)+" hears busy\n")
	}
	return words + "A nods\nC nods"
}

// B's phone mixes its two calls itself (draft 2.8): to the exchange these are two
// calls, neither of which is held.
func TestPhoneThatMixesOfAllKinds(t *testing.T) {
	for _, cast := range casts(3) {
		if cast[1] == "analog" {
			continue
		}
		service{
			people: 3, calls: withMusic,
			play: func(s *trial) {
				s.consults()
				s.user("B").retrieve()
				s.rung("three talk")
				s.talk("AB", "BC")
				s.listens("")
				s.sip("B").end()
				s.settle()
				s.who("B").hangUp()
			},
			ladder: bConsultsC(cast) + bRetrievesA + `
				B hangs up
				C is told
				B hangs up
				A is told`,
			leaves: after("three talk", map[string]string{"A": remain["A"], "C": remain["C"]}),
		}.run(t, [][]string{cast})
	}
}

// B's telephone has no mixer: it asks the exchange's, by a second hook-flash. When B
// leaves, the two others talk on, or it is over, as configured.
func TestThreeByFlashOfAllKinds(t *testing.T) {
	for _, two := range append(casts(2), fromTown(2)...) {
		cast := []string{two[0], "analog", two[1]}
		play := func(s *trial) {
			s.consults()
			s.user("B").retrieve() // a flash
			s.rung("three talk")
			s.hearEachOther("ABC")
			s.listens("")
			s.who("B").hangUp()
			s.settle()
		}
		joined := bConsultsC(cast) + `
			B flashes
			A is taken back
			A agrees
			B hangs up
		`
		t.Run("goes on", func(t *testing.T) {
			service{
				people: 3, calls: withMusic,
				play:   func(s *trial) { play(s); s.finds(remain["B"]); s.who("A").hangUp() },
				ladder: joined + "A hangs up\nC is told",
				leaves: after("three talk", remain),
				fails: []failure{
					{name: "A hangs up as B flashes", play: func(s *trial) {
						s.consults()
						s.who("A").hangUp()
						s.user("B").retrieve()
						s.settle()
						s.remain(remain["A"])
					}},
					{name: "C hangs up as B flashes", play: func(s *trial) {
						s.consults()
						s.who("C").hangUp()
						s.user("B").retrieve()
						s.settle()
						s.remain(remain["C"])
					}},
					{name: "B lets C go", play: func(s *trial) {
						play(s)
						s.who("A").hangUp()
					}},
				},
			}.run(t, [][]string{cast})
		})
		t.Run("ends with B", func(t *testing.T) {
			calls := withMusic
			calls.HostEndsConference = true
			service{
				people: 3, calls: calls,
				play:   func(s *trial) { play(s); s.finds("") },
				ladder: joined + bothTold(cast),
				leaves: after("three talk", map[string]string{"A": remain["A"], "C": remain["C"]}),
			}.run(t, [][]string{cast})
		})
	}
}

// B's SIP phone has no mixer: it holds both, and dials the code. The exchange
// joins the two calls into one, of which B keeps its first leg.
func TestThreeByCodeOfAllKinds(t *testing.T) {
	for _, cast := range append(casts(3), someFromTown()...) {
		if cast[1] == "analog" {
			continue
		}
		service{
			people: 3, calls: withMusic,
			text: "[features]\nthree_way = \"*3\"\n",
			play: func(s *trial) {
				s.consults()
				s.user("B").hold()
				s.settle()
				s.talk()
				s.who("B").call("*3")
				time.Sleep(time.Second) // the tone that confirms it
				s.user("B").retrieve()
				s.rung("three talk")
				s.hearEachOther("ABC")
				s.listens("")
				s.who("B").hangUp()
				s.settle()
				s.finds(remain["B"])
				s.who("A").hangUp()
			},
			ladder: bConsultsC(cast) + `
				B holds
				C is held
				B acks
				C agrees
				B calls *3
				A is taken back
				C is taken back
				B waits
				B gets 200
				B is sent away
				B acks
				B nods
				A agrees
				C agrees
				B is sent away
				B nods
				B retrieves
				B acks
				B hangs up
				A hangs up
				C is told`,
			leaves: after("three talk", remain),
			fails: []failure{
				{name: "with one call", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.who("B").call("*3")
					s.takesBack()
				}},
				{name: "C hangs up as B joins", play: func(s *trial) {
					s.consults()
					s.user("B").hold()
					s.settle()
					s.who("C").hangUp()
					s.who("B").call("*3")
					s.settle()
				}},
				{name: "A hangs up as B joins", play: func(s *trial) {
					s.consults()
					s.user("B").hold()
					s.settle()
					s.who("B").call("*3")
					time.Sleep(20 * time.Millisecond) // the challenge
					s.who("A").hangUp()
					s.settle()
				}},
			},
		}.run(t, [][]string{cast})
	}
}

// A flash lets the telephone talk to the one and to the other in turn, where it is
// configured so.
func TestSwapOfAllKinds(t *testing.T) {
	calls := withMusic
	calls.FlashSwaps = true
	for _, two := range casts(2) {
		cast := []string{two[0], "analog", two[1]}
		service{
			people: 3, calls: calls,
			play: func(s *trial) {
				s.consults()
				s.user("B").retrieve()
				s.rung("B talks to A")
				s.talk("AB")
				s.listens("C")
				s.user("B").hold()
				s.settle()
				s.talk("BC")
				s.listens("A")
				s.who("B").hangUp()
				s.settle()
				s.finds(remain["B"])
				s.who("C").hangUp()
			},
			ladder: bConsultsC(cast) + `
				B flashes
				A is taken back
				C is held
				A agrees
				C agrees
				B flashes
				C is taken back
				A is held
				A agrees
				C agrees
				B hangs up
				A is taken back
				A agrees
				C hangs up
				A is told`,
			leaves: after("B talks to A", remain),
		}.run(t, [][]string{cast})
	}
}

// The phone that B calls after its flash sends its callers to D (302): B talks to D.
func TestFlashToWhoHasMoved(t *testing.T) {
	for _, two := range casts(2) {
		cast := []string{two[0], "analog", "new", two[1]}
		moved := func(s *trial) {
			c := s.sip("C")
			c.mu.Lock()
			c.refuse, c.moved = 302, []string{"Contact: <sip:204@127.0.0.1>"}
			c.mu.Unlock()
			s.talking("A", "B", "202")
			s.user("B").hold()
			s.settle()
			s.who("B").call("203")
		}
		service{
			people: 4, calls: withMusic,
			play: func(s *trial) {
				moved(s)
				s.until("D", rings)
				s.settle()
				s.who("D").answer()
				s.rung("D answers")
				s.talk("BD")
				s.listens("A")
				s.who("B").hangUp()
				s.settle()
				s.talk("AD")
				s.who("A").hangUp()
			},
			ladder: aCallsB + `
				B flashes
				A is held
				A agrees
				B presses 203
				C moves
				D is called
				D rings
				D answers
				B hangs up
				A is taken back
				A agrees
				A hangs up
				D is told`,
			leaves: map[string]string{
				"D answers: A": "B talks, D talks", "D answers: B": "A talks, D talks", "D answers: D": "A talks, B talks",
			},
			fails: []failure{
				{name: "D is busy", play: func(s *trial) {
					s.who("D").busy(true)
					moved(s)
					s.tried()
					s.talk("AB")
				}},
				{name: "B has A again before D answers", play: func(s *trial) {
					moved(s)
					s.until("D", rings)
					s.user("B").retrieve() // B flashes before D answers
					s.settle()
					s.finds("A talks, B talks")
				}},
			},
		}.run(t, [][]string{cast})
	}
}
