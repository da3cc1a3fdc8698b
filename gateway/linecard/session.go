package linecard

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"crosspoint/gateway/jack"
)

// open tries the device, without holding up the owner.
func (c *Card) open() {
	c.enter(opening)
	go func() { // ends when Open returns
		rw, err := c.cfg.Open()
		taken := c.inbox.Put(func() { c.opened(rw, err) })
		if !taken && err == nil {
			rw.Close()
		}
	}()
}

func (c *Card) opened(rw io.ReadWriteCloser, err error) {
	switch {
	case c.closing:
		if err == nil {
			rw.Close()
		}
		c.enter(closed)
	case err != nil:
		c.fail(err.Error())
		c.enter(closed)
		c.next = time.Now().Add(c.cfg.Retry)
	default:
		c.link = newLink(rw, &c.count, func(l *link, err error) {
			c.inbox.Put(func() {
				if l == c.link && c.state != parting {
					c.lost(err)
				}
			})
		})
		c.greet()
	}
}

// greet begins a session: everything that the card was told is void.
func (c *Card) greet() {
	c.session = rand.Uint32() | 1
	c.enter(greeting)
	c.sayHello(time.Now())
}

func (c *Card) sayHello(now time.Time) {
	c.next = now.Add(helloInterval)
	if c.state == refused {
		c.next = now.Add(refusedInterval)
	} else if now.Sub(c.since) >= silentHello {
		c.fail("no answer: is it a Crosspoint line card, and the baud rate right?")
	}
	c.send(HostHello{Major: Major, Minor: Minor, Session: c.session}.Append(c.scratch[:0]))
}

// lost handles the end of the link by itself, as when the card is unplugged.
func (c *Card) lost(err error) {
	text := "line closed: " + err.Error()
	if c.state == up {
		text = "unplugged? " + err.Error()
	}
	c.down(text)
}

// down gives the card up and opens the device anew after a while.
func (c *Card) down(why string) {
	c.fail(why)
	c.portsDown()
	c.part("")
}

// part ends the link. The state is closed once its goroutines are gone.
func (c *Card) part(problem string) {
	if problem != "" {
		c.fail(problem)
	}
	c.portsDown()
	l := c.link
	c.enter(parting)
	go func() { // ends as the link's goroutines do, which its Close unblocks
		l.Close()
		c.inbox.Put(func() {
			c.link = nil
			c.enter(closed)
			c.next = time.Now().Add(c.cfg.Retry)
		})
	}()
}

// close begins the end: BYE if there is someone to say it to.
func (c *Card) close() {
	if c.closing {
		return
	}
	c.closing = true
	switch c.state {
	case up:
		c.portsDown()
		c.enter(leaving)
		c.next = time.Now().Add(leaveWait)
		c.slots[0].order(pending{kind: TypeBye})
	case greeting, refused:
		c.part("")
	case opening: // whatever comes of it is closed by opened
		c.enter(closed)
	}
}

// fail records and logs why the card is not up, once for each reason.
func (c *Card) fail(problem string) {
	if c.problem == problem {
		return
	}
	c.problem = problem
	c.log.Warn(c.String() + ": " + problem)
	c.publish()
}

// helloed takes the card's answer to HELLO.
func (c *Card) helloed(payload []byte) {
	m, err := ParseCardHello(payload)
	if err != nil || c.state != greeting && c.state != refused {
		c.badFrame(TypeHello, err)
		return
	}
	if m.Major != Major {
		c.refuse(fmt.Sprintf("it speaks version %d.%d of the line-card protocol and this exchange %d.%d: update the older of the two",
			m.Major, m.Minor, Major, Minor))
		return
	}
	if m.Session != c.session {
		return // an answer to an earlier HELLO
	}
	tick := uint8(c.cfg.Tick / time.Millisecond)
	switch {
	case m.SampleRate != 8000:
		c.refuse(fmt.Sprintf("its sample rate is %d Hz: this exchange needs 8000", m.SampleRate))
	case !slices.Contains(m.FrameTimes, tick):
		c.refuse(fmt.Sprintf("it offers ticks of %v ms: set its tick to one of these instead of %d", m.FrameTimes, tick))
	default:
		c.begin(m, tick)
	}
}

// refuse gives up a card that cannot be worked with, but keeps asking: its
// firmware may be updated meanwhile.
func (c *Card) refuse(problem string) {
	c.enter(refused)
	c.next = c.since.Add(refusedInterval)
	c.fail(problem)
}

// begin starts a session with the state that the card has told.
func (c *Card) begin(m CardHello, tick uint8) {
	c.hello = m
	c.events.last, c.events.gap = m.LastEvent, time.Time{}
	c.heard = time.Now()
	c.ping.at = c.heard.Add(pingInterval)
	c.media.begin(m.Clock, c.cfg.Lead)
	c.count.sessions.Add(1)
	c.problem = ""
	c.enter(up)
	c.log.Info(c.String()+": up", "model", m.Model, "serial", m.Serial, "ports", len(m.Ports),
		"version", fmt.Sprintf("%d.%d", m.Major, m.Minor))
	c.slots[0].order(pending{kind: TypeConfigure, configure: Configure{Tick: tick}})
	for i, info := range m.Ports {
		p := &c.slots[i+1]
		p.kind.Store(uint32(info.Kind))
		p.up, p.state = true, info.State
		p.orderSignalling()
		if c.cfg.Timing != (Timing{}) {
			p.order(pending{kind: TypeTiming, timing: c.cfg.Timing})
		}
		p.changed(jack.Change{What: jack.Up, Clock: c.media.extend(m.Clock)})
	}
}

