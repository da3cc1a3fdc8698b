package crew

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// owner notes what it was given and when, and wants to be called at a time.
type owner struct {
	place  *Place[string]
	mu     sync.Mutex // a sleep orders nothing for the race detector
	seen   []string
	wants  time.Time
	begin  time.Time
	inside atomic.Bool // somebody serves it
}

func newOwner(c *Crew) *owner {
	o := &owner{begin: time.Now()}
	o.place = NewPlace[string](c, o.serve)
	return o
}

func (o *owner) serve() (time.Time, bool) {
	if !o.inside.CompareAndSwap(false, true) {
		panic("two serve one owner")
	}
	defer o.inside.Store(false)
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		item, ok := o.place.Take()
		if !ok {
			break
		}
		o.seen = append(o.seen, item+" "+time.Since(o.begin).String())
		if item == "end" {
			return time.Time{}, true
		}
	}
	if !o.wants.IsZero() && !time.Now().Before(o.wants) {
		o.seen = append(o.seen, "due "+time.Since(o.begin).String())
		o.wants = time.Time{}
	}
	return o.wants, false
}

// want sets a deadline of which the owner tells when it is served next.
func (o *owner) want(at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wants = at
}

func (o *owner) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.seen) != len(want) {
		t.Fatalf("saw %q, want %q", o.seen, want)
	}
	for i := range want {
		if o.seen[i] != want[i] {
			t.Fatalf("saw %q, want %q", o.seen, want)
		}
	}
	o.seen = nil
}

func TestOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(New())
		o.place.Put("early")
		o.expect(t) // not begun
		o.wants = o.begin.Add(3 * time.Second)
		o.place.Begin()
		o.expect(t, "early 0s")

		time.Sleep(time.Second)
		o.place.Put("a")
		o.place.Put("b")
		o.expect(t, "a 1s", "b 1s")

		time.Sleep(5 * time.Second)
		o.expect(t, "due 3s")

		o.want(time.Now().Add(-time.Second)) // has passed when it is told
		o.place.Put("late")
		o.expect(t, "late 6s", "due 6s")

		o.place.Put("end")
		o.place.Put("after")
		o.expect(t, "end 6s")
		if rest := o.place.Close(); len(rest) != 1 || rest[0] != "after" {
			t.Errorf("left over: %q", rest)
		}
		if o.place.Put("closed") {
			t.Error("a closed place takes")
		}
	})
}

// A deadline that is not wanted any more does not hold up the end of the test,
// nor rings.
func TestDeadlineTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(New())
		o.wants = o.begin.Add(time.Hour)
		o.place.Begin()
		synctest.Wait()
		o.want(time.Time{})
		o.place.Put("x")
		time.Sleep(2 * time.Hour)
		o.expect(t, "x 0s")
		o.place.Put("end")
	})
}

// Owners that wait hold no goroutine but the spare ones, and with the last owner
// these go (goleak).
func TestWaitingTakesNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		all := make([]*owner, 1000)
		for i := range all {
			all[i] = newOwner(c)
			all[i].place.Begin()
		}
		synctest.Wait()
		if c.idle > c.spare {
			t.Errorf("%d are idle, %d may be", c.idle, c.spare)
		}
		for _, o := range all {
			o.place.Put("end")
		}
		synctest.Wait()
		if c.idle != 0 || c.owners != 0 {
			t.Errorf("%d idle and %d owners are left", c.idle, c.owners)
		}
	})
}

// However many owners block, the next is served.
func TestBlockedOwnersHoldNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		free := make(chan struct{})
		for range 10 * c.spare {
			NewPlace[int](c, func() (time.Time, bool) { <-free; return time.Time{}, true }).Begin()
		}
		o := newOwner(c)
		o.place.Put("end")
		o.place.Begin()
		o.expect(t, "end 0s")
		close(free)
	})
}

// Owners that give each other orders from many goroutines lose none.
func TestNothingIsLost(t *testing.T) {
	const rounds = 2000
	c := New()
	var done sync.WaitGroup
	places := make([]*Place[int], 4)
	for i := range places {
		got := 0
		done.Add(1)
		places[i] = NewPlace[int](c, func() (time.Time, bool) {
			for _, ok := places[i].Take(); ok; _, ok = places[i].Take() {
				if got++; got < rounds {
					places[(i+1)%len(places)].Put(got)
				}
			}
			if got < rounds {
				return time.Now().Add(time.Microsecond), false
			}
			done.Done()
			return time.Time{}, true
		})
	}
	for _, p := range places {
		p.Put(0)
		p.Begin()
	}
	done.Wait()
}
