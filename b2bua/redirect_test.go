package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua/flow"
	"crosspoint/b2bua/leg"
)

// A phone with a forwarding of its own answers 302; the call goes where it
// says, and tells by whom it was forwarded (RFC 5806).
func TestRedirect(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Redirects("carol")
		f.Carol.Rings()
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  302 carol
			b2bua -> carol  INVITE (diverted: unconditional)
			carol -> b2bua  180
			b2bua -> alice  180
			carol -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  BYE
			b2bua -> carol  BYE`)
		if f.Log.Line("redirected", "by=bob", "to=carol", "as=phone") == "" {
			t.Error("the log does not tell of the redirection")
		}
	})
}

// Somebody presses a key while the phone rings; or the phone itself says why.
func TestRedirectReasons(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Rings()
		f.Bob.Redirects("carol")
		f.Carol.RedirectsFor("do-not-disturb", "dave")
		f.Dave.Answers()
		f.Dave.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  180
			b2bua -> alice  180
			bob   -> b2bua  302 carol
			b2bua -> carol  INVITE (diverted: deflection)
			carol -> b2bua  302 dave
			b2bua -> dave   INVITE (diverted: do-not-disturb)
			dave  -> b2bua  200
			b2bua -> alice  200
			dave  -> b2bua  BYE
			b2bua -> alice  BYE`)
	})
}

// The first place that was named is busy, the second is not there, the third
// takes the call.
func TestRedirectToSeveral(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		f.Alice.Calls("bob")
		f.Bob.Redirects("nobody", "carol", "dave")
		f.Carol.Refuses(486)
		f.Dave.Answers()
		f.Hears(f.Alice, f.Dave)
		f.Alice.HangsUp()
		f.Ladder(`
			alice -> b2bua  INVITE bob
			b2bua -> bob    INVITE
			bob   -> b2bua  302 nobody, carol, dave
			b2bua -> carol  INVITE (diverted: unconditional)
			carol -> b2bua  486
			b2bua -> dave   INVITE (diverted: unconditional)
			dave  -> b2bua  200
			b2bua -> alice  200
			alice -> b2bua  BYE
			b2bua -> dave   BYE`)
	})
}

// What becomes of the call when nobody answers where it was sent.
func TestRedirectFails(t *testing.T) {
	for name, c := range map[string]struct {
		act    func(f *flow.Flow)
		ladder string
		by     string
		why    string
	}{
		"busy": {func(f *flow.Flow) { f.Carol.Refuses(486) }, `
			carol -> b2bua 486
			b2bua -> alice 486`, "carol", "user busy"},
		"no answer": {func(f *flow.Flow) { f.Carol.Rings(); f.Wait(4 * time.Minute) }, `
			carol -> b2bua 180
			b2bua -> alice 180
			b2bua -> carol CANCEL
			b2bua -> alice 480`, "b2bua", "no answer"},
		"caller hangs up": {func(f *flow.Flow) { f.Carol.Rings(); f.Alice.HangsUp() }, `
			carol -> b2bua 180
			b2bua -> alice 180
			alice -> b2bua CANCEL
			b2bua -> carol CANCEL`, "alice", "hung up before"},
		"sent back": {func(f *flow.Flow) { f.Carol.Redirects("bob") }, `
			carol -> b2bua 302 bob
			b2bua -> alice 482`, "b2bua", "carol sends its calls to bob: the call is sent in a circle: bob to carol to bob"},
	} {
		t.Run(name, func(t *testing.T) {
			flow.Test(t, "", func(f *flow.Flow) {
				f.Alice.Calls("bob")
				f.Bob.Redirects("carol")
				f.Ladder(`
					alice -> b2bua  INVITE bob
					b2bua -> bob    INVITE
					bob   -> b2bua  302 carol
					b2bua -> carol  INVITE (diverted: unconditional)`)
				c.act(f)
				f.Ladder(c.ladder)
				f.Ended(c.by, c.why)
			})
		})
	}
}

