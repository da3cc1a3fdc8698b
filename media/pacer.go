package media

import (
	"sync"
	"time"
)

const (
	phases    = 4                      // members are spread over the frame, so that they do not all send at once
	phaseTime = FrameTime / phases     //
	catchUp   = 200 * time.Millisecond // a pacer that is later than this leaves frames out
)

// A Pacer gives the 20 ms clock to everything that makes audio by itself:
// players, mixers, recorders. One goroutine serves them all; it runs only
// while there are members, so a Pacer needs no Close. The zero value is ready.
//
// Frames are due at multiples of 20 ms since the goroutine's start, so errors
// do not add up. After a short stall the frames that are due come at once;
// after a long one they are left out.
type Pacer struct {
	mu      sync.Mutex
	members [phases][]paced // replaced, never changed: run walks them without the lock
	count   int
	epoch   time.Time     // when phase 0 of frame 0 was due
	wake    chan struct{} // a member was added
}

// paced is a member of a pacer. tick makes the frame with the number n; one
// frame follows the other unless the pacer left some out.
type paced interface{ tick(n uint64) }

// add has m ticked from the next phase on.
func (p *Pacer) add(m paced) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 && p.wake == nil {
		p.epoch = time.Now()
		p.wake = make(chan struct{}, 1)
		go p.run(p.epoch, p.wake) // ends as the last member leaves
	}
	phase := (slotAfter(p.epoch, time.Now())) % phases
	p.members[phase] = append(p.members[phase][:len(p.members[phase]):len(p.members[phase])], m)
	p.count++
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// remove ends the ticks of m. One that has begun goes on beside it.
func (p *Pacer) remove(m paced) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for phase, members := range p.members {
		for i, other := range members {
			if other != m {
				continue
			}
			rest := make([]paced, 0, len(members)-1)
			rest = append(rest, members[:i]...)
			p.members[phase] = append(rest, members[i+1:]...)
			p.count--
			if p.count == 0 {
				select {
				case p.wake <- struct{}{}: // the goroutine ends at once
				default:
				}
			}
			return
		}
	}
}

// slotAfter is the number of the first phase that is due at or after t.
func slotAfter(epoch, t time.Time) uint64 {
	return uint64((t.Sub(epoch) + phaseTime - 1) / phaseTime)
}

// run ticks the members until there are none.
func (p *Pacer) run(epoch time.Time, wake chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	slot := uint64(0) // the next to serve
	for {
		next, ok := p.next(slot)
		if !ok {
			return
		}
		due := epoch.Add(time.Duration(next) * phaseTime)
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-wake:
				continue // perhaps an earlier phase has a member now
			}
		} else if wait < -catchUp {
			slot = slotAfter(epoch, time.Now())
			continue
		}
		p.mu.Lock()
		members := p.members[next%phases]
		p.mu.Unlock()
		for _, m := range members {
			m.tick(next / phases)
		}
		slot = next + 1
	}
}

// next is the first slot from the given one that has members; false: there is
// no member at all, and run ends.
func (p *Pacer) next(slot uint64) (uint64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		p.wake = nil
		return 0, false
	}
	for len(p.members[slot%phases]) == 0 {
		slot++
	}
	return slot, true
}
