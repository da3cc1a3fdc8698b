package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/dialplan"
	"crosspoint/gateway/linesim"
	"crosspoint/internal/tomlfile"
	"crosspoint/internal/wiring"
	"crosspoint/media/tone"
)

// rungText makes a line of fxo1 with two numbers, a door, and a telephone whose
// rings are all alike.
const rungText = `
[[distinctive_ring]]
name = "door"
cadence = ["300ms", "300ms", "1s", "3s"]
alert_info = "<http://office.example>;info=door"
[[incoming]]
dialed = "5553001"
to = "133"
calls_ring = "door"
`

// rungAs waits until a telephone has been rung with a whole pattern, tells whether
// it was the one that is expected, and puts an end to it.
func (o *analogOffice) rungAs(name, want string, end func()) {
	o.t.Helper()
	o.eventually(name+" rings", func() bool { s := o.set(name).Status(); return s.Ringing && s.Cadence != nil })
	time.Sleep(3500 * time.Millisecond) // caller ID comes in the pause
	s := o.set(name).Status()
	if got := s.Cadence.String(); got != want {
		o.t.Errorf("%s rings %s, want %s", name, got, want)
	}
	if !s.HasID {
		o.t.Errorf("%s shows no caller", name)
	}
	end()
	o.eventually(name+" is quiet", func() bool { return !o.set(name).Status().Ringing })
}

// givesUp takes back a SIP phone's call that is not answered.
func (o *analogOffice) givesUp(c *call) {
	o.t.Helper()
	c.Cancel()
	c.Peer.Wait = 5 * time.Second
	defer func() { c.Peer.Wait = 2 * time.Second }()
	for m := c.Peer.Any(); m != nil; m = c.Peer.Any() {
		if m.Is("487") {
			c.Ack(m)
			return
		}
	}
	o.t.Errorf("%s: no 487 for a CANCEL", c.Peer.User)
}

// Analog telephones, which measure how they are rung, and SIP phones, which are
// told, know who calls: somebody inside, in the town, at a further number of the
// line, the exchange for a party that waits.
func TestTelephonesRingDistinctively(t *testing.T) {
	const us, inside, recall = "2", "0.4/0.2/0.4", "0.3/0.2/0.3/0.2/0.3"
	dr2, _ := tone.Lookup("us")
	second, _ := dr2.Ring("dr2")
	lines := []linesim.LineConfig{
		{Reversal: true, Further: []linesim.FurtherNumber{{Number: "5553001", Cadence: second}}},
		{Reversal: true},
	}
	analog(t, analogCase{lines: lines, more: rungText, keys: map[string]string{"fxo1": `numbers = [{ ring = "dr2", number = "5553001" }]`}}, func(o *analogOffice) {
		call := o.dials("102", "131")
		o.rungAs("kitchen", inside, func() { o.givesUp(call) })

		o.townCalls("fxo1", "2015550123")
		o.rungAs("kitchen", us, func() { o.line("fxo1").HangUp() })
		o.free("fxo1")
		o.must(o.Town.Town().Ring("5553001", linesim.Subscriber{Number: "2015550123"}))
		o.rungAs("attic", "0.3/0.3/1", func() { o.line("fxo1").HangUp() })
		o.free("fxo1")

		o.townCalls("fxo2", "2015550123")
		o.answers("hall")
		o.flashes("hall")
		o.down("hall")
		o.rungAs("hall", recall, func() { o.line("fxo2").HangUp() })
		o.free("fxo2")
	})
}

// A line whose telephone is to ring alike for all calls.
func TestAnsweringMachineRingsAlike(t *testing.T) {
	analog(t, analogCase{keys: map[string]string{"hall": "distinctive_rings = false"}}, func(o *analogOffice) {
		call := o.dials("102", "132")
		o.rungAs("hall", "2", func() { o.givesUp(call) })
	})
}

