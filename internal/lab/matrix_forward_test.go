package lab

import "testing"

// Forwarding unconditional (draft 2.5, RFC 5359 §2.7): A calls B, whose calls go to C.
func TestForwardAlwaysOfAllKinds(t *testing.T) {
	service{
		people: 3,
		text:   "[[phone]]\nextension = \"501\"\nforward = { always = \"203\" }\n",
		play: func(s *trial) {
			s.who("A").call("501")
			s.until("C", rings)
			s.rung("C rings")
			s.who("C").answer()
			s.until("A", talks)
			s.rung("C answers")
			s.talk("AC")
			s.who("A").hangUp()
		},
		ladder: `
			A calls 501
			C is called
			A waits
			C rings
			A hears ringing
			C answers
			A is answered
			A hangs up
			C is told`,
	}.run(t, casts(3))
}
