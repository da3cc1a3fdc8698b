package lab

import (
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// musicMark is what a held party hears in these scenes: as if somebody spoke who
// is none of the people.
const musicMark = firstMark

type music struct{}

func (music) Read(pcm []int16) int {
	code := make([]byte, len(pcm))
	for i := range code {
		code[i] = musicMark
	}
	g711.MuLaw.Decode(pcm, code)
	return len(pcm)
}

// ringTime is how long a place rings in these scenes.
const ringTime = 2 * time.Second

var withMusic = b2bua.Config{Music: func() media.Source { return music{} }, RingFor: ringTime}

// listens fails unless those named hear music, and nobody else does.
func (s *trial) listens(letters string) {
	s.t.Helper()
	time.Sleep(2 * lull)
	before := make([]int, len(s.people))
	for i, a := range s.people {
		before[i] = a.heard(musicMark)
	}
	time.Sleep(100 * time.Millisecond)
	for i, a := range s.people {
		n, want := a.heard(musicMark)-before[i], 0
		for _, l := range letters {
			if letter(i) == string(l) {
				want = 4
			}
		}
		if n < want || want == 0 && n > 0 {
			s.t.Errorf("%s: %s heard %d frames of music in 100 ms\n%s", s.title, letter(i), n, s.Wire.Figure())
		}
	}
}

// talking has two people in a call.
func (s *trial) talking(from, to, number string) {
	s.t.Helper()
	s.who(from).call(number)
	s.until(to, rings)
	s.settle()
	s.who(to).answer()
	s.until(from, talks)
	s.settle()
}

// aCallsB is the beginning of each ladder here.
const aCallsB = `
	A calls 202
	B is called
	A waits
	B rings
	A hears ringing
	B answers
	A is answered
`

// bHoldsA and bRetrievesA: a re-INVITE, or the hook-flash.
const (
	bHoldsA = `
		B holds
		A is held
		B acks
		A agrees
	`
	bRetrievesA = `
		B retrieves
		A is taken back
		B acks
		A agrees
	`
)

// fromTown are casts of who is called from the town: the first is at the other end
// of a line there, the others at telephones of all kinds.
func fromTown(n int) (all [][]string) {
	for _, cast := range casts(n - 1) {
		all = append(all, append([]string{"town"}, cast...))
	}
	return all
}

// someFromTown are three of them, in which each kind of telephone stands at each of
// two places.
func someFromTown() (all [][]string) {
	for i, kind := range kinds {
		all = append(all, []string{"town", kind, kinds[(i+1)%len(kinds)]})
	}
	return all
}

// Hold (draft 2.1, RFC 5359 §2.1): A calls B, who holds A and takes A back. A line
// to the town hears the music too.
func TestHoldOfAllKinds(t *testing.T) {
	for _, cast := range append(casts(2), fromTown(2)...) {
		service{
			people: 2, calls: withMusic,
			play: func(s *trial) {
				s.talking("A", "B", "202")
				s.user("B").hold()
				s.rung("B holds")
				s.talk()
				s.listens("A")
				s.user("B").retrieve()
				s.settle()
				s.talk("AB")
				s.listens("")
				s.who("A").hangUp()
			},
			ladder: aCallsB + bHoldsA + bRetrievesA + "A hangs up\nB is told",
			leaves: map[string]string{"B holds: B": by(cast[1], "", "A talks, B rings")},
			fails: []failure{
				{name: "hold of a hold", play: func(s *trial) {
					if cast[0] == "town" {
						return // what the town holds we are not told
					}
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.settle()
					s.user("A").hold()
					s.settle()
					s.talk()
					s.user("A").retrieve()
					s.settle()
					s.talk()
					s.listens("A")
					s.user("B").retrieve()
					s.settle()
					s.talk("AB")
				}},
				{name: "both hold at once", play: func(s *trial) {
					if cast[0] == "town" {
						return
					}
					s.talking("A", "B", "202")
					s.user("A").hold()
					s.user("B").hold()
					time.Sleep(5 * time.Second) // after a 491, again
					s.talk()
					s.user("A").retrieve()
					time.Sleep(5 * time.Second)
					if cast[0] == "analog" && cast[1] == "analog" {
						s.talk("AB") // of two flashes at once the first counts
						return
					}
					s.user("B").retrieve()
					time.Sleep(5 * time.Second)
					s.talk("AB")
				}},
				{name: "A hangs up as B holds", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.user("B").hold()
					s.who("A").hangUp()
					s.settle()
					s.finds("")
				}},
				{name: "both hang up at once", play: func(s *trial) {
					s.talking("A", "B", "202")
					s.who("A").hangUp()
					s.who("B").hangUp()
					s.settle()
					s.finds("")
				}},
			},
		}.run(t, [][]string{cast})
	}
}
