package rtp

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// shards are the goroutines that read the sockets of the operating system: one
// for each core. They run only while there are sockets, so they need no Close.
type shards struct {
	all  []shard
	next atomic.Uint32
}

func newShards() *shards { return &shards{all: make([]shard, runtime.GOMAXPROCS(0))} }

// pick is the shard whose turn it is.
func (s *shards) pick() *shard { return &s.all[int(s.next.Add(1))%len(s.all)] }

// A shard is the one goroutine of many loops. It waits for all their sockets at
// once, takes one packet of each that has any, so that nobody waits for a
// flood, and then does what was ordered and what is due.
type shard struct {
	mu      sync.Mutex
	poll    *poll   // nil: no goroutine runs
	loops   int     // how many there are
	pending []*loop // have orders

	// The rest belongs to run.
	timers timers
	armed  time.Time // the poll's deadline; zero: none
	work   []*loop   // taken from pending
}

// add has the shard read a loop's socket.
func (s *shard) add(l *loop) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil {
		p, err := newPoll()
		if err != nil {
			return err
		}
		s.poll = p
		go s.run(p) // ends with the last loop
	}
	l.shard = s
	if err := s.poll.add(l); err != nil {
		if s.loops == 0 {
			s.poll.wake() // the goroutine ends at once
		}
		return err
	}
	s.loops++
	return nil
}

// ordered notes that a loop's inbox is not empty.
func (s *shard) ordered(l *loop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.posted || s.poll == nil {
		return
	}
	l.posted = true
	s.pending = append(s.pending, l)
	if len(s.pending) == 1 {
		s.poll.wake()
	}
}

// run serves the loops until there are none.
func (s *shard) run(p *poll) {
	defer p.close()
	s.armed = time.Time{}
	for {
		ordered, ended := s.orders()
		if ended {
			return
		}
		due := s.expire()
		if ordered || !due.Equal(s.armed) {
			s.arm(p, due)
			continue // who ordered before the deadline was set woke nobody
		}
		if err := p.wait(s); err != nil {
			if !errors.Is(err, errWoken) {
				time.Sleep(10 * time.Millisecond) // it cannot be; but do not spin on it
			}
			s.armed = past
		}
	}
}

// arm sets when the poll ends though no packet came.
func (s *shard) arm(p *poll, due time.Time) {
	p.deadline(due)
	s.armed = due
}

// orders does what was posted to the loops. ended: there are none any more.
func (s *shard) orders() (any, ended bool) {
	s.mu.Lock()
	s.work, s.pending = s.pending, s.work[:0]
	for _, l := range s.work {
		l.posted = false
	}
	s.mu.Unlock()
	for i, l := range s.work {
		s.work[i] = nil
		if l.ended {
			continue // it was ordered something while it ended
		}
		any = true
		l.orders()
		if l.ending {
			s.end(l)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loops == 0 && len(s.pending) == 0 {
		s.poll = nil
		return any, true
	}
	return any, false
}

// end closes a loop and forgets it.
func (s *shard) end(l *loop) {
	s.timers.remove(l)
	s.poll.remove(s, l)
	s.mu.Lock()
	s.loops--
	s.mu.Unlock()
	l.end()
}

// expire does what is due and tells when something will be; zero: never.
func (s *shard) expire() time.Time {
	if len(s.timers) == 0 {
		return time.Time{}
	}
	now := time.Now()
	for len(s.timers) > 0 {
		l := s.timers[0]
		if now.Before(l.due) {
			return l.due
		}
		s.timers.remove(l)
		l.due = time.Time{}
		l.owner.expire(now)
	}
	return time.Time{}
}
