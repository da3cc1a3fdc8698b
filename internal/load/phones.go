//go:build linux

package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	t1       = 500 * time.Millisecond // RFC 3261 §17.1.1.1
	giveUp   = 32 * time.Second       // 64*T1
	lookOver = 50 * time.Millisecond  // between two looks for what is to be repeated
	prefix   = "7"                    // that the office's plan sends to the callee's trunk
)

// Phones are two SIP user agents: one calls, one answers at once. They speak
// SIP over UDP in the few words that a call takes, repeat what is not answered
// (RFC 3261 §17), and count repetitions of either side.
type Phones struct {
	server         netip.AddrPort
	caller, callee *net.UDPConn
	media          func(side, call int) netip.AddrPort
	run            string        // tells our Call-IDs from an earlier run's
	hangUpAfter    time.Duration // zero: calls stay until HangUp

	mu     sync.Mutex
	calls  map[int]*dialog
	placed int
	counts PhoneCounts
	closed chan struct{}
	over   sync.WaitGroup
}

// PhoneCounts is what the two have seen.
type PhoneCounts struct {
	Answered, Ended, Failed int
	Repeated                int       // messages sent again by us or by the exchange
	SetUp                   Histogram // from INVITE to 200
	Why                     string    // the last failure
}

// dialog is one call, both ends of it.
type dialog struct {
	number int
	serial int // of all calls: an ended call's number is used again
	began  time.Time

	// The caller's end.
	method  string // of the request that waits for its final response; empty: none
	request []byte // it, to repeat
	since   time.Time
	next    time.Time
	pause   time.Duration
	to      string // the exchange's To, with its tag
	target  string // its Contact
	up      bool
	hangUp  time.Time // zero: not planned

	// The callee's end.
	answer      []byte // our 200, repeated until the ACK
	answerNext  time.Time
	answerPause time.Duration
	acked       bool

	call Call
}

// NewPhones binds the two agents: the caller to 127.0.0.2:5070, the callee to
// 127.0.0.3:5080.
func NewPhones(server netip.AddrPort, media func(side, call int) netip.AddrPort) (*Phones, error) {
	p := &Phones{server: server, media: media, run: strconv.FormatUint(uint64(rand.Uint32()), 36), calls: map[int]*dialog{}, closed: make(chan struct{})}
	var err error
	if p.caller, err = listenSIP(callerAddr); err != nil {
		return nil, err
	}
	if p.callee, err = listenSIP(calleeAddr); err != nil {
		p.caller.Close()
		return nil, err
	}
	p.over.Go(func() { p.read(p.caller, p.atCaller) }) // these end by Close
	p.over.Go(func() { p.read(p.callee, p.atCallee) })
	p.over.Go(p.repeat)
	return p, nil
}

var (
	callerAddr = netip.MustParseAddrPort("127.0.0.2:5070")
	calleeAddr = netip.MustParseAddrPort("127.0.0.3:5080")
)

func listenSIP(at netip.AddrPort) (*net.UDPConn, error) {
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err == nil {
		err = c.SetReadBuffer(4 << 20)
	}
	return c, err
}

// Close ends both agents. Calls are left as they are.
func (p *Phones) Close() {
	close(p.closed)
	p.caller.Close()
	p.callee.Close()
	p.over.Wait()
}

// Counts is what was seen since the last Reset.
func (p *Phones) Counts() PhoneCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Reset counts anew.
func (p *Phones) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = PhoneCounts{}
}

// Call sends the INVITE of a call.
func (p *Phones) Call(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.placed++
	d := &dialog{number: number, serial: p.placed, began: time.Now(), call: Call{Number: number}}
	p.calls[number] = d
	uri := fmt.Sprintf("sip:%s%d@%s", prefix, number, p.server)
	d.to = "<" + uri + ">"
	p.ask(d, "INVITE", uri, 1, describe(p.media(0, number)))
}

// HangUp sends the BYE of a call.
func (p *Phones) HangUp(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.calls[number]; d != nil && d.up {
		p.bye(d)
	}
}

func (p *Phones) bye(d *dialog) {
	d.hangUp = time.Time{}
	p.ask(d, "BYE", d.target, 2, "")
}

// Up is the call if both ends have answered it.
func (p *Phones) Up(number int) (Call, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.calls[number]
	if d == nil || !d.up || !d.acked {
		return Call{}, false
	}
	return d.call, true
}

// Waiting is how many calls there are that are not over.
func (p *Phones) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// ask sends a request of the caller and repeats it until it is answered.
func (p *Phones) ask(d *dialog, method, uri string, cseq int, body string) {
	now := time.Now()
	d.method, d.since, d.pause, d.next = method, now, t1, now.Add(t1)
	d.request = p.compose(d, method, uri, cseq, body)
	p.caller.WriteToUDPAddrPort(d.request, p.server)
}

