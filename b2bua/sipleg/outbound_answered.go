package sipleg

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// answered takes the final response to our REGISTER, or one that was made for
// want of it.
func (r *outbound) answered(res *sip.Response) {
	sent := r.tx
	r.tx = nil
	if r.leaving {
		if isChallenge(res) {
			r.authorize(sent, res)
		}
		return
	}
	switch status := res.StatusCode; {
	case status < 300:
		r.registered(res)
	case isChallenge(res) && r.authorize(sent, res):
	case status == 423:
		if n, ok := seconds(res, "Min-Expires"); ok && r.tries < maxTries && n > 0 && n <= 24*3600 {
			r.tries++
			r.ask = time.Duration(n) * time.Second
			r.send("", "")
			return
		}
		r.refused(res)
	case isMade(res) || status == 408 || status >= 500 && status < 600:
		r.unanswered(res)
	default:
		r.refused(res)
	}
}

// authorize answers a challenge; false: it can't be answered.
func (r *outbound) authorize(sent *request, res *sip.Response) bool {
	if r.client == nil || r.tries >= maxTries {
		return false
	}
	header, credentials, err := answerTo(res, sent.Request, r.client)
	if err != nil {
		r.log.Debug("the peer's challenge can't be answered", "err", err)
		return false
	}
	r.tries++
	r.send(header, credentials)
	return true
}

// registered notes until when we are, and when to do it again.
func (r *outbound) registered(res *sip.Response) {
	granted := r.granted(res)
	now := time.Now()
	if was := r.shown.Load(); was.State != Registered || was.Problem != "" {
		r.log.Info("registered", "at", r.flow.Remote(), "for", granted)
	}
	r.failures, r.old, r.places = 0, true, nil
	r.next = now.Add(granted * 3 / 4)
	r.ping = time.Time{}
	if via := res.Via(); via != nil && !r.flow.Reliable() && behindNAT(via, r.flow) {
		r.ping = now.Add(pingEvery)
	}
	r.show(func(s *Registration) {
		*s = Registration{Peer: s.Peer, State: Registered, Address: r.flow.Remote(), Until: now.Add(granted), Next: r.next}
	})
}

// granted is the time for which a 200 registers us: that of our Contact, else
// of the response, else what we asked for (RFC 3261 §10.2.4).
func (r *outbound) granted(res *sip.Response) time.Duration {
	d := r.ask
	if n, ok := seconds(res, "Expires"); ok && n > 0 {
		d = time.Duration(n) * time.Second
	}
	contacts := res.GetHeaders("Contact")
	for _, h := range contacts {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			continue
		}
		if to, ok := literal(c.Address); len(contacts) > 1 && (!ok || to != r.flow.Local()) {
			continue // another place of the same user
		}
		if n, ok := expiry(c); ok && n > 0 {
			d = time.Duration(n) * time.Second
		}
	}
	return min(max(d, 4*time.Second), 24*time.Hour)
}

// behindNAT tells whether the peer sees us at another address than our own.
func behindNAT(via *sip.ViaHeader, flow wire.Flow) bool {
	local := flow.Local()
	received, _ := via.Params.Get("received")
	rport, _ := via.Params.Get("rport")
	return received != "" && strings.Trim(received, "[]") != local.Addr().String() || rport != "" && rport != fmt.Sprint(local.Port())
}

// unanswered goes on at the peer's next address, if there is one.
func (r *outbound) unanswered(res *sip.Response) {
	where := r.flow.Remote()
	if isMade(res) {
		r.agent.silent.note(r.flow)
	}
	if r.old { // it worked once: look the peer up again
		r.flow, r.old = wire.Flow{}, false
		r.begin()
		return
	}
	if r.tryNext() {
		return
	}
	r.flow = wire.Flow{}
	wait := retryLost
	if n, ok := seconds(res, "Retry-After"); ok && n > 0 && n < 24*3600 {
		wait = max(wait, time.Duration(n)*time.Second)
	}
	if isMade(res) {
		r.failed(0, fmt.Sprintf("no answer from %s: check proxy%s, and that nothing on the way holds SIP back", where, r.at()), wait)
		return
	}
	r.failed(res.StatusCode, fmt.Sprintf("registration failed %d %s at %s", res.StatusCode, oneLine(res.Reason), where), wait)
}

// refused notes a refusal, in words that say what to do about it.
func (r *outbound) refused(res *sip.Response) {
	what := fmt.Sprintf("registration refused %d", res.StatusCode)
	switch res.StatusCode {
	case 401, 407, 403, 404:
		what += ": check user and secret" + r.at()
	default:
		what += " " + oneLine(res.Reason)
	}
	r.failed(res.StatusCode, what, retryRefused)
}

// at says where in the file the peer stands.
func (r *outbound) at() string {
	if r.peer.Origin == "" {
		return ""
	}
	return " at " + r.peer.Origin
}

// failed waits for another try, the longer the more often it failed (RFC 5626
// §4.5).
func (r *outbound) failed(status int, what string, base time.Duration) {
	wait := min(base<<min(r.failures, 10), max(base, retryAtMost))
	r.failures++
	wait = wait/2 + rand.N(wait/2)
	now := time.Now()
	r.next, r.ping = now.Add(wait), time.Time{}
	r.log.Warn("peer "+r.peer.Name+": "+what, "again_in", wait.Round(time.Second))
	r.show(func(s *Registration) {
		if s.State != Registered || !now.Before(s.Until) { // what stands is not lost by a refresh that failed
			s.State = Failed
		} else if left := s.Until.Sub(now); left < wait {
			r.next = now.Add(max(left/2, retryStanding))
		}
		s.Status, s.Problem, s.Next = status, what, r.next
	})
}
