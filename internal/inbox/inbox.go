// Package inbox is the queue in front of a goroutine that owns something. It
// never blocks who puts and never loses what is put, so that two owners may
// give each other orders without waiting for one another.
package inbox

import "sync"

// An Inbox is an unbounded queue with one reader. Its zero value is empty and
// ready.
type Inbox[T any] struct {
	mu     sync.Mutex
	items  []T
	closed bool
	ready  chan struct{} // holds a token while items wait; nil: nobody has asked for it
}

// New returns an empty inbox.
func New[T any]() *Inbox[T] { return new(Inbox[T]) }

// Put adds an item; false: the owner has closed the inbox, and the item is not
// taken.
func (b *Inbox[T]) Put(item T) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.items = append(b.items, item)
	b.tell()
	return true
}

// tell makes Ready readable.
func (b *Inbox[T]) tell() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// Ready is readable while items wait. After it, the owner calls Take until it
// says false. An owner that is told of its items in another way need not ask.
func (b *Inbox[T]) Ready() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ready == nil {
		b.ready = make(chan struct{}, 1)
		if len(b.items) > 0 {
			b.tell()
		}
	}
	return b.ready
}

// Take removes the oldest item; false: there is none.
func (b *Inbox[T]) Take() (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var zero T
	if len(b.items) == 0 {
		return zero, false
	}
	item := b.items[0]
	b.items[0] = zero
	b.items = b.items[1:]
	if len(b.items) == 0 {
		b.items = nil
	}
	return item, true
}

// Close refuses further items and returns those not yet taken.
func (b *Inbox[T]) Close() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	rest := b.items
	b.items = nil
	return rest
}
