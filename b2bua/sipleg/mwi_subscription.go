package sipleg

import (
	"strings"
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// A subscription is a phone's to what waits for its extension (RFC 6665 §4.2,
// RFC 3842 §3). It belongs to the desk.
//
//	phone          b2bua
//	  |--SUBSCRIBE-->|
//	  |<----200------|
//	  |<---NOTIFY----|   at once, and with each change
//	  |-----200----->|
type subscription struct {
	identity // does not change
	telling
	user    string // in the phone's credentials; does not change
	contact string // what tells the phone from others of the same account
	event   string // the package, with the id that the phone gave it
	reason  string // why the subscription ends or has ended, as Subscription-State says it; empty: it goes on
	last    bool   // the NOTIFY that says so has been sent
}

// Reasons why a subscription ends (RFC 6665 §4.1.3). A phone that loses it
// because the exchange is being stopped is told to come again in a while:
// "deactivated" would have it come at once, to nobody. One that has lost its
// place to another is told to stay away for long.
const (
	timedOutReason = "timeout" // or given up by the phone
	rejected       = "rejected"
	restarting     = "probation;retry-after=30"
	displaced      = "probation;retry-after=3600"
)

func (s *subscription) id() *identity { return &s.identity }
func (s *subscription) talks() bool   { return false }

func (s *subscription) take(in wire.Inbound) {
	if in.Response != nil {
		s.n.agent.desk.in.Put(deskItem{do: func() { s.response(in.Response, time.Now()) }})
	} else {
		s.n.agent.desk.take(in, nil) // which knows repetitions, and asks of
	}
}

// newSubscription begins one that was granted, with our half of the dialog.
func (n *notifier) newSubscription(in wire.Inbound, account Account, contact string) *subscription {
	a, req := n.agent, in.Request
	s := &subscription{
		identity: identity{callID: callID(req), tag: newTag()},
		user:     account.User, contact: contact, event: eventOf(req),
	}
	d := &dialog{
		agent: a, callID: s.callID, localTag: s.tag, remoteTag: fromTag(req), remoteSeq: seqOf(req), flow: in.Flow,
		pinned: natted(req, in.Flow), legacy: speaks2543(req), routes: recordRoutes(req),
	}
	if to, from := req.To(), req.From(); to != nil && from != nil {
		d.local, d.remote = address{to.DisplayName, *to.Address.Clone()}, address{from.DisplayName, *from.Address.Clone()}
	}
	d.contact = contactOn(in.Flow, contactUser(account.number()))
	d.learn(req)
	d.redirect()
	s.telling = telling{n: n, extension: account.number(), dialog: d, fill: s.fill, heard: s.heard, over: func(now time.Time) { s.end(timedOutReason, now) }}
	s.task.do = s.expire
	n.subs[s.extension] = append(n.subs[s.extension], s)
	n.count.Add(1)
	n.enter(s)
	return s
}

// remove forgets the subscription.
func (s *subscription) remove() {
	n := s.n
	s.stop()
	without(n.subs, s.extension, s)
	n.count.Add(-1)
	n.leave(s)
	n.empty()
}

// grant lets the subscription go on for a time, zero: ends it. The phone is told
// at once what waits (RFC 6665 §4.2.1.2), however lately it was told.
func (s *subscription) grant(lasts time.Duration, now time.Time) {
	if lasts == 0 {
		s.end(timedOutReason, now)
		return
	}
	s.until = now.Add(lasts)
	s.due = now
	s.settle()
}

// end ends the subscription with a last NOTIFY that says why.
func (s *subscription) end(reason string, now time.Time) {
	if s.reason != "" {
		return
	}
	s.reason = reason
	s.until, s.due = time.Time{}, now
	s.settle()
}

// fill completes a NOTIFY (RFC 6665 §4.2.2).
func (s *subscription) fill(req *sip.Request) {
	t := &s.telling
	state := "active;expires=" + whole(max(time.Until(t.until).Round(time.Second), time.Second))
	if s.last = s.reason != ""; s.last {
		state = "terminated;reason=" + s.reason
	}
	if s.event != messageSummary {
		req.ReplaceHeader(sip.NewHeader("Event", s.event))
	}
	with(req, "Subscription-State", state)
	if s.reason != rejected {
		t.n.bodyTo(req, s.extension, t.dialog.flow)
	}
}

// heard ends the subscription after its last NOTIFY, and that of a phone which
// does not want to be told or is not there any more (RFC 6665 §4.2.2). A phone
// that says when to try again is told then.
func (s *subscription) heard(res *sip.Response, now time.Time) {
	status := res.StatusCode
	again, later := seconds(res, "Retry-After")
	switch {
	case s.last:
		s.remove()
		return
	case status < 300:
	case later && again > 0 && status != 481 && s.reason == "":
		s.due = now.Add(time.Duration(again) * time.Second)
	default:
		s.n.agent.log.Debug("message waiting: the phone has no subscription any more", "phone", s.extension, "status", status)
		s.remove()
		if len(s.n.active(s.extension)) == 0 {
			s.n.tellUnsolicited(s.extension, now)
		}
		return
	}
	s.settle()
}

// respond answers a request in the subscription's dialog: it is refreshed, or
// given up.
func (s *subscription) respond(in wire.Inbound) *sip.Response {
	req, a, d := in.Request, s.n.agent, s.dialog
	refuse := func(status int, headers ...string) *sip.Response {
		res := response(req, status, "", s.tag)
		with(res, headers...)
		return res
	}
	switch {
	case fromTag(req) != d.remoteTag || s.reason != "":
		return refuse(481)
	case seqOf(req) <= d.remoteSeq:
		return refuse(500, "Retry-After", "1") // out of order
	}
	d.remoteSeq = seqOf(req)
	switch {
	case req.Method != sip.SUBSCRIBE:
		return refuse(405, "Allow", "SUBSCRIBE")
	case !strings.EqualFold(eventOf(req), s.event):
		return refuse(489, "Allow-Events", a.events())
	}
	now := time.Now()
	if _, ok := a.cfg.Account(s.user); !ok {
		s.end(rejected, now)
		return refuse(403)
	}
	lasts, refused := a.subscribable(req)
	if refused != nil {
		return refuse(refused.status, refused.headers...)
	}
	d.learn(req)
	if d.pinned {
		d.flow = in.Flow
	} else {
		d.redirect()
	}
	if contact := contactOf(req); contact != "" {
		s.contact = contact
	}
	s.grant(lasts, now)
	return s.granted(req, lasts)
}

// granted is the 200 to a SUBSCRIBE (RFC 6665 §4.2.1.1).
func (s *subscription) granted(req *sip.Request, lasts time.Duration) *sip.Response {
	res := response(req, 200, "", s.tag)
	if toTag(req) == "" {
		sip.CopyHeaders("Record-Route", req, res)
	}
	res.AppendHeader(&sip.ContactHeader{Address: s.dialog.contact})
	with(res, "Expires", whole(lasts), "Server", s.n.agent.cfg.Product)
	res.SetBody(nil)
	return res
}
