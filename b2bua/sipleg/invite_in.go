package sipleg

import (
	"cmp"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// inviteIn is what a leg keeps about INVITEs of the peer.
type inviteIn struct {
	tx        *server // the one that began the leg
	offer     []byte  // its session description; nil: it had none, we offer (late offer)
	body      []byte  // our description, once made: the same in each response to it (RFC 3261 §13.2.1)
	rung      bool    // 180 was sent
	opened    bool    // the caller hears us before the answer
	forgotten bool    // the INVITE was challenged: nothing is remembered of it
	connected leg.Party

	repeat   txn.Repeat // of the 2xx that waits for its ACK; also of a re-INVITE's
	seq      uint32     // CSeq number of the INVITE that it answers
	awaiting bool       // our offer was in that 2xx: the ACK has to bring the answer

	reliable  txn.Repeat      // of the provisional response that waits for its PRACK (prack.go)
	reliably  bool            // the caller requires RFC 3262
	rseq      uint32          // of the last one sent
	queue     []*sip.Response // provisional responses behind it
	answering bool            // Answer was ordered, and waits for the PRACK
	offered   bool            // the reliable response has our offer: the PRACK brings the answer
	settled   bool            // offer and answer were exchanged reliably: the 2xx needs none

	trying  time.Time // when the caller is sent 100; zero: it was, or is not
	again   time.Time // when the last provisional response is sent again; zero: never
	expires time.Time // when the caller wants no answer any more (RFC 3261 §20.19); zero: never
}

// newIncoming makes the leg of an INVITE that arrived. The table is locked;
// the INVITE itself follows through the inbox.
func newIncoming(a *Agent, in wire.Inbound) *Leg {
	req := in.Request
	l := newLeg(a, identity{
		callID: strings.Clone(callID(req)), tag: newTag(), incoming: true, // copies: these outlive the message
		theirTag: strings.Clone(fromTag(req)), seq: seqOf(req),
	})
	l.enter(called)
	return l
}

// invited takes the INVITE that begins the leg.
//
//	caller        b2bua
//	  |---INVITE--->|
//	  |<----407-----|   challenged: nothing stays behind
//	  |-----ACK---->|
//	  |---INVITE--->|   with credentials
//	  |<----100-----|   and call control decides
func (l *Leg) invited(in wire.Inbound, now time.Time) {
	req := in.Request
	l.inv.tx = l.agent.serve(in)
	l.servers = append(l.servers, l.inv.tx)
	who, refused := l.agent.identify(in)
	l.name = who.name
	l.log = l.log.With("name", l.name)
	if refused != nil && refused.nonce != "" {
		l.challenge(req, refused)
		return
	}
	l.ladder = l.ladderOf(req)
	l.ladder.In(l.name, drawInvite(req))
	if refused == nil {
		refused = l.acceptable(req)
	}
	l.ofPhone = who.source.Kind == leg.Phone
	l.trusted = l.ofPhone || who.peer != nil && who.peer.Trusted
	l.dialog = l.answering(in, who)
	if refused == nil {
		refused = l.readOffer(req)
	}
	var place takeover
	if refused == nil {
		place, refused = l.replacing(req)
	}
	if refused != nil {
		l.turnAway(req, refused)
		return
	}
	l.party.Store(&who.caller)
	l.inv.trying = now.Add(tryingAfter)
	l.resolveTarget(l.dialog)
	if n, ok := seconds(req, "Expires"); ok && n > 0 {
		l.inv.expires = now.Add(time.Duration(n) * time.Second)
	}
	l.sink = l.agent.cfg.Accept.Accept(l.incomingCall(req, who, place))
}

// tryingAfter is how long call control has to refuse a call before the caller is
// told that it is being placed. RFC 3261 §17.2.1 allows 200 ms.
const tryingAfter = 10 * time.Millisecond

// sendTrying sends the 100 that stands before any other answer to a call that
// is being placed.
func (l *Leg) sendTrying() {
	if !l.inv.trying.IsZero() {
		l.inv.trying = time.Time{}
		l.respond(l.inv.tx, 100)
	}
}

// ladderOf is where the call is drawn: behind the challenge that came before, if one did.
func (l *Leg) ladderOf(req *sip.Request) *leg.Ladder {
	for _, v := range authorizations(req) {
		if ladder := l.agent.challenged.take(nonceOf(v)); ladder != nil {
			return ladder
		}
	}
	return new(leg.Ladder)
}

// acceptable makes the checks of RFC 3261 §8.2.2 and §8.2.3 that need no
// session description.
func (l *Leg) acceptable(req *sip.Request) *refusal {
	if mf := req.MaxForwards(); mf != nil && mf.Val() == 0 {
		return &refusal{status: 483, hint: "Max-Forwards is used up: some exchange sends the call in a circle"}
	}
	switch req.Recipient.Scheme {
	case "sip", "tel", "":
	default: // sips asks for what we can't promise (RFC 3261 §26.2.2)
		return &refusal{status: 416}
	}
	if unknown := l.agent.unsupported(req); unknown != "" {
		return &refusal{status: 420, headers: []string{"Unsupported", unknown}}
	}
	return l.agent.tooShort(req)
}

// answering is our half of the dialog with a caller (RFC 3261 §12.1.1).
func (l *Leg) answering(in wire.Inbound, who sender) *dialog {
	req := in.Request
	d := &dialog{
		agent: l.agent, callID: l.callID, localTag: l.tag, remoteTag: l.theirTag, remoteSeq: seqOf(req), localSeq: 0,
		flow: in.Flow, pinned: who.source.Kind == leg.Phone && natted(req, in.Flow), legacy: speaks2543(req), routes: recordRoutes(req),
	}
	if to := req.To(); to != nil {
		d.local = address{to.DisplayName, *to.Address.Clone()}
	}
	if from := req.From(); from != nil {
		d.remote = address{from.DisplayName, *from.Address.Clone()}
		d.target = *from.Address.Clone() // until a Contact says better; phones of 1999 may send none
	}
	d.contact = contactOn(in.Flow, contactUser(d.local.uri.User))
	d.learn(req)
	d.redirect()
	l.audio.legacy = d.legacy
	return d
}

// contactUser is a user part that is safe in our Contact.
func contactUser(user string) string {
	if len(user) > 64 {
		return ""
	}
	for i := range len(user) {
		if c := user[i]; !isAlphanum(c) && strings.IndexByte("-_.+*", c) < 0 {
			return ""
		}
	}
	return user
}

// readOffer looks whether we could talk at all, before anybody rings, and binds
// the leg's ports.
func (l *Leg) readOffer(req *sip.Request) *refusal {
	offer, err := description(req)
	if err != nil {
		return bodyRefusal(err)
	}
	if err := l.openAudio(); err != nil {
		return &refusal{status: 503, headers: []string{"Retry-After", "5"}, hint: err.Error()}
	}
	l.audio.at(l.dialog.flow)
	l.inv.offer = offer
	l.inv.reliably = has(tokens(req, "Require"), "100rel")
	if offer == nil {
		return nil
	}
	agreed, err := l.audio.probe(offer)
	if err != nil {
		return bodyRefusal(err)
	}
	l.audio.session.SetFormat(formatOf(agreed))
	return nil
}

// incomingCall is what call control hears of the INVITE.
func (l *Leg) incomingCall(req *sip.Request, who sender, place takeover) leg.Incoming {
	ev := leg.Incoming{
		Of: l.of(), Source: who.source, Caller: who.caller, Dialed: l.agent.dialedBy(req, who.peer), Hops: maxHops,
		Ladder: l.ladder, Diversions: l.agent.forwardings(req), ReferredBy: cmp.Or(value(req, "Referred-By"), value(req, "Requested-By")),
		Also: value(req, "Requested-By") != "", EarlyOnly: place.earlyOnly, AlertInfo: l.asksToRing(req, who),
	}
	if place.of != nil {
		ev.Replaces = place.of
	}
	if to := req.To(); to != nil {
		ev.To = l.agent.party(to.DisplayName, to.Address)
	}
	if mf := req.MaxForwards(); mf != nil {
		ev.Hops = min(int(mf.Val()), 255)
	}
	return ev
}

// dialedBy is what the caller has dialled. A provider at which we are registered
// may address its calls to our registration, and name the number in To alone.
func (a *Agent) dialedBy(req *sip.Request, p *Peer) string {
	dialed := a.dialed(req.Recipient)
	if to := req.To(); p != nil && p.Register && to != nil && to.Address.User != "" && unescaped(req.Recipient.User) == p.User {
		return unescaped(to.Address.User)
	}
	return dialed
}

// dialed is a Request-URI in the words of the dial plan: the user part with its
// parameters if the address is ours, else the whole address.
func (a *Agent) dialed(u sip.Uri) string {
	if raw := u.Raw(); raw != "" {
		return raw // tel: 7773660;phone-context=p1234
	}
	if a.ours(u) {
		return unescaped(u.User)
	}
	bare := sip.Uri{Scheme: u.Scheme, User: u.User, Host: u.Host, Port: u.Port}
	return bare.String()
}

// ring tells the caller that the callee is alerted.
func (l *Leg) ring() {
	if l.state != called || l.inv.rung {
		return
	}
	l.inv.rung = true
	body := []byte(nil)
	if l.inv.opened {
		body = l.inv.body
	}
	l.provisional(180, body)
}

// progress opens the audio towards the caller: 183 with our answer. A caller
// that made no offer can't hear anything before it has answered ours, unless
// it knows reliable responses.
func (l *Leg) progress() {
	if l.state != called || l.inv.opened {
		return
	}
	body, err := l.describe()
	if err != nil {
		l.log.Warn("no early media", "err", err)
		return
	}
	l.inv.opened = body != nil
	l.provisional(183, body)
}

// describe makes our session description for the INVITE, once: the answer to
// its offer, or an offer where the next response may carry one.
func (l *Leg) describe() ([]byte, error) {
	switch {
	case l.inv.body != nil:
	case l.inv.offer != nil:
		body, err := l.audio.answer(l.inv.offer, l.direction(), l.dialog.flow)
		if err != nil {
			return nil, err
		}
		l.inv.body = body
		l.audio.held = l.audio.agreed.Hold != 0
	case l.inv.reliably:
		l.inv.body = l.audio.offer(l.direction())
	}
	return l.inv.body, nil
}

// answer sends the 2xx, and repeats it until the ACK comes.
func (l *Leg) answer() {
	if l.state != called {
		l.log.Debug("answer: the leg is not being called", "state", l.state)
		return
	}
	if l.inv.reliable.Response() != nil { // RFC 3262 §3: not before what it carries is acknowledged
		l.inv.answering = true
		return
	}
	body, err := l.describe()
	if err != nil {
		l.refuse(leg.BearerNotOffered.GivenBy(leg.Us).Because("%v", err))
		return
	}
	if l.inv.settled {
		body = nil
	} else if body == nil { // late offer
		body = l.audio.offer(l.direction())
		l.inv.awaiting = true
	}
	l.sendTrying()
	res := l.success(l.inv.tx.Request)
	l.timer.begin(l, l.inv.tx.Request, res)
	attach(res, body)
	l.inv.again, l.inv.expires = time.Time{}, time.Time{}
	l.dialog.confirmed = true
	l.enter(talking)
	l.accepted(l.inv.tx, res)
	l.watchAudio()
	if l.audio.held {
		l.deliver(leg.Held{Of: l.of()})
	}
}

// success is a 2xx to an INVITE or UPDATE without what differs.
func (l *Leg) success(req *sip.Request) *sip.Response {
	res := response(req, 200, "", l.tag)
	res.AppendHeader(&sip.ContactHeader{Address: l.dialog.contact})
	with(res, "Allow", allowed, "Supported", supported, "Server", l.agent.cfg.Product)
	l.assert(res, l.inv.connected)
	return res
}

// accepted sends the 2xx to an INVITE of the peer and repeats it until its ACK.
func (l *Leg) accepted(s *server, res *sip.Response) {
	l.inv.seq = seqOf(s.Request)
	flow := s.flow
	l.reply(s, res)
	l.inv.repeat = txn.NewRepeat(res, l.agent.cfg.Timing, func(m sip.Message) error { return l.agent.send(m, flow) }, time.Now())
}

// acknowledged takes the ACK of a 2xx.
func (l *Leg) acknowledged(ack *sip.Request) {
	if l.inv.repeat.Response() == nil || seqOf(ack) != l.inv.seq {
		return
	}
	l.ladder.In(l.name, "ACK")
	l.inv.repeat.Stop()
	if !l.inv.awaiting {
		l.modify.start(l)
		return
	}
	l.inv.awaiting = false
	answer, err := description(ack)
	if err == nil && answer == nil {
		err = leg.Cause{Status: 488}.Because("the ACK has no answer to our offer")
	}
	if err == nil {
		err = l.audio.accept(answer, l.dialog.flow)
	}
	if err != nil { // there is no way to refuse an ACK (RFC 3261 §13.3.1.4)
		l.bye(leg.BearerNotOffered.GivenBy(l.name).Because("%v", err))
		return
	}
	l.holding()
	l.modify.start(l)
}

// expireAnswer does what is due while the call is not answered, or its answer
// not acknowledged.
func (l *Leg) expireAnswer(now time.Time) {
	if l.inv.repeat.Expire(now) {
		l.log.Warn("no ACK for our answer: the call ends", "name", l.name)
		l.bye(leg.Recovery.GivenBy(l.name).Because("the answer was never acknowledged"))
		return
	}
	if l.state != called {
		return
	}
	if alarm.Due(l.inv.trying, now) {
		l.sendTrying()
	}
	if alarm.Due(l.inv.expires, now) {
		l.log.Info("the caller wanted no answer after this time")
		l.respond(l.inv.tx, 487)
		l.finish(leg.NoAnswer.GivenBy(l.name).Because("the caller's time for an answer is over"))
		return
	}
	if alarm.Due(l.inv.again, now) { // RFC 3261 §13.3.1.1: proxies would give up
		l.inv.again = now.Add(time.Minute)
		if last := l.inv.tx.Last(); last != nil && !l.inv.reliably {
			l.inv.tx.Respond(last, now) //nolint:errcheck // logged where it is sent
		}
	}
}
