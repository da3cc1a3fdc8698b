package siptest

import (
	"fmt"
	"strings"
)

// A Dialog is a peer's side of one call, or of an attempt. It knows what the
// messages of a dialog have in common; everything may be changed between them.
type Dialog struct {
	Peer      *Peer
	CallID    string
	Local     string // From of our requests, without tag: `"Alice" <sip:101@127.0.0.1>`
	Remote    string // To of our requests, without tag
	LocalTag  string // empty: none is sent
	RemoteTag string
	Target    string   // Request-URI of our requests
	Routes    []string // Route values of our requests
	Seq       int      // CSeq of our last request
	Invite    *Message // the last INVITE of the dialog, sent or received
	Last      *Message // our last request
}

// Dial begins a dialog with a request to come. The URI may be a bare user:
// "102" stands for sip:102@ the peer's Domain.
func (p *Peer) Dial(uri string) *Dialog {
	if !strings.Contains(uri, ":") {
		uri = "sip:" + uri + "@" + p.Domain
	}
	d := &Dialog{Peer: p, CallID: Token() + "@" + p.User, Local: "<" + p.URI() + ">", Remote: "<" + uri + ">", Target: uri}
	if p.Name != "" {
		d.Local = fmt.Sprintf("%q %s", p.Name, d.Local)
	}
	if !p.Legacy {
		d.LocalTag = Token()
	}
	return d
}

// Incoming is the dialog of a request that the peer has received.
func (p *Peer) Incoming(req *Message) *Dialog {
	d := &Dialog{
		Peer: p, CallID: req.Get("Call-ID"), Local: cutTag(req.Get("To")), Remote: cutTag(req.Get("From")),
		LocalTag: req.Param("To", "tag"), RemoteTag: req.Param("From", "tag"), Target: req.Address("Contact"),
		Routes: req.All("Record-Route"), Invite: req,
	}
	if d.LocalTag == "" {
		d.LocalTag = Token()
	}
	return d
}

func cutTag(v string) string {
	if i := strings.LastIndexByte(v, '>'); i >= 0 {
		return v[:i+1]
	}
	v, _, _ = strings.Cut(v, ";")
	return v
}

// Request sends a request in the dialog and returns it. Each extra is a header
// line ("Supported: 100rel"), or a body if it begins with "v=0" (then of type
// application/sdp) or with "body " and a media type and a line feed. A header
// line with the name of one that the template has takes its place; an empty
// value removes it.
func (d *Dialog) Request(method string, extra ...string) *Message {
	d.Peer.t.Helper()
	if method != "ACK" && method != "CANCEL" {
		d.Seq++
	}
	m := d.message(method, d.Peer.Via(), d.Seq, extra)
	if method == "INVITE" {
		d.Invite = m
	}
	d.Last = m
	d.Peer.Send(m.Text)
	return m
}

// message composes a request without sending it.
func (d *Dialog) message(method, via string, seq int, extra []string) *Message {
	d.Peer.t.Helper()
	lines := []Line{{"Via", via}}
	if !d.Peer.Legacy {
		lines = append(lines, Line{"Max-Forwards", "70"})
	}
	for _, r := range d.Routes {
		lines = append(lines, Line{"Route", r})
	}
	lines = append(lines, Line{"From", tagged(d.Local, d.LocalTag)}, Line{"To", tagged(d.Remote, d.RemoteTag)},
		Line{"Call-ID", d.CallID}, Line{"CSeq", fmt.Sprintf("%d %s", seq, method)})
	if method != "BYE" && method != "CANCEL" && method != "ACK" {
		lines = append(lines, Line{"Contact", d.Peer.Contact()})
	}
	return d.Peer.compose(method+" "+d.Target+" SIP/2.0", lines, extra)
}

func tagged(addr, tag string) string {
	if tag == "" {
		return addr
	}
	return addr + ";tag=" + tag
}

// Established takes the remote tag, target and route set from a response to
// our INVITE (RFC 3261 §12.1.2).
func (d *Dialog) Established(res *Message) *Dialog {
	d.RemoteTag = res.Param("To", "tag")
	if c := res.Address("Contact"); c != "" {
		d.Target = c
	}
	d.Routes = nil
	for _, r := range res.All("Record-Route") {
		d.Routes = append([]string{r}, d.Routes...)
	}
	return d
}

// Ack acknowledges a final response to the dialog's INVITE: a 2xx in the
// dialog, any other in the INVITE's transaction (RFC 3261 §13.2.2.4, §17.1.1.3).
func (d *Dialog) Ack(res *Message, extra ...string) *Message {
	d.Peer.t.Helper()
	seq, _ := res.CSeq()
	if res.Status < 300 {
		d.Established(res)
		m := d.message("ACK", d.Peer.Via(), seq, extra)
		d.Peer.Send(m.Text)
		return m
	}
	ack := *d
	ack.Target, ack.RemoteTag = d.Invite.URI, res.Param("To", "tag")
	m := ack.message("ACK", d.Invite.Get("Via"), seq, extra)
	d.Peer.Send(m.Text)
	return m
}