func (p *Phones) compose(d *dialog, method, uri string, cseq int, body string) []byte {
	var b bytes.Buffer
	verb := method
	if method == "ACK" {
		verb = "INVITE-ACK" // a 2xx's ACK has a branch of its own
	}
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d%s\r\nMax-Forwards: 70\r\n", method, uri, callerAddr, p.run, d.serial, verb)
	fmt.Fprintf(&b, "From: <sip:load@%s>;tag=c%d\r\nTo: %s\r\nCall-ID: %s-%d-%d\r\nCSeq: %d %s\r\nContact: <sip:load@%s>\r\n", callerAddr.Addr(), d.serial, d.to, p.run, d.number, d.serial, cseq, method, callerAddr)
	end(&b, body)
	return b.Bytes()
}

// end writes the last headers and the body.
func end(b *bytes.Buffer, body string) {
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

// describe is a session description: PCMU and nothing else.
func describe(at netip.AddrPort) string {
	return fmt.Sprintf("v=0\r\no=load 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 0\r\na=ptime:20\r\n", at.Addr(), at.Port())
}

// read hands what arrives to f until the socket is closed.
func (p *Phones) read(c *net.UDPConn, f func(m message)) {
	buf := make([]byte, 65536)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		m := parse(buf[:n])
		p.mu.Lock()
		f(m)
		p.mu.Unlock()
	}
}

// atCaller takes what the caller is answered.
func (p *Phones) atCaller(m message) {
	d := p.calls[m.number(p.run)]
	if d == nil || m.status < 200 {
		if m.request() && m.method != "ACK" { // the exchange hangs up, or refreshes
			p.caller.WriteToUDPAddrPort(m.reply("200 OK", "", nil), p.server)
		} else if d != nil && m.status >= 100 && d.method == "INVITE" {
			d.next = time.Time{} // heard: an INVITE is not repeated any more
		}
		return
	}
	switch m.cseqMethod {
	case "INVITE":
		if m.status >= 300 {
			p.fail(d, fmt.Sprintf("the INVITE was answered %d", m.status))
			return
		}
		if d.up {
			p.counts.Repeated++
			p.caller.WriteToUDPAddrPort(p.compose(d, "ACK", d.target, 1, ""), p.server)
			return
		}
		d.method, d.up = "", true
		d.to, d.target = m.header("To"), inAngles(m.header("Contact"))
		d.call.A = m.media()
		p.counts.Answered++
		took := time.Since(d.began)
		p.counts.SetUp.Add(int64(took))
		p.caller.WriteToUDPAddrPort(p.compose(d, "ACK", d.target, 1, ""), p.server)
		if p.hangUpAfter > 0 {
			d.hangUp = time.Now().Add(p.hangUpAfter)
		}
	case "BYE":
		if d.method != "BYE" {
			return
		}
		p.counts.Ended++
		delete(p.calls, d.number)
	}
}

func (p *Phones) fail(d *dialog, why string) {
	p.counts.Failed++
	p.counts.Why = why
	delete(p.calls, d.number)
}

// atCallee takes what the exchange sends to the callee.
func (p *Phones) atCallee(m message) {
	if !m.request() {
		return
	}
	d := p.calls[m.dialed()]
	switch m.method {
	case "INVITE":
		if d == nil {
			return
		}
		if d.answer != nil {
			p.counts.Repeated++
		} else {
			d.call.B = m.media()
			d.answer = m.reply("200 OK", describe(p.media(1, d.number)), &calleeAddr)
			d.answerPause, d.answerNext = t1, time.Now().Add(t1)
		}
		p.callee.WriteToUDPAddrPort(d.answer, p.server)
	case "ACK":
		if d != nil {
			d.acked = true
		}
	default:
		p.callee.WriteToUDPAddrPort(m.reply("200 OK", "", &calleeAddr), p.server)
	}
}

// repeat sends again what was not answered in time, and hangs up as planned.
func (p *Phones) repeat() {
	tick := time.NewTicker(min(lookOver, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-p.closed:
			return
		case now := <-tick.C:
			p.mu.Lock()
			for _, d := range p.calls {
				p.overdue(d, now)
			}
			p.mu.Unlock()
		}
	}
}

func (p *Phones) overdue(d *dialog, now time.Time) {
	if d.method != "" && now.Sub(d.since) > giveUp {
		p.fail(d, d.method+" was not answered")
		return
	}
	if d.method != "" && !d.next.IsZero() && now.After(d.next) {
		p.counts.Repeated++
		d.pause *= 2
		d.next = now.Add(d.pause)
		p.caller.WriteToUDPAddrPort(d.request, p.server)
	}
	if d.answer != nil && !d.acked && now.After(d.answerNext) {
		p.counts.Repeated++
		d.answerPause = min(2*d.answerPause, 4*time.Second)
		d.answerNext = now.Add(d.answerPause)
		p.callee.WriteToUDPAddrPort(d.answer, p.server)
	}
	if d.up && !d.hangUp.IsZero() && now.After(d.hangUp) {
		p.bye(d)
	}
}

func inAngles(s string) string {
	if _, rest, ok := strings.Cut(s, "<"); ok {
		s, _, _ = strings.Cut(rest, ">")
	}
	return s
}
