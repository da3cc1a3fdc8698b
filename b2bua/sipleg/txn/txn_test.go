package txn

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A step is what happens to a machine at a time after its begin, and where it
// is afterwards. What: "180", "ACK", "INVITE" (a message arrives), "send 200"
// (the user responds), or empty: only time passes.
type step struct {
	at    time.Duration
	what  string
	state State
	up    bool // the user sees it
}

// A run is a machine's life: its steps, and all that it sends, by time.
type run struct {
	name     string
	method   sip.RequestMethod
	reliable bool
	steps    []step
	sent     string // "0:INVITE 500:INVITE"
	gaveUp   bool   // Expire has said so
}

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const ms = time.Millisecond

func message(method sip.RequestMethod, tag string) *sip.Request {
	req := sip.NewRequest(method, sip.Uri{Scheme: "sip", User: "bob", Host: "example.com"})
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "192.0.2.1", Port: 5060}
	via.Params.Add("branch", "z9hG4bK776")
	req.AppendHeader(via)
	from := &sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "alice", Host: "example.com"}}
	from.Params.Add("tag", "a1")
	req.AppendHeader(from)
	to := &sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: "bob", Host: "example.com"}}
	if tag != "" {
		to.Params.Add("tag", tag)
	}
	req.AppendHeader(to)
	id := sip.CallIDHeader("c1")
	req.AppendHeader(&id)
	seqMethod := method
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 7, MethodName: seqMethod})
	req.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "proxy.example.com"}})
	return req
}

func respond(req *sip.Request, status int) *sip.Response {
	res := sip.NewResponse(status, "x")
	for _, name := range []string{"Via", "From", "Call-ID", "CSeq"} {
		sip.CopyHeaders(name, req, res)
	}
	to := sip.HeaderClone(req.To()).(*sip.ToHeader)
	to.Params.Add("tag", "b1")
	res.AppendHeader(to)
	return res
}

// recorder notes what is sent and when.
type recorder struct {
	now  time.Time
	sent []string
}

func (r *recorder) send(msg sip.Message) error {
	name := ""
	switch m := msg.(type) {
	case *sip.Request:
		name = string(m.Method)
	case *sip.Response:
		name = fmt.Sprint(m.StatusCode)
	}
	r.sent = append(r.sent, fmt.Sprintf("%d:%s", r.now.Sub(begin).Milliseconds(), name))
	return nil
}

// machine is what Client and Server have in common for a test.
type machine interface {
	Deadline() time.Time
	Expire(time.Time) bool
	State() State
}

// until lets time pass.
func (r *recorder) until(m machine, at time.Time) (gaveUp bool) {
	for d := m.Deadline(); !d.IsZero() && !d.After(at); d = m.Deadline() {
		r.now = d
		gaveUp = m.Expire(d) || gaveUp
	}
	r.now = at
	return gaveUp
}

