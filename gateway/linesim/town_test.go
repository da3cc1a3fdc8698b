package linesim_test

import (
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
)

func TestOutgoingCall(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		wait(100 * time.Millisecond)
		fxo := h.line[1]
		if up, ok := fxo.saw(jack.Up); !ok || !up.State.Present || !up.State.Battery || up.State.OffHook {
			t.Fatalf("port 1 after HELLO: %+v, %v", up, ok)
		}
		fxo.port.SetAudio(true)
		fxo.port.SetHook(true)
		wait(time.Second)
		if st := h.sim.Town().Line("fxo1").Status(); st.State != "dial tone" {
			t.Fatalf("off-hook, the line is %v", st)
		}
		fxo.dial("7773660")
		fxo.say(linesim.Signal(8 * time.Second))
		wait(3500 * time.Millisecond)
		t.Log(h.sim.Events())
		wait(6 * time.Second)
		fxo.port.SetHook(false)
		wait(time.Second)
		call, ok := h.sim.Town().LastCall("7773660")
		if !ok || call.Dialed != "7773660" || call.Answered.IsZero() || call.Why != "line hung up" {
			t.Fatalf("call: %v %+v", ok, call)
		}
		t.Log(h.card.Counters())
		t.Log(h.sim.Events())
	})
}
