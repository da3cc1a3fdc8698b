package lab

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/internal/siptest"
)

// A person is somebody at a telephone of some kind: the cast of a scene
// (engine_test.go). What the exchange asks of the telephone it does by itself
// and at once; the person does what the scene says.
type person interface {
	name() string // the column in ladders
	mark() byte   // what this person says
	doing() string
	call(number string)
	answer()
	hangUp()       // ends whatever call there is, also one that is not answered yet; refuses one that rings
	busy(is bool)  // the telephone is in use otherwise
	gone(is bool)  // it can't be reached
	speak(on bool) // for others to hear
	heard(mark byte) int
	draws(act string) (arrows string, ok bool)
	close()
}

// What a person is doing.
const (
	idle  = "idle"
	rings = "rings"
	waits = "waits" // has called, and is not answered
	talks = "talks"
	holds = "holds"                 // the only call that it has, if it is a SIP phone
	over  = "hears that it is over" // off-hook, and hears that the call is over
)

// A sipPerson has a SIP phone, of today or of 1999.
type sipPerson struct {
	l      *Lab
	p      *siptest.Peer
	code   byte
	done   chan struct{} // closed as the phone is unplugged
	closed bool

	mu      sync.Mutex
	calls   []*sipCall
	left    map[string]bool // calls that are over, by Call-ID
	past    *sipCall        // the last of them; nil: none
	refuse  int             // the status that each call gets; 0: it rings
	moved   []string        // the Contact to that: where callers are to call instead
	refusal string          // the last that one of its calls got
	away    bool            // can not be reached
	deaf    bool            // unplugged
	expires string          // of its next REGISTER
	saying  bool
	seq     uint16
}

// A sipCall is one call of a SIP phone.
type sipCall struct {
	d       *siptest.Dialog
	state   string // rings, waits, talks
	body    []string
	to      netip.AddrPort // where the exchange listens
	holding bool
	dropped bool // it was cancelled
}

func newSIPPerson(l *Lab, kind, number string, code byte) *sipPerson {
	a := &sipPerson{l: l, p: l.Phone(number, "5"+number), code: code, done: make(chan struct{}), left: make(map[string]bool)}
	if kind == "old" {
		a.p.Legacy, a.p.Host = true, "old.example"
	}
	a.p.Wait = 24 * time.Hour
	go a.run() // until close
	return a
}

// run does what the exchange asks.
func (a *sipPerson) run() {
	defer close(a.done)
	for {
		m := a.p.Any()
		a.mu.Lock()
		switch {
		case a.closed:
			a.mu.Unlock()
			return
		case m != nil && !a.deaf:
			a.take(m)
		}
		a.mu.Unlock()
	}
}

func (a *sipPerson) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.p.Close()
	<-a.done
}

func (a *sipPerson) name() string { return a.p.User }
func (a *sipPerson) mark() byte   { return a.code }

func (a *sipPerson) doing() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	is := idle
	for _, state := range []string{holds, waits, rings, talks} {
		if slices.ContainsFunc(a.calls, func(c *sipCall) bool { return c.state == state && !c.holding || c.holding && state == holds }) {
			is = state
		}
	}
	return is
}

// call dials; a challenge is answered by run.
func (a *sipPerson) call(number string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &sipCall{d: a.p.Dial(number), state: waits, body: says(a.p)}
	a.calls = append(a.calls, c)
	c.d.Request("INVITE", c.body...)
}

// that is the latest call in a state; nil: none is.
func (a *sipPerson) that(is string) *sipCall {
	for _, c := range slices.Backward(a.calls) {
		if c.state == is {
			return c
		}
	}
	return nil
}

func (a *sipPerson) answer() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.that(rings); c != nil {
		c.d.Respond(c.d.Invite, 200, says(a.p)...)
		c.state = talks
	}
}

func (a *sipPerson) hangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range slices.Clone(a.calls) {
		switch c.state {
		case talks:
			c.d.Request("BYE")
			a.forget(c)
		case rings:
			c.d.Respond(c.d.Invite, 486)
			a.forget(c)
		default:
			c.d.Cancel()
			c.dropped = true
		}
	}
}

func (a *sipPerson) forget(c *sipCall) {
	a.calls = slices.DeleteFunc(a.calls, func(o *sipCall) bool { return o == c })
	if c != nil {
		a.left[c.d.CallID], a.past = true, c
	}
}

func (a *sipPerson) busy(is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuse = 0
	if is {
		a.refuse = 486
	}
}

// gone unplugs the phone: one of today has signed off before.
func (a *sipPerson) gone(is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if is == a.away {
		return
	}
	if a.away = is; a.p.Legacy {
		a.deaf = is
		return
	}
	if a.expires = "Expires: 3600"; is {
		a.expires = "Expires: 0"
	}
	a.p.Request("REGISTER", "sip:"+a.p.Domain, a.expires)
}

func (a *sipPerson) speak(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.saying = on
}

// packet says 20 ms.
func (a *sipPerson) packet() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.saying {
		return
	}
	u, err := a.l.Net.ListenUDP(rtpOf(a.p).String())
	a.l.must(err)
	defer u.Close()
	packet := make([]byte, 12+160)
	packet[0], packet[11] = 0x80, a.code
	for i := range 160 {
		packet[12+i] = a.code
	}
	a.seq++
	binary.BigEndian.PutUint16(packet[2:], a.seq)
	binary.BigEndian.PutUint32(packet[4:], uint32(time.Now().UnixMicro()/125)) // the clock goes on while it is silent
	for _, c := range a.calls {
		if c.to.IsValid() && !c.holding {
			_, err := u.WriteToUDPAddrPort(packet, c.to)
			a.l.must(err)
		}
	}
}

