package gateway

import (
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"crosspoint/gateway/jack"
)

// A lineup is the lines and trunks in force. It does not change: a reload puts
// another in its place.
type lineup struct {
	country string // of lines that name none
	lines   []*line
	byName  map[string]*line
	trunks  map[string]*trunk
	rings   rings
	leaving []*line // taken out by reloads, with a call that goes on
}

// retire takes a line out of service for good, as soon as it has no call.
type retire struct{}

// leaves is what a line knows of its own removal.
type leaves struct {
	told atomic.Bool   // for whoever looks
	gone chan struct{} // of the line that had the port before: closed as it lets go; nil: nobody had
}

// Reload puts other lines and trunks in the place of those there are, for calls
// that come from now on; of the Config only these, Rings and Country are looked at.
// Rings are in force for each line at once. A line whose configuration is the same is not touched. One that is removed takes
// no further call, and leaves when it has none; so does one that is changed, and
// its new self takes the port up then. On an error all stays as it was.
func (g *Gateway) Reload(c Config) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if g.closed {
		return errors.New("the gateway is closed")
	}
	next, fresh, err := g.lineup(c, g.now.Load())
	if err != nil {
		return err
	}
	g.now.Store(next)
	for _, l := range next.leaving {
		if !l.leaves.told.Swap(true) {
			l.inbox.Put(retire{})
		}
	}
	for _, l := range fresh {
		l.start(true)
	}
	return nil
}

// lineup makes the lines and trunks of a Config, with those of the one before
// that are still the same. Fresh are those that have to be started.
func (g *Gateway) lineup(c Config, before *lineup) (next *lineup, fresh []*line, err error) {
	next = &lineup{country: c.Country, byName: map[string]*line{}, trunks: map[string]*trunk{}, rings: maps.Clone(c.Rings)}
	if err := next.rings.check(); err != nil {
		return nil, nil, err
	}
	for _, l := range before.leaving {
		if !l.over() {
			next.leaving = append(next.leaving, l)
		}
	}
	kept := map[*line]bool{}
	for _, lc := range c.Lines {
		if lc.Country == "" {
			lc.Country = c.Country
		}
		if next.byName[lc.Name] != nil {
			return nil, nil, fmt.Errorf("line %s is configured twice", lc.Name)
		}
		if err := lc.Check(c.Country, next.rings); err != nil {
			return nil, nil, err
		}
		l := before.byName[lc.Name]
		if l == nil || l.cfg != lc {
			if l, err = g.newLine(lc); err != nil {
				return nil, nil, err
			}
			fresh = append(fresh, l)
		}
		kept[l] = true
		next.lines, next.byName[lc.Name] = append(next.lines, l), l
	}
	for _, l := range before.lines {
		if !kept[l] {
			next.leaving = append(next.leaving, l)
		}
	}
	for _, l := range fresh {
		l.leaves.gone = next.holder(l.cfg.Port)
	}
	for _, tc := range c.Trunks {
		if next.trunks[tc.Name] != nil {
			return nil, nil, fmt.Errorf("trunk %s is configured twice", tc.Name)
		}
		if next.trunks[tc.Name], err = newTrunk(tc, next.byName); err != nil {
			return nil, nil, err
		}
	}
	return next, fresh, nil
}

// holder is closed when the line that leaves a port has let it go; nil: none
// leaves it.
func (n *lineup) holder(p jack.Port) chan struct{} {
	var last chan struct{}
	for _, l := range n.leaving { // the latest: it waits for those before it
		if l.cfg.Port == p {
			last = l.done
		}
	}
	return last
}

// start lets a line run, until it is closed or retired. It takes its port up when
// the line that had it before has let go; a port that may have had one rests for
// the guard time, for the exchange may not have noticed the end of its last call.
func (l *line) start(used bool) {
	go func() {
		if l.leaves.gone != nil {
			<-l.leaves.gone
		}
		if o := l.m.side(); o != nil && used {
			o.guardEnd = time.Now().Add(o.guard)
		}
		if t, ok := l.cfg.Port.(jack.Timeslot); ok {
			t.SetSignalling(l.signalling())
		}
		if t, ok := l.cfg.Port.(jack.RingTimer); ok {
			t.TimeRings(l.cfg.FXO.tellsNumbers())
		}
		l.cfg.Port.Attach(l)
		l.run()
	}()
}

// over tells whether the line has ended.
func (l *line) over() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// leave notes that the line is to go, and goes as soon as it has no call.
func (l *line) leave(ev event) {
	if _, ok := ev.(retire); ok {
		l.busied = true
		l.log.Info("line leaves service", "talking", l.call != nil)
	}
	if l.leaves.told.Load() && l.busied && l.call == nil && l.aside.call == nil {
		l.closing = true
	}
}
