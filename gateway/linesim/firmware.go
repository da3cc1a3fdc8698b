package linesim

import (
	"math/rand/v2"
	"time"

	"crosspoint/gateway/linecard"
)

// Timers of the card, in samples (docs/linecard-protocol.md §4, §5).
var (
	watchdogTime = uint64(linecard.Samples(3 * time.Second))
	repeatTime   = uint64(linecard.Samples(100 * time.Millisecond))
	reportTime   = uint64(linecard.Samples(200 * time.Millisecond))
)

// unackedMost is how many events wait for the host; one more, and a snapshot
// takes the place of all.
const unackedMost = 64

// firmware is the state of a card's protocol engine: what a microcontroller
// would keep in its memory. It is void without power.
type firmware struct {
	bootID    uint32
	clock     uint64 // samples since the start
	session   uint32 // 0: no host
	frames    linecard.Decoder
	heard     uint64 // clock at the last whole frame
	watchdogs uint64
	tickLen   int // samples

	lastEvent uint16
	unacked   []queued // oldest first
	overflown bool     // events were lost: a snapshot stands for them until acknowledged
	repeatAt  uint64

	answers  [linecard.MaxPorts + 1]answer
	mediaSeq uint16
	late     uint64
	missing  uint64
	margin   int
	fed      bool // the host has sent media since the last HELLO
	reportAt uint64
	reports  uint16
	scratch  []byte
	media    []byte
}

// queued is an event that the host has not acknowledged.
type queued struct {
	seq   uint16
	port  uint8
	event linecard.Event
}

// answer is what was answered to a port's last order, for its repetitions.
type answer struct {
	valid  bool
	seq    uint16
	reason linecard.Reason // 0: ACK
}

// boot starts the card with power just on.
func (c *Card) boot() {
	watchdogs := c.watchdogs
	c.firmware = firmware{bootID: rand.Uint32(), tickLen: 160, watchdogs: watchdogs}
	c.powered = true
	for _, p := range c.ports {
		p.reset()
	}
}

// off takes the power away.
func (c *Card) off() {
	c.powered = false
	c.session = 0
	for _, p := range c.ports {
		p.reset()
	}
}

// send queues one frame of control for the host.
func (c *Card) send(content []byte) {
	c.scratch = content[:0]
	if c.conn != nil && c.powered {
		c.conn.out.control(content)
	}
}

// received takes octets from the host.
func (c *Card) received(data []byte) {
	if !c.powered {
		return
	}
	for len(data) > 0 {
		var f linecard.Frame
		f, data = c.frames.Next(data)
		if f.Content == nil {
			return
		}
		h, payload, err := linecard.ParseHeader(f.Content)
		if err != nil {
			continue
		}
		if h.Type == linecard.TypeMedia {
			c.play(f)
			continue
		}
		if f.Damaged {
			continue
		}
		c.heard = c.clock
		switch h.Type {
		case linecard.TypeHello:
			c.hello(payload)
		case linecard.TypePing:
			c.send(linecard.Pong{Session: c.session, Boot: c.bootID, Clock: uint32(c.clock), LastEvent: c.lastEvent}.Append(c.scratch[:0], h.Seq))
		case linecard.TypeEventAck:
			c.acked(h.Seq)
		case linecard.TypeSnapshotRequest:
			c.snapshot()
		default:
			if h.Type.IsOrder() {
				c.ordered(h, payload)
			}
		}
	}
}

// hello opens a session, or repeats the answer to one that is open (§4.1).
func (c *Card) hello(payload []byte) {
	m, err := linecard.ParseHostHello(payload)
	if err != nil {
		return
	}
	reply := linecard.CardHello{
		Major: linecard.Major, Minor: linecard.Minor, Boot: c.bootID, Clock: uint32(c.clock),
		SampleRate: 8000, Buffer: playoutSamples, Model: c.cfg.Model, Serial: c.cfg.Serial,
		FrameTimes: []uint8{10, 20}, Codecs: []uint8{0},
	}
	if m.Major == linecard.Major {
		if m.Session != c.session {
			c.begin(m.Session)
		}
		reply.Session = m.Session
	}
	reply.LastEvent = c.lastEvent
	for _, p := range c.ports {
		reply.Ports = append(reply.Ports, p.info())
	}
	c.send(reply.Append(c.scratch[:0]))
}