// Cancel sends the CANCEL of the dialog's INVITE (RFC 3261 §9.1).
func (d *Dialog) Cancel(extra ...string) *Message {
	d.Peer.t.Helper()
	seq, _ := d.Invite.CSeq()
	c := *d
	c.Target, c.RemoteTag = d.Invite.URI, d.Invite.Param("To", "tag")
	m := c.message("CANCEL", d.Invite.Get("Via"), seq, extra)
	d.Peer.Send(m.Text)
	return m
}

// Respond answers a request of the dialog with its local tag. Extras are as of
// Request; a Contact is added to answers to INVITE, UPDATE and SUBSCRIBE.
func (d *Dialog) Respond(req *Message, status int, extra ...string) *Message {
	d.Peer.t.Helper()
	return d.Peer.respond(req, status, d.LocalTag, extra)
}

// Respond answers a request outside of a dialog, with a new tag unless it has
// one. Extras are as of Dialog.Request.
func (p *Peer) Respond(req *Message, status int, extra ...string) *Message {
	p.t.Helper()
	return p.respond(req, status, Token(), extra)
}

func (p *Peer) respond(req *Message, status int, tag string, extra []string) *Message {
	p.t.Helper()
	var lines []Line
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range req.All(name) {
			if name == "To" && status > 100 && req.Param("To", "tag") == "" {
				v = tagged(v, tag)
			}
			lines = append(lines, Line{name, v})
		}
	}
	if status > 100 && status < 400 && strings.Contains("INVITE UPDATE SUBSCRIBE", req.Method) {
		lines = append(lines, Line{"Contact", p.Contact()})
	}
	m := p.compose(fmt.Sprintf("SIP/2.0 %d %s", status, Reason(status)), lines, extra)
	p.Send(m.Text)
	return m
}

// Reason is a phrase for a status code.
func Reason(status int) string {
	if r, ok := map[int]string{
		100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved Temporarily",
		404: "Not Found", 407: "Proxy Authentication Required", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
		486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error",
		503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
	}[status]; ok {
		return r
	}
	return "Because"
}

// compose joins a template's lines with the extras into a message.
func (p *Peer) compose(start string, lines []Line, extra []string) *Message {
	p.t.Helper()
	body := ""
	for _, e := range extra {
		if strings.HasPrefix(e, "v=0") {
			lines = append(lines, Line{"Content-Type", "application/sdp"})
			body = e
			continue
		}
		if rest, ok := strings.CutPrefix(e, "body "); ok {
			kind, text, _ := strings.Cut(rest, "\n")
			lines = append(lines, Line{"Content-Type", kind})
			body = text
			continue
		}
		name, value, ok := strings.Cut(e, ":")
		if !ok {
			p.t.Fatalf("siptest: %q is neither a header line nor a body", e)
		}
		lines = replace(lines, Line{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	var b strings.Builder
	b.WriteString(start + "\n")
	for _, l := range lines {
		b.WriteString(l.Name + ": " + l.Value + "\n")
	}
	b.WriteString("\n" + body)
	m, err := Parse(wire(b.String()))
	if err != nil {
		p.t.Fatalf("siptest: %v", err)
	}
	return m
}

// replace puts a line into the place of those of its name, or at the end. The
// names that may stand several times are only added.
func replace(lines []Line, with Line) []Line {
	many := strings.Contains("Via Route Record-Route Also Alert-Info", with.Name) && with.Value != ""
	var out []Line
	put := many
	for _, l := range lines {
		if many || !strings.EqualFold(l.Name, with.Name) {
			out = append(out, l)
		} else if !put && with.Value != "" {
			out = append(out, with)
			put = true
		}
	}
	if with.Value != "" && (many || !put) {
		out = append(out, with)
	}
	return out
}

// Request sends a request outside of any dialog. The URI may be a bare user.
// Requests of one method go on one Call-ID with rising CSeq, as a phone's
// registrations do.
func (p *Peer) Request(method, uri string, extra ...string) *Message {
	p.t.Helper()
	d := p.Dial(uri)
	d.CallID = method + "-" + p.User + "@" + p.Host
	if method == "REGISTER" {
		d.Remote = "<" + p.URI() + ">"
	}
	p.seq[d.CallID]++
	d.Seq = p.seq[d.CallID] - 1
	return d.Request(method, extra...)
}

// SDP is a session description of PCMU, PCMA and telephone-events received at
// host:port; each extra is a line more ("a=sendonly") at the media level.
func SDP(host string, port int, extra ...string) string {
	family := "IP4"
	if strings.Contains(host, ":") {
		family = "IP6"
	}
	s := fmt.Sprintf("v=0\no=test 1 1 IN %[1]s %[2]s\ns=-\nc=IN %[1]s %[2]s\nt=0 0\nm=audio %[3]d RTP/AVP 0 8 101\n"+
		"a=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n", family, host, port)
	for _, e := range extra {
		s += e + "\n"
	}
	return s
}