// SIP phones are told by Alert-Info how to ring.
func TestSIPPhonesAreToldHowToRing(t *testing.T) {
	analog(t, analogCase{incoming: "103", more: rungText}, func(o *analogOffice) {
		o.phone("103")
		for want, call := range map[string]func() (end func()){
			"<urn:alert:source:internal>": func() func() {
				c := o.dials("102", "103")
				return func() { o.givesUp(c) }
			},
			"<urn:alert:source:external>": func() func() {
				o.townCalls("fxo1", "2015550123")
				return func() { o.line("fxo1").HangUp() }
			},
		} {
			end := call()
			bob := o.alerted("103")
			if got := bob.Invite.Get("Alert-Info"); got != want {
				t.Errorf("Alert-Info: %q, want %q", got, want)
			}
			end()
			bob.Peer.Wait = 10 * time.Second
			bob.Respond(bob.Peer.Expect("CANCEL"), 200)
			bob.Respond(bob.Invite, 487)
			bob.Peer.Expect("ACK")
		}
	})
}

// A telephone gives a stutter dial tone, and its lamp is on, while messages wait for
// its extension.
func TestMessagesWaitForATelephone(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.must(o.Office.Messages.Set("131", mwi.Summary{Waiting: true, New: 2}))
		if !o.stutters("kitchen") {
			t.Error("no stutter dial tone though messages wait")
		}
		if o.stutters("hall") {
			t.Error("another telephone's dial tone stutters")
		}
		time.Sleep(4 * time.Second)
		if !o.set("kitchen").Status().Lamp || o.set("hall").Status().Lamp {
			t.Error("not the right telephone's lamp is on")
		}
		o.must(o.Office.Messages.Set("131", mwi.Summary{}))
		if o.stutters("kitchen") {
			t.Error("a stutter dial tone though no message waits any more")
		}
		time.Sleep(4 * time.Second)
		if o.set("kitchen").Status().Lamp {
			t.Error("the lamp is on though no message waits any more")
		}
	})
}

// A telephone whose line is another after a reload is told of its messages; one
// without messages is not disturbed.
func TestMessagesWaitAfterAReload(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.must(o.Office.Messages.Set("131", mwi.Summary{Waiting: true}))
		parties := o.file.Config
		parties.Lines = slices.Clone(parties.Lines)
		for i := range parties.Lines {
			if parties.Lines[i].Kind == "fxs" {
				parties.Lines[i].GainIn = -1
			}
		}
		plan, problems := dialplan.Compile(parties)
		if tomlfile.Fatal(problems) {
			t.Fatal(tomlfile.Text(problems))
		}
		o.must(o.Office.Reload(wiring.Reload{Parties: parties, Plan: plan}))
		time.Sleep(10 * time.Second)
		if !o.stutters("kitchen") || !o.set("kitchen").Status().Lamp {
			t.Error("the telephone's new line does not know that messages wait")
		}
		told := map[string]bool{}
		for line := range strings.Lines(o.Log()) {
			if strings.Contains(line, `msg="message lamp"`) {
				told["kitchen"] = told["kitchen"] || strings.Contains(line, "line=kitchen ")
				told["hall"] = told["hall"] || strings.Contains(line, "line=hall ")
			}
		}
		if !told["kitchen"] || told["hall"] {
			t.Errorf("told of their lamps: %v, want the kitchen alone", told)
		}
	})
}

// stutters lifts a telephone and tells whether its dial tone begins with bursts.
func (o *analogOffice) stutters(name string) bool {
	o.t.Helper()
	o.lifts(name, "")
	time.Sleep(1500 * time.Millisecond)
	heard := o.set(name).Heard()
	o.down(name)
	bursts, silence := 0, 0
	for _, s := range heard {
		if s > 50 || s < -50 {
			if silence > 400 {
				bursts++
			}
			silence = 0
		} else {
			silence++
		}
	}
	return bursts > 2
}