// begin sets everything idle for a new host.
func (c *Card) begin(session uint32) {
	c.session = session
	c.tickLen = 160
	c.unacked, c.overflown = nil, false
	c.answers = [linecard.MaxPorts + 1]answer{}
	c.late, c.missing, c.margin, c.fed = 0, 0, maxMargin, false
	for _, p := range c.ports {
		p.reset()
	}
	c.sim.note(c.cfg.Name, "taken up by a host")
}

// leave ends the session, by BYE or by the watchdog (§4.4).
func (c *Card) leave(why string) {
	c.session = 0
	c.unacked, c.overflown = nil, false
	for _, p := range c.ports {
		p.reset()
	}
	c.sim.note(c.cfg.Name, "%s", why)
}

// ordered carries out an order once, however often it comes (§7.2).
func (c *Card) ordered(h linecard.Header, payload []byte) {
	if int(h.Port) > len(c.ports) {
		c.send(linecard.Nak{Reason: linecard.ReasonNoPort}.Append(c.scratch[:0], h.Port, h.Seq))
		return
	}
	if c.session == 0 && h.Type != linecard.TypeBye { // the end of what has ended is no mistake
		c.send(linecard.Nak{Reason: linecard.ReasonNoSession}.Append(c.scratch[:0], h.Port, h.Seq))
		return
	}
	a := &c.answers[h.Port]
	if !a.valid || a.seq != h.Seq {
		*a = answer{valid: true, seq: h.Seq, reason: c.carryOut(h, payload)}
	}
	if a.reason == 0 {
		c.send(linecard.AppendAck(c.scratch[:0], h.Port, h.Seq))
	} else {
		c.send(linecard.Nak{Reason: a.reason}.Append(c.scratch[:0], h.Port, h.Seq))
	}
}

// carryOut does what an order says; 0 is success.
func (c *Card) carryOut(h linecard.Header, payload []byte) linecard.Reason {
	if h.Port == 0 {
		switch h.Type {
		case linecard.TypeConfigure:
			m, err := linecard.ParseConfigure(payload)
			if err != nil || m.Tick != 10 && m.Tick != 20 || m.Codec != 0 {
				return linecard.ReasonBadArgument
			}
			c.tickLen = int(m.Tick) * 8
			return 0
		case linecard.TypeBye:
			if c.session != 0 {
				c.leave("host says goodbye")
			}
			return 0
		}
		return linecard.ReasonUnknownOrder
	}
	p := c.ports[h.Port-1]
	if !p.info().State.Has(linecard.Present) {
		return linecard.ReasonFault
	}
	switch h.Type {
	case linecard.TypeSet:
		m, err := linecard.ParseSet(payload)
		if err != nil {
			return linecard.ReasonBadArgument
		}
		return p.set(m)
	case linecard.TypeFlash, linecard.TypeDrop:
		d, err := linecard.ParseTimed(payload)
		if err != nil || d == 0 {
			return linecard.ReasonBadArgument
		}
		return p.interrupt(h.Type, d)
	case linecard.TypeSignalling:
		m, err := linecard.ParseSignalling(payload)
		if err != nil {
			return linecard.ReasonBadArgument
		}
		if t, ok := p.(*tdmPort); ok {
			return t.signal(m)
		}
		return linecard.ReasonWrongKind
	case linecard.TypeTiming:
		m, err := linecard.ParseTiming(payload)
		if err != nil {
			return linecard.ReasonBadArgument
		}
		p.setTiming(m)
		return 0
	}
	return linecard.ReasonUnknownOrder
}

