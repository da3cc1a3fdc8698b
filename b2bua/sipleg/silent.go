package sipleg

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"crosspoint/b2bua/sipleg/wire"
)

// silent remembers servers that did not answer, so that the next call does not
// wait for them as well (RFC 3263 §4.3 leaves that to us). They are asked last,
// and first again a minute later. Its zero value is ready.
type silent struct {
	mu    sync.Mutex
	until map[Destination]time.Time
}

// silentFor is how long a server is asked last.
const silentFor = time.Minute

// maxSilent bounds what dialling the world makes it remember.
const maxSilent = 1000

// note takes down that nothing came from where the flow leads.
func (s *silent) note(f wire.Flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil || len(s.until) >= maxSilent {
		s.until = make(map[Destination]time.Time)
	}
	s.until[Destination{f.Transport(), f.Remote()}] = time.Now().Add(silentFor)
}

// last puts the silent ones behind the others.
func (s *silent) last(list []Destination) {
	if len(list) < 2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	rank := func(d Destination) int {
		if now.Before(s.until[d]) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b Destination) int { return cmp.Compare(rank(a), rank(b)) })
}
