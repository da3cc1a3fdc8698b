package registrar

import (
	"net/netip"
	"sync"
	"time"
)

// throttle counts failures by source, and by source and user name, so that one
// phone with a wrong password does not shut out its office, yet nobody guesses
// for long. Counts decay evenly; limit failures are gone after a minute.
type throttle struct {
	limit int
	mu    sync.Mutex
	pails map[pail]*level
}

type pail struct {
	source netip.Addr
	user   string // empty: all
}

type level struct {
	fill  float64
	at    time.Time // of fill
	total int       // since said
	said  time.Time
}

// maxPails bounds the table; a flood of sources empties it of those that fail least.
const maxPails = 16384

// share is which part of the limit is for one user name.
const share = 6

func (t *throttle) blocked(source netip.Addr, user string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := network(source)
	return t.now(pail{source: s}, now) >= float64(t.limit) || t.now(pail{s, user}, now) >= float64(t.userLimit())
}

func (t *throttle) userLimit() int { return max(t.limit/share, 3) }

// failure counts one; say tells that the log should have it, with how many
// there were since it was last said.
func (t *throttle) failure(source netip.Addr, user string, now time.Time) (n int, say bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := network(source)
	if len(t.pails) >= maxPails {
		t.sweep(now)
	}
	t.pour(pail{s, user}, now)
	l := t.pour(pail{source: s}, now)
	l.total++
	if now.Sub(l.said) < time.Minute {
		return l.total, false
	}
	n, l.total, l.said = l.total, 0, now
	return n, true
}

// now is how full a pail is.
func (t *throttle) now(p pail, now time.Time) float64 {
	l := t.pails[p]
	if l == nil {
		return 0
	}
	return max(0, l.fill-now.Sub(l.at).Minutes()*float64(t.of(p)))
}

func (t *throttle) of(p pail) int {
	if p.user == "" {
		return t.limit
	}
	return t.userLimit()
}

func (t *throttle) pour(p pail, now time.Time) *level {
	l := t.pails[p]
	if l == nil {
		if t.pails == nil {
			t.pails = make(map[pail]*level)
		}
		l = &level{}
		t.pails[p] = l
	}
	l.fill, l.at = t.now(p, now)+1, now
	return l
}

// sweep forgets pails that are empty, and if that does not help those that are
// not full.
func (t *throttle) sweep(now time.Time) {
	for p := range t.pails {
		if t.now(p, now) < 1 {
			delete(t.pails, p)
		}
	}
	for p := range t.pails {
		if len(t.pails) < maxPails*3/4 {
			return
		}
		if t.now(p, now) < float64(t.of(p)) {
			delete(t.pails, p)
		}
	}
	if len(t.pails) >= maxPails {
		clear(t.pails)
	}
}

// network is what counts as one source: an address, of IPv6 the /64 that one
// customer has.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
