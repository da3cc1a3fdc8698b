package lab

import (
	"strings"
	"testing"
	"time"
)

// Calls are forwarded to the town: always, for a SIP phone; when the telephone is
// off-hook, for an analog one; when nobody lifts it, for a caller from the town. All
// other mixes are in TestForwardToTheTownOfAllKinds.
func TestForwardToALine(t *testing.T) {
	const out = `
		b2bua -> fxo2  off-hook
		fxo2  -> b2bua dial tone
		b2bua -> fxo2  DTMF 7773660
		fxo2  -> b2bua answer (polarity)
		b2bua -> fxo2  on-hook`
	t.Run("always", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			alice := o.dials("101", "141")
			o.townTalks("fxo2")
			o.is(o.callsUp(alice))
			o.talk("101 fxo2")
			o.hangsUpAt(alice)
			o.free("fxo2")
			o.steps(out + `
				101   -> b2bua INVITE
				b2bua -> 101   407
				101   -> b2bua ACK
				101   -> b2bua INVITE
				b2bua -> 101   100
				b2bua -> 101   183 (SDP)
				b2bua -> 101   200
				101   -> b2bua ACK
				101   -> b2bua BYE
				b2bua -> 101   200`)
		})
	})
	t.Run("busy", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.set("hall").OffHook()
			time.Sleep(time.Second)
			o.lifts("attic", "142")
			o.townTalks("fxo2")
			o.talk("attic fxo2")
			o.line("fxo2").HangUp()
			o.hearsTone("attic", "busy tone")
			o.free("fxo2")
		})
	})
	t.Run("no answer", func(t *testing.T) {
		analog(t, analogCase{incoming: "143"}, func(o *analogOffice) {
			o.townCalls("fxo1", "5551234")
			o.townTalks("fxo2")
			o.townTalks("fxo1")
			o.talk("fxo1 fxo2")
			o.line("fxo1").HangUp()
			o.free("fxo1")
			o.free("fxo2")
			o.steps(out + `
				b2bua -> hall  ring
				b2bua -> hall  caller ID 5551234 "Will"
				b2bua -> hall  ringing stopped
				fxo1  -> b2bua ring
				fxo1  -> b2bua caller ID 5551234 "Will"
				b2bua -> fxo1  off-hook
				fxo1  -> b2bua loop-current drop
				b2bua -> fxo1  on-hook`)
		})
	})
}

// The caller gives up while a forwarded call is being dialled in the town.
func TestForwardToALineGivenUp(t *testing.T) {
	analog(t, analogCase{incoming: "141"}, func(o *analogOffice) {
		o.townCalls("fxo1", "5551234")
		o.eventually("fxo2 dials", func() bool { return o.line("fxo2").Status().OffHook })
		o.line("fxo1").HangUp()
		o.free("fxo2")
		o.free("fxo1")
	})
	analog(t, analogCase{}, func(o *analogOffice) {
		o.lifts("attic", "141")
		o.eventually("fxo2 dials", func() bool { return o.line("fxo2").Status().OffHook })
		o.down("attic")
		o.free("fxo2")
	})
}

// The telephone is lifted at the moment at which its call goes on to the town.
func TestAnswerAsTheCallGoesOn(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		alice := o.dials("101", "143")
		o.ringing("hall")
		o.eventually("the call goes on", func() bool { return strings.Contains(o.Log(), "goes on") })
		o.set("hall").OffHook()
		o.callsUp(alice)
		o.townTalks("fxo2")
		o.talk("101 fxo2")
		o.hearsTone("hall", "dial tone") // it is too late
		o.hangsUpAt(alice)
		o.free("fxo2")
	})
}

