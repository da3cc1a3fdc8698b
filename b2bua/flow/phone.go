package flow

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/media"
	"crosspoint/media/g711"
)

// A Phone acts as its test says. Verbs without a leg mean the latest one.
type Phone struct {
	Name      string // its column
	Extension string // its number; the name unless the plan has numbers
	Off       bool   // not registered
	AlertInfo string // how it asks those to ring that it calls
	f         *Flow
	legs      []*testLeg
}

// leg is the phone's latest leg that is not over; nil: it has none.
func (p *Phone) leg() *testLeg {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	for i := len(p.legs) - 1; i >= 0; i-- {
		if !p.legs[i].gone() {
			return p.legs[i]
		}
	}
	return nil
}

func (p *Phone) must() *testLeg {
	p.f.t.Helper()
	p.f.Settle()
	l := p.leg()
	if l == nil {
		p.f.t.Fatalf("%s has no call", p.Name)
	}
	return l
}

// Calls dials.
func (p *Phone) Calls(dialed string) {
	p.CallsAs(leg.Source{Kind: leg.Phone, Name: p.Extension}, dialed)
}

// CallsAs dials as another than a known phone.
func (p *Phone) CallsAs(as leg.Source, dialed string) { p.call(as, 0, dialed) }

// CallsWithHops dials with so many Max-Forwards left.
func (p *Phone) CallsWithHops(hops int, dialed string) {
	p.call(leg.Source{Kind: leg.Phone, Name: p.Extension}, hops, dialed)
}

func (p *Phone) call(as leg.Source, hops int, dialed string) {
	f := p.f
	f.mu.Lock()
	l := f.newLeg(p, nil)
	l.state = calling
	f.ladder.In(p.Name, "INVITE "+dialed)
	f.mu.Unlock()
	sink := f.X.Accept(leg.Incoming{
		Of: leg.Of{Leg: l}, Source: as, Caller: leg.Party{Number: p.Name},
		Dialed: dialed, To: leg.Party{Number: dialed}, Hops: hops, AlertInfo: p.AlertInfo,
	})
	l.setSink(sink)
	f.Settle()
}

// Rings, Answers … are what a called phone does.
func (p *Phone) Rings()   { p.does("180", alerting, leg.Ringing{Of: leg.Of{Leg: p.must()}}) }
func (p *Phone) Answers() { p.does("200", talking, leg.Answered{Of: leg.Of{Leg: p.must()}}) }

// Plays opens early media.
func (p *Phone) Plays() { p.does("183 (SDP)", alerting, leg.EarlyMedia{Of: leg.Of{Leg: p.must()}}) }

// Refuses answers with a final failure.
func (p *Phone) Refuses(status int) {
	p.does(strconv.Itoa(status), over, leg.HungUp{Of: leg.Of{Leg: p.must()}, Cause: leg.Cause{Status: status, By: p.Name}})
}

// Redirects answers with a 302: callers are to call there instead, at the first
// that can be reached.
func (p *Phone) Redirects(to ...string) { p.RedirectsFor("", to...) }

// RedirectsFor says why, in the words of RFC 5806.
func (p *Phone) RedirectsFor(reason string, to ...string) {
	p.does("302 "+strings.Join(to, ", "), over, leg.HungUp{
		Of: leg.Of{Leg: p.must()}, Cause: leg.Cause{Status: 302, By: p.Name}, Moved: to, MovedFor: reason,
	})
}

// HangsUp ends the phone's call: CANCEL before the answer, BYE after it.
func (p *Phone) HangsUp() {
	l := p.must()
	cause, text := leg.NormalClearing, "BYE"
	if l.at() == calling {
		cause, text = leg.Cancelled, "CANCEL"
	}
	p.does(text, over, leg.HungUp{Of: leg.Of{Leg: l}, Cause: cause.GivenBy(p.Name)})
}

// Holds and Resumes are a re-INVITE of a talking phone.
func (p *Phone) Holds()   { p.does("INVITE (hold)", talking, leg.Held{Of: leg.Of{Leg: p.must()}}) }
func (p *Phone) Resumes() { p.does("INVITE (resume)", talking, leg.Resumed{Of: leg.Of{Leg: p.must()}}) }

// Presses sends a digit by SIP INFO, which the audio does not carry.
func (p *Phone) Presses(d byte) {
	p.does("INFO "+string(d), talking, leg.Digit{Of: leg.Of{Leg: p.must()}, Digit: d, For: 100 * time.Millisecond})
}

