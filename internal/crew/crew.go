// Package crew lets owners share goroutines. An owner that waits, as a call in
// progress does nearly all of the time, has an inbox and a deadline here and
// nothing else: no goroutine and no stack. When an item or the deadline comes,
// somebody of the crew serves the owner until nothing is left to do, and goes on
// to the next; never do two serve one owner at once, so its fields need no lock.
//
// Those of the crew who are idle stay for the next owner: a stack that has grown
// is not grown again. They go when the last owner has left.
package crew

import (
	"runtime"
	"sync"
)

// sparePerCore is how many idle of the crew stay, for each core: more work at
// once than that is rare.
const sparePerCore = 8

// A Crew is the goroutines that serve some owners. Use New. It needs no Close.
type Crew struct {
	mu     sync.Mutex
	wake   *sync.Cond // of who is idle
	first  *turn      // of the owners that have something to do, in order; nil: none
	last   *turn
	idle   int // who waits for wake, those left out who were woken
	spare  int // how many may
	owners int // that have begun and are not over
}

// A turn is an owner's place in the queue.
type turn struct {
	work func()
	next *turn
}

// New returns a crew of nobody; it grows with the work.
func New() *Crew {
	c := &Crew{spare: sparePerCore * runtime.GOMAXPROCS(0)}
	c.wake = sync.NewCond(&c.mu)
	return c
}

// join counts an owner that begins.
func (c *Crew) join() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners++
}

// leave takes it off; with the last one the idle go.
func (c *Crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners--
	if c.owners == 0 {
		c.idle = 0
		c.wake.Broadcast()
	}
}

// call has an owner served. Owners may block: for each that waits there is
// somebody who was woken or is new.
func (c *Crew) call(t *turn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = t
	} else {
		c.last.next = t
	}
	c.last = t
	if c.idle > 0 {
		c.idle--
		c.wake.Signal()
		return
	}
	go c.serve() // ends when enough are idle, or no owner is left
}

// serve is the life of one of the crew.
func (c *Crew) serve() {
	c.mu.Lock()
	for {
		for c.first == nil {
			if c.owners == 0 || c.idle >= c.spare {
				c.mu.Unlock()
				return
			}
			c.idle++
			c.wake.Wait()
		}
		t := c.first
		c.first, t.next = t.next, nil
		c.mu.Unlock()
		t.work()
		c.mu.Lock()
	}
}
