package sipleg

import (
	"time"

	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// settled is what is left of transactions whose outcome is known: of a leg in
// progress, and of one that is over. Their messages are given up, which are most
// of what a call would keep in memory; only what may be sent again stays, as bytes.
type settled []remains

// remains are those of one transaction, with the way of what is sent again.
type remains struct {
	txn.Remains
	flow wire.Flow
}

// repeated takes a message if it is a repetition of what is settled, or its ACK.
func (s settled) repeated(a *Agent, msg sip.Message, now time.Time) bool {
	for i := range s {
		r := &s[i]
		if data, ours := r.Repeated(msg, a.cfg.Timing, now); ours {
			a.sendAgain(data, r.flow)
			return true
		}
	}
	return false
}

// accepted finds the INVITE of ours to which a 2xx belongs; nil: it is none of these.
func (s settled) accepted(res *sip.Response) *remains {
	for i := range s {
		if r := &s[i]; res.StatusCode >= 200 && res.StatusCode < 300 && r.Accepts(res) {
			return r
		}
	}
	return nil
}

// cancelled tells whether a CANCEL is for an INVITE among these.
func (s settled) cancelled(req *sip.Request) bool {
	for i := range s {
		if s[i].Cancelled(req) {
			return true
		}
	}
	return false
}

// invited tells that an INVITE of the far end is among these.
func (s settled) invited() bool {
	for i := range s {
		if s[i].Invited() {
			return true
		}
	}
	return false
}

// deadline is when expire has something to do; zero: never.
func (s settled) deadline() (next time.Time) {
	for i := range s {
		next = alarm.Sooner(next, s[i].Deadline())
	}
	return next
}

// expire does what is due, and forgets what has run out.
func (s *settled) expire(a *Agent, now time.Time) {
	for i := range *s {
		r := &(*s)[i]
		a.sendAgain(r.Expire(a.cfg.Timing, now), r.flow)
	}
	*s = keep(*s, func(r remains) bool { return !r.Ended() })
}

// sendAgain sends what was sent before; nil: nothing.
func (a *Agent) sendAgain(data []byte, flow wire.Flow) {
	if data != nil {
		a.wire.SendBytes(data, flow) //nolint:errcheck // whoever misses it will ask again
	}
}

// settle gives up the messages of transactions whose outcome is known. An answer
// or refusal of ours that waits for its ACK is not settled.
func (l *Leg) settle() {
	l.clients = keep(l.clients, func(r *request) bool {
		left, ok := r.Remains(encoded)
		if ok {
			l.settled = append(l.settled, remains{left, r.flow})
		}
		if ok && r == l.out.tx {
			l.out.tx = nil
		}
		return !ok
	})
	if l.inv.repeat.Response() != nil {
		return
	}
	l.servers = keep(l.servers, func(s *server) bool {
		left, ok := s.Remains(encoded)
		if !ok || left.Waiting() {
			return true
		}
		l.settled = append(l.settled, remains{left, s.flow})
		if s == l.inv.tx {
			l.inv = inviteIn{connected: l.inv.connected, repeat: l.inv.repeat, seq: l.inv.seq, awaiting: l.inv.awaiting}
		}
		return false
	})
}
