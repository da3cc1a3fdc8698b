package txn

import (
	"time"

	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// Repeat sends a response of the user agent itself until its peer confirms it:
// a 2xx to an INVITE until the ACK, at intervals that double from T1 to T2 on
// every transport (RFC 3261 §13.3.1.4), or a reliable provisional response
// until the PRACK, at intervals that double without bound (RFC 3262 §3). Its
// zero value repeats nothing.
type Repeat struct {
	res      *sip.Response
	send     Send
	timing   Timing
	interval time.Duration
	longest  time.Duration // zero: no bound
	repeat   time.Time
	end      time.Time
}

// NewRepeat begins with a response that has just been sent once.
func NewRepeat(res *sip.Response, timing Timing, send Send, now time.Time) Repeat {
	timing = timing.Filled()
	r := Repeat{res: res, send: send, timing: timing, interval: timing.T1, repeat: now.Add(timing.T1), end: now.Add(timing.Timeout())}
	if res.StatusCode >= 200 {
		r.longest = timing.T2
	}
	return r
}

// Response is what is being repeated; nil: nothing.
func (r *Repeat) Response() *sip.Response { return r.res }

// Stop ends the repetition: the peer has confirmed, or nobody cares any more.
func (r *Repeat) Stop() { *r = Repeat{} }

// Deadline is when Expire has something to do; zero is never.
func (r *Repeat) Deadline() time.Time { return alarm.Sooner(r.repeat, r.end) }

// Expire sends again when that is due. It tells whether the peer has just been
// given up, 64*T1 after the first sending.
func (r *Repeat) Expire(now time.Time) (gaveUp bool) {
	if alarm.Due(r.end, now) {
		r.Stop()
		return true
	}
	if alarm.Due(r.repeat, now) {
		r.timing.again()
		r.send(r.res) // the next repetition tries again
		r.interval *= 2
		if r.longest > 0 {
			r.interval = min(r.interval, r.longest)
		}
		r.repeat = now.Add(r.interval)
	}
	return false
}
