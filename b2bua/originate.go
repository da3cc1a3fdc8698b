package b2bua

import (
	"fmt"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// Originate calls an extension and, when it answers, what it is to be connected
// with: click to dial (RFC 5359 §2.19) and automatic redial. The number is
// dialled as that extension, with its permissions. It returns the call's id.
func (x *Exchange) Originate(extension, number string) (string, error) {
	route, _ := x.cfg.Plan().Match(dialplan.Query{
		From:   dialplan.Caller{Kind: dialplan.FromPhone, Name: extension, Number: extension},
		Dialed: extension, At: time.Now(), Busy: x.busy,
	})
	if route.Refusal != nil {
		return "", fmt.Errorf("can't call extension %s: %s (%s)", extension, route.Refusal.Reason, route.Refusal.Pos)
	}
	c, ok := x.newCall(leg.Incoming{
		Source: leg.Source{Kind: leg.Phone, Name: extension},
		Caller: leg.Party{Number: extension}, Dialed: number, To: leg.Party{Number: number},
	})
	if !ok {
		return "", leg.ShuttingDown
	}
	c.route = route
	c.start = func() State {
		c.log.Info("call on behalf", "of", extension, "to", number)
		c.setup = setup{seeker: &originator{Call: c}, route: route, shown: leg.Party{Number: number}, to: leg.Party{Number: extension}, alerting: alerting{ring: dialplan.RingRecall}}
		return c.seek()
	}
	x.launch(c)
	return c.id, nil
}

// Route is what the plan would do now with a call.
func (x *Exchange) Route(from dialplan.Caller, dialed string) dialplan.Route {
	route, _ := x.cfg.Plan().Match(dialplan.Query{From: from, Dialed: dialed, At: time.Now(), Busy: x.busy, Settings: x.settings(), Usage: x.usage.of})
	return route
}

// originator is the seeker of a call that the exchange itself begins: it has no
// party yet.
type originator struct{ *Call }

func (o *originator) ringing(*party) {}
func (o *originator) early(*party)   {}
func (o *originator) lost(*party)    {}

func (o *originator) answered(p *party) State {
	o.caller = p
	p.source = o.in.Source
	o.answer = time.Now()
	return o.sendTo(p, p.source, o.in.Dialed, &transfer{Call: o.Call, transferee: p})
}

func (o *originator) failed(why leg.Cause) State { return o.end(why) }

func (o *originator) other(_ *party, ev leg.Event) State { return o.unexpected(ev) }

// redial calls what the phone has called last.
func (c *Call) redial() State {
	last := c.x.lastOf(c.in.Source.Name).dialed
	if last == "" {
		return c.setup.seeker.failed(leg.Unallocated.GivenBy(leg.Us).Because("%s has not called anybody yet", c.in.Source.Name))
	}
	c.in.Dialed = last
	c.route, c.trail = c.x.cfg.Plan().Match(c.sentOn(c.query(c.in.Source, c.in.Caller, last)))
	c.setup.route, c.setup.to = c.route, leg.Party{Number: last}
	return c.seek()
}

// callBack notes that the caller wants to be called when the party that was
// busy becomes free (automatic redial, RFC 5359 §2.18).
func (c *Call) callBack() State {
	last := c.x.lastOf(c.in.Source.Name)
	if last.busy == "" {
		return c.setup.seeker.failed(leg.Unallocated.GivenBy(leg.Us).Because("the last number that %s called was not a busy extension", c.in.Source.Name))
	}
	w := waiter{extension: c.in.Source.Name, dialed: last.dialed, until: time.Now().Add(wishFor)}
	if !c.x.wait(last.busy, w) { // it is free already, or off-hook without a call
		c.x.later(last.busy, w)
	}
	return c.confirm()
}

// A last is what an extension has called last.
type last struct {
	dialed string
	busy   string // the extension that was found busy; empty: none was
}

// A waiter is an extension that waits for another one to become free.
type waiter struct {
	extension, dialed string
	until             time.Time // when it does no longer
}

// wishFor is how long a wish to be called back is kept.
const wishFor = 45 * time.Minute

// freeFor is how long an extension must be free before a call that waits for it
// is made: its user may want to dial.
const freeFor = 2 * time.Second

func (x *Exchange) lastOf(extension string) last {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.last[extension]
}

// remember notes what an extension has called, and whom it found busy.
func (x *Exchange) remember(extension string, l last) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last[extension] = l
}

// wait keeps a wish until an extension is in no call any more; false: it is in
// none.
func (x *Exchange) wait(busy string, w waiter) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.inUse[busy]) == 0 {
		return false
	}
	x.waiting[busy] = append(x.waiting[busy], w)
	return true
}

// freed makes the first of the calls that wait for an extension.
func (x *Exchange) freed(extension string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := x.waiting[extension]
	if len(list) == 0 || x.stopping {
		return
	}
	x.waiting[extension] = list[1:]
	if len(list) == 1 {
		delete(x.waiting, extension)
	}
	x.later(extension, list[0])
}

// later makes a call that has waited, once both have been free for a while:
// their users may dial, or not have hung up though their calls are over.
func (x *Exchange) later(extension string, w waiter) {
	time.AfterFunc(freeFor, func() {
		switch {
		case time.Now().After(w.until) || x.isStopping() || x.wait(extension, w):
		case x.busy(extension) || x.busy(w.extension):
			x.later(extension, w)
		default:
			if _, err := x.Originate(w.extension, w.dialed); err != nil {
				x.cfg.Log.Warn("a call that waited for a busy party could not be made", "for", w.extension, "to", w.dialed, "because", err)
			}
		}
	})
}

// remember notes what a phone calls, for redial and call-back; what it dials
// for a service is not a call.
func (c *Call) remember(why leg.Cause) {
	if _, service := serviceOf(c.route); service || c.in.Source.Kind != leg.Phone {
		return
	}
	l := last{dialed: c.in.Dialed}
	if s := c.route.Stages; len(s) > 0 && s[0].Targets[0].Kind == dialplan.ToPhone && conditionOf(why) == dialplan.Busy {
		l.busy = s[0].Targets[0].Name
	} else if r := c.route.Refusal; r != nil { // by our own knowledge
		l.busy = r.Busy
	}
	c.x.remember(c.in.Source.Name, l)
}

// isStopping tells that no further calls are taken.
func (x *Exchange) isStopping() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stopping
}
