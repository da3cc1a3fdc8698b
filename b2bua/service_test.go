package b2bua_test

import (
	"sync"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

func TestEcho(t *testing.T) {
	flow.Test(t, flow.Office+"[features]\necho = \"*43\"\n", func(f *flow.Flow) {
		f.Alice.Calls("*43")
		f.HearsOnly(f.Alice, f.Alice)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE *43
			b2bua -> alice  200
			alice -> b2bua  BYE`)
		f.Ended("alice", "alice hung up")
	})
}

// users keeps settings in memory.
type users struct {
	mu  sync.Mutex
	set map[string]dialplan.Settings
}

func (u *users) Settings(extension string) dialplan.Settings {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.set[extension]
}

func (u *users) Change(extension string, to func(*dialplan.Settings)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.set[extension]
	to(&s)
	u.set[extension] = s
	return nil
}

func TestForwardingFromThePhone(t *testing.T) {
	flow.TestWith(t, flow.Numbered, b2bua.Config{Users: &users{set: map[string]dialplan.Settings{}}}, func(f *flow.Flow) {
		f.Bob.Calls("*72103")
		f.Ladder("bob -> b2bua INVITE *72103\nb2bua -> bob 200\nb2bua -> bob BYE")
		f.Alice.Calls("102")
		f.Ladder("alice -> b2bua INVITE 102\nb2bua -> carol INVITE (diverted: unconditional)")
		f.Alice.HangsUp()
		f.Bob.Calls("*73")
		f.Settle()
		f.Alice.Calls("102")
		f.Ladder(`
			alice -> b2bua CANCEL
			b2bua -> carol CANCEL
			bob   -> b2bua INVITE *73
			b2bua -> bob 200
			b2bua -> bob BYE
			alice -> b2bua INVITE 102
			b2bua -> bob INVITE`)
		f.Alice.HangsUp()
	})
}

// Nobody forwards to where the phone itself may not call.
func TestForwardingToAForbiddenNumberIsRefused(t *testing.T) {
	flow.TestWith(t, flow.Numbered, b2bua.Config{Users: &users{set: map[string]dialplan.Settings{}}}, func(f *flow.Flow) {
		f.Bob.Calls("*7200441632960000")
		f.Ended("b2bua", "can't forward to")
		f.Alice.CallsAs(leg.Source{Kind: leg.Peer, Name: "itsp"}, "*72103") // only a phone has settings
		f.Settle()
		f.Alice.Calls("102")
		f.Bob.Answers() // it is not forwarded
		f.Alice.HangsUp()
	})
}

func TestDoNotDisturb(t *testing.T) {
	flow.TestWith(t, flow.Numbered, b2bua.Config{Users: &users{set: map[string]dialplan.Settings{}}}, func(f *flow.Flow) {
		f.Bob.Calls("*78")
		f.Settle()
		f.Alice.Calls("102")
		f.Ladder(`
			bob   -> b2bua INVITE *78
			b2bua -> bob   200
			b2bua -> bob   BYE
			alice -> b2bua INVITE 102
			b2bua -> alice 486`)
		f.Bob.Calls("*79")
		f.Settle()
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Alice.HangsUp()
	})
}

func TestPickup(t *testing.T) { // RFC 5359 §2.11
	for _, code := range []string{"*8", "*88102"} {
		flow.Test(t, flow.Numbered, func(f *flow.Flow) {
			f.Alice.Calls("102")
			f.Bob.Rings()
			f.Carol.Calls(code)
			f.Hears(f.Alice, f.Carol)
			f.Alice.HangsUp()
			f.Ladder(`
				alice -> b2bua  INVITE 102
				b2bua -> bob    INVITE
				bob   -> b2bua  180
				b2bua -> alice  180
				carol -> b2bua  INVITE ` + code + `
				b2bua -> carol  200
				b2bua -> bob    CANCEL
				b2bua -> alice  200
				alice -> b2bua  BYE
				b2bua -> carol  BYE`)
		})
	}
	t.Run("nothing rings", func(t *testing.T) {
		flow.Test(t, flow.Numbered, func(f *flow.Flow) {
			f.Carol.Calls("*88102")
			f.Ladder("carol -> b2bua INVITE *88102\nb2bua -> carol 404")
			f.Ended("b2bua", "nothing rings at 102")
		})
	})
}

func TestParkAndRetrieve(t *testing.T) { // RFC 5359 §2.17
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Refers("*701")
		f.Carol.Calls("*711")
		f.Hears(f.Alice, f.Carol)
		f.Carol.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE 102
			b2bua -> bob    INVITE
			bob   -> b2bua  200
			b2bua -> alice  200
			bob   -> b2bua  REFER *701
			b2bua -> bob    NOTIFY 100
			b2bua -> bob    UPDATE 1
			b2bua -> bob    NOTIFY 200
			b2bua -> bob    BYE
			carol -> b2bua  INVITE *711
			b2bua -> carol  200
			b2bua -> alice  UPDATE carol
			b2bua -> carol  UPDATE alice
			carol -> b2bua  BYE
			b2bua -> alice  BYE`)
	})
}

