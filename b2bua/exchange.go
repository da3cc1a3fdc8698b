// Package b2bua is call control: it joins the leg of whoever calls to the leg
// of whoever answers, by the route that the dial plan gives, and says of every
// call why it went as it went. It speaks only legs and routes; it knows no SIP
// and no telephone line. A Call is served by one goroutine at a time; an Exchange owns the
// list of them.
package b2bua

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/internal/crew"
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
	// Users keeps what users set from their phones; nil: they can't set anything.
	Users Users
	// Toll is what each phone has talked on toll calls today, before this
	// exchange began; nil: nothing.
	Toll map[string]time.Duration
	// Ringback makes the tone for a caller whose audio is already open while
	// a further place rings; nil is silence.
	Ringback func() media.Source
	// Music makes what a held party hears; nil is silence.
	Music func() media.Source
	// Confirm makes what a caller hears whose feature code has done its work,
	// DialTone what a telephone hears that dials after a hook-flash; nil is silence.
	Confirm, DialTone func() media.Source
	// HostEndsConference ends a three-way call when the one leaves who joined
	// it, as the draft has it; else the two who are left talk on.
	HostEndsConference bool
	// FlashSwaps makes the second hook-flash swap the two parties of a
	// telephone instead of joining all three.
	FlashSwaps bool
	// ParkFor is how long a parked party waits before the one who parked it is
	// called; zero is 3 minutes.
	ParkFor time.Duration
	// RingFor is how long a stage rings if the plan does not say; zero is 3
	// minutes, the least that RFC 3261 §16.6 (timer C) allows a proxy.
	RingFor time.Duration
	// Inactivity is what becomes of a call whose parties are not heard at all.
	Inactivity Inactivity
	// Record opens a tape for a call that is to be recorded, once; nil: no call
	// is. It is called from the call's goroutine, and so is Recorded.
	Record func(Record) (Tape, error)
	// Recorded tells whether what is said is recorded while these talk, each by
	// all its names: extension, line, trunk, peer. Nil: it always is.
	Recorded func(talking []string) bool
	// OnEnd takes the record of each call as it ends; nil takes none. It is
	// called from the call's goroutine and may block only that call's end.
	OnEnd func(Record)
	Log   *slog.Logger // nil is slog.Default
}

// ringFor is the default of Config.RingFor.
const ringFor = 3 * time.Minute

// sentRingFor is how long the target of a transfer, a recall or a call on
// somebody's behalf rings if the plan does not say.
const sentRingFor = 30 * time.Second

// maxHops is the default of Max-Forwards (RFC 3261 §8.1.1.6).
const maxHops = 70

// parkFor is the default of Config.ParkFor.
const parkFor = 3 * time.Minute

// keptRecords is how many ended calls can still be asked for.
const keptRecords = 200

// An Exchange is the calls in progress. It implements leg.Acceptor.
type Exchange struct {
	cfg   Config
	pacer media.Pacer // of music, ringback and mixing in all calls
	crew  *crew.Crew  // serves the calls

	usage usage
	seats sync.Map // leg.Leg -> *seat, of every party of every call

	mu       sync.Mutex
	calls    map[string]*Call
	ended    []Record             // the latest keptRecords, oldest first
	inUse    map[string][]leg.Leg // extension -> its legs in calls, ringing ones left out
	ringing  []ring               // legs that ring, the first to have begun first
	slots    map[string]*Call     // parking places
	last     map[string]last      // what an extension called last
	waiting  map[string][]waiter  // calls to be made when an extension is free
	next     uint32
	stopping bool
	wg       sync.WaitGroup
}

// New returns an exchange without calls.
func New(cfg Config) *Exchange {
	if cfg.RingFor == 0 {
		cfg.RingFor = ringFor
	}
	if cfg.ParkFor == 0 {
		cfg.ParkFor = parkFor
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	x := &Exchange{
		cfg: cfg, crew: crew.New(), calls: make(map[string]*Call), inUse: make(map[string][]leg.Leg),
		slots: make(map[string]*Call), last: make(map[string]last), waiting: make(map[string][]waiter),
		next: rand.Uint32N(1 << 20),
	}
	x.usage.resume(cfg.Toll)
	return x
}

// Accept makes a call of an incoming leg. While the exchange is being stopped
// the leg is refused with 503.
func (x *Exchange) Accept(in leg.Incoming) leg.Sink {
	if in.Replaces != nil {
		return x.acceptReplacement(in)
	}
	c, ok := x.newCall(in)
	if !ok {
		in.Leg.Hangup(leg.ShuttingDown.GivenBy(leg.Us))
		return discard{}
	}
	c.caller = c.add(in.Leg, newSeat(c), seeking, noTarget)
	c.caller.source = in.Source
	c.start = c.begin
	sink := c.caller.seat
	x.launch(c)
	return sink
}

// newCall puts a call on the list; false: no new calls are taken. It must be
// launched.
func (x *Exchange) newCall(in leg.Incoming) (*Call, bool) {
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

// launch lets a call run; it ends by itself.
func (x *Exchange) launch(c *Call) { c.inbox.Begin() }

// finish takes an ended call off the list and keeps its record.
func (x *Exchange) finish(c *Call) {
	defer x.wg.Done()
	rec := c.record()
	c.logEnd(rec)
	x.mu.Lock()
	delete(x.calls, c.id)
	if x.slots[c.slot] == c {
		delete(x.slots, c.slot)
	}
	x.ended = append(x.ended, rec)
	if len(x.ended) > keptRecords { // append moves them only now and then
		x.ended[0] = Record{}
		x.ended = x.ended[1:]
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

// InProgress is how many calls there are now.
func (x *Exchange) InProgress() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.calls)
}

// CallsOf is how many of them a phone, trunk or peer takes part in.
func (x *Exchange) CallsOf(name string) int { return x.usage.of(name).Calls }

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

// occupied notes a leg that keeps an extension busy.
func (x *Exchange) occupied(extension string, l leg.Leg) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.inUse[extension] = append(x.inUse[extension], l)
}

// vacated takes it off; whoever waits for the extension to be free gets it.
func (x *Exchange) vacated(extension string, l leg.Leg) {
	x.mu.Lock()
	legs := x.inUse[extension]
	if i := slices.Index(legs, l); i >= 0 { // one entry: two calls have it while it is handed over
		legs = slices.Delete(legs, i, i+1)
	}
	x.inUse[extension] = legs
	if len(legs) == 0 {
		delete(x.inUse, extension)
	}
	x.mu.Unlock()
	if len(legs) == 0 {
		x.freed(extension)
	}
}

// legsOf are the legs of an extension in other calls than c, the oldest first.
func (x *Exchange) legsOf(extension string, c *Call) []leg.Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	var legs []leg.Leg
	for _, l := range x.inUse[extension] {
		if x.callOf(l) != c {
			legs = append(legs, l)
		}
	}
	return legs
}

// rings notes a leg that rings at an extension; ringsNot takes it off.
func (x *Exchange) rings(l leg.Leg, extension string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ringing = append(x.ringing, ring{l, extension})
}

func (x *Exchange) ringsNot(l leg.Leg) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ringing = slices.DeleteFunc(x.ringing, func(r ring) bool { return r.leg == l })
}

// busy tells whether an extension takes part in a call.
func (x *Exchange) busy(extension string) bool {
	x.mu.Lock()
	n := len(x.inUse[extension])
	x.mu.Unlock()
	return n > 0 || (x.cfg.Busy != nil && x.cfg.Busy(extension))
}

// discard is the sink of a leg that was refused at once.
type discard struct{}

func (discard) Deliver(leg.Event) {}
