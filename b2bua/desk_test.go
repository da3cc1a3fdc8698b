package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
)

// alice, with an analog telephone, talks to bob and has called carol.
func consulting(f *flow.Flow) {
	f.Alice.Calls("102")
	f.Bob.Answers()
	f.Alice.Flashes()
	f.Deaf(f.Bob, f.Alice)
	f.Alice.Dials("103")
	f.Carol.Rings()
	f.Carol.Answers()
	f.Hears(f.Alice, f.Carol)
	f.Deaf(f.Bob, f.Carol)
}

func TestFlashConsultationAndThreeWay(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		consulting(f)
		f.Alice.Flashes()
		f.Hears(f.Alice, f.Bob)
		f.Hears(f.Bob, f.Carol)
		f.Alice.Flashes() // the last to come is let go
		f.Hears(f.Alice, f.Bob)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE 102
			b2bua -> bob    INVITE
			bob   -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  flash
			b2bua -> bob    INVITE (hold)
			alice -> b2bua  DTMF 103
			b2bua -> carol  INVITE
			carol -> b2bua  180
			carol -> b2bua  200
			alice -> b2bua  flash
			b2bua -> bob    INVITE (resume)
			alice -> b2bua  flash
			b2bua -> carol  BYE
			b2bua -> alice  UPDATE bob
			b2bua -> bob    UPDATE alice
			alice -> b2bua  BYE
			b2bua -> bob    BYE`)
	})
}

func TestFlashSwaps(t *testing.T) {
	flow.TestWith(t, flow.Numbered, b2bua.Config{FlashSwaps: true}, func(f *flow.Flow) {
		consulting(f)
		f.Alice.Flashes()
		f.Hears(f.Alice, f.Bob)
		f.Deaf(f.Carol, f.Alice)
		f.Alice.Flashes()
		f.Hears(f.Alice, f.Carol)
		f.Carol.HangsUp()
		f.Hears(f.Alice, f.Bob)
		f.Bob.HangsUp()
	})
}

// Hanging up with two calls transfers.
func TestFlashTransfer(t *testing.T) {
	t.Run("after the answer", func(t *testing.T) {
		flow.Test(t, flow.Numbered, func(f *flow.Flow) {
			consulting(f)
			f.Alice.HangsUp()
			f.Hears(f.Bob, f.Carol)
			f.Bob.HangsUp()
		})
	})
	t.Run("before the answer", func(t *testing.T) {
		flow.Test(t, flow.Numbered, func(f *flow.Flow) {
			f.Alice.Calls("102")
			f.Bob.Answers()
			f.Alice.Flashes()
			f.Alice.Dials("103")
			f.Carol.Rings()
			f.Alice.HangsUp()
			f.Carol.Answers()
			f.Hears(f.Bob, f.Carol)
			f.Carol.HangsUp()
		})
	})
}

func TestFlashAndBack(t *testing.T) {
	for name, act := range map[string]func(f *flow.Flow){
		"flash":          func(f *flow.Flow) { f.Alice.Flashes() },
		"no digit":       func(f *flow.Flow) { f.Wait(20 * time.Second) },
		"busy":           func(f *flow.Flow) { f.Alice.Dials("103"); f.Carol.Refuses(486) },
		"unknown":        func(f *flow.Flow) { f.Alice.Dials("999") },
		"while it rings": func(f *flow.Flow) { f.Alice.Dials("103"); f.Carol.Rings(); f.Alice.Flashes() },
		"third leaves":   func(f *flow.Flow) { f.Alice.Dials("103"); f.Carol.Answers(); f.Carol.HangsUp() },
	} {
		t.Run(name, func(t *testing.T) {
			flow.Test(t, flow.Numbered, func(f *flow.Flow) {
				f.Alice.Calls("102")
				f.Bob.Answers()
				f.Alice.Flashes()
				act(f)
				f.Hears(f.Alice, f.Bob)
				f.Alice.HangsUp()
			})
		})
	}
}

// A telephone that is hung up with a held party rings again.
func TestHangingUpOnAHeldParty(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Alice.Flashes()
		f.Alice.HangsUp()
		f.Alice.Rings()
		f.Alice.Answers()
		f.Hears(f.Alice, f.Bob)
		f.Bob.HangsUp()
	})
}

func TestHeldPartyLeaves(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		consulting(f)
		f.Bob.HangsUp()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
	})
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Alice.Flashes()
		f.Bob.HangsUp()
		f.Settle()
	})
}

func TestFlashAndPark(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Alice.Flashes()
		f.Alice.Dials("*701")
		f.Wait(5 * time.Second) // *70 is complete without a slot: the timer decides
		f.Carol.Calls("*711")
		f.Hears(f.Bob, f.Carol)
		f.Carol.HangsUp()
	})
}

// Bob holds while alice, who has flashed, dials or waits for carol: when she has
// him again she is held.
func TestHeldPartyHoldsMeanwhile(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Alice.Flashes()
		f.Bob.Holds()
		f.Alice.Flashes()
		f.Deaf(f.Alice, f.Bob)
		f.Bob.Resumes()
		f.Hears(f.Alice, f.Bob)
		f.Alice.Flashes()
		f.Alice.Dials("103")
		f.Bob.Holds()
		f.Bob.Resumes() // and thinks better of it
		f.Carol.Refuses(486)
		f.Hears(f.Alice, f.Bob)
		f.Bob.HangsUp()
	})
}
