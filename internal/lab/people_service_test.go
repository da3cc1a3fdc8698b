package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/internal/siptest"
)

// A user is a person who uses services, each with what the telephone has for it:
// re-INVITE and REFER, a hold of 1999 and BYE with Also, or the hook-flash.
type user interface {
	person
	hold()              // of the call that is talked in
	retrieve()          // of the one that is held
	giveUp()            // of a consultation that is not answered
	endConsult()        // and have the held party again
	send(number string) // the other party there, whom it may hold
	join()              // the held party to the one who was consulted
}

func (s *trial) user(letter string) user { return s.who(letter).(user) }

// talked is the call in which a phone talks and does not hold; nil: none.
func (a *sipPerson) talked() *sipCall {
	for _, c := range slices.Backward(a.calls) {
		if c.state == talks && !c.holding {
			return c
		}
	}
	return nil
}

// held is the call in which a phone holds; nil: none.
func (a *sipPerson) held() *sipCall {
	for _, c := range slices.Backward(a.calls) {
		if c.holding {
			return c
		}
	}
	return nil
}

func (a *sipPerson) hold() {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.talked()
	if c == nil {
		return
	}
	c.holding = true
	offer := sdp(a.p, "a=sendonly")
	if a.p.Legacy {
		offer = strings.Replace(sdp(a.p), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1)
	}
	c.d.Request("INVITE", offer)
}

func (a *sipPerson) retrieve() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.held(); c != nil {
		c.holding = false
		c.d.Request("INVITE", sdp(a.p))
	}
}

func (a *sipPerson) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.that(waits); c != nil {
		c.d.Cancel()
		c.dropped = true
	}
}

func (a *sipPerson) endConsult() {
	a.end()
	time.Sleep(100 * time.Millisecond)
	a.retrieve()
}

// end hangs up the call that is talked in.
func (a *sipPerson) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.talked(); c != nil {
		c.d.Request("BYE")
		a.forget(c)
	}
}

func (a *sipPerson) send(number string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.that(talks)
	if c == nil {
		return
	}
	if a.p.Legacy {
		c.d.Request("BYE", "Also: <sip:"+number+"@127.0.0.1>")
		a.forget(c)
		return
	}
	c.d.Request("REFER", "Refer-To: <sip:"+number+"@127.0.0.1>")
}

// join is REFER with Replaces.
func (a *sipPerson) join() {
	a.mu.Lock()
	defer a.mu.Unlock()
	second, first := a.talked(), a.held()
	if second == nil {
		second = a.that(waits)
	}
	if second == nil { // the other one has hung up
		second = a.past
	}
	if first == nil {
		return
	}
	first.d.Request("REFER", "Refer-To: <sip:203@127.0.0.1?Replaces="+escaped(dialogOf(second.d))+">")
}

// dialogOf names a dialog as Replaces does, from the exchange's side. A phone of
// 1999 may have no tag: that is 0 (RFC 3891 §3).
func dialogOf(d *siptest.Dialog) string {
	return fmt.Sprintf("%s;to-tag=%s;from-tag=%s", d.CallID, cmp.Or(d.RemoteTag, "0"), cmp.Or(d.LocalTag, "0"))
}

// takes calls a number in the place of another phone's call (RFC 3891).
func (a *sipPerson) takes(number string, from *sipPerson, more string) {
	from.mu.Lock()
	place := from.past
	for _, c := range from.calls {
		place = c
	}
	from.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &sipCall{d: a.p.Dial(number), state: waits, body: append(says(a.p), "Replaces: "+dialogOf(place.d)+more)}
	a.calls = append(a.calls, c)
	c.d.Request("INVITE", c.body...)
}

// flash is the hook-flash of an analog telephone.
func (a *analogPerson) flash() {
	a.w.report(jack.Change{What: jack.Flash})
	time.Sleep(100 * time.Millisecond)
}

func (a *analogPerson) hold()     { a.flash() }
func (a *analogPerson) retrieve() { a.flash() }

func (a *analogPerson) giveUp() { a.flash() }

// endConsult takes all three together, and lets the last one go.
func (a *analogPerson) endConsult() {
	a.flash()
	a.flash()
}

func (a *analogPerson) send(number string) {
	a.flash()
	a.call(number) // it is lifted: it dials
	a.hangUp()
}

func (a *analogPerson) join() { a.hangUp() }

// drawsService are the arrows of what a phone does in a service.
func (a *sipPerson) drawsService(act string) (string, bool) {
	if a.p.Legacy {
		if arrows, ok := map[string]string{
			"holds":     "> INVITE (c=0), < 200",
			"is held":   "< INVITE (c=0)",
			"sends #":   "> BYE (Also #), < 200",
			"is sent #": "< INVITE (ReqBy #)",
		}[act]; ok {
			return arrows, true
		}
	}
	arrows, ok := map[string]string{
		"holds":         "> INVITE (hold), < 200",
		"acks":          "> ACK",
		"is held":       "< INVITE (hold)",
		"retrieves":     "> INVITE (resume), < 200",
		"is taken back": "< INVITE (resume)",
		"agrees":        "> 200, < ACK",
		"sends #":       "> REFER #, < 202, < NOTIFY 100",
		"is sent #":     "< INVITE",
		"hears #":       "< NOTIFY #",
		"gets #":        "< #",
		"moves":         "< INVITE, > 302, < ACK",
		"takes #":       "> INVITE (Replaces), < 407, > ACK, > INVITE (Replaces)",
		"is sent away":  "< BYE",
		"nods":          "> 200",
	}[act]
	return arrows, ok
}

// drawsService are the arrows of an analog telephone in a service.
func (a *analogPerson) drawsService(act string) (string, bool) {
	arrows, ok := map[string]string{
		"holds":         "> flash",
		"acks":          "",
		"is held":       "< hold",
		"retrieves":     "> flash",
		"is taken back": "< resume",
		"agrees":        "",
		"flashes":       "> flash",
		"is sent away":  "< loop-current drop",
		"nods":          "",
		"hears busy":    "< busy tone",
		"gets #":        "< answer", // a 200
		"presses #":     "KEYS",
		"is sent #":     "< ring",
	}[act]
	return arrows, ok
}

// drawsService are the arrows of a line to the town in a service.
func (p *townPerson) drawsService(act string) (string, bool) {
	arrows, ok := map[string]string{
		"is held":       "< hold",
		"is taken back": "< resume",
		"agrees":        "",
		"is sent away":  "< on-hook",
		"nods":          "",
	}[act]
	return arrows, ok
}

// withNumber puts the number into arrows: whole, or pressed key by key.
func withNumber(arrows, number string) string {
	var keys []string
	for _, key := range number {
		keys = append(keys, "> DTMF "+string(key))
	}
	return strings.NewReplacer("KEYS", strings.Join(keys, ", "), "#", number).Replace(arrows)
}

// joins has B send A to C, with whom it talks. A phone of 1999 ends that call, and
// leaves by BYE with Also (draft 2.4).
func (s *trial) joins() {
	s.t.Helper()
	b, sip := s.who("B").(*sipPerson)
	if !sip || !b.p.Legacy {
		s.user("B").join()
		return
	}
	b.end()
	s.settle()
	b.send("203")
}
