package sipleg

import (
	"math/rand/v2"
	"strconv"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/sdp"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// modify is what a leg keeps of changes to a session in progress that come
// from our side: one at a time, each as re-INVITE (RFC 3261 §14) or UPDATE
// (RFC 3311).
type modify struct {
	hold    bool // what the party was last told
	wanted  bool // what it is to be told
	refresh bool // the session timer wants to be refreshed
	shown   bool // the party is to be told whom it is connected to

	tx      *request  // the change on its way; nil: none
	offered bool      // it has an offer
	notYet  time.Time // after a glare or a Retry-After; zero: now is well
	again   int       // how often the present change was put off
}

// maxPutOff bounds how often one change is tried again.
const maxPutOff = 8

func (m *modify) deadline() time.Time {
	if m.tx != nil {
		return time.Time{}
	}
	return m.notYet
}

func (m *modify) stop() { m.refresh, m.shown, m.wanted, m.notYet = false, false, m.hold, time.Time{} }

// want notes whether call control wants the party held.
func (l *Leg) want(hold bool) {
	l.modify.wanted = hold
	l.modify.start(l)
}

// identify notes whom the party is connected to, and tells a party that
// listens for it.
func (l *Leg) identify(p leg.Party) {
	l.inv.connected = p
	l.modify.shown = l.state == talking && p.Number != ""
	l.modify.start(l)
}

// start sends the next change if there is one and nothing is in its way: RFC
// 3261 §14.1 allows one INVITE at a time, of either side.
func (m *modify) start(l *Leg) {
	if l.state != talking || m.tx != nil || l.inv.repeat.Response() != nil || !m.notYet.IsZero() {
		return
	}
	switch {
	case m.wanted != m.hold:
		l.reinvite()
	case m.shown && l.dialog.allows(sip.UPDATE):
		m.shown = false
		l.update()
	case m.refresh:
		if l.dialog.allows(sip.UPDATE) {
			l.update()
		} else {
			l.reinvite()
		}
	}
}

func (l *Leg) expireModify(now time.Time) {
	if alarm.Due(l.modify.notYet, now) {
		l.modify.notYet = time.Time{}
		l.modify.start(l)
	}
}

// reinvite offers the session anew: held, retrieved, or as it is.
//
//	b2bua            party
//	  |-INVITE (hold)->|
//	  |<-----200-------|
//	  |------ACK------>|
func (l *Leg) reinvite() {
	m := &l.modify
	text, d := "INVITE", sdp.SendRecv
	hold := m.wanted
	switch {
	case hold && !m.hold:
		text = "INVITE" + drawHold(l.audio.legacy || l.audio.either)
	case !hold && m.hold:
		text = "INVITE (resume)"
	}
	if hold {
		d = sdp.SendOnly
	}
	req := l.dialog.newRequest(sip.INVITE)
	with(req, "Allow", allowed, "Supported", supported)
	l.timer.repeat(req)
	l.assert(req, l.inv.connected)
	attach(req, l.audio.offerAgain(d))
	m.offered = true
	m.tx = l.send(l.dialog, req, text, func(res *sip.Response) { l.reinvitation(res, hold) })
}

// reinvitation takes a response to our re-INVITE.
func (l *Leg) reinvitation(res *sip.Response, hold bool) {
	m, d := &l.modify, l.dialog
	switch status := res.StatusCode; {
	case status < 200:
		if m.tx != nil {
			m.tx.GiveUpAt(time.Now().Add(l.agent.cfg.Timing.Timeout()))
		}
		l.acknowledgeReliable(d, res)
	case status < 300:
		if d.ack != nil && d.ackSeq == seqOf(res) {
			d.acknowledgeAgain(res)
			return
		}
		d.learn(res)
		d.redirect()
		d.acknowledge(seqOf(m.tx.Request), credentials(m.tx.Request), nil)
		l.ladder.Out(l.name, "ACK")
		if l.state != talking {
			return
		}
		m.hold = hold
		answer, err := description(res)
		if err == nil && answer != nil {
			err = l.audio.accept(answer, d.flow)
		}
		if err != nil {
			l.log.Warn("the answer to our re-INVITE is not understood; audio goes on as before", "err", err)
		} else if !hold { // a party that we hold answers inactive whether it holds us too or not
			l.holding()
		}
		l.changed(res)
	default:
		l.unchanged(res)
	}
}

// update refreshes the session, and tells whom the party is connected to,
// without an offer (RFC 3311, RFC 4028 §7.4, RFC 5876 §3.1.2).
func (l *Leg) update() {
	req := l.dialog.newRequest(sip.UPDATE)
	with(req, "Allow", allowed, "Supported", supported)
	l.timer.repeat(req)
	l.assert(req, l.inv.connected)
	l.modify.offered = false
	l.modify.tx = l.send(l.dialog, req, "UPDATE", func(res *sip.Response) {
		switch status := res.StatusCode; {
		case status < 200:
		case status < 300:
			l.dialog.learn(res)
			l.dialog.redirect()
			l.changed(res)
		default:
			l.unchanged(res)
		}
	})
}

// changed ends a change that the party has agreed to, and begins the next.
func (l *Leg) changed(res *sip.Response) {
	if l.state != talking {
		return
	}
	l.modify.tx, l.modify.refresh, l.modify.again = nil, false, 0
	l.timer.agreed(l, res)
	l.modify.start(l)
}

// unchanged takes a refusal of a change.
//
//	491: both sides changed something at once: after a pause that differs for
//	     the two, again (RFC 3261 §14.1)
//	500, 503 with Retry-After: later again
//	422: with a longer session interval again (RFC 4028 §7.4)
//	481, 408: the party knows nothing of the call or has vanished: it ends (§12.2.1.2)
//	others: the session goes on as it was
func (l *Leg) unchanged(res *sip.Response) {
	m := &l.modify
	if l.state != talking {
		return
	}
	tx := m.tx
	later := time.Duration(-1)
	switch status := res.StatusCode; status {
	case 401, 407:
		if l.authorize(tx, res) {
			return
		}
	case 481, 408:
		l.bye(leg.Recovery.GivenBy(l.name).Because("%s no longer knows of the call, or has vanished (%d to %s)", l.name, status, tx.Request.Method))
		return
	case 491:
		later = glare(!l.incoming)
	case 422:
		if n, ok := seconds(res, "Min-SE"); ok {
			later = 0
			l.timer.interval = max(l.timer.interval, time.Duration(min(n, 24*3600))*time.Second)
		}
	case 500, 503:
		if n, ok := seconds(res, "Retry-After"); ok && n <= 60 {
			later = time.Duration(n) * time.Second
		}
	}
	m.tx = nil
	m.again++
	if later < 0 || m.again > maxPutOff {
		l.log.Info("the party refused a change of the session", "status", res.StatusCode, "method", tx.Request.Method)
		m.wanted, m.refresh, m.again = m.hold, false, 0
		m.start(l)
		return
	}
	m.notYet = time.Now().Add(max(later, time.Millisecond))
}

// glare is how long to wait after a 491, in units of 10 ms (RFC 3261 §14.1):
// the side that made the Call-ID waits longer.
func glare(owner bool) time.Duration {
	if owner {
		return time.Duration(210+rand.IntN(191)) * 10 * time.Millisecond
	}
	return time.Duration(rand.IntN(201)) * 10 * time.Millisecond
}

// reinvited takes a re-INVITE of the party: hold, retrieve, another address, a
// refresh (RFC 3261 §14.2).
func (l *Leg) reinvited(s *server) {
	req := s.Request
	offer, err := description(req)
	switch {
	case l.state == called: // its first INVITE has no final response yet
		l.respond(s, 500, "Retry-After", strconv.Itoa(rand.IntN(11)))
		return
	case l.state == calling, l.modify.tx != nil && (l.modify.offered || offer == nil), l.inv.awaiting:
		l.respond(s, 491)
		return
	case err != nil:
		l.refuseBody(s, err)
		return
	}
	if r := l.agent.tooShort(req); r != nil {
		l.respond(s, r.status, r.headers...)
		return
	}
	l.inv.repeat.Stop() // whoever sends an INVITE has seen our answer to the one before
	var body []byte
	if offer == nil {
		body = l.audio.offer(l.direction())
	} else if body, err = l.audio.answer(offer, l.direction(), s.flow); err != nil {
		l.refuseBody(s, err)
		return
	}
	l.inv.awaiting = offer == nil
	l.dialog.learn(req)
	l.follow(s)
	res := l.success(req)
	l.timer.begin(l, req, res)
	attach(res, body)
	l.accepted(s, res)
	if offer != nil {
		l.holding()
	}
}

// refuseBody refuses a change whose description is no use; the session goes on
// as it was.
func (l *Leg) refuseBody(s *server, err error) {
	r := bodyRefusal(err)
	l.log.Info("change of the session refused", "status", r.status, "why", r.hint)
	l.respond(s, r.status, r.headers...)
}

// updated takes an UPDATE (RFC 3311 §5.2), which may come before the answer.
func (l *Leg) updated(s *server, d *dialog) {
	req := s.Request
	offer, err := description(req)
	switch {
	case err != nil:
		l.refuseBody(s, err)
		return
	case offer == nil:
	case l.state == called && !l.inv.settled: // its offer is not answered yet, or ours
		l.respond(s, 500, "Retry-After", strconv.Itoa(rand.IntN(11)))
		return
	case l.state == calling && !d.answered, l.modify.tx != nil && l.modify.offered, l.inv.awaiting:
		l.respond(s, 491)
		return
	}
	if r := l.agent.tooShort(req); r != nil {
		l.respond(s, r.status, r.headers...)
		return
	}
	var body []byte
	if offer != nil {
		if body, err = l.audio.answer(offer, l.direction(), s.flow); err != nil {
			l.refuseBody(s, err)
			return
		}
	}
	d.learn(req)
	if d == l.dialog {
		l.follow(s)
	}
	res := l.success(req)
	if l.state == talking {
		l.timer.begin(l, req, res)
	}
	attach(res, body)
	l.reply(s, res)
	if offer != nil {
		l.holding()
	}
}

// follow turns our requests to where the party is now: a phone behind NAT may
// come from another port, any other party says so in Contact.
func (l *Leg) follow(s *server) {
	if l.dialog.pinned {
		l.dialog.flow = s.flow
		return
	}
	l.dialog.redirect()
	l.resolveTarget(l.dialog)
}
