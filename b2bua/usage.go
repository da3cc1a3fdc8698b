package b2bua

import (
	"sync"
	"time"

	"crosspoint/dialplan"
)

// usage is what the plan's limits are held against: calls at this moment, by
// phone, trunk and peer, and talk time on toll calls today, by phone.
type usage struct {
	mu    sync.Mutex
	calls map[string]int
	toll  map[string]time.Duration
	day   time.Time // that toll is of
}

// of is the usage of a phone, trunk or peer.
func (u *usage) of(name string) dialplan.Usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.turn()
	return dialplan.Usage{Calls: u.calls[name], Toll: u.toll[name]}
}

// begins counts a call in; ends counts it out. An empty name is nobody.
func (u *usage) begins(name string) { u.count(name, 1) }
func (u *usage) ends(name string)   { u.count(name, -1) }

func (u *usage) count(name string, n int) {
	if name == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls == nil {
		u.calls = make(map[string]int)
	}
	if u.calls[name] += n; u.calls[name] == 0 {
		delete(u.calls, name)
	}
}

// talked adds to what a phone has talked on toll calls today.
func (u *usage) talked(name string, d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.turn()
	u.toll[name] += d
}

// turn forgets the day before.
func (u *usage) turn() {
	y, m, d := time.Now().Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	if u.toll == nil || !u.day.Equal(today) {
		u.day, u.toll = today, make(map[string]time.Duration)
	}
}

// resume takes up what was talked today before a restart.
func (u *usage) resume(toll map[string]time.Duration) {
	for name, d := range toll {
		u.talked(name, d)
	}
}

// tollClasses are the permissions whose talk time is counted.
const tollClasses = dialplan.National | dialplan.International | dialplan.Premium

// account counts an ended call's talk time against those who pay for it.
func (c *Call) account() {
	r := Record{Source: c.in.Source, Payer: c.payer, Route: c.route, Answered: c.answer, Ended: c.over}
	for name, d := range r.Toll() {
		c.x.usage.talked(name, d)
	}
}

// Toll is how much of an ended call counts against whose allowance of the day:
// the talk time of a call that costs money.
func (r Record) Toll() map[string]time.Duration {
	if r.Answered.IsZero() || r.Ended.IsZero() {
		return nil
	}
	toll := make(map[string]time.Duration)
	if r.Route.Class&tollClasses != 0 && r.Source.Name != "" {
		toll[r.Source.Name] += r.Ended.Sub(r.Answered)
	}
	if r.Payer != "" {
		toll[r.Payer] += r.Ended.Sub(r.Answered)
	}
	return toll
}
