package b2bua_test

import (
	"testing"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
	"crosspoint/dialplan"
)

// circling is an office in which bob and carol have forwarded their phones to
// each other.
func circling(t *testing.T, play func(f *flow.Flow)) {
	t.Helper()
	set := map[string]dialplan.Settings{"102": {ForwardAlways: "103"}, "103": {ForwardAlways: "102"}}
	flow.TestWith(t, flow.Numbered, b2bua.Config{Users: &users{set: set}}, play)
}

const circle = "the call is forwarded in a circle: 102 to 103 to 102"

// Two phones forwarded to each other: the caller is told, and the end of the
// call names the line of the phone at which the circle closes.
func TestForwardedInACircle(t *testing.T) {
	circling(t, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Ladder("alice -> b2bua INVITE 102\nb2bua -> alice 482")
		f.Ended("b2bua", circle+": plan.toml:")
		if f.Log.Line("call ended", "status=482", circle) == "" {
			t.Error("the log does not name the circle")
		}
	})
}

// A transfer into the circle: the transferor is told, and has the call back.
func TestTransferredIntoACircle(t *testing.T) {
	circling(t, func(f *flow.Flow) {
		f.Alice.Calls("104")
		f.Dave.Answers()
		f.Dave.Refers("102")
		f.Ladder(`
			alice -> b2bua INVITE 104
			b2bua -> dave  INVITE
			dave  -> b2bua 200
			b2bua -> alice 200
			dave  -> b2bua REFER 102
			b2bua -> dave  NOTIFY 100
			b2bua -> dave  NOTIFY 482`)
		f.Hears(f.Alice, f.Dave)
		if f.Log.Line("transfer failed", "to=102", "plan.toml:") == "" {
			t.Error("the log does not name the rule")
		}
		f.Alice.HangsUp()
	})
}

// A phone sends its calls into the circle by itself.
func TestRedirectedIntoACircle(t *testing.T) {
	circling(t, func(f *flow.Flow) {
		f.Alice.Calls("104")
		f.Dave.Redirects("102")
		f.Ladder(`
			alice -> b2bua INVITE 104
			b2bua -> dave  INVITE
			dave  -> b2bua 302 102
			b2bua -> alice 482`)
		f.Ended("b2bua", "dave sends its calls to 102: "+circle)
		if f.Log.Line("not redirected", "by=dave", "rule=plan.toml:") == "" {
			t.Error("the log does not name the rule")
		}
	})
}
