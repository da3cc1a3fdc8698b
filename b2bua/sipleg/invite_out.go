package sipleg

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/sdp"
	"github.com/emiago/sipgo/sip"
)

// inviteOut is what an outgoing leg keeps about its INVITE.
type inviteOut struct {
	order  *leg.Outgoing     // nil once it is carried out
	peer   *Peer             // nil: a phone or an address
	client *registrar.Client // answers challenges; nil: we have no credentials there
	places []Destination     // not yet tried
	tx     *request          // nil: not yet sent, or settled
	half   *dialog           // our side of each dialog that it opens
	seq    uint32            // once it is answered: its CSeq number
	proof  []sip.Header      // and its credentials
	early  []*dialog         // that provisional responses have opened
	losers []*dialog         // whose 2xx came after another's: acknowledged and ended
	minSE  time.Duration     // of a 422
	cancel bool              // CANCEL is sent as soon as it may be
	sent   bool              // it was
	reason string            // of the CANCEL

	moved    []string // where the callee sends us instead (redirect.go)
	movedFor string   // and why

	told struct{ trying, ringing, early bool } // events delivered
}

// call sends the INVITE of an outgoing leg.
//
//	b2bua         callee
//	  |---INVITE--->|
//	  |<----100-----|   leg.Trying
//	  |<----180-----|   leg.Ringing
//	  |<-183 (SDP)--|   leg.EarlyMedia
//	  |<----200-----|   leg.Answered
//	  |-----ACK---->|
func (l *Leg) call() {
	if l.state != calling {
		return
	}
	d := l.dialog
	if len(l.out.places) > 0 {
		next := l.out.places[0]
		l.out.places = l.out.places[1:]
		flow, err := l.agent.wire.FlowTo(next.Transport, next.Address)
		if err != nil {
			l.log.Info("no way to the callee", "address", next.Address, "err", err)
			l.failed(made(sip.NewRequest(sip.INVITE, d.target), 503))
			return
		}
		d.flow = flow
	}
	d.legacy, _ = l.dialect()
	l.audio.at(d.flow)
	l.address(d)
	l.out.half = d
	req := d.newRequest(sip.INVITE)
	req.ReplaceHeader(maxForwards(l.out.order.Hops))
	l.decorate(req)
	attach(req, l.audio.offer(sdp.SendRecv))
	l.out.tx = l.send(d, req, drawInvite(req), l.invitation)
	if len(l.out.places) > 0 {
		l.out.tx.GiveUpAt(time.Now().Add(l.agent.failoverAfter()))
	}
}

// decorate gives an INVITE what it says beyond who calls whom.
func (l *Leg) decorate(req *sip.Request) {
	o := l.out.order
	with(req, "Allow", allowed, "Supported", supported)
	l.timer.ask(l.agent, req, l.out.minSE)
	domain := l.agent.domain(l.dialog.flow)
	if o.From.Withheld {
		with(req, "Privacy", "id")
	}
	if p := l.out.peer; p != nil && p.Trusted && o.From.Number != "" {
		with(req, "P-Asserted-Identity", nameAddr(partyAddress(o.From, domain)))
	}
	l.tellRing(req)
	l.tellForwardings(req)
	l.tellReferrer(req, oneLine(o.ReferredBy))
	if r := oneLine(o.Replaces); r != "" { // who can't replace must not ring anew (RFC 3891 §4)
		with(req, "Replaces", r, "Require", "replaces")
	}
}

// invitation takes a response to our INVITE.
func (l *Leg) invitation(res *sip.Response) {
	switch status := res.StatusCode; {
	case status < 200:
		l.progressing(res)
	case status < 300:
		l.answered(res)
	default:
		l.failed(res)
	}
}

// progressing takes a provisional response.
func (l *Leg) progressing(res *sip.Response) {
	if l.out.cancel {
		l.sendCancel()
		return
	}
	if l.state != calling {
		return
	}
	if res.StatusCode > 100 {
		d := l.earlyDialog(res)
		if !l.acknowledgeReliable(d, res) {
			return
		}
		if res.StatusCode == 199 { // this fork has failed, others go on (RFC 6228)
			return
		}
		l.alerted(d, res)
		return
	}
	l.tellTrying()
}

func (l *Leg) tellTrying() {
	if !l.out.told.trying {
		l.out.told.trying = true
		l.deliver(leg.Trying{Of: l.of()})
	}
}

