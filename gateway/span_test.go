package gateway_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
	"crosspoint/media/g711"
)

// span runs body with a gateway on a card with timeslots. Those to an exchange,
// E&M or FXO, are the trunk "pstn".
func span(t *testing.T, slots []linesim.TimeslotConfig, change func(*gateway.Config), body func(*town)) {
	t.Helper()
	subs := []linesim.Subscriber{{Number: "7", Name: "Bob", Plays: linesim.Signal(2 * time.Second)}, {Number: "8", HangUp: 3 * time.Second, Plays: linesim.Signal(3 * time.Second)}}
	live(t, linesim.Config{Subscribers: subs, Cards: []linesim.CardConfig{{Timeslots: slots}}, Phones: make([]linesim.PhoneConfig, len(slots))}, func(c *gateway.Config) {
		c.Lines, c.Trunks = nil, []gateway.TrunkConfig{{Name: "pstn"}}
		for i, s := range slots {
			l := gateway.LineConfig{Name: fmt.Sprintf("slot%d", i+1), Kind: jack.TDM, TDM: gateway.TDM{Digits: 3, Immediate: s.Signalling == linesim.ImmediateStart}}
			switch s.Signalling {
			case linesim.FXOLoopStart, linesim.FXOGroundStart:
				l.Kind, l.GroundStart = jack.FXO, s.Signalling == linesim.FXOGroundStart
				l.FXO.Answer.By = gateway.AnswerVoice
			case linesim.FXSLoopStart, linesim.FXSGroundStart:
				l.Kind, l.GroundStart = jack.FXS, s.Signalling == linesim.FXSGroundStart
				l.FXS.Extension = fmt.Sprint(100 + i)
			}
			if l.Kind != jack.FXS {
				c.Trunks[0].Lines = append(c.Trunks[0].Lines, l.Name)
			}
			c.Lines = append(c.Lines, l)
		}
		if c.Trunks[0].Lines == nil {
			c.Trunks = nil
		}
		if change != nil {
			change(c)
		}
	}, body)
}

// exact tells whether all that was said was heard, code for code, in one piece.
// µ-law has two codes of zero, which are one sample.
func exact(said, heard []int16) bool {
	code := func(pcm []int16) []byte {
		b := make([]byte, len(pcm))
		g711.MuLaw.Encode(b, pcm)
		return bytes.ReplaceAll(b, []byte{0x7f}, []byte{0xff})
	}
	return len(said) > 0 && bytes.Contains(code(heard), code(said))
}

func (t *town) is(line, state string) {
	t.t.Helper()
	if s := t.status(line).State; s != state {
		t.t.Errorf("%s is %q, expected %q", line, s, state)
	}
}

// TestSpanTrunk: calls over timeslots to another exchange, each way and with
// each end hanging up, and what comes between.
func TestSpanTrunk(t *testing.T) {
	span(t, []linesim.TimeslotConfig{{}, {}, {Signalling: linesim.ImmediateStart}}, nil, func(tn *town) {
		far := tn.sim.Town().Line("tdm1")
		// Out; its end hangs up.
		e := tn.dial("8")
		e.until(t, "Answered")
		rec, _ := tn.sim.Town().LastCall("8")
		if late := e.on["Answered"].Sub(rec.Answered); late < 0 || late > 50*time.Millisecond {
			t.Errorf("answer noticed after %v", late)
		}
		e.until(t, "HungUp")
		rec, _ = tn.sim.Town().LastCall("8")
		if late := e.on["HungUp"].Sub(rec.Ended); late < 0 || late > 200*time.Millisecond || e.cause().Q850 != 16 {
			t.Errorf("hang-up noticed after %v: %v", late, e.cause())
		}
		tn.is("slot1", "idle")
		// Out; we hang up. The audio is exact.
		e = tn.dial("7")
		e.until(t, "Answered")
		e.say(linesim.Signal(2 * time.Second))
		time.Sleep(500 * time.Millisecond)
		rec = tn.hangsUp(e, "7")
		if !exact(rec.Played[:16000], e.hearing()) || !exact(linesim.Signal(2 * time.Second)[:15000], rec.Heard) {
			t.Error("the audio was changed")
		}
		tn.is("slot1", "idle")
		// In; answered, and its end hangs up.
		call := func(line string) *end {
			t.Helper()
			if err := tn.sim.Town().Ring(line, linesim.Subscriber{Number: "5551234", Dials: "101"}); err != nil {
				t.Fatal(err)
			}
			tn.mu.Lock()
			n := len(tn.in) + 1
			tn.mu.Unlock()
			in := tn.comes(n)
			if in.dialed != "101" {
				t.Errorf("%s: dialled %q", line, in.dialed)
			}
			return in
		}
		in := call("tdm1")
		in.Ringing()
		time.Sleep(time.Second)
		in.Answer()
		time.Sleep(time.Second)
		if st := far.Status(); st.State != "talking" {
			t.Errorf("the far end is %+v", st)
		}
		far.HangUp()
		in.until(t, "HungUp")
		tn.is("slot1", "idle")
		// In with immediate start; we hang up.
		in = call("tdm3")
		in.Answer()
		time.Sleep(time.Second)
		in.Hangup(leg.NormalClearing)
		time.Sleep(time.Second)
		tn.is("slot3", "idle")
		// In, refused: busy tone, until the caller has had enough.
		in = call("tdm1")
		in.Hangup(leg.Busy)
		time.Sleep(time.Second)
		tn.is("slot1", "seized by the far end, which hears busy tone")
		far.HangUp()
		time.Sleep(time.Second)
		tn.is("slot1", "idle")
	})
}