// portsDown voids all that was ordered and tells every handler.
func (c *Card) portsDown() {
	for i := range c.slots {
		p := &c.slots[i]
		p.forget()
		if p.up {
			p.up, p.state = false, 0
			p.changed(jack.Change{What: jack.Down, Clock: c.media.newest})
		}
	}
}

// received takes octets from the link's reader and gives the chunk back.
func (c *Card) received(chunk []byte) {
	l := c.link
	before := l.frames.Errors
	for in := chunk; len(in) > 0; {
		var f Frame
		f, in = l.frames.Next(in)
		if f.Content != nil {
			c.frame(f)
		}
		if c.link != l || c.state == parting {
			return // the frame has ended the link
		}
	}
	after := l.frames.Errors
	c.count.badFCS.Add(after.BadFCS - before.BadFCS)
	c.count.resyncs.Add(after.Resyncs - before.Resyncs)
	l.Free(chunk)
}

// frame acts on one frame from the card.
func (c *Card) frame(f Frame) {
	h, payload, err := ParseHeader(f.Content)
	if err != nil {
		return
	}
	if h.Type == TypeMedia {
		c.tick(f)
		return
	}
	if f.Damaged {
		return // counted by the decoder; what mattered is sent again
	}
	c.heard = time.Now()
	c.count.framesIn.Add(1)
	switch h.Type {
	case TypeHello:
		c.helloed(payload)
	case TypePong:
		c.ponged(payload)
	case TypeEvent:
		c.event(h, payload)
	case TypeSnapshot:
		c.snapshot(h, payload)
	case TypeReport:
		c.report(payload)
	case TypeAck, TypeNak:
		c.answered(h, payload)
	default:
		c.badFrame(h.Type, nil) // a later minor version may have it (§2)
	}
}

// badFrame counts a whole frame that makes no sense here.
func (c *Card) badFrame(t Type, err error) {
	c.count.ignored.Add(1)
	c.log.Debug("frame ignored", "type", t.String(), "state", c.state.String(), "err", err)
}

// ponged takes the answer to PING, which tells whether the card still has our
// session and whether we have all its events.
func (c *Card) ponged(payload []byte) {
	m, err := ParsePong(payload)
	if err != nil || c.state != up {
		c.badFrame(TypePong, err)
		return
	}
	if m.Session != c.session || m.Boot != c.hello.Boot {
		why := "the card has given this exchange up: nothing reached it for 3s"
		if m.Boot != c.hello.Boot {
			why = "the card has started anew"
		}
		c.fail(why)
		c.portsDown()
		c.greet()
		return
	}
	if SeqAfter(m.LastEvent, c.events.last) && c.events.gap.IsZero() {
		c.events.gap = time.Now()
	}
}

// event takes the next event in order; a later one waits for its repetition
// (§5.2).
func (c *Card) event(h Header, payload []byte) {
	m, err := ParseEvent(payload)
	if err != nil || c.state != up || h.Port == 0 || int(h.Port) > len(c.hello.Ports) {
		c.badFrame(TypeEvent, err)
		return
	}
	fresh := false
	switch {
	case h.Seq == c.events.last+1:
		c.events.last, c.events.gap = h.Seq, time.Time{}
		fresh = true
	case SeqAfter(h.Seq, c.events.last):
		c.count.eventGaps.Add(1)
		if c.events.gap.IsZero() {
			c.events.gap = time.Now()
		}
	}
	c.send(Header{Type: TypeEventAck, Seq: c.events.last}.Append(c.scratch[:0]))
	if fresh {
		c.slots[h.Port].event(m, c.media.extend(m.Clock))
	}
}

// snapshot replaces the events that were missed by what differs now.
func (c *Card) snapshot(h Header, payload []byte) {
	m, err := ParseSnapshot(payload)
	if err != nil || c.state != up || SeqAfter(c.events.last, h.Seq) {
		c.badFrame(TypeSnapshot, err)
		return
	}
	c.events.last, c.events.gap = h.Seq, time.Time{}
	c.send(Header{Type: TypeEventAck, Seq: h.Seq}.Append(c.scratch[:0]))
	for i, s := range m.States[:min(len(m.States), len(c.hello.Ports))] {
		c.slots[i+1].catchUp(s, c.media.extend(m.Clock))
	}
}

// answered takes ACK or NAK of the order that a port waits for.
func (c *Card) answered(h Header, payload []byte) {
	if int(h.Port) >= len(c.slots) {
		c.badFrame(h.Type, nil)
		return
	}
	p := &c.slots[h.Port]
	if len(p.queue) == 0 || p.queue[0].seq != h.Seq || p.retry.IsZero() {
		return // a second answer
	}
	done := p.queue[0]
	if h.Type == TypeNak {
		m, _ := ParseNak(payload)
		c.count.naks.Add(1)
		c.log.Warn(fmt.Sprintf("%s: port %d refuses %v: %v %s", c, h.Port, done.kind, m.Reason, m.Text))
		if m.Reason == ReasonNoSession && c.state == up {
			c.portsDown()
			c.greet()
			return
		}
		if done.kind == TypeSignalling {
			p.refused()
		}
	} else if done.kind == TypeConfigure {
		c.media.setTick(int(done.configure.Tick))
	}
	if done.kind == TypeBye {
		c.part("")
		return
	}
	p.next()
}

// send queues one frame of control for the writer.
func (c *Card) send(content []byte) {
	c.scratch = content[:0]
	if c.link != nil {
		c.link.out.control(content)
	}
}