// Refers asks for an unattended transfer of the phone's latest call.
func (p *Phone) Refers(target string) {
	p.does("REFER "+target, talking, leg.Referred{Of: leg.Of{Leg: p.must()}, Refer: leg.Refer{Target: target}})
}

// LeavesTo is the BYE with Also of 1999: a transfer whose transferor is gone.
func (p *Phone) LeavesTo(target string) {
	l := p.must()
	p.does("BYE (Also "+target+")", over, leg.Referred{Of: leg.Of{Leg: l}, Refer: leg.Refer{Target: target}, Gone: true})
	p.event(leg.HungUp{Of: leg.Of{Leg: l}, Cause: leg.NormalClearing.GivenBy(p.Name)})
}

// Joins asks for an attended transfer: the other party of the phone's first
// call is sent to that of its latest.
func (p *Phone) Joins() {
	latest, first := p.must(), p.oldest()
	p.does("REFER (Replaces)", talking, leg.Referred{Of: leg.Of{Leg: first}, ReplacesLeg: latest})
}

// Latest is the phone's latest leg, to be named when it is over.
func (p *Phone) Latest() leg.Leg { return p.must() }

// ReplacesLeg asks for an attended transfer to the call of that leg.
func (p *Phone) ReplacesLeg(l leg.Leg) {
	p.does("REFER (Replaces)", talking, leg.Referred{Of: leg.Of{Leg: p.must()}, ReplacesLeg: l})
}

// oldest is the phone's first leg that is not over.
func (p *Phone) oldest() *testLeg {
	for _, l := range p.legs {
		if !l.gone() {
			return l
		}
	}
	return nil
}

// HangsUpFirst ends the phone's first call.
func (p *Phone) HangsUpFirst() {
	p.does("BYE", over, leg.HungUp{Of: leg.Of{Leg: p.oldest()}, Cause: leg.NormalClearing.GivenBy(p.Name)})
}

// Replaces calls with Replaces: it takes the place of the other phone's latest call.
func (p *Phone) Replaces(other *Phone, early bool) {
	f, old := p.f, other.must()
	f.mu.Lock()
	l := f.newLeg(p, nil)
	f.mu.Unlock()
	f.ladder.In(p.Name, "INVITE (Replaces)")
	l.setSink(f.X.Accept(leg.Incoming{
		Of: leg.Of{Leg: l}, Source: leg.Source{Kind: leg.Phone, Name: p.Name},
		Caller: leg.Party{Number: p.Name}, Replaces: old, EarlyOnly: early,
	}))
	f.Settle()
}

// Flashes is a hook-flash.
func (p *Phone) Flashes() { p.does("flash", talking, leg.Flash{Of: leg.Of{Leg: p.must()}}) }

// Dials presses keys that travel in the audio.
func (p *Phone) Dials(digits string) {
	p.f.ladder.In(p.Name, "DTMF "+digits)
	for i := range len(digits) {
		p.event(leg.Digit{Of: leg.Of{Leg: p.must()}, Digit: digits[i], For: 100 * time.Millisecond, Relayed: true})
	}
}

// Says sends 200 ms of one code of the law.
func (p *Phone) Says(code byte) {
	from := p.must().stream
	for range 10 {
		from.say(code)
		p.f.Wait(20 * time.Millisecond)
	}
}

// Speaks sends 20 ms of audio, Reports a report by RTCP, and Pauses a packet of
// comfort noise, after which it may send nothing for a while.
func (p *Phone) Speaks() { p.must().stream.say(0x55) }
func (p *Phone) Reports() {
	p.must().stream.note(func(st *media.Stats) { st.LastReport = time.Now() })
}
func (p *Phone) Pauses() {
	p.must().stream.note(func(st *media.Stats) { st.LastReceived, st.Paused = time.Now(), true })
}

// FallsSilent is heard no more.
func (p *Phone) FallsSilent() {
	p.event(leg.Silent{Of: leg.Of{Leg: p.must()}, For: 3 * time.Second})
}

// Sees is who the phone's display shows as the caller.
func (p *Phone) Sees() string { return p.must().shown.String() }

// Ring is how the phone was told to ring.
func (p *Phone) Ring() leg.Ring { return p.must().ring }

func (p *Phone) does(text string, to legState, ev leg.Event) {
	p.f.ladder.In(p.Name, text)
	ev.From().(*testLeg).set(to)
	p.event(ev)
}

func (p *Phone) event(ev leg.Event) {
	ev.From().(*testLeg).deliver(ev)
	p.f.Settle()
}

// legState is how far a test's leg has come.
type legState uint8

const (
	calling  legState = iota // has dialled
	alerting                 // is being called
	talking
	over
)