// To itself, to nobody, to what it may not call, to a service: the caller is
// told, and the log names the line of the file.
func TestRedirectRefused(t *testing.T) {
	for to, c := range map[string]struct{ status, why string }{
		"bob":                     {"482", "the call is sent in a circle: bob to bob"},
		"nobody":                  {"404", "bob sends its calls to nobody"},
		"912125550100":            {"403", "may not call"},
		"911":                     {"403", "has to be dialled by a person"},
		"*70":                     {"403", "has to be dialled by a person"},
		"sip:eve@else.example":    {"403", "may not call"},
		"sips:eve@office.example": {"404", "bob sends"},
	} {
		t.Run(to, func(t *testing.T) {
			flow.Test(t, redirecting, func(f *flow.Flow) {
				f.Alice.Calls("bob") // alice may call all of that; bob may not
				f.Bob.Redirects(to)
				f.Ladder(`
					alice -> b2bua INVITE bob
					b2bua -> bob INVITE
					bob -> b2bua 302 ` + to + `
					b2bua -> alice ` + c.status)
				f.Ended("b2bua", c.why)
				if f.Log.Line("not redirected", "by=bob", "rule=") == "" {
					t.Error("the log does not say so")
				}
			})
		})
	}
}

// The trunk of this plan is carol, who answers for a provider; the phones may
// call different things.
const redirecting = `
country = "us"
area = "201"
[[phone]]
extension = "alice"
secret = "alice-secret-1"
allow = ["internal", "local", "national", "sip"]
place = "front desk"
[[phone]]
extension = "bob"
secret = "bob-secret-22"
ring = "10s"
forward = { busy = "dave", no_answer = "dave" }
[[phone]]
extension = "dave"
secret = "dave-secret-44"
allow = ["internal", "local", "national"]
toll_per_day = "10m"
[[peer]]
name = "itsp"
proxy = "sip:itsp.example"
[[trunk]]
name = "carol"
peer = "itsp"
[[rule]]
dial = "9 1xxxxxxxxxx"
strip = 1
to = "carol"
[[incoming]]
from = "itsp"
dialed = "+12015550199"
to = "bob"
[[incoming]]
from = "strangers"
dialed = "'alice'"
to = "alice"
[features]
park = "*70"
[emergency]
to = ["carol"]
`

// The route goes on where it was left: the one to whom the call was sent is
// busy, so it goes where bob's file sends calls that find him busy.
func TestRedirectAndThenTheRoute(t *testing.T) {
	for status, name := range map[int]string{486: "busy", 0: "no answer"} {
		t.Run(name, func(t *testing.T) {
			flow.Test(t, redirecting, func(f *flow.Flow) {
				f.Carol.CallsAs(leg.Source{Kind: leg.Peer, Name: "itsp"}, "+12015550199")
				f.Bob.Redirects("alice")
				gone := "alice -> b2bua 486"
				if status != 0 {
					f.Alice.Refuses(status)
				} else {
					f.Wait(9 * time.Second)
					f.Ladder(`
						carol -> b2bua INVITE +12015550199
						b2bua -> bob INVITE
						bob -> b2bua 302 alice
						b2bua -> alice INVITE (diverted: unconditional)`)
					f.Wait(2 * time.Second) // ten, as bob would have rung
				}
				f.Dave.Answers()
				f.Dave.HangsUp()
				if status != 0 {
					f.Ladder(`
						carol -> b2bua INVITE +12015550199
						b2bua -> bob INVITE
						bob -> b2bua 302 alice
						b2bua -> alice INVITE (diverted: unconditional)
						` + gone + `
						b2bua -> dave INVITE (diverted: user-busy)
						dave -> b2bua 200
						b2bua -> carol 200
						dave -> b2bua BYE
						b2bua -> carol BYE`)
					return
				}
				f.Ladder(`
					b2bua -> alice CANCEL
					b2bua -> dave INVITE (diverted: no-answer)
					dave -> b2bua 200
					b2bua -> carol 200
					dave -> b2bua BYE
					b2bua -> carol BYE`)
			})
		})
	}
}

// A phone that may telephone out may forward there; it pays for the call.
func TestRedirectToTheTrunk(t *testing.T) {
	flow.Test(t, redirecting, func(f *flow.Flow) {
		f.Alice.Calls("dave")
		f.Dave.Redirects("912125550100")
		f.Carol.Answers()
		f.Wait(9 * time.Minute)
		f.Alice.HangsUp()
		f.Alice.Calls("dave")
		f.Dave.Redirects("912125550100")
		f.Carol.Answers()
		f.Wait(2 * time.Minute) // one is left
		f.Ended("b2bua", "the time allowed for this call is over")
		f.Alice.Calls("dave")
		f.Dave.Redirects("912125550100")
		f.Ended("b2bua", "has talked its 10m0s of toll calls today")
	})
}

