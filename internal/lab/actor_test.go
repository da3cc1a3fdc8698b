package lab

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/gateway/linesim"
	"crosspoint/internal/siptest"
	"crosspoint/media/g711"
)

// An actor is somebody at a telephone of some kind, who does what people do and
// leaves to the telephone how. An actor has one call with others at a time; what
// the exchange asks of the telephone meanwhile it does by itself.
type actor interface {
	name() string
	call(number string)
	ringing() bool
	answer()
	busy()              // refuses the call that rings, or is in use
	hold()              // of the call
	retrieve()          //
	send(number string) // the other party there
	hangUp()
	idle() bool          // no call is left
	say(d time.Duration) // while others listen
	heard() int          // ticks of 20 ms in which somebody spoke, so far
	settle()             // lets the telephone do what it was asked
}

// A stage is a lab with actors at telephones.
type stage struct {
	*Lab
	actors []actor
	lines  int // to analog telephones
}

// kinds of telephones: of today, of 1999, analog.
var kinds = []string{"new", "old", "analog"}

// stageText has a telephone for each actor: 201 for the first at one of today,
// 302 for the second at one of 1999, 403 for the third at an analog one.
func stageText(cast []string) string {
	var b strings.Builder
	b.WriteString("country = \"us\"\ntimezone = \"UTC\"\n")
	lines := 0
	for i, kind := range cast {
		number := numberOf(kind, i+1)
		fmt.Fprintf(&b, "[[phone]]\nextension = %q\n", number)
		switch kind {
		case "analog":
			lines++
			fmt.Fprintf(&b, "[[line]]\nname = \"fxs%d\"\ncard = \"card1\"\nport = %[1]d\nkind = \"fxs\"\nextension = %q\n", lines, number)
		case "old":
			fmt.Fprintf(&b, "secret = \"lantern-%s\"\ncontacts = \"sip:%[1]s@127.0.0.1:5%[1]s\"\n", number)
		default:
			fmt.Fprintf(&b, "secret = \"lantern-%s\"\n", number)
		}
	}
	if lines > 0 {
		b.WriteString("[[card]]\nname = \"card1\"\nport = \"sim\"\n")
	}
	return b.String()
}

// onStage runs a script with actors of these kinds, in an office that has
// something extra.
func onStage(t *testing.T, extra string, calls b2bua.Config, cast []string, script func(s *stage)) {
	t.Helper()
	Play(t, Config{Text: stageText(cast) + extra, Calls: calls}, func(l *Lab) {
		s := &stage{Lab: l}
		for i, kind := range cast {
			s.actors = append(s.actors, s.actor(kind, i+1))
		}
		script(s)
		s.pass(4 * time.Second)
		for _, a := range s.actors {
			if !a.idle() {
				t.Errorf("%s is still in a call\n%s", a.name(), s.Wire.Figure())
				a.hangUp()
			}
		}
		s.pass(4 * time.Second)
	})
}

// actor puts the ith actor, from 1, at its telephone.
func (s *stage) actor(kind string, i int) actor {
	s.t.Helper()
	number := numberOf(kind, i)
	if kind == "analog" {
		s.lines++
		p := s.Town.Phone(fmt.Sprintf("fxs%d", s.lines))
		p.Set(linesim.PhoneConfig{})
		return &analogActor{l: s.Lab, p: p, number: number}
	}
	p := s.Phone(number, "5"+number)
	if kind == "old" {
		p.Legacy, p.Host = true, "old.example"
	}
	return &sipActor{l: s.Lab, p: p}
}

