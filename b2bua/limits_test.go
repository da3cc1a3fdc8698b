package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua/flow"
)

// The trunk of these plans is the phone carol, who answers for the public network.
const limited = `
country = "us"
area = "201"
[[phone]]
extension = "alice"
secret = "alice-secret-1"
allow = ["internal", "local", "national"]
toll_per_day = "10m"
place = "front desk"
[[phone]]
extension = "bob"
secret = "bob-secret-22"
allow = ["internal", "local", "national"]
[[phone]]
extension = "dave"
secret = "dave-secret-44"
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "dave"
[[trunk]]
name = "carol"
lines = ["fxo1"]
max_calls = 1
[[rule]]
dial = "9 1xxxxxxxxxx"
strip = 1
to = "carol"
[emergency]
numbers = ["911"]
to = ["carol"]
notify = ["dave"]
`

func TestTollCallsOfADay(t *testing.T) {
	flow.Test(t, limited, func(f *flow.Flow) {
		f.Alice.Calls("912125550100")
		f.Carol.Answers()
		f.Wait(8 * time.Minute)
		f.Alice.HangsUp()
		f.Settle()
		f.Alice.Calls("912125550100")
		f.Carol.Answers()
		f.Wait(3 * time.Minute) // two are left
		f.Ended("b2bua", "the time allowed for this call is over")
		f.Alice.Calls("912125550100")
		f.Ended("b2bua", "the dial plan refused")
		f.Wait(25 * time.Hour) // another day
		f.Alice.Calls("912125550100")
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
	})
}

func TestTrunkHasSoManyCalls(t *testing.T) {
	flow.Test(t, limited, func(f *flow.Flow) {
		f.Alice.Calls("912125550100")
		f.Carol.Answers()
		f.Bob.Calls("912125550111")
		f.Ended("b2bua", "the dial plan refused")
		f.Alice.HangsUp()
		f.Settle()
		f.Bob.Calls("912125550111")
		f.Carol.Answers()
		f.Bob.HangsUp()
	})
}

func TestEmergencyCallIsAnnounced(t *testing.T) {
	flow.Test(t, limited, func(f *flow.Flow) {
		f.Alice.Calls("911")
		if got := f.Dave.Sees(); got != `alice "EMERGENCY 911: front desk"` {
			t.Errorf("dave sees %s", got)
		}
		if f.Log.Line("EMERGENCY CALL", "front desk", "level=WARN") == "" {
			t.Error("the log does not tell of the emergency call")
		}
		f.Dave.Answers()
		f.Carol.Answers()
		f.Hears(f.Alice, f.Carol)
		f.Alice.HangsUp()
	})
}
