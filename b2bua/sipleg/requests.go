package sipleg

import (
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// request takes a request of the party: a repetition, the INVITE that begins
// the leg, or something within its dialog.
func (l *Leg) request(in wire.Inbound, now time.Time) {
	req := in.Request
	for _, s := range l.servers {
		if s.Matches(req) {
			l.repeated(s, req, now)
			return
		}
	}
	if l.settled.repeated(l.agent, req, now) {
		return
	}
	switch {
	case l.incoming && l.dialog == nil:
		l.invited(in, now)
	case req.Method == sip.ACK:
		l.acknowledged(req)
	case req.Method == sip.CANCEL:
		l.cancelled(in)
	default:
		l.inDialog(in, now)
	}
}

// repeated takes a request of a transaction that is known.
func (l *Leg) repeated(s *server, req *sip.Request, now time.Time) {
	refused := s.Answered() && s.Last().StatusCode >= 300
	waiting := refused && !s.Confirmed()
	if s.Receive(req, now) {
		l.acknowledged(req) // of a 2xx, by a peer that keeps the branch
		return
	}
	if req.Method != sip.ACK || !waiting {
		return
	}
	l.ladder.In(l.name, "ACK")
	if s == l.inv.tx {
		l.left()
	}
}

// inDialog takes a request within the dialog (RFC 3261 §12.2.2).
func (l *Leg) inDialog(in wire.Inbound, now time.Time) {
	req := in.Request
	s := l.agent.serve(in)
	if l.merged(req) {
		l.ladder.In(l.name, string(req.Method))
		l.servers = append(l.servers, s)
		l.respond(s, 482)
		return
	}
	l.servers = append(l.servers, s)
	l.ladder.In(l.name, l.drawRequest(req))
	d := l.dialogOf(req)
	switch {
	case d == nil:
		l.respond(s, 481)
		return
	case d.remoteSeq != 0 && seqOf(req) <= d.remoteSeq:
		l.respond(s, 500, "Retry-After", "1") // out of order
		return
	}
	d.remoteSeq = max(d.remoteSeq, seqOf(req))
	if l.ofPhone {
		l.agent.hears(l.name, req, in.Flow)
		l.audio.legacy = l.audio.legacy || speaks2543(req)
	}
	if unknown := l.agent.unsupported(req); unknown != "" {
		l.respond(s, 420, "Unsupported", unknown)
		return
	}
	l.act(s, d)
}

// act does what a request in the dialog asks.
func (l *Leg) act(s *server, d *dialog) {
	method := s.Request.Method
	if l.state == leaving && method != sip.BYE {
		l.respond(s, 481)
		return
	}
	switch method {
	case sip.BYE:
		if l.state == calling { // a callee may not end an early dialog by BYE (RFC 3261 §15)
			l.respond(s, 481)
			return
		}
		l.hungUp(s)
	case sip.INVITE:
		l.reinvited(s)
	case sip.UPDATE:
		l.updated(s, d)
	case sip.PRACK:
		l.pracked(s)
	case sip.INFO:
		l.info(s)
	case sip.OPTIONS:
		l.reply(s, l.agent.options(s.Request, l.tag))
	case sip.REFER:
		l.referred(s)
	case sip.NOTIFY:
		l.notified(s)
	default:
		l.respond(s, 405, "Allow", allowed)
	}
}

// merged tells an INVITE that reached us twice by different ways: the same
// call, another branch (RFC 3261 §8.2.2.2).
func (l *Leg) merged(req *sip.Request) bool {
	return l.incoming && req.Method == sip.INVITE && toTag(req) == "" && seqOf(req) == l.seq
}

// dialogOf is the dialog that a request is in; nil: none of ours.
func (l *Leg) dialogOf(req *sip.Request) *dialog {
	if toTag(req) == "" && !speaks2543(req) && !l.dialog.legacy {
		return nil
	}
	from := fromTag(req)
	all := append([]*dialog{l.dialog}, l.out.early...)
	for _, d := range all {
		if d.remoteTag == from && (l.incoming || d.confirmed || l.state <= called) {
			return d
		}
	}
	if l.dialog.legacy {
		return l.dialog
	}
	return nil
}