// pass lets time pass, in which telephones do what they are asked.
func (s *stage) pass(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for _, a := range s.actors {
			a.settle()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// until waits for something, half a minute at most.
func (s *stage) until(what string, true func() bool) {
	s.t.Helper()
	for range 600 {
		if true() {
			return
		}
		s.pass(50 * time.Millisecond)
	}
	s.t.Fatalf("after 30 s still not: %s", what)
}

// connect has one call another, who answers.
func (s *stage) connect(from, to actor, number string) {
	s.t.Helper()
	from.call(number)
	s.answers(to)
}

// answers waits until it rings, and answers.
func (s *stage) answers(a actor) {
	s.t.Helper()
	s.until(a.name()+" rings", a.ringing)
	s.pass(time.Second)
	a.answer()
	s.pass(2 * time.Second)
}

// talk has two speak in turn; each hears the other one.
func (s *stage) talk(a, b actor) {
	s.t.Helper()
	for _, way := range [][2]actor{{a, b}, {b, a}} {
		if n := s.says(way[0], way[1]); n < 30 {
			s.t.Errorf("%s spoke for a second, and %s heard %d ms of it\n%s", way[0].name(), way[1].name(), 20*n, s.Wire.Figure())
		}
	}
}

// deaf: what one says does not come to the other one.
func (s *stage) deaf(from, to actor) {
	s.t.Helper()
	if n := s.says(from, to); n > 5 {
		s.t.Errorf("%s heard %d ms of %s, who is held\n%s", to.name(), 20*n, from.name(), s.Wire.Figure())
	}
}

func (s *stage) says(from, to actor) int {
	s.pass(time.Second)
	before := to.heard()
	from.say(time.Second)
	s.pass(500 * time.Millisecond)
	return to.heard() - before
}

// a sipActor has a SIP phone.
type sipActor struct {
	l       *Lab
	p       *siptest.Peer
	d       *siptest.Dialog  // nil: no call
	offered *siptest.Message // the INVITE that rings
	talking bool
	on      bool // it holds
	sending bool // it has referred the other party
	to      netip.AddrPort
	seq     uint16
}

func (a *sipActor) name() string { return a.p.User }
func (a *sipActor) idle() bool   { return a.d == nil }

func (a *sipActor) call(number string) {
	a.l.t.Helper()
	a.d = a.p.Invite(number, says(a.p)...)
}

func (a *sipActor) ringing() bool { return a.offered != nil }

func (a *sipActor) answer() {
	a.d.Respond(a.offered, 200, says(a.p)...)
	a.offered, a.talking = nil, true
}

func (a *sipActor) busy() {
	a.d.Respond(a.offered, 486)
	a.d, a.offered = nil, nil
}

func (a *sipActor) change(description string) {
	a.d.Request("INVITE", description)
	a.settle()
}

func (a *sipActor) hold() {
	a.on = true
	if a.p.Legacy {
		a.change(strings.Replace(sdp(a.p), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1))
		return
	}
	a.change(sdp(a.p, "a=sendonly"))
}

func (a *sipActor) retrieve() { a.on = false; a.change(sdp(a.p)) }

func (a *sipActor) send(number string) {
	if a.p.Legacy {
		a.d.Request("BYE", "Also: <sip:"+number+"@127.0.0.1>")
		a.d, a.talking = nil, false
		return
	}
	a.sending = true
	a.d.Request("REFER", "Refer-To: <sip:"+number+"@127.0.0.1>")
}

func (a *sipActor) hangUp() {
	if a.d == nil {
		return
	}
	a.d.Request("BYE")
	a.d, a.talking = nil, false
}

func (a *sipActor) heard() int { return a.l.Wire.Loud(rtpOf(a.p)) }

// say speaks: a tone, 20 ms a packet.
func (a *sipActor) say(d time.Duration) {
	a.l.t.Helper()
	u, err := a.l.Net.ListenUDP(rtpOf(a.p).String())
	a.l.must(err)
	defer u.Close()
	packet := append([]byte{0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, tick()...)
	for range d / (20 * time.Millisecond) {
		a.seq++
		binary.BigEndian.PutUint16(packet[2:], a.seq)
		binary.BigEndian.PutUint32(packet[4:], uint32(a.seq)*160)
		_, err := u.WriteToUDPAddrPort(packet, a.to)
		a.l.must(err)
		time.Sleep(20 * time.Millisecond)
	}
}

// tick is 20 ms of a tone of 500 Hz, -10 dBm0, in µ-law.
func tick() []byte {
	pcm, codes := make([]int16, 160), make([]byte, 160)
	for i := range pcm {
		pcm[i] = int16(7000 * math.Sin(2*math.Pi*500*float64(i)/8000))
	}
	g711.MuLaw.Encode(codes, pcm)
	return codes
}

// settle answers what has come.
func (a *sipActor) settle() {
	a.p.Wait = time.Millisecond
	for m := a.p.Any(); m != nil; m = a.p.Any() {
		a.take(m)
	}
	a.p.Wait = 2 * time.Second
}

func (a *sipActor) take(m *siptest.Message) {
	if at := described(m.Body); at.IsValid() {
		a.to = at
	}
	switch {
	case m.Is("INVITE") && a.d == nil && m.Param("To", "tag") != "": // of a call that it has left
		a.p.Respond(m, 481)
	case m.Is("INVITE") && a.d == nil:
		a.d, a.offered = a.p.Incoming(m), m
		a.d.Respond(m, 180)
	case m.Is("INVITE"):
		a.d.Respond(m, 200, a.description(m))
	case m.Is("BYE"):
		a.p.Respond(m, 200)
		a.d, a.talking, a.sending = nil, false, false
	case m.Is("CANCEL"):
		a.p.Respond(m, 200)
		a.d.Respond(a.offered, 487)
		a.d, a.offered = nil, nil
	case m.Is("NOTIFY"):
		a.p.Respond(m, 200)
	case m.Is("200 INVITE") && a.d != nil:
		a.d.Ack(m)
		a.talking = true
	case m.Status >= 300 && strings.HasSuffix(m.Get("CSeq"), "INVITE") && a.d != nil:
		a.d.Ack(m)
		if !a.talking {
			a.d = nil
		}
	}
}

// description answers an offer.
func (a *sipActor) description(offer *siptest.Message) string {
	switch held := strings.Contains(offer.Body, "a=sendonly"); {
	case held && a.on:
		return sdp(a.p, "a=inactive")
	case held:
		return sdp(a.p, "a=recvonly")
	case a.on:
		return sdp(a.p, "a=sendonly")
	}
	return sdp(a.p)
}

// an analogActor has an analog telephone.
type analogActor struct {
	l      *Lab
	p      *linesim.Phone
	number string
}

func (a *analogActor) name() string  { return a.number }
func (a *analogActor) settle()       {}
func (a *analogActor) ringing() bool { return a.p.Status().Ringing }
func (a *analogActor) answer()       { a.p.OffHook() }
func (a *analogActor) busy()         { a.p.OffHook() }
func (a *analogActor) hangUp()       { a.p.OnHook() }

// idle: it is on-hook, or there is nobody at the other end: then its user hangs
// up too.
func (a *analogActor) idle() bool {
	if s := a.p.Status(); s.OffHook && !strings.Contains(s.Hears, "voice") {
		a.p.OnHook()
	}
	return !a.p.Status().OffHook
}

func (a *analogActor) call(number string) {
	a.p.OffHook()
	time.Sleep(time.Second)
	a.l.must(a.p.Dial(number))
}

func (a *analogActor) hold() {
	a.p.Flash(0)
	time.Sleep(time.Second)
}

func (a *analogActor) retrieve() { a.hold() }

func (a *analogActor) send(number string) {
	a.hold()
	a.l.must(a.p.Dial(number))
	time.Sleep(2 * time.Second)
	a.p.OnHook()
}

func (a *analogActor) say(d time.Duration) {
	pcm := make([]int16, 160)
	g711.MuLaw.Decode(pcm, tick())
	a.p.Play(pcm, true)
	time.Sleep(d)
	a.p.Play(nil, false)
}

func (a *analogActor) heard() (ticks int) {
	pcm := a.p.Heard()
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		loud := 0
		for _, s := range pcm[:160] {
			if s > 800 || s < -800 {
				loud++
			}
		}
		if loud > 40 {
			ticks++
		}
	}
	return ticks
}

// giveUp ends a call that is not answered yet.
func (a *sipActor) giveUp()    { a.d.Cancel() }
func (a *analogActor) giveUp() { a.p.OnHook() }
