// Package b2bua is call control: it joins the leg of whoever calls to the leg
// of whoever answers, by the route that the dial plan gives, and says of every
// call why it went as it went. It speaks only legs and routes; it knows no SIP
// and no telephone line. A Call is owned by one goroutine; an Exchange owns the
// list of them.
package b2bua

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/media"
)

// Config is what an Exchange needs. Plan and Dial are required.
type Config struct {
	// Plan is the dial plan in force. It is asked once for each call, so a
	// reload changes only calls that come later.
	Plan func() *dialplan.Plan
	// Dial starts a leg to each place where the target can be reached now. An
	// error is a leg.Cause where the reason is known.
	Dial func(dialplan.Target, leg.Outgoing) ([]leg.Leg, error)
	// Busy tells whether an extension is in use by the knowledge of others
	// than this exchange (an analog telephone off-hook); nil: nobody else knows.
	Busy func(extension string) bool
	// Settings are what users have set from their phones, Usage what limits
	// are held against; nil: nothing.
	Settings func(extension string) dialplan.Settings
	Usage    func(name string) dialplan.Usage
	// Ringback makes the tone for a caller whose audio is already open while
	// a further place rings; nil is silence.
	Ringback func() media.Source
	// Music makes what a held party hears; nil is silence.
	Music func() media.Source
	// RingFor is how long a stage rings if the plan does not say; zero is 3
	// minutes, the least that RFC 3261 §16.6 (timer C) allows a proxy.
	RingFor time.Duration
	// OnEnd takes the record of each call as it ends; nil takes none. It is
	// called from the call's goroutine and may block only that call's end.
	OnEnd func(Record)
	Log   *slog.Logger // nil is slog.Default
}

// ringFor is the default of Config.RingFor.
const ringFor = 3 * time.Minute

// maxHops is the default of Max-Forwards (RFC 3261 §8.1.1.6).
const maxHops = 70

// keptRecords is how many ended calls can still be asked for.
const keptRecords = 200

// An Exchange is the calls in progress. It implements leg.Acceptor.
type Exchange struct {
	cfg   Config
	pacer media.Pacer // of music, ringback and mixing in all calls

	seats sync.Map // leg.Leg -> *seat, of every party of every call

	mu       sync.Mutex
	calls    map[string]*Call
	ended    []Record       // the latest keptRecords, oldest first
	inUse    map[string]int // extension -> its legs in calls, ringing ones left out
	next     uint32
	stopping bool
	wg       sync.WaitGroup
}

// New returns an exchange without calls.
func New(cfg Config) *Exchange {
	if cfg.RingFor == 0 {
		cfg.RingFor = ringFor
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Exchange{cfg: cfg, calls: make(map[string]*Call), inUse: make(map[string]int), next: rand.Uint32N(1 << 20)}
}

// Accept makes a call of an incoming leg. While the exchange is being stopped
// the leg is refused with 503.
func (x *Exchange) Accept(in leg.Incoming) leg.Sink {
	if in.Replaces != nil {
		return x.acceptReplacement(in)
	}
	c, ok := x.begin(in)
	if !ok {
		in.Leg.Hangup(leg.ShuttingDown.GivenBy(leg.Us))
		return discard{}
	}
	sink := c.caller.seat
	go func() { // ends when the call has ended
		defer x.wg.Done()
		c.run()
		x.finish(c)
	}()
	return sink
}

// begin registers a new call; false: no new calls are taken.
func (x *Exchange) begin(in leg.Incoming) (*Call, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stopping {
		return nil, false
	}
	x.next++
	c := newCall(x, x.next, in)
	x.calls[c.id] = c
	x.wg.Add(1)
	return c, true
}

// finish takes an ended call off the list and keeps its record.
func (x *Exchange) finish(c *Call) {
	rec := c.record()
	c.logEnd(rec)
	x.mu.Lock()
	delete(x.calls, c.id)
	x.ended = append(x.ended, rec)
	if len(x.ended) > keptRecords {
		x.ended = append(x.ended[:0], x.ended[len(x.ended)-keptRecords:]...)
	}
	x.mu.Unlock()
	if x.cfg.OnEnd != nil {
		x.cfg.OnEnd(rec)
	}
}

// Calls are the calls in progress, oldest first.
func (x *Exchange) Calls() []Record {
	x.mu.Lock()
	running := make([]*Call, 0, len(x.calls))
	for _, c := range x.calls {
		running = append(running, c)
	}
	x.mu.Unlock()
	list := make([]Record, 0, len(running))
	for _, c := range running {
		if rec, ok := c.ask(); ok {
			list = append(list, rec)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Began.Before(list[j].Began) })
	return list
}

// Ended are the records of the latest calls that have ended, oldest first.
func (x *Exchange) Ended() []Record {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]Record(nil), x.ended...)
}

// Find is the record of a call in progress or among the latest ended; false:
// there is none.
func (x *Exchange) Find(id string) (Record, bool) {
	x.mu.Lock()
	c := x.calls[id]
	x.mu.Unlock()
	if c != nil {
		if rec, ok := c.ask(); ok {
			return rec, true
		}
	}
	for _, rec := range x.Ended() {
		if rec.ID == id {
			return rec, true
		}
	}
	return Record{}, false
}

// Drain takes no new calls and waits until those in progress have ended by
// themselves, or the context is done; then it hangs the rest up and waits for
// that. It returns how many it had to hang up.
func (x *Exchange) Drain(ctx context.Context) int {
	x.mu.Lock()
	x.stopping = true
	x.mu.Unlock()
	over := make(chan struct{})
	go func() { // ends with the last call
		x.wg.Wait()
		close(over)
	}()
	select {
	case <-over:
		return 0
	case <-ctx.Done():
	}
	x.mu.Lock()
	left := len(x.calls)
	for _, c := range x.calls {
		c.inbox.Put(stop{})
	}
	x.mu.Unlock()
	<-over
	return left
}

// use counts a leg of an extension in or, with -1, out.
func (x *Exchange) use(extension string, n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.inUse[extension] += n; x.inUse[extension] == 0 {
		delete(x.inUse, extension)
	}
}

// busy tells whether an extension takes part in a call.
func (x *Exchange) busy(extension string) bool {
	x.mu.Lock()
	n := x.inUse[extension]
	x.mu.Unlock()
	return n > 0 || (x.cfg.Busy != nil && x.cfg.Busy(extension))
}

// discard is the sink of a leg that was refused at once.
type discard struct{}

func (discard) Deliver(leg.Event) {}