// A testLeg is one call of a test's phone.
type testLeg struct {
	phone  *Phone
	f      *Flow
	id     string
	stream *ear
	shown  leg.Party
	ring   leg.Ring

	mu    sync.Mutex
	state legState
	sink  leg.Sink
	early []leg.Event // delivered before there was a sink
}

func (l *testLeg) at() legState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *testLeg) set(s legState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
}

// setSink names the sink of a leg that called, and gives it what has come
// before the exchange had named it.
func (l *testLeg) setSink(s leg.Sink) {
	l.mu.Lock()
	early := l.early
	l.sink, l.early = s, nil
	l.mu.Unlock()
	for _, ev := range early {
		s.Deliver(ev)
	}
}

func (l *testLeg) deliver(ev leg.Event) {
	l.mu.Lock()
	sink := l.sink
	if sink == nil {
		l.early = append(l.early, ev)
	}
	l.mu.Unlock()
	if sink != nil {
		sink.Deliver(ev)
	}
}

func (l *testLeg) gone() bool { return l.at() == over }
func (l *testLeg) where() string {
	return [...]string{"calling", "alerting", "talking", "over"}[l.at()]
}

func (l *testLeg) ID() string           { return l.id }
func (l *testLeg) Name() string         { return l.phone.Name }
func (l *testLeg) Party() leg.Party     { return leg.Party{Number: l.phone.Name} }
func (l *testLeg) Stream() media.Stream { return l.stream }
func (l *testLeg) Prefer(law g711.Law)  { l.stream.prefer(law) }

func (l *testLeg) out(text string) { l.f.ladder.Out(l.phone.Name, text) }

func (l *testLeg) Ringing()                      { l.out("180") }
func (l *testLeg) Progress()                     { l.out("183 (SDP)") }
func (l *testLeg) Hold()                         { l.out("INVITE (hold)") }
func (l *testLeg) Resume()                       { l.out("INVITE (resume)") }
func (l *testLeg) Digit(d byte, _ time.Duration) { l.out("digit " + string(d)) }
func (l *testLeg) Flash()                        { l.out("flash") }
func (l *testLeg) Identify(p leg.Party)          { l.out("UPDATE " + p.Number) }
func (l *testLeg) Refer(r leg.Refer)             { l.out("REFER " + r.Target) }
func (l *testLeg) Notify(c leg.Cause)            { l.out(fmt.Sprintf("NOTIFY %d", c.Filled().Status)) }

func (l *testLeg) Answer() {
	l.out("200")
	l.mu.Lock()
	if l.state == calling { // else it has given up meanwhile
		l.state = talking
	}
	l.mu.Unlock()
}

func (l *testLeg) Hangup(why leg.Cause) {
	l.mu.Lock()
	was := l.state
	l.state = over
	l.mu.Unlock()
	switch was {
	case calling:
		l.out(strconv.Itoa(why.Filled().Status))
	case alerting:
		l.out("CANCEL")
	case talking:
		l.out("BYE")
	case over:
		return
	}
	l.deliver(leg.HungUp{Of: leg.Of{Leg: l}, Cause: why})
}

// An ear is the audio of a test's phone.
type ear struct {
	mu    sync.Mutex
	law   g711.Law
	to    media.Sink
	seq   uint16
	marks [256]int // bytes heard of each code
	stats media.Stats
}

func newEar() *ear { return new(ear) }

func (e *ear) Law() g711.Law {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.law
}

func (e *ear) prefer(law g711.Law) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.law = law
}

func (e *ear) Stats() media.Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// note changes what Stats says.
func (e *ear) note(change func(*media.Stats)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.stats)
}

func (e *ear) Feed(to media.Sink) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.to = to
}

// Write is what the phone hears.
func (e *ear) Write(p *media.Packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range p.Payload {
		e.marks[b]++
	}
}

// say sends 20 ms of one code.
func (e *ear) say(mark byte) {
	e.note(func(st *media.Stats) { st.Received++; st.LastReceived, st.Paused = time.Now(), false })
	e.mu.Lock()
	e.seq++
	p := &media.Packet{Law: e.law, Seq: e.seq, Timestamp: uint32(e.seq) * g711.FrameSize, Payload: make([]byte, g711.FrameSize)}
	for i := range p.Payload {
		p.Payload[i] = mark
	}
	to := e.to
	e.mu.Unlock()
	if to != nil {
		to.Write(p)
	}
}

func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.marks[:])
}

func (e *ear) heard(mark byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.marks[mark] >= g711.FrameSize
}
