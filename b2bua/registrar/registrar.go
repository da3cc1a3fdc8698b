// Package registrar knows which phone is registered where (RFC 3261 §10), and
// verifies that it is the phone by digest authentication (RFC 7616, RFC 8760,
// and RFC 2069 for phones of 1999). It also answers the challenges of others.
//
// Registrar owns the bindings in one goroutine, which ends each as it expires.
// Digest keeps the nonces that were used. Neither knows SIP messages: who reads
// them calls with values.
package registrar

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"crosspoint/internal/alarm"
)

// A Binding is one place where an address of record is reached.
type Binding struct {
	AOR       string  // address of record, as the caller of Register names it: an extension
	URI       string  // Contact, without brackets
	Q         float64 // preference, 0 to 1 (RFC 3261 §20.10)
	Expires   time.Time
	CallID    string // of the REGISTER that made it
	CSeq      uint32
	Instance  string         // +sip.instance (RFC 5626 §4.1), empty if the phone has none
	UserAgent string         // for listings
	Transport string         // "UDP", "TCP": how it registered
	Source    netip.AddrPort // from where
	Flow      any            // comparable; how it registered, in the words of the transport. Nil after a restart.
	Since     time.Time      // when the phone first registered this URI
}

// Config bounds registrations. Its zero value works.
type Config struct {
	Min     time.Duration // shortest registration, else 423 (RFC 3261 §10.3 step 6); zero is 60 s
	Max     time.Duration // longest; who asks for more gets this. Zero is 1 h
	Default time.Duration // for who asks for none; zero is Max
	// MaxContacts of one address of record; zero is 10. Who registers one more
	// takes the place of the binding that would expire first.
	MaxContacts int
	Store       Store // keeps bindings over a restart; nil: they are lost
	// Changed is told what has happened, in order, from the Registrar's
	// goroutine: it must neither block nor call the Registrar. Nil: nobody is.
	Changed func(Change)
	Log     *slog.Logger // nil: slog.Default()
}

// A Store keeps bindings over a restart. Its methods are called by one
// goroutine at a time; an error is logged, and the registration stands.
type Store interface {
	// Load returns all bindings kept, also expired ones.
	Load() ([]Binding, error)
	// Save replaces those of one address of record; none deletes them. Flow is
	// not kept.
	Save(aor string, bindings []Binding) error
}

// A Change is what happened to a binding.
type Change struct {
	Kind    Kind
	Binding Binding
	From    Binding // of Moved: what it was before
}

// Kind of a Change.
type Kind uint8

const (
	Registered Kind = iota // a new binding
	Refreshed              // the same one for longer
	Moved                  // the same phone at another address
	Removed                // by the phone, by Remove, or because another took its place
	Expired
	Lost // its connection has ended
)

func (k Kind) String() string {
	return [...]string{"registered", "refreshed", "moved", "unregistered", "expired", "connection lost"}[k]
}

// A Registrar is where phones register. Its methods may be called from any
// goroutine, but not from Changed.
type Registrar struct {
	cfg      Config
	log      *slog.Logger
	ask      chan func()
	closed   chan struct{}
	once     sync.Once
	done     chan struct{}        // closed as run returns
	bindings map[string][]Binding // run's
	count    int                  // run's
	next     time.Time            // run's: no binding ends before; zero: there is none
}

