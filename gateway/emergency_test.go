package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// help calls the emergency number over the trunk.
func (o *office) help() (*party, error) {
	p := &party{t: o.t, ladder: new(leg.Ladder)}
	l, err := o.g.Dial("pstn", "911", leg.Outgoing{Sink: p, Ladder: p.ladder, Emergency: true})
	p.Leg = l
	synctest.Wait()
	return p, err
}

// TestEmergencyTakesBusyLine: the call that has the only line ends; the line
// rests for the guard time and then calls for help. A second call for help does
// not take it from the first.
func TestEmergencyTakesBusyLine(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		chat := o.reach("7773660")
		line.change(jack.Polarity)
		chat.saw("Trying", "EarlyMedia", "Answered")
		help, err := o.help()
		if err != nil {
			t.Fatal(err)
		}
		chat.because(8, "needed for an emergency call")
		help.saw("Trying")
		o.is("fxo1", "seized for 911, waits out the guard time")
		if line.now().OffHook {
			t.Error("the exchange can't notice that the first call is over")
		}
		time.Sleep(4 * time.Second)
		line.dialTone()
		time.Sleep(2 * time.Second)
		if got := line.dialled(); got != "911" {
			t.Errorf("the exchange heard %q", got)
		}
		if _, err := o.help(); err == nil {
			t.Error("a call for help took the line of another")
		}
		if _, err := o.tryDial("7773660"); err == nil {
			t.Error("a common call took the line of a call for help")
		}
		help.Hangup(leg.NormalClearing)
		synctest.Wait()
	})
}

// TestEmergencyPrefersFreeLine: nobody is cut off while a line is free.
func TestEmergencyPrefersFreeLine(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		chat := o.reach("7773660")
		help, err := o.help()
		if err != nil {
			t.Fatal(err)
		}
		o.is("fxo2", "seized for 911, waits for dial tone")
		chat.saw("Trying", "EarlyMedia")
		// No dial tone on fxo2: the other line is taken after all.
		time.Sleep(4 * time.Second)
		o.is("fxo1", "seized for 911, waits out the guard time")
		chat.because(8, "emergency")
		help.Hangup(leg.NormalClearing)
		synctest.Wait()
	})
}

// TestEmergencyLeavesRingingLine: a line that rings can't be taken.
func TestEmergencyLeavesRingingLine(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		o.jack("fxo1").change(jack.RingOn)
		synctest.Wait()
		if _, err := o.help(); err == nil {
			t.Error("a ringing line was taken")
		}
	})
}
