package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// reload puts the named lines of the office in force.
func (o *office) reload(lines ...LineConfig) error {
	c := Config{Accept: o, Lines: lines}
	trunk := TrunkConfig{Name: "pstn"}
	for i, l := range lines {
		if o.jacks[l.Name] == nil {
			o.jacks[l.Name] = newFakeJack(o.t, l.Name, jack.FXO)
		}
		c.Lines[i].Port = o.jacks[l.Name]
		trunk.Lines = append(trunk.Lines, l.Name)
	}
	if len(lines) > 0 {
		c.Trunks = []TrunkConfig{trunk}
	}
	err := o.g.Reload(c)
	synctest.Wait()
	return err
}

// TestReload: a line that is removed or changed keeps its call; new ones come
// into service; one that stays the same is not touched.
func TestReload(t *testing.T) {
	open(t, Config{}, "fxo1 fxo2", func(o *office) {
		chat := o.reach("7773660")
		o.jack("fxo1").change(jack.Polarity)
		chat.saw("Trying", "EarlyMedia", "Answered")
		since := o.status("fxo2").Since

		if err := o.reload(LineConfig{Name: "fxo2"}, LineConfig{Name: "fxo3"}); err != nil {
			t.Fatal(err)
		}
		o.is("fxo1", "talking with 7773660, leaves service")
		o.is("fxo3", "idle")
		if s := o.status("fxo2"); s.Since != since {
			t.Error("a line that did not change was taken up anew")
		}
		time.Sleep(time.Minute)
		chat.saw("Trying", "EarlyMedia", "Answered")
		chat.Hangup(leg.NormalClearing)
		synctest.Wait()
		for _, s := range o.g.Lines() {
			if s.Line == "fxo1" {
				t.Errorf("a removed line is still there: %s", s.State)
			}
		}
		if o.jack("fxo1").now().OffHook {
			t.Error("a removed line is left off-hook")
		}
	})
}

// TestReloadChangesLine: a line that is changed in a call has its new settings
// after it.
func TestReloadChangesLine(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		chat := o.reach("7773660")
		if err := o.reload(LineConfig{Name: "fxo1", FXO: FXO{Pulse: true}}); err != nil {
			t.Fatal(err)
		}
		if lines := o.g.Lines(); len(lines) != 2 || lines[0].Ready {
			t.Errorf("while the line is in a call: %+v", lines)
		}
		if _, err := o.tryDial("1"); err == nil {
			t.Error("the changed line was seized while the old one had a call")
		}
		if err := o.reload(LineConfig{Name: "fxo1", FXO: FXO{Pulse: true}, ReceiveGain: 3}); err != nil {
			t.Fatal(err) // again, before the first one could take effect
		}
		chat.Hangup(leg.NormalClearing)
		synctest.Wait()
		o.is("fxo1", "idle")
		if lines := o.g.Lines(); len(lines) != 1 || !lines[0].Ready {
			t.Errorf("after the call: %+v", lines)
		}
		o.dial("1").Hangup(leg.NormalClearing)
		synctest.Wait()
	})
}

// TestReloadRefused: what contradicts itself changes nothing.
func TestReloadRefused(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		if err := o.reload(LineConfig{Name: "fxo1", ReceiveGain: 99}); err == nil {
			t.Error("a gain of 99 dB was taken")
		}
		if err := o.reload(LineConfig{Name: "fxo1"}, LineConfig{Name: "fxo1"}); err == nil {
			t.Error("a line was taken twice")
		}
		o.is("fxo1", "idle")
		o.dial("1").Hangup(leg.NormalClearing)
		synctest.Wait()
	})
}