// RFC 3261 figures 5 and 6, RFC 6026 §7.2.
func TestClient(t *testing.T) {
	for _, c := range []run{
		{name: "INVITE, timer A and B", method: sip.INVITE, steps: []step{{at: 31999 * ms, state: Calling}, {at: 32000 * ms, state: Terminated}},
			sent: "0:INVITE 500:INVITE 1500:INVITE 3500:INVITE 7500:INVITE 15500:INVITE 31500:INVITE", gaveUp: true},
		{name: "INVITE over TCP: timer B alone", method: sip.INVITE, reliable: true, steps: []step{{at: 32000 * ms, state: Terminated}}, sent: "0:INVITE", gaveUp: true},
		{name: "INVITE rings for hours", method: sip.INVITE, steps: []step{
			{at: 600 * ms, what: "100", state: Proceeding, up: true}, {at: 700 * ms, what: "180", state: Proceeding, up: true}, {at: time.Hour, state: Proceeding}},
			sent: "0:INVITE 500:INVITE"},
		{name: "INVITE refused, timer D", method: sip.INVITE, steps: []step{
			{at: 100 * ms, what: "180", state: Proceeding, up: true}, {at: 200 * ms, what: "486", state: Completed, up: true},
			{at: 700 * ms, what: "486", state: Completed}, {at: 800 * ms, what: "180", state: Completed}, {at: 900 * ms, what: "200", state: Completed},
			{at: 32199 * ms, state: Completed}, {at: 32200 * ms, state: Terminated}, {at: 32300 * ms, what: "486", state: Terminated}},
			sent: "0:INVITE 200:ACK 700:ACK"},
		{name: "INVITE refused over TCP", method: sip.INVITE, reliable: true, steps: []step{{at: 200 * ms, what: "486", state: Terminated, up: true}}, sent: "0:INVITE 200:ACK"},
		{name: "INVITE accepted, timer M: each 2xx goes up", method: sip.INVITE, steps: []step{
			{at: 100 * ms, what: "200", state: Accepted, up: true}, {at: 600 * ms, what: "200", state: Accepted, up: true},
			{at: 700 * ms, what: "486", state: Accepted}, {at: 32099 * ms, state: Accepted}, {at: 32100 * ms, state: Terminated}},
			sent: "0:INVITE"},
		{name: "BYE, timer E and F", method: sip.BYE, steps: []step{{at: 31999 * ms, state: Trying}, {at: 32000 * ms, state: Terminated}},
			sent: "0:BYE 500:BYE 1500:BYE 3500:BYE 7500:BYE 11500:BYE 15500:BYE 19500:BYE 23500:BYE 27500:BYE 31500:BYE", gaveUp: true},
		{name: "BYE proceeding: repeated at T2, F goes on", method: sip.BYE, steps: []step{
			{at: 600 * ms, what: "100", state: Proceeding, up: true}, {at: 10000 * ms, state: Proceeding}, {at: 32000 * ms, state: Terminated}},
			sent: "0:BYE 500:BYE 1500:BYE 5500:BYE 9500:BYE 13500:BYE 17500:BYE 21500:BYE 25500:BYE 29500:BYE", gaveUp: true},
		{name: "BYE answered, timer K", method: sip.BYE, steps: []step{
			{at: 100 * ms, what: "200", state: Completed, up: true}, {at: 600 * ms, what: "200", state: Completed}, {at: 5099 * ms, state: Completed}, {at: 5100 * ms, state: Terminated}},
			sent: "0:BYE"},
		{name: "BYE answered over TCP", method: sip.BYE, reliable: true, steps: []step{{at: 100 * ms, what: "200", state: Terminated, up: true}}, sent: "0:BYE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{now: begin}
			var again atomic.Int64
			m := NewClient(message(c.method, ""), c.reliable, Timing{Repeated: &again}, r.send)
			if err := m.Start(begin); err != nil {
				t.Fatal(err)
			}
			gaveUp := false
			for _, s := range c.steps {
				now := begin.Add(s.at)
				gaveUp = r.until(m, now) || gaveUp
				if s.what != "" {
					var status int
					fmt.Sscan(s.what, &status)
					res := respond(m.Request, status)
					if !m.Matches(res) {
						t.Fatalf("%v: %s does not match", s.at, s.what)
					}
					if up := m.Receive(res, now); up != s.up {
						t.Errorf("%v: %s goes up: %v", s.at, s.what, up)
					}
				}
				if m.State() != s.state {
					t.Errorf("%v: %v, want %v", s.at, m.State(), s.state)
				}
			}
			if got := strings.Join(r.sent, " "); got != c.sent {
				t.Errorf("sent %s\nwant %s", got, c.sent)
			}
			if gaveUp != c.gaveUp {
				t.Errorf("gave up: %v", gaveUp)
			}
			if n := int(again.Load()); n != repetitions(r.sent) {
				t.Errorf("%d repetitions counted in %s", n, r.sent)
			}
		})
	}
}