// alerted tells call control what a 18x means: it rings, or is heard already.
func (l *Leg) alerted(d *dialog, res *sip.Response) {
	l.tellTrying()
	if l.learnParty(res); res.StatusCode != 183 && !l.out.told.ringing {
		l.out.told.ringing = true
		l.deliver(leg.Ringing{Of: l.of()})
	}
	body, err := description(res)
	if err != nil || body == nil || d == nil {
		return
	}
	if err := l.audio.accept(body, d.flow); err != nil {
		l.log.Info("early media not understood", "err", err)
		return
	}
	if has(tokens(res, "Require"), "100rel") {
		d.answered = true
	}
	if !l.out.told.early {
		l.out.told.early = true
		l.deliver(leg.EarlyMedia{Of: l.of()})
	}
}

// answered takes a 2xx: the first makes the call, a repetition is acknowledged
// again, another fork's is acknowledged and ended (RFC 3261 §13.2.2.4).
func (l *Leg) answered(res *sip.Response) {
	if l.dialog.confirmed {
		if !l.acknowledgedAgain(res) {
			l.endFork(res)
		}
		return
	}
	d := l.earlyDialog(res)
	if d == nil {
		d = l.dialog.fork(res)
	}
	d.confirm(res)
	l.dialog = d
	l.far.Store(&d.remoteTag)
	l.hearsAnswer(d)
	legacy, _ := l.dialect()
	l.audio.legacy, l.audio.either = d.legacy || legacy, d.reticent()
	answer, err := description(res)
	if err == nil && answer == nil && !d.answered {
		err = leg.Cause{Status: 488}.Because("the 200 has no answer to our offer")
	}
	if err == nil && answer != nil && !d.answered && l.state == calling {
		err = l.audio.accept(answer, d.flow)
	}
	l.out.seq, l.out.proof = seqOf(l.out.tx.Request), credentials(l.out.tx.Request)
	d.acknowledge(l.out.seq, l.out.proof, nil)
	l.ladder.Out(l.name, "ACK")
	switch {
	case l.state == leaving: // the CANCEL crossed the answer
		l.sendBye(d, l.why)
		return
	case err != nil:
		l.bye(leg.BearerNotOffered.GivenBy(l.name).Because("%v", err))
		return
	}
	l.connect(res)
}

// connect makes the leg a talking one.
func (l *Leg) connect(res *sip.Response) {
	l.enter(talking)
	l.out.early, l.out.order = nil, nil
	l.resolveTarget(l.dialog)
	l.timer.agreed(l, res)
	l.audio.held = l.audio.agreed.Hold != sdp.NotHeld
	l.learnParty(res)
	l.watchAudio()
	l.deliver(leg.Answered{Of: l.of()})
	if l.audio.held {
		l.deliver(leg.Held{Of: l.of()})
	}
	l.modify.start(l)
}

// failed takes a final response that is no success, or that none came. Some
// can be mended: a challenge, a session interval, another address of the same
// host (RFC 3261 §8.1.3.5, RFC 4028 §7.4, RFC 3263 §4.3).
func (l *Leg) failed(res *sip.Response) {
	if l.state == leaving { // our CANCEL has come through, or nobody heeds it
		l.left()
		return
	}
	if l.state != calling {
		return
	}
	switch res.StatusCode {
	case 401, 407:
		if l.authorize(l.out.tx, res) {
			return
		}
	case 422:
		if n, ok := seconds(res, "Min-SE"); ok && l.out.minSE == 0 && n > 0 && n <= 24*3600 {
			l.out.minSE = time.Duration(n) * time.Second
			l.out.early = nil
			l.call()
			return
		}
	case 408, 503:
		if isMade(res) && l.dialog.flow.Valid() {
			l.agent.silent.note(l.dialog.flow)
		}
		if len(l.out.places) > 0 && (isMade(res) || res.StatusCode == 503) {
			l.log.Info("trying the next address of the callee", "status", res.StatusCode)
			l.out.early = nil
			l.call()
			return
		}
	}
	l.out.moved, l.out.movedFor = l.moved(res)
	why := causeOf(res, l.name)
	if isMade(res) && res.StatusCode == 408 {
		why = leg.NoResponse.GivenBy(l.name).Because("no response from %s", l.dialog.flow.Remote())
	} else if isMade(res) {
		why = leg.NetworkFailure.GivenBy(leg.Us).Because("%s can't be reached", l.dialog.target.Host)
	}
	l.finish(why)
}