// TestSpanGlareAndBlocking: both ends seize at once; one end takes a timeslot
// out of service, and the other sees it.
func TestSpanGlareAndBlocking(t *testing.T) {
	for _, farYields := range []bool{false, true} {
		keep := func(c *gateway.Config) { c.Lines[0].TDM.KeepGlare = farYields }
		span(t, []linesim.TimeslotConfig{{Yield: farYields}, {}}, keep, func(tn *town) {
			if err := tn.sim.Town().Ring("tdm1", linesim.Subscriber{Number: "5551234", Dials: "101"}); err != nil {
				t.Fatal(err)
			}
			out := tn.dial("7")
			out.until(t, "Answered")
			if farYields {
				tn.is("slot1", "talking with 7")
			} else {
				tn.is("slot2", "talking with 7")
				in := tn.comes(1)
				in.Answer()
				time.Sleep(time.Second)
				in.Hangup(leg.NormalClearing)
			}
			tn.hangsUp(out, "7")
			if n := tn.status("slot1").Counts.Glare; n != 1 {
				t.Errorf("%d glares\n%v\n%v", n, out.ladder, tn.sim.Events())
			}
		})
	}
	span(t, []linesim.TimeslotConfig{{}, {}}, nil, func(tn *town) {
		far := tn.sim.Town().Line("tdm1")
		tn.g.BusyOut("slot1", true)
		time.Sleep(time.Second)
		if st := far.Status(); !st.OffHook {
			t.Errorf("the far end is not told that the timeslot is blocked: %+v", st)
		}
		tn.g.BusyOut("slot1", false)
		time.Sleep(time.Second)
		if st := far.Status(); st.State != "idle" {
			t.Errorf("the far end is %+v", st)
		}
		if _, err := tn.sim.Command("block tdm1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(12 * time.Second)
		if s := tn.status("slot1"); s.Ready || !strings.Contains(s.Failed, "is the timeslot blocked there") {
			t.Errorf("status %+v", s)
		}
		e := tn.dial("7") // takes the other one
		e.until(t, "Answered")
		tn.is("slot2", "talking with 7")
		tn.sim.Command("unblock tdm1")
		tn.hangsUp(e, "7")
		tn.is("slot1", "idle")
		if _, err := tn.sim.Command("wink tdm1 off"); err != nil {
			t.Fatal(err)
		}
		e = tn.dial("7") // no wink: the next of the group
		e.until(t, "Answered")
		tn.is("slot2", "talking with 7")
		tn.hangsUp(e, "7")
	})
}

// TestSpanAlarm: an alarm amid calls ends them at both ends, and says why; when
// it is over all timeslots are in service again.
func TestSpanAlarm(t *testing.T) {
	span(t, []linesim.TimeslotConfig{{}, {Signalling: linesim.FXOLoopStart}, {Signalling: linesim.FXSLoopStart}}, nil, func(tn *town) {
		e := tn.dial("7")
		e.until(t, "Answered")
		if _, err := tn.sim.Command("alarm frame"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		e.until(t, "HungUp")
		if d := e.on["HungUp"].Sub(began); d < 2400*time.Millisecond || d > 2700*time.Millisecond {
			t.Errorf("red alarm after %v", d)
		}
		if c := e.cause(); c.Q850 != 41 || !strings.Contains(c.Error(), "red alarm, loss of frame: do both ends") {
			t.Errorf("cause %v", c)
		}
		time.Sleep(time.Second)
		for i := range 3 {
			tn.is(fmt.Sprintf("slot%d", i+1), "failed: red alarm, loss of frame: "+jack.LossOfFrame.Hint())
		}
		if rec, _ := tn.sim.Town().LastCall("7"); rec.Ended.IsZero() {
			t.Error("the far end still has the call")
		}
		if text, _ := tn.sim.Command("status"); !strings.Contains(text, "span: frame") {
			t.Error(text)
		}
		tn.sim.Command("alarm clear")
		time.Sleep(9 * time.Second)
		if tn.status("slot1").Ready {
			t.Error("cleared before ten seconds without it")
		}
		time.Sleep(1500 * time.Millisecond)
		for i := range 3 {
			tn.is(fmt.Sprintf("slot%d", i+1), "idle")
		}
		tn.sim.Command("alarm yellow")
		time.Sleep(time.Second)
		if s := tn.status("slot2").Failed; !strings.Contains(s, "yellow alarm") {
			t.Errorf("slot2 %q", s)
		}
		tn.g.BusyOut("slot1", true)
		tn.sim.Command("alarm clear")
		time.Sleep(1500 * time.Millisecond)
		if !tn.sim.Town().Line("tdm1").Status().OffHook {
			t.Error("slot1 was busied out during the alarm, and is not blocked after it")
		}
		tn.sim.Command("alarm yellow")
		time.Sleep(time.Second)
		tn.sim.Command("alarm clear")
		time.Sleep(1500 * time.Millisecond)
		if !tn.sim.Town().Line("tdm1").Status().OffHook {
			t.Error("slot1 was blocked before the alarm, and is not after it")
		}
		tn.g.BusyOut("slot1", false)
		time.Sleep(1500 * time.Millisecond)
		e = tn.dial("7")
		e.until(t, "Answered")
		tn.is("slot1", "talking with 7")
		tn.hangsUp(e, "7")
	})
}

// TestSpanOnBadCable: bit errors and lost octets on the serial line disturb the
// audio, and no call is lost, misrouted or left; nor does it take a wink for
// glare. A cable that is pulled ends the calls, at both ends.
func TestSpanOnBadCable(t *testing.T) {
	span(t, make([]linesim.TimeslotConfig, 8), nil, func(tn *town) {
		tn.sim.Card(1).Impair(linesim.Impairment{BitErrors: 1e-4, LostBytes: 1e-5})
		for range 2 {
			var out []*end
			for range 4 {
				out = append(out, tn.dial("7"))
			}
			tn.mu.Lock()
			n := len(tn.in)
			tn.mu.Unlock()
			for i := range 4 {
				if err := tn.sim.Town().Ring(fmt.Sprintf("tdm%d", 5+i), linesim.Subscriber{Number: "5551234", Dials: "101", Answer: time.Second}); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 4 {
				tn.comes(n + 1 + i).Answer()
			}
			for _, e := range out {
				e.until(t, "Answered")
			}
			for i, e := range append(out, tn.in[n:]...) {
				if e.has("HungUp") {
					t.Errorf("call %d was lost: %v", i, e.cause())
				}
				e.Hangup(leg.NormalClearing)
			}
			time.Sleep(3 * time.Second)
			for i, s := range tn.g.Lines() {
				if s.State != "idle" || s.Counts.Glare+s.Counts.NoWink != 0 || tn.sim.Town().Lines()[i].Status().State != "idle" {
					t.Errorf("%s: %s, %+v; its far end %+v", s.Line, s.State, s.Counts, tn.sim.Town().Lines()[i].Status())
				}
			}
		}
		if n := tn.card.Counters(); n.BadFCS < 100 || n.CardBadFCS < 100 {
			t.Errorf("nothing was disturbed: %+v", n)
		}
		e := tn.dial("7")
		e.until(t, "Answered")
		tn.sim.Card(1).Unplug(2 * time.Second)
		e.until(t, "HungUp")
		if c := e.cause(); c.Q850 != 41 || !strings.Contains(c.Error(), "is it plugged in?") {
			t.Errorf("cause %v", c)
		}
		time.Sleep(8 * time.Second)
		tn.is("slot1", "idle")
		if st := tn.sim.Town().Line("tdm1").Status(); st.State != "idle" {
			t.Errorf("the far end is %+v", st)
		}
	})
}

// TestSpanChannelBank: lines of an exchange and telephones, behind a channel
// bank: all that FXO and FXS lines do goes over bits.
func TestSpanChannelBank(t *testing.T) {
	slots := []linesim.TimeslotConfig{{Signalling: linesim.FXOLoopStart}, {Signalling: linesim.FXOGroundStart},
		{Signalling: linesim.FXSLoopStart}, {Signalling: linesim.FXSGroundStart}}
	span(t, slots, nil, func(tn *town) {
		for i, line := range []string{"slot1", "slot2"} {
			far := tn.sim.Town().Line(fmt.Sprintf("fxo%d", i+1))
			e := tn.dial("8")
			e.until(t, "Answered")
			tn.is(line, "talking with 8")
			e.until(t, "HungUp")
			ladder := e.ladder.String()
			if how := "loop-current drop"; !strings.Contains(ladder, "dial tone") || !strings.Contains(ladder, how) {
				t.Errorf("%s:\n%v", line, ladder)
			}
			time.Sleep(5 * time.Second) // the guard time
			if err := tn.sim.Town().Ring(far.Name(), linesim.Subscriber{Number: "5551234", Name: "Joe"}); err != nil {
				t.Fatal(err)
			}
			in := tn.comes(i + 1)
			if in.caller.Number != "5551234" {
				t.Errorf("%s: caller %v", line, in.caller)
			}
			in.Answer()
			time.Sleep(2 * time.Second)
			if st := far.Status(); st.State != "talking" {
				t.Errorf("%s: the far end is %+v", line, st)
			}
			in.Hangup(leg.NormalClearing)
			time.Sleep(5 * time.Second)
			tn.is(line, "idle")
			tn.g.BusyOut(line, true) // the next round takes the other
			tn.is(line, "busied out")
		}
		for i, line := range []string{"slot3", "slot4"} {
			phone := tn.sim.Phone(fmt.Sprintf("fxs%d", i+1))
			e := tn.phone(line, leg.Party{Number: "5550000"})
			time.Sleep(5 * time.Second)
			if st := phone.Status(); !st.Ringing || st.CallerID.Number != "5550000" {
				t.Errorf("%s: %+v", line, st)
			}
			phone.OffHook()
			e.until(t, "Answered")
			phone.OnHook()
			e.until(t, "HungUp")
			phone.OffHook()
			time.Sleep(time.Second)
			tn.is(line, "off-hook, hears dial tone")
			if i == 0 {
				phone.DialPulse("12#"[:2])
				time.Sleep(4 * time.Second)
				tn.is(line, "off-hook, has dialled 12")
			}
			phone.OnHook()
			time.Sleep(2 * time.Second)
			tn.is(line, "idle")
		}
	})
}

// TestSpanFull: all timeslots of a T1, and of an E1, talk at once, and each hears
// what its own far end says, code for code.
func TestSpanFull(t *testing.T) {
	for _, n := range []int{24, 30} {
		span(t, make([]linesim.TimeslotConfig, n), nil, func(tn *town) {
			var all []*end
			for range n {
				all = append(all, tn.dial("7"))
			}
			if _, err := tn.g.Dial("pstn", "7", leg.Outgoing{}); err == nil {
				t.Error("one more call than timeslots")
			}
			for _, e := range all {
				e.until(t, "Answered")
			}
			time.Sleep(2500 * time.Millisecond)
			for i, e := range all {
				if !exact(linesim.Signal(2 * time.Second)[160:], e.hearing()) {
					t.Errorf("timeslot %d of %d: the audio was changed", i+1, n)
				}
				e.Hangup(leg.NormalClearing)
			}
			time.Sleep(1500 * time.Millisecond)
			synctest.Wait()
			for _, s := range tn.g.Lines() {
				if s.State != "idle" || s.Counts.Answered != 1 || s.Counts.LostTicks != 0 {
					t.Errorf("%s: %s, %+v", s.Line, s.State, s.Counts)
				}
			}
		})
	}
}
