package crew

import (
	"sync"
	"time"
)

// A Place is where one owner's work arrives: an unbounded queue that never
// blocks who puts, and the owner's one deadline. Use NewPlace.
type Place[T any] struct {
	crew  *Crew
	serve func() (next time.Time, over bool)
	turn  turn

	mu     sync.Mutex
	items  []T
	awake  bool // somebody of the crew serves the owner, or will
	closed bool
	alarm  *time.Timer // nil: none is set
}

// NewPlace returns the place of an owner that has not begun: items may be put,
// and wait.
//
// Serve takes what has arrived, does what is due, and tells when it wants to be
// called again though nothing arrives; zero is never. It must be ready to find
// nothing to do. Over: the owner is done, and serve is not called any more.
func NewPlace[T any](c *Crew, serve func() (next time.Time, over bool)) *Place[T] {
	p := &Place[T]{crew: c, serve: serve, awake: true}
	p.turn.work = p.work
	return p
}

// Begin has the owner served for the first time, whether anything waits or not.
// It is called once.
func (p *Place[T]) Begin() {
	p.crew.join()
	p.crew.call(&p.turn)
}

// Put adds an item; false: the owner has closed its place, and the item is not
// taken.
func (p *Place[T]) Put(item T) bool {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return false
	}
	p.items = append(p.items, item)
	p.rouse()
	return true
}

// Take removes the oldest item; false: there is none.
func (p *Place[T]) Take() (T, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var zero T
	if len(p.items) == 0 {
		return zero, false
	}
	item := p.items[0]
	p.items[0] = zero
	if p.items = p.items[1:]; len(p.items) == 0 {
		p.items = nil
	}
	return item, true
}

// Close refuses further items and returns those not yet taken.
func (p *Place[T]) Close() []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	rest := p.items
	p.items = nil
	return rest
}

// ring is called when the deadline has come.
func (p *Place[T]) ring() {
	p.mu.Lock()
	p.rouse()
}

// rouse has the owner served if it sleeps. It is called with the lock, and gives
// it back.
func (p *Place[T]) rouse() {
	asleep := !p.awake
	p.awake = true
	p.mu.Unlock()
	if asleep {
		p.crew.call(&p.turn)
	}
}

// work serves the owner until it waits for something, or is over.
func (p *Place[T]) work() {
	for {
		next, over := p.serve()
		if over {
			p.retire()
			return
		}
		if p.sleep(next) {
			return
		}
	}
}

// sleep lets the owner wait until something comes; false: it has come already.
func (p *Place[T]) sleep(until time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.items) > 0 || !p.set(until) {
		return false
	}
	p.awake = false
	return true
}

// set sets the alarm; false: the time has passed. An alarm that was set before
// may ring all the same: it finds nothing to do.
func (p *Place[T]) set(at time.Time) bool {
	if at.IsZero() {
		if p.alarm != nil {
			p.alarm.Stop()
			p.alarm = nil
		}
		return true
	}
	wait := time.Until(at)
	switch {
	case wait <= 0:
		return false
	case p.alarm == nil:
		p.alarm = time.AfterFunc(wait, p.ring)
	default:
		p.alarm.Reset(wait)
	}
	return true
}

// retire ends what belongs to an owner that is over. It stays awake for ever, so
// that nobody calls it.
func (p *Place[T]) retire() {
	p.mu.Lock()
	p.set(time.Time{})
	p.mu.Unlock()
	p.crew.leave()
}