// New starts a Registrar with what its Store kept; Close ends it. The error is
// the Store's.
func New(cfg Config) (*Registrar, error) {
	if cfg.Min <= 0 {
		cfg.Min = time.Minute
	}
	if cfg.Max <= 0 {
		cfg.Max = time.Hour
	}
	cfg.Max = max(cfg.Max, cfg.Min)
	if cfg.Default <= 0 {
		cfg.Default = cfg.Max
	}
	cfg.Default = min(max(cfg.Default, cfg.Min), cfg.Max)
	if cfg.MaxContacts <= 0 {
		cfg.MaxContacts = 10
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	r := &Registrar{
		cfg: cfg, log: cfg.Log, ask: make(chan func()), closed: make(chan struct{}), done: make(chan struct{}),
		bindings: make(map[string][]Binding),
	}
	if cfg.Store != nil {
		kept, err := cfg.Store.Load()
		if err != nil {
			return nil, err
		}
		now := time.Now()
		for _, b := range kept {
			if b.Expires.After(now) {
				b.Flow = nil
				r.bindings[b.AOR] = append(r.bindings[b.AOR], b)
				r.count++
				r.ends(r.bindings[b.AOR])
			}
		}
	}
	go r.run() // until Close
	return r, nil
}

// Close ends the Registrar. Bindings stay in the Store. Afterwards Register
// answers 503 and nobody is registered.
func (r *Registrar) Close() {
	r.once.Do(func() { close(r.closed) })
	<-r.done
}

// run owns the bindings.
func (r *Registrar) run() {
	defer close(r.done)
	due := alarm.New()
	defer due.Stop()
	for {
		r.expire(time.Now())
		due.Set(r.next)
		select {
		case f := <-r.ask:
			f()
		case <-due.C():
		case <-r.closed:
			return
		}
	}
}

// do runs f in the owner's goroutine and waits for it; false: closed.
func (r *Registrar) do(f func()) bool {
	ran := make(chan struct{})
	select {
	case r.ask <- func() { f(); close(ran) }:
		<-ran
		return true
	case <-r.done:
		return false
	}
}

// expire ends what is over.
func (r *Registrar) expire(now time.Time) {
	if r.next.IsZero() || now.Before(r.next) {
		return
	}
	r.next = time.Time{}
	for aor := range r.bindings {
		r.drop(aor, Expired, func(b Binding) bool { return !b.Expires.After(now) })
		r.ends(r.bindings[aor])
	}
}

// ends makes the owner wake up when the first of the bindings ends.
func (r *Registrar) ends(bindings []Binding) {
	for _, b := range bindings {
		if r.next.IsZero() || b.Expires.Before(r.next) {
			r.next = b.Expires
		}
	}
}

// set replaces the bindings of an address of record.
func (r *Registrar) set(aor string, bindings []Binding) {
	r.count += len(bindings) - len(r.bindings[aor])
	if len(bindings) == 0 {
		delete(r.bindings, aor)
	} else {
		r.bindings[aor] = bindings
	}
	r.ends(bindings)
	if r.cfg.Store == nil {
		return
	}
	if err := r.cfg.Store.Save(aor, bindings); err != nil {
		r.log.Error("registrar: a registration would not survive a restart", "phone", aor, "err", err)
	}
}

func (r *Registrar) tell(c Change) {
	level := slog.LevelInfo
	if c.Kind == Refreshed {
		level = slog.LevelDebug
	}
	r.log.Log(context.Background(), level, "phone "+c.Kind.String(), "phone", c.Binding.AOR, "contact", c.Binding.URI,
		"source", c.Binding.Source, "expires", c.Binding.Expires.Format(time.RFC3339))
	if r.cfg.Changed != nil {
		r.cfg.Changed(c)
	}
}

// Lookup returns the bindings of an address of record, the preferred first
// (by q, then the latest).
func (r *Registrar) Lookup(aor string) (found []Binding) {
	r.do(func() { found = sorted(r.bindings[aor]) })
	return found
}

func sorted(bindings []Binding) []Binding {
	out := slices.Clone(bindings)
	slices.SortStableFunc(out, func(a, b Binding) int {
		switch {
		case a.Q != b.Q:
			if a.Q > b.Q {
				return -1
			}
			return 1
		default:
			return b.Since.Compare(a.Since)
		}
	})
	return out
}

// List returns all bindings, by address of record.
func (r *Registrar) List() (all []Binding) {
	r.do(func() {
		for _, b := range r.bindings {
			all = append(all, sorted(b)...)
		}
	})
	slices.SortStableFunc(all, func(a, b Binding) int {
		switch {
		case a.AOR < b.AOR:
			return -1
		case a.AOR > b.AOR:
			return 1
		}
		return 0
	})
	return all
}

// Count is how many bindings there are.
func (r *Registrar) Count() (n int) {
	r.do(func() { n = r.count })
	return n
}

// Remove ends the binding of an address of record to a URI, or all of them if
// uri is empty, and tells how many it were.
func (r *Registrar) Remove(aor, uri string) (n int) {
	r.do(func() {
		n = r.drop(aor, Removed, func(b Binding) bool { return uri == "" || sameURI(b.URI, uri) })
	})
	return n
}

// FlowLost ends the bindings that were registered on a flow that is no more:
// nothing reaches those phones until they register again (RFC 5626 §4.2.2).
func (r *Registrar) FlowLost(flow any) (n int) {
	r.do(func() {
		for aor := range r.bindings {
			n += r.drop(aor, Lost, func(b Binding) bool { return b.Flow != nil && b.Flow == flow })
		}
	})
	return n
}

func (r *Registrar) drop(aor string, kind Kind, which func(Binding) bool) int {
	var kept, gone []Binding
	for _, b := range r.bindings[aor] {
		if which(b) {
			gone = append(gone, b)
		} else {
			kept = append(kept, b)
		}
	}
	if len(gone) > 0 {
		r.set(aor, kept)
	}
	for _, b := range gone {
		r.tell(Change{Kind: kind, Binding: b})
	}
	return len(gone)
}