// event reports a fact about a port, until the host has it.
func (c *Card) event(port uint8, what linecard.What, state linecard.State, arg int) {
	if c.session == 0 || !c.powered {
		return
	}
	if _, ok := c.ports[port-1].(*tdmPort); ok {
		state = c.span.in(state)
	}
	c.lastEvent++
	if len(c.unacked) >= unackedMost || c.overflown {
		c.overflown, c.unacked = true, nil
		return // the snapshot that is repeated tells the state
	}
	q := queued{c.lastEvent, port, linecard.Event{Clock: uint32(c.clock), What: what, State: state, Arg: uint16(min(arg, 0xffff))}}
	if len(c.unacked) == 0 {
		c.repeatAt = c.clock + repeatTime
	}
	c.unacked = append(c.unacked, q)
	c.send(q.event.Append(c.scratch[:0], q.port, q.seq))
}

// acked forgets what the host has.
func (c *Card) acked(seq uint16) {
	for len(c.unacked) > 0 && !linecard.SeqAfter(c.unacked[0].seq, seq) {
		c.unacked = c.unacked[1:]
	}
	if c.overflown && seq == c.lastEvent {
		c.overflown = false
	}
}

// repeat sends again what was not acknowledged.
func (c *Card) repeat() {
	if len(c.unacked) == 0 && !c.overflown || c.clock < c.repeatAt {
		return
	}
	c.repeatAt = c.clock + repeatTime
	if c.overflown {
		c.snapshot()
	}
	for _, q := range c.unacked {
		c.send(q.event.Append(c.scratch[:0], q.port, q.seq))
	}
}

func (c *Card) snapshot() {
	if c.session == 0 {
		return
	}
	m := linecard.Snapshot{Clock: uint32(c.clock)}
	for _, p := range c.ports {
		m.States = append(m.States, p.info().State)
	}
	c.send(m.Append(c.scratch[:0], c.lastEvent))
}

// step lives 10 ms: lines, telephones, ports, and the protocol's timers.
func (c *Card) step() {
	for _, p := range c.ports {
		p.step()
	}
	if !c.powered {
		return
	}
	c.clock += stepSamples
	c.watchSpan()
	if c.session == 0 {
		return
	}
	if c.clock-c.heard >= watchdogTime {
		c.watchdogs++
		c.leave("watchdog: the host is lost")
		if c.terminal != nil {
			c.terminal.release()
		}
		return
	}
	if c.clock%uint64(c.tickLen) == 0 {
		c.capture()
	}
	c.repeat()
	c.report()
}

// capture sends the tick that has just ended.
func (c *Card) capture() {
	var mask uint32
	for i, p := range c.ports {
		if p.base().audio {
			mask |= 1 << i
		}
	}
	if mask == 0 || c.conn == nil {
		return
	}
	c.mediaSeq++
	c.media = linecard.BeginMedia(c.media[:0], c.mediaSeq, uint32(c.clock-uint64(c.tickLen)), mask)
	for _, p := range c.ports {
		if b := p.base(); b.audio {
			c.media = linecard.PutSamples(c.media, b.captured(c.tickLen))
		}
	}
	c.conn.out.tick(c.media)
}

// report tells how the host's media come, while there is audio.
func (c *Card) report() {
	if c.clock < c.reportAt || !c.fed || c.conn == nil {
		return
	}
	c.reportAt = c.clock + reportTime
	c.reports++
	c.send(linecard.Report{
		Clock: uint32(c.clock), Margin: int16(max(-maxMargin, min(c.margin, maxMargin))), Late: uint16(c.late),
		Missing: uint16(c.missing), BadFCS: uint16(c.frames.Errors.BadFCS), Dropped: c.conn.out.droppedTicks(),
	}.Append(c.scratch[:0], c.reports))
	c.margin = maxMargin
}