// RFC 3261 figures 7 and 8, RFC 6026 §7.1.
func TestServer(t *testing.T) {
	for _, c := range []run{
		{name: "INVITE refused, timers G and H", method: sip.INVITE, steps: []step{
			{at: 0, what: "send 486", state: Completed}, {at: 31999 * ms, state: Completed}, {at: 32000 * ms, state: Terminated}},
			sent: "0:486 500:486 1500:486 3500:486 7500:486 11500:486 15500:486 19500:486 23500:486 27500:486 31500:486", gaveUp: true},
		{name: "INVITE refused over TCP: timer H alone", method: sip.INVITE, reliable: true, steps: []step{
			{at: 0, what: "send 486", state: Completed}, {at: 32000 * ms, state: Terminated}}, sent: "0:486", gaveUp: true},
		{name: "INVITE refused and acknowledged, timer I", method: sip.INVITE, steps: []step{
			{at: 0, what: "send 100", state: Proceeding}, {at: 100 * ms, what: "INVITE", state: Proceeding}, {at: 200 * ms, what: "send 180", state: Proceeding},
			{at: 300 * ms, what: "INVITE", state: Proceeding}, {at: 400 * ms, what: "send 486", state: Completed}, {at: 500 * ms, what: "INVITE", state: Completed},
			{at: 600 * ms, what: "ACK", state: Confirmed}, {at: 700 * ms, what: "ACK", state: Confirmed}, {at: 800 * ms, what: "INVITE", state: Confirmed},
			{at: 5599 * ms, state: Confirmed}, {at: 5600 * ms, state: Terminated}},
			sent: "0:100 100:100 200:180 300:180 400:486 500:486"},
		{name: "acknowledged over TCP", method: sip.INVITE, reliable: true, steps: []step{
			{at: 0, what: "send 486", state: Completed}, {at: 600 * ms, what: "ACK", state: Terminated}}, sent: "0:486"},
		{name: "INVITE accepted, timer L: ACKs go up, repetitions are absorbed", method: sip.INVITE, steps: []step{
			{at: 0, what: "send 200", state: Accepted}, {at: 100 * ms, what: "INVITE", state: Accepted}, {at: 200 * ms, what: "ACK", state: Accepted, up: true},
			{at: 300 * ms, what: "send 486", state: Accepted}, {at: 31999 * ms, state: Accepted}, {at: 32000 * ms, state: Terminated}}, sent: "0:200"},
		{name: "BYE, timer J", method: sip.BYE, steps: []step{
			{at: 0, what: "BYE", state: Trying}, {at: 100 * ms, what: "send 200", state: Completed}, {at: 500 * ms, what: "BYE", state: Completed},
			{at: 600 * ms, what: "send 500", state: Completed}, {at: 32099 * ms, state: Completed}, {at: 32100 * ms, state: Terminated}}, sent: "100:200 500:200"},
		{name: "BYE over TCP", method: sip.BYE, reliable: true, steps: []step{{at: 0, what: "send 200", state: Terminated}}, sent: "0:200"},
		{name: "REFER proceeding", method: sip.REFER, steps: []step{
			{at: 0, what: "send 100", state: Proceeding}, {at: 500 * ms, what: "REFER", state: Proceeding}, {at: 600 * ms, what: "send 202", state: Completed}}, sent: "0:100 500:100 600:202"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{now: begin}
			var again atomic.Int64
			m := NewServer(message(c.method, ""), c.reliable, Timing{Repeated: &again}, r.send)
			gaveUp := false
			for _, s := range c.steps {
				now := begin.Add(s.at)
				gaveUp = r.until(m, now) || gaveUp
				if status, ok := strings.CutPrefix(s.what, "send "); ok {
					var n int
					fmt.Sscan(status, &n)
					m.Respond(respond(m.Request, n), now)
				} else if s.what != "" {
					req := message(sip.RequestMethod(s.what), "b1")
					if !m.Matches(req) {
						t.Fatalf("%v: %s does not match", s.at, s.what)
					}
					if up := m.Receive(req, now); up != s.up {
						t.Errorf("%v: %s goes up: %v", s.at, s.what, up)
					}
				}
				if m.State() != s.state {
					t.Errorf("%v: %v, want %v", s.at, m.State(), s.state)
				}
			}
			if got := strings.Join(r.sent, " "); got != c.sent {
				t.Errorf("sent %s\nwant %s", got, c.sent)
			}
			if gaveUp != c.gaveUp {
				t.Errorf("gave up: %v", gaveUp)
			}
			if n := int(again.Load()); n != repetitions(r.sent) {
				t.Errorf("%d repetitions counted in %s", n, r.sent)
			}
		})
	}
}

// repetitions is how many of the messages were sent before.
func repetitions(sent []string) (n int) {
	seen := map[string]bool{}
	for _, s := range sent {
		_, what, _ := strings.Cut(s, ":")
		if seen[what] {
			n++
		}
		seen[what] = true
	}
	return n
}

// The user agent's own repetitions: 2xx from T1 to T2, a reliable provisional
// response doubling without bound.
func TestRepeat(t *testing.T) {
	for status, want := range map[int]string{
		200: "500:200 1500:200 3500:200 7500:200 11500:200 15500:200 19500:200 23500:200 27500:200 31500:200",
		183: "500:183 1500:183 3500:183 7500:183 15500:183 31500:183",
	} {
		r := &recorder{now: begin}
		var again atomic.Int64
		p := NewRepeat(respond(message(sip.INVITE, ""), status), Timing{Repeated: &again}, r.send, begin)
		gaveUp := false
		for d := p.Deadline(); !d.IsZero(); d = p.Deadline() {
			r.now = d
			gaveUp = p.Expire(d)
		}
		if n := int(again.Load()); n != len(r.sent) {
			t.Errorf("%d: %d repetitions counted of %d", status, n, len(r.sent))
		}
		if got := strings.Join(r.sent, " "); got != want || !gaveUp || r.now != begin.Add(32*time.Second) {
			t.Errorf("%d: sent %s, gave up %v at %v", status, got, gaveUp, r.now.Sub(begin))
		}
		p = NewRepeat(respond(message(sip.INVITE, ""), status), Timing{}, r.send, begin)
		p.Stop()
		if !p.Deadline().IsZero() || p.Response() != nil || p.Expire(begin.Add(time.Hour)) {
			t.Errorf("%d: a stopped repetition goes on", status)
		}
	}
}

