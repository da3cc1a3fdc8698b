package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/leg"
)

// suspectFor is how long a line that had no dial tone is tried after the others.
const suspectFor = time.Minute

// outward is what a line that is seized for calls out keeps for its trunk. It
// belongs to the line's owner, except what is atomic.
type outward struct {
	lendable atomic.Bool   // has a call that an emergency call may end (emergency.go)
	offHook  bool          // what we asked of the port
	guard    time.Duration // rest after a call
	guardEnd time.Time     // when the line may be seized again
	suspect  time.Time     // until then other lines are tried first
}

func (o *outward) side() *outward { return o }

// A trunk is a group of lines to the same exchange. It has no goroutine: a line
// is won by swapping its claim.
type trunk struct {
	name  string
	lines []*line
	hunt  Hunt
	first []step // dialled before each number
	calls atomic.Uint64
	last  atomic.Int64 // index of the line used last
}

// pick claims the first line in hunting order that can be seized, leaving out
// those tried; nil if there is none. A line within its guard time comes after
// the others, and one that lately had no dial tone last.
func (t *trunk) pick(tried []*line) *line {
	now := time.Now()
	order := t.order()
	slices.SortStableFunc(order, func(a, b int) int {
		return t.lines[a].report.Load().rank(now) - t.lines[b].report.Load().rank(now)
	})
	for _, i := range order {
		l := t.lines[i]
		if slices.Contains(tried, l) || !l.report.Load().Ready {
			continue
		}
		if l.claimed.CompareAndSwap(false, true) {
			t.last.Store(int64(i))
			return l
		}
	}
	return nil
}

// order lists the indices of the lines as they are to be hunted.
func (t *trunk) order() []int {
	n := len(t.lines)
	order := make([]int, n)
	for i := range order {
		switch t.hunt {
		case Descending:
			order[i] = n - 1 - i
		case RoundRobin:
			order[i] = (int(t.last.Load()) + 1 + i) % n
		case RoundRobinDown:
			order[i] = (int(t.last.Load()) + 2*n - 1 - i) % n
		default:
			order[i] = i
		}
	}
	return order
}

// allBusy is the cause when no line can be seized, with what each is doing.
func (t *trunk) allBusy() leg.Cause {
	each := make([]string, len(t.lines))
	for i, l := range t.lines {
		each[i] = l.cfg.Name + " " + l.report.Load().State
	}
	return leg.NoCircuit.GivenBy(leg.Us).
		Because("no line of trunk %s is free: %s", t.name, strings.Join(each, ", "))
}

// hunt gives a call that its line could not place to the next line of its
// trunk, and ends it if there is none. The caller no longer has the call.
func (c *call) hunt(failed *line, why leg.Cause) {
	c.tried = append(c.tried, failed)
	c.worst = why
	for {
		l := c.trunk.pick(c.tried)
		if l == nil && c.emergency {
			l = c.trunk.preempt(c.tried)
		}
		if l == nil {
			c.end(c.failure())
			return
		}
		c.line.Store(l)
		if l.inbox.Put(seize{c}) {
			c.log.Info("next line of the trunk", "line", l.cfg.Name, "after", failed.cfg.Name, "because", why.Error())
			return
		}
		c.tried = append(c.tried, l)
	}
}

// failure is the cause of a call that no line could place: that of the last
// line tried, and how many were.
func (c *call) failure() leg.Cause {
	if n := len(c.tried); n > 1 {
		return c.worst.Because("%s (the last of %d lines tried)", c.worst.Text, n)
	}
	return c.worst
}

// newTrunk makes a trunk of lines that exist and lead to an exchange.
func newTrunk(c TrunkConfig, lines map[string]*line) (*trunk, error) {
	t := &trunk{name: c.Name, hunt: c.Hunt}
	if int(c.Hunt) >= len(hunts) {
		return nil, fmt.Errorf("trunk %s: unknown hunting order %d", c.Name, c.Hunt)
	}
	var err error
	if t.first, _, err = cutNumber(c.Access); err != nil {
		return nil, fmt.Errorf("trunk %s: access: %w", c.Name, err)
	}
	for _, name := range c.Lines {
		l := lines[name]
		if l == nil {
			return nil, fmt.Errorf("trunk %s: there is no line %q", c.Name, name)
		}
		if l.m.side() == nil {
			return nil, fmt.Errorf("trunk %s: line %s faces a telephone; a trunk is made of FXO lines and timeslots", c.Name, name)
		}
		t.lines = append(t.lines, l)
	}
	if len(t.lines) == 0 {
		return nil, fmt.Errorf("trunk %s has no lines", c.Name)
	}
	t.last.Store(-1)
	if c.Hunt == RoundRobinDown {
		t.last.Store(0)
	}
	return t, nil
}
