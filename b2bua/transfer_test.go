package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua/flow"
	"crosspoint/b2bua/leg"
)

func TestUnattendedTransfer(t *testing.T) { // RFC 5359 §2.4
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Refers("carol")
		f.Carol.Rings()
		f.Deaf(f.Alice, f.Bob)
		f.Wait(3 * time.Second)
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
		f.Ladder(`
			bob   -> b2bua  REFER carol
			b2bua -> bob    NOTIFY 100
			b2bua -> carol  INVITE
			carol -> b2bua  180
			b2bua -> bob    NOTIFY 180
			carol -> b2bua  200
			b2bua -> bob    NOTIFY 200
			b2bua -> bob    BYE
			b2bua -> alice  UPDATE carol
			alice -> b2bua  BYE
			b2bua -> carol  BYE`)
	})
}

// The caller may transfer as well as the callee.
func TestCallerTransfers(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Alice.Refers("carol")
		f.Carol.Answers()
		f.Hears(f.Bob, f.Carol)
		f.Carol.HangsUp()
		f.Ladder(`
			alice -> b2bua  REFER carol
			b2bua -> alice  NOTIFY 100
			b2bua -> carol  INVITE
			carol -> b2bua  200
			b2bua -> alice  NOTIFY 200
			b2bua -> alice  BYE
			b2bua -> bob    UPDATE carol
			carol -> b2bua  BYE
			b2bua -> bob    BYE`)
	})
}

// As in the draft's figure: A sends B to C, then C sends B to D.
func TestChainedTransferOf1999(t *testing.T) { // draft §2.3
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Alice.LeavesTo("carol")
		f.Carol.Rings()
		f.Carol.Answers()
		f.Hears(f.Bob, f.Carol)
		f.Carol.LeavesTo("dave")
		f.Dave.Rings()
		f.Dave.Answers()
		f.Hears(f.Bob, f.Dave)
		f.Bob.HangsUp()
		f.Ladder(`
			alice -> b2bua  BYE (Also carol)
			b2bua -> carol  INVITE
			carol -> b2bua  180
			carol -> b2bua  200
			b2bua -> bob    UPDATE carol
			carol -> b2bua  BYE (Also dave)
			b2bua -> dave   INVITE
			dave  -> b2bua  180
			dave  -> b2bua  200
			b2bua -> bob    UPDATE dave
			bob   -> b2bua  BYE
			b2bua -> dave   BYE`)
	})
}

func TestTransferFails(t *testing.T) {
	t.Run("busy", func(t *testing.T) {
		flow.Test(t, "", func(f *flow.Flow) {
			talking(f)
			f.Bob.Refers("carol")
			f.Carol.Refuses(486)
			f.Hears(f.Alice, f.Bob) // bob has her again
			f.Bob.HangsUp()
			f.Ladder(`
				bob   -> b2bua  REFER carol
				b2bua -> bob    NOTIFY 100
				b2bua -> carol  INVITE
				carol -> b2bua  486
				b2bua -> bob    NOTIFY 486
				bob   -> b2bua  BYE
				b2bua -> alice  BYE`)
		})
	})
	t.Run("busy while held", func(t *testing.T) {
		flow.Test(t, "", func(f *flow.Flow) {
			talking(f)
			f.Bob.Holds()
			f.Bob.Refers("carol")
			f.Carol.Refuses(486)
			f.Deaf(f.Alice, f.Bob) // still held
			f.Bob.Resumes()
			f.Hears(f.Alice, f.Bob)
			f.Bob.HangsUp()
		})
	})
	t.Run("no answer", func(t *testing.T) {
		flow.Test(t, "", func(f *flow.Flow) {
			talking(f)
			f.Bob.Refers("carol")
			f.Carol.Rings()
			f.Wait(30 * time.Second) // not the 3 minutes of a caller
			f.Hears(f.Alice, f.Bob)
			f.Bob.HangsUp()
			f.Ladder(`
				bob   -> b2bua  REFER carol
				b2bua -> bob    NOTIFY 100
				b2bua -> carol  INVITE
				carol -> b2bua  180
				b2bua -> bob    NOTIFY 180
				b2bua -> carol  CANCEL
				b2bua -> bob    NOTIFY 480
				bob   -> b2bua  BYE
				b2bua -> alice  BYE`)
		})
	})
	t.Run("unknown", func(t *testing.T) {
		flow.Test(t, "", func(f *flow.Flow) {
			talking(f)
			f.Bob.Refers("zebra")
			f.Hears(f.Alice, f.Bob)
			f.Bob.HangsUp()
			f.Ladder(`
				bob   -> b2bua  REFER zebra
				b2bua -> bob    NOTIFY 100
				b2bua -> bob    NOTIFY 404
				bob   -> b2bua  BYE
				b2bua -> alice  BYE`)
		})
	})
	t.Run("nobody left", func(t *testing.T) {
		flow.Test(t, "", func(f *flow.Flow) {
			talking(f)
			f.Bob.LeavesTo("carol")
			f.Carol.Refuses(486)
			f.Ladder(`
				bob   -> b2bua  BYE (Also carol)
				b2bua -> carol  INVITE
				carol -> b2bua  486
				b2bua -> alice  BYE`)
			f.Ended("carol", "user busy")
		})
	})
}

