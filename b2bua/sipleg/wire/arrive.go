package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"runtime/debug"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// arrived takes the bytes of one message. Whatever they are, the process goes on.
func (l *Layer) arrived(from Flow, raw []byte, limit int) {
	defer l.survive(from, raw)
	l.counts.received.Add(1)
	if len(raw) > limit {
		l.counts.dropped.Add(1)
		l.log.Debug("sip: message too large", "flow", from, "bytes", len(raw))
		return
	}
	in, f := read(raw)
	in.Flow = from
	if f != nil {
		l.refuse(in, f)
		return
	}
	if len(in.Mended) > 0 {
		l.counts.mended.Add(1)
		l.log.Debug("sip: message mended", "flow", from, "message", firstLine(raw), "mended", in.Mended)
	}
	if in.Request != nil {
		stamp(in.Request.Via(), from.remote)
	}
	l.cfg.Handle(in)
}

// survive is deferred where a stranger's bytes are looked at.
func (l *Layer) survive(from Flow, raw []byte) {
	if p := recover(); p != nil {
		l.counts.panics.Add(1)
		l.log.Error("sip: a message could not be handled because of a defect in the exchange; please report it",
			"flow", from, "panic", p, "message", firstLine(raw), "stack", string(debug.Stack()))
	}
}

// refuse answers a faulty request without state, if it tells enough to be
// answered, and drops a faulty response (RFC 3261 §8.2.6.2, §18.1.2).
func (l *Layer) refuse(in Inbound, f *fault) {
	if f.status == 0 || in.Request == nil || in.Request.Method == sip.ACK || in.Request.Via() == nil {
		l.counts.dropped.Add(1)
		l.log.Debug("sip: dropped", "flow", in.Flow, "why", f.why)
		return
	}
	stamp(in.Request.Via(), in.Flow.remote)
	to, err := l.ResponseFlow(in.Request, in.Flow)
	if err == nil {
		err = l.Send(refusal(in.Request, f), to)
	}
	if err != nil {
		l.counts.dropped.Add(1)
		l.log.Debug("sip: dropped", "flow", in.Flow, "why", f.why, "err", err)
		return
	}
	l.counts.refused.Add(1)
	l.log.Debug("sip: refused", "flow", in.Flow, "method", in.Request.Method, "status", f.status, "why", f.why)
}

// reasons are the phrases of RFC 3261 §21 for what is refused here.
var reasons = map[int]string{400: "Bad Request", 505: "Version Not Supported", 513: "Message Too Large"}

// refusal is the answer to a request of which only some headers may be there.
func refusal(req *sip.Request, f *fault) *sip.Response {
	reason := reasons[f.status]
	if f.status == 400 {
		reason += " (" + printable(f.why) + ")" // RFC 3261 §21.4.1: the phrase should name the problem
	}
	res := sip.NewResponse(f.status, reason)
	sip.CopyHeaders("Via", req, res)
	if h := req.From(); h != nil {
		res.AppendHeader(sip.HeaderClone(h))
	}
	if h := req.To(); h != nil {
		to := sip.HeaderClone(h).(*sip.ToHeader)
		if !to.Params.Has("tag") {
			to.Params.Add("tag", NewTag())
		}
		res.AppendHeader(to)
	}
	if h := req.CallID(); h != nil {
		res.AppendHeader(sip.HeaderClone(h))
	}
	if h := req.CSeq(); h != nil {
		res.AppendHeader(sip.HeaderClone(h))
	}
	return res
}

// refuseStream answers what can't be framed, before its connection is closed.
func (l *Layer) refuseStream(from Flow, buf []byte, err error) {
	defer l.survive(from, buf)
	n := headLen(buf)
	if n == 0 {
		l.counts.dropped.Add(1)
		l.log.Debug("sip: connection closed", "flow", from, "why", err)
		return
	}
	in, _ := read(buf[:n])
	in.Flow = from
	f := &fault{400, err.Error()}
	if strings.Contains(f.why, ErrTooLarge.Error()) {
		f.status = 513
	}
	l.refuse(in, f)
}

// NewTag is a random tag (RFC 3261 §19.3: at least 32 bits).
func NewTag() string { return random(10) }

var lettering = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return lettering.EncodeToString(b)
}

func firstLine(raw []byte) string {
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	return printable(clip(string(line)))
}

// printable keeps a stranger's bytes from the log and from a status line.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '"' || c == 0xfffd {
			return '.'
		}
		return c
	}, s)
}