func TestParkedTooLong(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Refers("*70")
		f.Wait(3 * time.Minute) // bob is called
		f.Bob.Refuses(486)      // and is busy: alice waits on
		f.Wait(3 * time.Minute)
		f.Bob.Answers()
		f.Hears(f.Alice, f.Bob)
		f.Carol.Calls("*711") // the place is free again
		f.Ended("b2bua", "nobody is parked")
		f.Alice.HangsUp()
	})
}

func TestParkedPartyHangsUp(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Refers("*705")
		f.Alice.HangsUp()
		f.Carol.Calls("*715")
		f.Ended("b2bua", "nobody is parked")
	})
}

func TestParkingPlaceTaken(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Refers("*701")
		f.Carol.Calls("104")
		f.Dave.Answers()
		f.Dave.Refers("*701")
		f.Hears(f.Carol, f.Dave) // dave has carol again
		f.Carol.HangsUp()
		f.Alice.HangsUp()
	})
}

func TestThreeWayByCode(t *testing.T) { // RFC 5359 §2.10, for phones that can't mix
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Holds()
		f.Bob.Calls("103")
		f.Carol.Answers()
		f.Bob.Calls("*3")
		f.Settle()
		f.Bob.Resumes()
		f.Hears(f.Alice, f.Bob)
		f.Hears(f.Alice, f.Carol)
		f.Hears(f.Bob, f.Carol)
		f.Bob.HangsUp() // the two talk on
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
	})
}

func TestHostEndsConference(t *testing.T) { // draft §2.8
	flow.TestWith(t, flow.Numbered, b2bua.Config{HostEndsConference: true}, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Calls("103")
		f.Carol.Answers()
		f.Bob.Calls("*3")
		f.Hears(f.Alice, f.Carol)
		f.Bob.HangsUp()
		f.Ended("bob", "hung up")
	})
}

func TestThreeWayNeedsTwoCalls(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Bob.Calls("*3")
		f.Ended("b2bua", "102 has 0")
	})
}

func TestRedial(t *testing.T) {
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Alice.Calls("*69")
		f.Ended("b2bua", "has not called anybody yet")
		f.Alice.Calls("103")
		f.Carol.Refuses(603)
		f.Alice.Calls("*69")
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
	})
}

func TestCallBackWhenFree(t *testing.T) { // RFC 5359 §2.18
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		f.Carol.Calls("102")
		f.Bob.Answers()
		f.Alice.Calls("102")
		f.Bob.Refuses(486)
		f.Alice.Calls("*66")
		f.Settle()
		f.Wait(time.Minute)
		f.Ladder(`
			carol -> b2bua  INVITE 102
			b2bua -> bob    INVITE
			bob   -> b2bua  200
			b2bua -> carol  200
			alice -> b2bua  INVITE 102
			b2bua -> bob    INVITE
			bob   -> b2bua  486
			b2bua -> alice  486
			alice -> b2bua  INVITE *66
			b2bua -> alice  200
			b2bua -> alice  BYE`)
		f.Carol.HangsUp()
		f.Wait(5 * time.Second) // bob is free: alice is called, then bob
		f.Alice.Answers()
		f.Bob.Answers()
		f.Hears(f.Alice, f.Bob)
		f.Alice.HangsUp()
	})
}

func TestClickToDial(t *testing.T) { // RFC 5359 §2.19
	flow.Test(t, flow.Numbered, func(f *flow.Flow) {
		if _, err := f.X.Originate("101", "103"); err != nil {
			t.Fatal(err)
		}
		f.Alice.Answers()
		f.Carol.Rings()
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Carol.HangsUp()
		f.Ladder(`
			b2bua -> alice  INVITE
			alice -> b2bua  200
			b2bua -> carol  INVITE
			carol -> b2bua  180
			carol -> b2bua  200
			b2bua -> alice  UPDATE carol
			carol -> b2bua  BYE
			b2bua -> alice  BYE`)
		if _, err := f.X.Originate("999", "103"); err == nil {
			t.Error("a call of an extension that does not exist was begun")
		}
		f.X.Originate("101", "103")
		f.Alice.Refuses(486)
		f.X.Originate("101", "999")
		f.Alice.Answers()
		f.Ended("b2bua", "999")
	})
}