// The transferor may hang up right after the 202; the transfer goes on.
func TestTransferorLeavesAtOnce(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Refers("carol")
		f.Bob.HangsUp()
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
		f.Ladder(`
			bob   -> b2bua  REFER carol
			b2bua -> bob    NOTIFY 100
			b2bua -> carol  INVITE
			bob   -> b2bua  BYE
			carol -> b2bua  200
			b2bua -> alice  UPDATE carol
			alice -> b2bua  BYE
			b2bua -> carol  BYE`)
	})
}

func TestTransfereeHangsUpMeanwhile(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Refers("carol")
		f.Carol.Rings()
		f.Alice.HangsUp()
		f.Ended("alice", "alice hung up")
		f.Settle()
	})
}

func TestAttendedTransfer(t *testing.T) { // RFC 5359 §2.5
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Holds()
		f.Bob.Calls("carol")
		f.Carol.Answers()
		f.Hears(f.Bob, f.Carol)
		f.Bob.Joins()
		f.Hears(f.Alice, f.Carol)
		f.Ladder(`
			bob   -> b2bua  INVITE (hold)
			b2bua -> alice  INVITE (hold)
			bob   -> b2bua  INVITE carol
			b2bua -> carol  INVITE
			carol -> b2bua  200
			b2bua -> bob    200
			bob   -> b2bua  REFER (Replaces)
			b2bua -> alice  INVITE (resume)
			b2bua -> bob    NOTIFY 100
			b2bua -> bob    BYE
			b2bua -> carol  UPDATE alice
			b2bua -> alice  UPDATE carol
			b2bua -> bob    NOTIFY 200
			b2bua -> bob    BYE`)
		f.Alice.HangsUp()
		f.Ladder("alice -> b2bua BYE\nb2bua -> carol BYE")
	})
}

func TestAttendedTransferBeforeTheAnswer(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Calls("carol")
		f.Carol.Rings()
		f.Bob.Joins()
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Carol.HangsUp()
		f.Ladder(`
			bob   -> b2bua  INVITE carol
			b2bua -> carol  INVITE
			carol -> b2bua  180
			b2bua -> bob    180
			bob   -> b2bua  REFER (Replaces)
			b2bua -> bob    NOTIFY 100
			b2bua -> bob    487
			b2bua -> bob    NOTIFY 200
			b2bua -> bob    BYE
			carol -> b2bua  200
			b2bua -> alice  UPDATE carol
			carol -> b2bua  BYE
			b2bua -> alice  BYE`)
	})
}

// The consultation may end before the REFER arrives: the transferor keeps its call.
func TestAttendedTransferToACallThatIsOver(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Calls("carol")
		f.Carol.Answers()
		gone := f.Bob.Latest()
		f.Carol.HangsUp()
		f.Bob.ReplacesLeg(gone)
		f.Hears(f.Alice, f.Bob)
		f.Bob.HangsUp()
	})
}

func TestInviteWithReplaces(t *testing.T) { // RFC 3891
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Carol.Replaces(f.Bob, false)
		f.Hears(f.Alice, f.Carol)
		f.Carol.HangsUp()
		f.Ladder(`
			carol -> b2bua  INVITE (Replaces)
			b2bua -> carol  200
			b2bua -> bob    BYE
			b2bua -> alice  UPDATE carol
			b2bua -> carol  UPDATE alice
			carol -> b2bua  BYE
			b2bua -> alice  BYE`)
	})
}

func TestInviteWithReplacesOfARingingPhone(t *testing.T) { // RFC 5359 §2.11, pickup
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Rings()
		f.Carol.Replaces(f.Bob, true)
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  180
			b2bua -> alice  180
			carol -> b2bua  INVITE (Replaces)
			b2bua -> carol  200
			b2bua -> bob    CANCEL
			b2bua -> alice  200
			alice -> b2bua  BYE
			b2bua -> carol  BYE`)
	})
}

func TestReplacesIsRefused(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Carol.Replaces(f.Bob, true) // early-only, but answered: RFC 3891 §3
		f.Ladder("carol -> b2bua INVITE (Replaces)\nb2bua -> carol 486")
		f.Dave.CallsAs(leg.Source{Kind: leg.Phone, Name: "dave"}, "carol")
		f.Ladder("dave -> b2bua INVITE carol\nb2bua -> carol INVITE")
		f.Bob.Replaces(f.Dave, true) // a dialog that dave began is not ours to have replaced
		f.Ladder("bob -> b2bua INVITE (Replaces)\nb2bua -> bob 481")
		f.Dave.HangsUp()
		f.Alice.HangsUp()
	})
}

// Alice has put bob on hold, who sends her to carol: carol is held then, and told.
func TestTransferOfOneWhoHolds(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Alice.Holds()
		f.Bob.Refers("carol")
		f.Carol.Answers()
		f.Deaf(f.Carol, f.Alice)
		f.Alice.Resumes()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE (hold)
			b2bua -> bob    INVITE (hold)
			bob   -> b2bua  REFER carol
			b2bua -> bob    NOTIFY 100
			b2bua -> carol  INVITE
			carol -> b2bua  200
			b2bua -> bob    NOTIFY 200
			b2bua -> bob    BYE
			b2bua -> alice  UPDATE carol
			b2bua -> carol  INVITE (hold)
			alice -> b2bua  INVITE (resume)
			b2bua -> carol  INVITE (resume)
			alice -> b2bua  BYE
			b2bua -> carol  BYE`)
	})
}
