package sipleg

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// answered takes the final response to our request, or one that was made for
// want of it.
func (u *upkeep) answered(res *sip.Response) {
	sent := u.tx
	u.tx = nil
	if u.leaving {
		if isChallenge(res) {
			u.authorize(sent, res)
		}
		return
	}
	switch status := res.StatusCode; {
	case status < 300:
		u.kind.granted(res)
	case isChallenge(res) && u.authorize(sent, res):
	case status == 423:
		if n, ok := seconds(res, "Min-Expires"); ok && u.tries < maxTries && n > 0 && n <= 24*3600 {
			u.tries++
			u.ask = time.Duration(n) * time.Second
			u.send("", "")
			return
		}
		u.refused(res)
	case isMade(res) || status == 408 || status >= 500 && status < 600:
		u.unanswered(res)
	default:
		u.refused(res)
	}
}

// authorize answers a challenge; false: it can't be answered.
func (u *upkeep) authorize(sent *request, res *sip.Response) bool {
	if u.client == nil || u.tries >= maxTries {
		return false
	}
	header, credentials, err := answerTo(res, sent.Request, u.client)
	if err != nil {
		u.log.Debug("the peer's challenge can't be answered", "err", err)
		return false
	}
	u.tries++
	u.send(header, credentials)
	return true
}

// stands notes for how long something was granted, and when to renew it.
func (u *upkeep) stands(res *sip.Response, granted time.Duration) {
	now := time.Now()
	u.failures, u.old, u.places = 0, true, nil
	u.next = now.Add(granted * 3 / 4)
	u.ping = time.Time{}
	if via := res.Via(); via != nil && !u.flow.Reliable() && behindNAT(via, u.flow) {
		u.ping = now.Add(pingEvery)
	}
	u.show(func(s *Registration) {
		*s = Registration{Peer: s.Peer, State: Registered, Address: u.flow.Remote(), Until: now.Add(granted), Next: u.next}
	})
}

// behindNAT tells whether the peer sees us at another address than our own.
func behindNAT(via *sip.ViaHeader, flow wire.Flow) bool {
	local := flow.Local()
	received, _ := via.Params.Get("received")
	rport, _ := via.Params.Get("rport")
	return received != "" && strings.Trim(received, "[]") != local.Addr().String() || rport != "" && rport != fmt.Sprint(local.Port())
}

// unanswered goes on at the peer's next address, if there is one.
func (u *upkeep) unanswered(res *sip.Response) {
	where := u.flow.Remote()
	if isMade(res) {
		u.agent.silent.note(u.flow)
	}
	if u.old { // it worked once: look the peer up again
		u.flow, u.old = wire.Flow{}, false
		u.kind.unheard()
		u.begin()
		return
	}
	if u.tryNext() {
		return
	}
	u.flow = wire.Flow{}
	wait := retryLost
	if n, ok := seconds(res, "Retry-After"); ok && n > 0 && n < 24*3600 {
		wait = max(wait, time.Duration(n)*time.Second)
	}
	if isMade(res) {
		u.failed(0, fmt.Sprintf("no answer from %s: check proxy%s, and that nothing on the way holds SIP back", where, u.at()), wait)
		return
	}
	u.failed(res.StatusCode, fmt.Sprintf("%s failed %d %s at %s", u.kind.name(), res.StatusCode, oneLine(res.Reason), where), wait)
}

// refused notes a refusal, in words that say what to do about it.
func (u *upkeep) refused(res *sip.Response) {
	if u.kind.handles(res) {
		return
	}
	what := fmt.Sprintf("%s refused %d", u.kind.name(), res.StatusCode)
	switch res.StatusCode {
	case 401, 407, 403, 404:
		what += ": check user and secret" + u.at()
	default:
		what += " " + oneLine(res.Reason)
	}
	u.failed(res.StatusCode, what, retryRefused)
}

// at says where in the file the peer stands.
func (u *upkeep) at() string {
	if u.peer.Origin == "" {
		return ""
	}
	return " at " + u.peer.Origin
}

// failed waits for another try, the longer the more often it failed (RFC 5626
// §4.5).
func (u *upkeep) failed(status int, what string, base time.Duration) {
	wait := min(base<<min(u.failures, 10), max(base, retryAtMost))
	u.failures++
	wait = wait/2 + rand.N(wait/2)
	now := time.Now()
	u.next, u.ping = now.Add(wait), time.Time{}
	u.log.Warn("peer "+u.peer.Name+": "+what, "again_in", wait.Round(time.Second))
	u.show(func(s *Registration) {
		if s.State != Registered || !now.Before(s.Until) { // what stands is not lost by a refresh that failed
			s.State = Failed
		} else if left := s.Until.Sub(now); left < wait {
			u.next = now.Add(max(left/2, retryStanding))
		}
		s.Status, s.Problem, s.Next = status, what, u.next
	})
}