// Find-me: a phone that is not there, one that is busy, a busy and a congested
// number and one without an answer in the town, a telephone that nobody lifts;
// then somebody in the town answers. The caller hears one continuous ringing.
func TestFindMeThroughTheTown(t *testing.T) {
	const places = `
		b2bua -> 102   INVITE
		102   -> b2bua 180
		102   -> b2bua 486
		b2bua -> 102   ACK
		b2bua -> fxo2  off-hook
		fxo2  -> b2bua dial tone
		b2bua -> fxo2  DTMF 7770101
		fxo2  -> b2bua busy tone
		b2bua -> fxo2  on-hook
		b2bua -> fxo1  off-hook
		fxo1  -> b2bua dial tone
		b2bua -> fxo1  DTMF 7770104
		fxo1  -> b2bua congestion tone
		b2bua -> fxo1  on-hook
		b2bua -> fxo2  off-hook
		fxo2  -> b2bua dial tone
		b2bua -> fxo2  DTMF 7770102
		fxo2  -> b2bua ringback
		b2bua -> fxo2  on-hook
		b2bua -> hall  ring
		b2bua -> hall  caller ID 133 "Attic"
		b2bua -> hall  ringing stopped
		b2bua -> fxo2  off-hook
		fxo2  -> b2bua dial tone
		b2bua -> fxo2  DTMF 7773660
		fxo2  -> b2bua answer (polarity)
		b2bua -> fxo2  on-hook`
	t.Run("from an analog telephone", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.phone("102") // 104 has never registered
			o.lifts("attic", "144")
			refuses(o.alerted("102"), 486)
			o.eventuallyIn(2*time.Minute, "Zoe answers", func() bool { c, ok := o.Town.Town().LastCall("7773660"); return ok && !c.Answered.IsZero() })
			if gap := longestGap(o.set("attic").Heard()[4*8000:]); gap > 5*time.Second {
				t.Errorf("the ringing was interrupted for %v", gap)
			}
			for _, e := range o.Town.Events() {
				if e.Where == "fxs3" && (strings.Contains(e.What, "busy") || strings.Contains(e.What, "congestion")) {
					t.Errorf("while places are tried the attic %s", e.What)
				}
			}
			time.Sleep(time.Second)
			o.talk("attic fxo2")
			o.down("attic")
			o.free("fxo2")
			o.steps(places + `
				attic -> b2bua off-hook
				b2bua -> attic dial tone
				attic -> b2bua dials 144
				b2bua -> attic ringback
				b2bua -> attic progress
				b2bua -> attic answer
				attic -> b2bua on-hook`)
		})
	})
	t.Run("from a SIP phone", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			o.phone("101")
			o.Wire.Mark()
			alice := o.dials("101", "144")
			refuses(o.alerted("102"), 486)
			o.eventuallyIn(2*time.Minute, "Zoe answers", func() bool { c, ok := o.Town.Town().LastCall("7773660"); return ok && !c.Answered.IsZero() })
			o.callsUp(alice)
			o.talk("101 fxo2")
			o.line("fxo2").HangUp()
			alice.Peer.Wait = 10 * time.Second
			o.ended(alice)
			o.free("fxo2")
			o.Ladder(`
				101   -> b2bua INVITE
				b2bua -> 101   407
				101   -> b2bua ACK
				101   -> b2bua INVITE
				b2bua -> 101   100
				b2bua -> 101   180
				b2bua -> 101   183
				b2bua -> 101   200
				101   -> b2bua ACK
				b2bua -> 101   BYE
				101   -> b2bua 200
				b2bua -> 102   INVITE
				102   -> b2bua 180
				102   -> b2bua 486
				b2bua -> 102   ACK`)
		})
	})
	t.Run("from the town", func(t *testing.T) {
		analog(t, analogCase{incoming: "144"}, func(o *analogOffice) {
			o.phone("102")
			o.townCalls("fxo1", "5551234")
			refuses(o.alerted("102"), 486)
			o.answers("hall")
			o.townTalks("fxo1")
			o.talk("fxo1 hall")
			o.down("hall")
			o.free("fxo1")
		})
	})
}

// Single line extension with telephones and a SIP phone as sets: the first to
// answer wins, the others fall silent, and none may join.
func TestSetsOfALine(t *testing.T) {
	analog(t, analogCase{incoming: "145"}, func(o *analogOffice) {
		o.phone("103")
		o.townCalls("fxo1", "5551234")
		carol := o.alerted("103")
		o.ringing("hall")
		o.ringing("attic")
		o.set("hall").OffHook()
		cancelled(carol)
		o.townTalks("fxo1")
		o.stops("attic")
		o.lifts("attic", "")
		o.hearsTone("attic", "dial tone")
		o.talk("hall fxo1")
		o.line("fxo1").HangUp()
		o.free("fxo1")
	})
}

// longestGap is the longest silence in what somebody has heard.
func longestGap(pcm []int16) (longest time.Duration) {
	quiet := 0
	for _, s := range pcm {
		if quiet++; s > 200 || s < -200 {
			quiet = 0
		}
		longest = max(longest, time.Duration(quiet)*time.Second/8000)
	}
	return longest
}
