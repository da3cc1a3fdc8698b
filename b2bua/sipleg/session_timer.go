package sipleg

import (
	"fmt"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// sessionTimer ends a call whose party has vanished (RFC 4028). One side
// refreshes the session halfway through the interval; the other hangs up when
// no refresh comes. Towards a party that knows nothing of this we refresh
// alone: a re-INVITE that nobody answers tells as much.
type sessionTimer struct {
	interval time.Duration // zero: no timer
	ours     bool          // we refresh
	refresh  time.Time     // when; zero: not ours, or on its way
	end      time.Time     // when the call ends without refresh
	known    bool          // the party speaks RFC 4028
}

func (t *sessionTimer) deadline() time.Time { return alarm.Sooner(t.refresh, t.end) }

// tooShort refuses a session interval that would be all refreshes (RFC 4028 §9).
func (a *Agent) tooShort(req *sip.Request) *refusal {
	n, ok := seconds(req, "Session-Expires")
	if !ok || time.Duration(n)*time.Second >= a.cfg.MinSE || !has(tokens(req, "Supported"), "timer") && !has(tokens(req, "Require"), "timer") {
		return nil
	}
	return &refusal{status: 422, headers: []string{"Min-SE", whole(a.cfg.MinSE)}}
}

func whole(d time.Duration) string { return fmt.Sprint(int(d / time.Second)) }

// ask puts our wish into an INVITE of ours (RFC 4028 §7.1).
func (t *sessionTimer) ask(a *Agent, req *sip.Request, minSE time.Duration) {
	if a.cfg.SessionExpires <= 0 {
		return
	}
	t.interval = max(a.cfg.SessionExpires, minSE)
	with(req, "Session-Expires", whole(t.interval), "Min-SE", whole(max(a.cfg.MinSE, minSE)))
}

// repeat puts what is agreed into a re-INVITE or UPDATE of ours.
func (t *sessionTimer) repeat(req *sip.Request) {
	if t.interval <= 0 {
		return
	}
	role := "uas"
	if t.ours {
		role = "uac"
	}
	with(req, "Session-Expires", whole(t.interval)+";refresher="+role)
}

// agreed reads what the party answered to our INVITE or UPDATE (RFC 4028 §7.2).
func (t *sessionTimer) agreed(l *Leg, res *sip.Response) {
	n, ok := seconds(res, "Session-Expires")
	switch {
	case ok && n > 0:
		t.interval, t.known = time.Duration(n)*time.Second, true
		t.ours = param(value(res, "Session-Expires"), "refresher") != "uas"
	case t.interval > 0:
		t.ours = true
	}
	t.restart()
}

// begin answers what an INVITE or UPDATE of the party asks (RFC 4028 §9): our
// 2xx says the interval and who refreshes.
func (t *sessionTimer) begin(l *Leg, req *sip.Request, res *sip.Response) {
	cfg := l.agent.cfg
	n, asked := seconds(req, "Session-Expires")
	least, _ := seconds(req, "Min-SE")
	floor := max(cfg.MinSE, time.Duration(least)*time.Second)
	switch {
	case asked && cfg.SessionExpires > 0:
		t.interval = max(min(time.Duration(n)*time.Second, cfg.SessionExpires), floor)
	case asked:
		t.interval = max(time.Duration(n)*time.Second, floor)
	case cfg.SessionExpires > 0:
		t.interval = max(cfg.SessionExpires, floor)
	default:
		t.interval = 0
		return
	}
	t.known = has(tokens(req, "Supported"), "timer") || has(tokens(req, "Require"), "timer")
	if role := param(value(req, "Session-Expires"), "refresher"); !t.known {
		t.ours = true
	} else if role != "" {
		t.ours = role == "uas"
	} else if t.end.IsZero() {
		t.ours = true
	}
	role := "uac"
	if t.ours {
		role = "uas"
	}
	if t.known {
		with(res, "Require", "timer")
	}
	with(res, "Session-Expires", whole(t.interval)+";refresher="+role)
	t.restart()
}

// restart counts anew: the session was refreshed.
func (t *sessionTimer) restart() {
	if t.interval <= 0 {
		t.refresh, t.end = time.Time{}, time.Time{}
		return
	}
	now := time.Now()
	if t.ours {
		t.refresh, t.end = now.Add(t.interval/2), now.Add(t.interval)
	} else { // RFC 4028 §10
		t.refresh, t.end = time.Time{}, now.Add(t.interval-min(32*time.Second, t.interval/3))
	}
}

// expireTimer refreshes the session or ends it.
func (l *Leg) expireTimer(now time.Time) {
	t := &l.timer
	if l.state != talking {
		return
	}
	switch {
	case alarm.Due(t.end, now):
		l.log.Warn("the call ends: the session was not refreshed", "name", l.name, "interval", t.interval)
		l.bye(leg.Recovery.GivenBy(l.name).Because("%s has vanished: the call was not refreshed for %v", l.name, t.interval))
	case alarm.Due(t.refresh, now):
		t.refresh = time.Time{}
		l.modify.refresh = true
		l.modify.start(l)
	}
}