// A provider sends a call elsewhere: back to our trunk it may not; to another
// address of its own the call goes if the caller could have called it.
func TestPeerRedirects(t *testing.T) {
	for to, status := range map[string]string{
		"912125550111":                 "404", // nothing of the kind for calls from outside
		"+12125550111":                 "404",
		"sip:dave@proxy2.itsp.example": "",
	} {
		t.Run(to, func(t *testing.T) {
			flow.Test(t, redirecting, func(f *flow.Flow) {
				f.Alice.Calls("912125550100")
				f.Carol.Redirects(to)
				if status == "" {
					f.Dave.Answers()
					f.Hears(f.Alice, f.Dave)
					f.Alice.HangsUp()
					return
				}
				f.Ladder(`
					alice -> b2bua INVITE 912125550100
					b2bua -> carol INVITE
					carol -> b2bua 302 ` + to + `
					b2bua -> alice ` + status)
				f.Ended("b2bua", "carol sends its calls to "+to)
			})
		})
	}
}

// A stranger that was called sends the call to us: it reaches what strangers
// reach, and no telephone line.
func TestStrangerRedirects(t *testing.T) {
	for to, status := range map[string]string{
		"912125550111": "403",
		"bob":          "403",
		"alice":        "", // as the file lets strangers
	} {
		t.Run(to, func(t *testing.T) {
			flow.Test(t, redirecting, func(f *flow.Flow) {
				f.Alice.Calls("sip:dave@far.example")
				f.Dave.Redirects(to)
				if status == "" {
					f.Alice.Answers()
					f.Alice.HangsUp()
					return
				}
				f.Ladder(`
					alice -> b2bua INVITE sip:dave@far.example
					b2bua -> dave INVITE
					dave -> b2bua 302 ` + to + `
					b2bua -> alice ` + status)
				f.Ended("b2bua", "dave sends its calls to "+to)
			})
		})
	}
}

const together = flow.Office + `
[[group]]
extension = "all"
members = ["bob", "carol"]
ring = "10s"
then = "bob"
`

// One of several that ring together sends the call elsewhere: that rings beside
// the others.
func TestOneOfSeveralRedirects(t *testing.T) {
	flow.Test(t, together, func(f *flow.Flow) {
		f.Alice.Calls("all")
		f.Ladder(`
			alice -> b2bua INVITE all
			b2bua -> bob INVITE
			b2bua -> carol INVITE`)
		f.Bob.Redirects("carol", "dave") // carol rings already
		f.Dave.Answers()
		f.Hears(f.Alice, f.Dave)
		f.Ladder(`
			bob   -> b2bua 302 carol, dave
			b2bua -> dave  INVITE (diverted: unconditional)
			dave  -> b2bua 200
			b2bua -> carol CANCEL
			b2bua -> alice 200`)
		f.Alice.HangsUp()
	})
}

// Seven phones can't send a call around for ever.
func TestRedirectWithoutEnd(t *testing.T) {
	flow.Test(t, redirecting, func(f *flow.Flow) {
		f.Alice.Calls("sip:dave@n0.example")
		for _, host := range []string{"n1", "n2", "n3", "n4", "n5", "n6"} {
			f.Dave.Redirects("sip:dave@" + host + ".example")
		}
		f.Ended("b2bua", "the call is sent on without an end: dave to dave to dave")
	})
}

// The target of a transfer sends the transferee on.
func TestTransferTargetRedirects(t *testing.T) {
	flow.Test(t, "", func(f *flow.Flow) {
		talking(f)
		f.Bob.Refers("carol")
		f.Carol.Redirects("dave")
		f.Dave.Answers()
		f.Hears(f.Alice, f.Dave)
		f.Alice.HangsUp()
		f.Ladder(`
			bob   -> b2bua REFER carol
			b2bua -> bob   NOTIFY 100
			b2bua -> carol INVITE
			carol -> b2bua 302 dave
			b2bua -> dave  INVITE (diverted: unconditional)
			dave  -> b2bua 200
			b2bua -> bob   NOTIFY 200
			b2bua -> bob   BYE
			b2bua -> alice UPDATE dave
			alice -> b2bua BYE
			b2bua -> dave  BYE`)
	})
}