func TestMatching(t *testing.T) {
	invite := message(sip.INVITE, "")
	s := NewServer(invite, false, Timing{}, (&recorder{}).send)
	c := NewClient(invite, false, Timing{}, (&recorder{}).send)
	edit := func(method sip.RequestMethod, f func(*sip.Request)) *sip.Request {
		req := message(method, "")
		f(req)
		return req
	}
	other := func(req *sip.Request) { req.Via().Params.Add("branch", "z9hG4bKother") }
	for _, x := range []struct {
		name             string
		req              *sip.Request
		matches, cancels bool
	}{
		{"repetition", message(sip.INVITE, ""), true, false},
		{"ACK", message(sip.ACK, "b1"), true, false},
		{"CANCEL", message(sip.CANCEL, ""), false, true},
		{"BYE", message(sip.BYE, "b1"), false, false},
		{"another branch", edit(sip.INVITE, other), false, false},
		{"CANCEL of another", edit(sip.CANCEL, other), false, false},
		{"another sender", edit(sip.INVITE, func(r *sip.Request) { r.Via().Host = "192.0.2.99" }), false, false},
		{"without branch", edit(sip.INVITE, func(r *sip.Request) { r.Via().Params.Remove("branch") }), false, false},
		{"without Via", edit(sip.INVITE, func(r *sip.Request) { r.RemoveHeader("Via") }), false, false},
	} {
		if got := s.Matches(x.req); got != x.matches {
			t.Errorf("%s: matches %v", x.name, got)
		}
		if got := s.Cancels(x.req); got != x.cancels {
			t.Errorf("%s: cancels %v", x.name, got)
		}
	}
	// A peer of RFC 2543 has no branch: CSeq number, From tag and Call-ID count.
	bare := func(req *sip.Request) { req.Via().Params = nil }
	old := NewServer(edit(sip.INVITE, bare), false, Timing{}, (&recorder{}).send)
	if !old.Matches(edit(sip.INVITE, bare)) || !old.Matches(edit(sip.ACK, bare)) || !old.Cancels(edit(sip.CANCEL, bare)) {
		t.Error("requests without branch do not match")
	}
	if old.Matches(edit(sip.INVITE, func(r *sip.Request) { bare(r); r.CSeq().SeqNo = 8 })) || old.Matches(message(sip.INVITE, "")) {
		t.Error("another request without branch matches")
	}
	for name, change := range map[string]func(*sip.Response){
		"another method": func(r *sip.Response) { r.CSeq().MethodName = sip.CANCEL },
		"another branch": func(r *sip.Response) { r.Via().Params.Add("branch", "z9hG4bKother") },
		"no Via":         func(r *sip.Response) { r.RemoveHeader("Via") },
		"no CSeq":        func(r *sip.Response) { r.RemoveHeader("CSeq") },
	} {
		res := respond(message(sip.INVITE, ""), 200)
		change(res)
		if c.Matches(res) {
			t.Errorf("a response with %s matches", name)
		}
	}
}

// What belongs to the INVITE's transaction has its identification (RFC 3261
// §9.1, §17.1.1.3).
func TestFollowers(t *testing.T) {
	invite := message(sip.INVITE, "")
	ack := AckRefusal(invite, respond(invite, 486))
	cancel := Cancel(invite)
	for _, req := range []*sip.Request{ack, cancel} {
		if req.Via().String() != invite.Via().String() || req.CSeq().SeqNo != 7 || req.CSeq().MethodName != req.Method || *req.CallID() != "c1" ||
			req.Recipient.String() != invite.Recipient.String() || req.Route() == nil || req.From().String() != invite.From().String() || req.MaxForwards() == nil {
			t.Errorf("%s does not follow the INVITE:\n%s", req.Method, req)
		}
	}
	if tag, _ := ack.To().Params.Get("tag"); tag != "b1" {
		t.Errorf("ACK: To %s", ack.To())
	}
	if tag, _ := cancel.To().Params.Get("tag"); tag != "" {
		t.Errorf("CANCEL: To %s", cancel.To())
	}
}

// What can't be sent ends at once.
func TestNotSent(t *testing.T) {
	broken := errors.New("broken")
	c := NewClient(message(sip.BYE, ""), false, Timing{}, func(sip.Message) error { return broken })
	if err := c.Start(begin); err != broken || c.State() != Terminated || !c.Deadline().IsZero() {
		t.Errorf("%v, %v", err, c.State())
	}
	r := &recorder{now: begin}
	c = NewClient(message(sip.INVITE, ""), false, Timing{}, r.send)
	c.Start(begin)
	c.Receive(respond(c.Request, 180), begin)
	c.GiveUpAt(begin.Add(time.Second))
	if c.Expire(begin.Add(999*ms)) || !c.Expire(begin.Add(time.Second)) {
		t.Error("a cancelled INVITE is not given up in time")
	}
}
