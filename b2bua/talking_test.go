package b2bua_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"crosspoint/b2bua/flow"
)

func itoa(n int) string { return strconv.Itoa(n) }

const aliceTalksToBob = `
	alice -> b2bua  INVITE bob
	b2bua -> bob    INVITE
	bob   -> b2bua  200
	b2bua -> alice  200`

func talking(f *flow.Flow) {
	f.Alice.Calls("bob")
	f.Bob.Answers()
	f.Ladder(aliceTalksToBob)
}

func TestHold(t *testing.T) { // RFC 5359 §2.1
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Holds()
		f.Deaf(f.Bob, f.Alice)
		f.Deaf(f.Alice, f.Bob)
		f.Bob.Resumes()
		f.Hears(f.Alice, f.Bob)
		f.Alice.HangsUp()
		f.Ladder(`
			bob   -> b2bua  INVITE (hold)
			b2bua -> alice  INVITE (hold)
			bob   -> b2bua  INVITE (resume)
			b2bua -> alice  INVITE (resume)
			alice -> b2bua  BYE
			b2bua -> bob    BYE`)
	})
}

func TestBothHold(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Holds()
		f.Alice.Holds()
		f.Bob.Resumes()
		f.Deaf(f.Bob, f.Alice) // alice still holds
		f.Deaf(f.Alice, f.Bob)
		f.Alice.Resumes()
		f.Hears(f.Alice, f.Bob)
		f.Bob.Holds() // and a hang-up while held
		f.Alice.HangsUp()
		f.Ladder(`
			bob   -> b2bua  INVITE (hold)
			b2bua -> alice  INVITE (hold)
			alice -> b2bua  INVITE (hold)
			b2bua -> bob    INVITE (hold)
			bob   -> b2bua  INVITE (resume)
			b2bua -> alice  INVITE (resume)
			alice -> b2bua  INVITE (resume)
			b2bua -> bob    INVITE (resume)
			bob   -> b2bua  INVITE (hold)
			b2bua -> alice  INVITE (hold)
			alice -> b2bua  BYE
			b2bua -> bob    BYE`)
	})
}

func TestDigitBySignalling(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Presses('5')
		f.Alice.HangsUp()
		f.Ladder(`
			bob   -> b2bua  INFO 5
			b2bua -> alice  digit 5
			alice -> b2bua  BYE
			b2bua -> bob    BYE`)
	})
}

func TestOneWayAudioIsReported(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.FallsSilent()
		if f.Log.Line("one-way audio", "nothing is heard from bob", "check=") == "" {
			t.Error("one-way audio is not reported")
		}
		f.Alice.FallsSilent()
		if f.Log.Line("no audio", "either party") == "" {
			t.Error("silence of both is not reported")
		}
		f.Bob.FallsSilent() // once in the record is enough
		f.Alice.HangsUp()
		f.Settle()
		if got := f.Records[0].Silent; !slices.Equal(got, []string{"bob", "alice"}) {
			t.Errorf("the record names %v", got)
		}
	})
}

func TestCallsInProgressCanBeAsked(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Wait(90 * time.Second)
		calls := f.X.Calls()
		if len(calls) != 1 || calls[0].State != "talking" || calls[0].Talked() != 90*time.Second || calls[0].Answerer != "bob" {
			t.Errorf("calls: %+v", calls)
		}
		if r, ok := f.X.Find(calls[0].ID); !ok || r.Dialed != "bob" {
			t.Error("the call is not found by its id")
		}
		f.Alice.HangsUp()
		if r, ok := f.X.Find(calls[0].ID); !ok || r.State != "ended" {
			t.Error("the ended call is not found by its id")
		}
		if _, ok := f.X.Find("nonsense"); ok {
			t.Error("a call was found that never was")
		}
	})
}