func (a *sipPerson) heard(mark byte) int { return a.l.Wire.Marked(rtpOf(a.p), mark) }

// take does what a message asks, as phones do.
func (a *sipPerson) take(m *siptest.Message) {
	c := a.of(m)
	if at := described(m.Body); c != nil && at.IsValid() {
		c.to = at
	}
	switch invite := strings.HasSuffix(m.Get("CSeq"), "INVITE"); {
	case m.Method != "" && m.Method != "ACK":
		a.serve(c, m)
	case m.Status == 401 && strings.HasSuffix(m.Get("CSeq"), "REGISTER"):
		a.p.Request("REGISTER", "sip:"+a.p.Domain, a.expires, a.p.Authorize(m, "REGISTER", "sip:"+a.p.Domain))
	case c == nil || !invite:
	case m.Status < 200:
		c.d.RemoteTag = m.Param("To", "tag") // of the early dialog
	case m.Status < 300:
		c.d.Ack(m)
		c.state = talks
		if c.dropped { // the answer has crossed the CANCEL
			c.d.Request("BYE")
			a.forget(c)
		}
	default:
		a.failed(c, m)
	}
}

// failed: an INVITE of ours was refused.
func (a *sipPerson) failed(c *sipCall, m *siptest.Message) {
	c.d.Ack(m)
	switch {
	case c.state == talks: // a re-INVITE
	case m.Status == 407:
		if a.p.Legacy {
			c.d.CallID, c.d.Seq = siptest.Token()+"@"+a.p.User, 0
		}
		c.d.Request("INVITE", append(slices.Clone(c.body), a.p.Authorize(m, "INVITE", c.d.Target))...)
	default:
		a.refusal = m.Start
		a.forget(c)
	}
}

// serve answers a request.
func (a *sipPerson) serve(c *sipCall, m *siptest.Message) {
	switch {
	case m.Is("INVITE") && c == nil && a.left[m.Get("Call-ID")]:
		a.p.Respond(m, 481)
	case m.Is("INVITE") && c == nil && a.refuse != 0:
		a.p.Respond(m, a.refuse, a.moved...)
	case m.Is("INVITE") && c == nil:
		c = &sipCall{d: a.p.Incoming(m), state: rings, to: described(m.Body)}
		a.calls = append(a.calls, c)
		c.d.Respond(m, 180)
	case m.Is("INVITE"):
		c.d.Respond(m, 200, c.description(a.p, m))
	case m.Is("BYE"):
		a.p.Respond(m, 200)
		a.forget(c)
	case m.Is("CANCEL"):
		a.p.Respond(m, 200)
		if c != nil && c.state == rings {
			c.d.Respond(c.d.Invite, 487)
			a.forget(c)
		}
	default:
		a.p.Respond(m, 200)
	}
}

// of is the call that a message belongs to.
func (a *sipPerson) of(m *siptest.Message) *sipCall {
	for _, c := range a.calls {
		if c.d.CallID == m.Get("Call-ID") {
			return c
		}
	}
	return nil
}

// description answers an offer.
func (c *sipCall) description(p *siptest.Peer, offer *siptest.Message) string {
	switch held := strings.Contains(offer.Body, "a=sendonly") || strings.Contains(offer.Body, "c=IN IP4 0.0.0.0"); {
	case held && c.holding:
		return sdp(p, "a=inactive")
	case held && !p.Legacy:
		return sdp(p, "a=recvonly")
	case c.holding:
		return sdp(p, "a=sendonly")
	}
	return sdp(p)
}

// An analogPerson has an analog telephone.
type analogPerson struct {
	l      *Lab
	w      *pair
	line   string
	code   byte
	lifted bool // to be busy
}

func (a *analogPerson) name() string { return a.line }
func (a *analogPerson) mark() byte   { return a.code }

// doing is what the exchange thinks that the telephone does, which has no
// better knowledge than its user.
func (a *analogPerson) doing() string {
	if a.lifted {
		return idle
	}
	return statuses[strings.SplitN(strings.TrimPrefix(lineState(a.l, a.line), "off-hook, "), " ", 2)[0]]
}

// statuses are the first words of what a line does.
var statuses = map[string]string{
	"idle": idle, "ringing,": rings, "calling": waits, "has": waits, "hears": over, "talking": talks,
	"failed:": idle,
}

// lineState is what a line does, in words.
func lineState(l *Lab, name string) string {
	for _, s := range l.Office.Gateway.Lines() {
		if s.Line == name {
			return s.State
		}
	}
	return ""
}

func (a *analogPerson) call(number string) {
	a.hook(true)
	time.Sleep(100 * time.Millisecond)
	time.Sleep(a.w.dials(number) + 100*time.Millisecond)
}

func (a *analogPerson) answer() { a.hook(true) }
func (a *analogPerson) hangUp() { a.hook(false) }

func (a *analogPerson) hook(off bool) {
	if a.w.now().OffHook == off {
		return
	}
	what := jack.OnHook
	if off {
		what = jack.OffHook
	}
	a.w.report(jack.Change{What: what})
}

// busy lifts the telephone, and puts it down again.
func (a *analogPerson) busy(is bool) {
	a.hook(is)
	synctest.Wait()
	a.lifted = is
}

func (a *analogPerson) gone(is bool) {
	if a.w.now().Present != is {
		return
	}
	what := jack.Up
	if is {
		what = jack.Down
	}
	a.w.report(jack.Change{What: what})
}

func (a *analogPerson) speak(on bool) {
	if on {
		a.w.speak(a.code)
	} else {
		a.w.speak(0)
	}
}

func (a *analogPerson) heard(mark byte) int {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.w.heard[mark]
}

func (a *analogPerson) close() { a.w.cut() }
