package dialplan

import (
	"strings"
	"testing"
)

// A second call to a phone that is in a call: what the file says, what its user
// has set from it, and what that means for forwarding when it is busy.
func TestCallWaiting(t *testing.T) {
	p := plan(t, users+`
[[phone]]
extension = "X"
secret = "own-set-of-x"
[[phone]]
extension = "Y"
secret = "own-set-of-y"
forward = { busy = "UserB1" }
[[phone]]
extension = "On"
secret = "own-set-of-on"
call_waiting = true
forward = { busy = "UserB1" }
[[phone]]
extension = "Off"
secret = "own-set-of-off"
call_waiting = false
[[phone]]
extension = "Z"
sets = ["On", "Off"]
[[group]]
extension = "G"
members = ["On", "UserB2"]
`)
	on, off := Settings{CallWaiting: WaitingOn}, Settings{CallWaiting: WaitingOff}
	for _, test := range []struct {
		dial string
		busy bool
		set  Settings
		want string
	}{
		{"X", true, Settings{}, "0 X"},
		{"X", true, off, "refused 486 "},
		{"X", false, off, "0 X"},
		{"Y", true, Settings{}, "0 UserB1 by Y user-busy"},
		{"Y", true, on, "0 Y (busy 1)\n1 UserB1 by Y user-busy"},
		{"Y", true, off, "0 UserB1 by Y user-busy"},
		{"On", true, Settings{}, "0 On (busy 1)\n1 UserB1 by On user-busy"},
		{"On", true, off, "0 UserB1 by On user-busy"},
		{"Off", true, Settings{}, "refused 486 "},
		{"Off", true, on, "0 Off"},
		{"Z", true, Settings{}, "0 On"},
		{"G", true, Settings{}, "0 UserB2"}, // a group rings those who are free
	} {
		r, trail := p.Match(Query{From: caller(t, p, "UserA"), Dialed: test.dial,
			Busy: func(e string) bool { return test.busy && !strings.HasPrefix(e, "User") },
			Settings: func(e string) Settings {
				if e == test.dial {
					return test.set
				}
				return Settings{}
			}})
		if got := draw(r); got != test.want {
			t.Errorf("%s, busy %v, set %d: got\n%s\nwant\n%s\n%s", test.dial, test.busy, test.set.CallWaiting, got, test.want, trail)
		}
	}
	r, trail := p.Match(Query{From: caller(t, p, "UserA"), Dialed: "Off", Busy: func(string) bool { return true }})
	if r.Refusal == nil || r.Refusal.Pos.Line == 0 || !strings.Contains(r.Refusal.Reason, "call waiting is off") {
		t.Errorf("the refusal is %v\n%s", r.Refusal, trail)
	}
}

// One call without being offered another.
func TestNoCallWaiting(t *testing.T) {
	p := plan(t, users+`
[[phone]]
extension = "W"
allow = ["internal", "local"]
secret = "own-set-of-w"
[features]
no_call_waiting = "*70"
withhold = "*67"
call_waiting = "*43#"
call_waiting_off = "#43#"
`)
	for dialed, want := range map[string]bool{"UserB1": false, "*70UserB1": false, "*7095551234": true, "*70*6795551234": true} {
		if r, trail := dials(t, p, "W", dialed); r.Undisturbed != want {
			t.Errorf("%s is undisturbed: %v\n%s", dialed, r.Undisturbed, trail)
		}
	}
	for dialed, want := range map[string]string{"*43#": FeatureCallWaiting, "#43#": FeatureCallWaitingOff} {
		if r, _ := dials(t, p, "W", dialed); r.String() != want {
			t.Errorf("%s is %s", dialed, r)
		}
	}
}
