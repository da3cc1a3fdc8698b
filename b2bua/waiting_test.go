package b2bua_test

import (
	"strings"
	"testing"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
	"crosspoint/dialplan"
)

// waitingOffice has the codes for call waiting; 103 takes no second call.
var waitingOffice = strings.NewReplacer("[features]\n", `[features]
call_waiting = "*43#"
call_waiting_off = "#43#"
no_call_waiting = "*68"
`, `secret = "carol-secret-3"`, `secret = "carol-secret-3"
call_waiting = false`).Replace(flow.Numbered)

// A second call to a phone in a call: it is offered, unless the file, the phone's
// user or the call says that it is not.
func TestCallWaiting(t *testing.T) {
	for name, c := range map[string]struct {
		first   func(f *flow.Flow)
		second  string
		offered bool
	}{
		"as ever":           {func(f *flow.Flow) { f.Alice.Calls("102"); f.Bob.Answers() }, "102", true},
		"off in the file":   {func(f *flow.Flow) { f.Alice.Calls("103"); f.Carol.Answers() }, "103", false},
		"off by code":       {func(f *flow.Flow) { f.Bob.Calls("#43#"); f.Settle(); f.Alice.Calls("102"); f.Bob.Answers() }, "102", false},
		"on by code":        {func(f *flow.Flow) { f.Carol.Calls("*43#"); f.Settle(); f.Alice.Calls("103"); f.Carol.Answers() }, "103", true},
		"not for this call": {func(f *flow.Flow) { f.Bob.Calls("*68101"); f.Alice.Answers() }, "102", false},
		"but for its other": {func(f *flow.Flow) { f.Bob.Calls("*68101"); f.Alice.Answers() }, "101", true},
	} {
		t.Run(name, func(t *testing.T) {
			flow.TestWith(t, waitingOffice, b2bua.Config{Users: &users{set: map[string]dialplan.Settings{}}}, func(f *flow.Flow) {
				c.first(f)
				f.Settle()
				before := strings.Count(f.All(), "INVITE")
				f.Dave.Calls(c.second)
				f.Settle()
				last := f.All()
				if rang := strings.Count(last, "INVITE") == before+2; rang != c.offered || strings.Contains(last, "-> dave   486") == c.offered {
					t.Errorf("offered %v, want %v:\n%s", rang, c.offered, last)
				}
				if c.offered {
					f.Dave.HangsUp()
					f.Settle()
				}
				f.EverybodyHangsUp()
			})
		})
	}
}
