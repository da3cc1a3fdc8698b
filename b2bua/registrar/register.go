package registrar

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"
)

// A Request is what a REGISTER says. It must be authenticated.
type Request struct {
	AOR      string
	CallID   string
	CSeq     uint32
	Contacts []Contact // none: it only asks (RFC 3261 §10.2.3)
	Star     bool      // Contact: *
	Expires  int       // seconds of the Expires header; negative: there is none

	UserAgent string
	Transport string
	Source    netip.AddrPort
	Flow      any // comparable
}

// A Contact is one Contact of a REGISTER.
type Contact struct {
	URI      string
	Q        float64 // negative: not given, which is 1
	Expires  int     // seconds of its expires parameter; negative: there is none
	Instance string  // +sip.instance
}

// A Result is how a REGISTER is answered.
type Result struct {
	Status   int           // 200, 400, 423, 500 or 503
	Reason   string        // in words, for the status line
	Min      time.Duration // of 423: Min-Expires
	Bindings []Binding     // of 200: all that stand now, for the Contact headers
}

// Register does what a REGISTER asks, all of it or nothing (RFC 3261 §10.3).
//
// Beyond the standard, a phone that comes from a new address with the instance
// id or the Call-ID of an older binding takes that one's place: it has moved,
// and calls to its old address would ring nowhere.
func (r *Registrar) Register(req Request) Result {
	res := Result{Status: 503, Reason: "Service Unavailable"}
	r.do(func() { res = r.register(req, time.Now()) })
	return res
}

func (r *Registrar) register(req Request, now time.Time) Result {
	if req.Star {
		if len(req.Contacts) > 0 || req.Expires != 0 {
			return Result{Status: 400, Reason: "Contact * needs Expires 0 and no other Contact"} // step 6
		}
		return r.unregisterAll(req)
	}
	u := update{r: r, req: req, now: now, bindings: slices.Clone(r.bindings[req.AOR])}
	for _, c := range req.Contacts {
		if res := u.contact(c); res.Status != 0 {
			return res
		}
	}
	if len(u.changes) > 0 {
		r.set(req.AOR, u.bindings)
	}
	for _, c := range u.changes {
		r.tell(c)
	}
	return Result{Status: 200, Reason: "OK", Bindings: sorted(u.bindings)}
}

// unregisterAll removes all bindings unless one of the same Call-ID is as new
// as the request (step 6).
func (r *Registrar) unregisterAll(req Request) Result {
	for _, b := range r.bindings[req.AOR] {
		if stale(b, req) {
			return outOfOrder
		}
	}
	r.drop(req.AOR, Removed, func(Binding) bool { return true })
	return Result{Status: 200, Reason: "OK"}
}

var outOfOrder = Result{Status: 500, Reason: "REGISTER out of order"}

// stale tells that a request is not newer than the binding that it would
// change (step 7).
func stale(b Binding, req Request) bool { return b.CallID == req.CallID && req.CSeq <= b.CSeq }

// update is a REGISTER in progress: what would stand after it.
type update struct {
	r        *Registrar
	req      Request
	now      time.Time
	bindings []Binding
	changes  []Change
}

// contact does what one Contact asks; a result with a status ends the request.
func (u *update) contact(c Contact) Result {
	expires := c.Expires
	if expires < 0 {
		expires = u.req.Expires
	}
	lasts := u.r.cfg.Default
	if expires >= 0 {
		lasts = time.Duration(min(expires, math.MaxInt32)) * time.Second
	}
	if lasts > 0 && lasts < u.r.cfg.Min {
		if lasts < time.Hour { // step 6 forbids to refuse more than an hour
			return Result{Status: 423, Reason: "Interval Too Brief", Min: u.r.cfg.Min}
		}
	}
	lasts = min(lasts, u.r.cfg.Max)

	i := u.find(c)
	if i >= 0 && stale(u.bindings[i], u.req) && !u.madeNow(u.bindings[i]) {
		return outOfOrder
	}
	if lasts == 0 {
		if i >= 0 {
			u.changes = append(u.changes, Change{Kind: Removed, Binding: u.bindings[i]})
			u.bindings = slices.Delete(u.bindings, i, i+1)
		}
		return Result{}
	}
	b := Binding{
		AOR: u.req.AOR, URI: c.URI, Q: q(c.Q), Expires: u.now.Add(lasts), CallID: u.req.CallID, CSeq: u.req.CSeq,
		Instance: c.Instance, UserAgent: u.req.UserAgent, Transport: u.req.Transport, Source: u.req.Source, Flow: u.req.Flow,
		Since: u.now,
	}
	if i < 0 {
		u.makeRoom()
		u.bindings = append(u.bindings, b)
		u.changes = append(u.changes, Change{Kind: Registered, Binding: b})
		return Result{}
	}
	old := u.bindings[i]
	change := Change{Kind: Refreshed, Binding: b, From: old}
	if !sameURI(old.URI, b.URI) || old.Source != b.Source {
		change.Kind = Moved
	} else {
		change.Binding.Since = old.Since
	}
	u.bindings[i] = change.Binding
	u.changes = append(u.changes, change)
	return Result{}
}

// find is the binding that a Contact is about: of the same URI, else of the
// same phone; negative: none.
func (u *update) find(c Contact) int {
	if i := slices.IndexFunc(u.bindings, func(b Binding) bool { return sameURI(b.URI, c.URI) }); i >= 0 {
		return i
	}
	// One REGISTER may name several contacts of one instance and Call-ID.
	named := func(b Binding) bool {
		return u.madeNow(b) || slices.ContainsFunc(u.req.Contacts, func(o Contact) bool { return sameURI(o.URI, b.URI) })
	}
	if c.Instance != "" {
		return slices.IndexFunc(u.bindings, func(b Binding) bool { return b.Instance == c.Instance && !named(b) })
	}
	if len(u.req.Contacts) > 1 {
		return -1
	}
	return slices.IndexFunc(u.bindings, func(b Binding) bool {
		return b.Instance == "" && b.CallID == u.req.CallID && sameUser(b.URI, c.URI) && !named(b)
	})
}

// madeNow tells that a binding was made by this very request.
func (u *update) madeNow(b Binding) bool {
	return slices.ContainsFunc(u.changes, func(c Change) bool { return c.Kind != Removed && c.Binding.URI == b.URI })
}

// makeRoom removes the binding that would expire first if there are too many:
// a phone that comes back at a new port after each crash must not lock itself out.
func (u *update) makeRoom() {
	if len(u.bindings) < u.r.cfg.MaxContacts {
		return
	}
	first := slices.MinFunc(u.bindings, func(a, b Binding) int { return cmp.Or(a.Expires.Compare(b.Expires), a.Since.Compare(b.Since)) })
	i := slices.IndexFunc(u.bindings, func(b Binding) bool { return b.URI == first.URI })
	u.changes = append(u.changes, Change{Kind: Removed, Binding: first})
	u.bindings = slices.Delete(u.bindings, i, i+1)
}

// q is a preference within its bounds; negative and NaN are "not given".
func q(v float64) float64 {
	if !(v >= 0 && v <= 1) {
		return 1
	}
	return v
}
