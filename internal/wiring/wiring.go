// Package wiring joins the parts of an exchange by the plan of one office: the
// SIP agent, the telephone lines and call control. It holds what they need to
// know of one another, and nothing that the operating system gives: sockets,
// RTP ports and line cards are handed in, so that cmd/crosspoint runs the same
// office on a machine that package lab runs in memory.
package wiring

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg"
	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/gateway/jack"
)

// Config is an office and what it runs on. Plan and SIP.Wire and SIP.RTP are
// needed.
type Config struct {
	Parties dialplan.Config // phones, lines, trunks and peers; Domains are all of ours
	Plan    *dialplan.Plan  // compiled from Parties
	Realm   string          // that phones authenticate for
	// SIP is the agent's configuration as far as it is not of the plan: Accept,
	// Digest, Account, Contacts, Peers and Domains are the office's.
	SIP sipleg.Config
	// Calls is call control's; Plan, Dial and Busy are the office's, and the
	// tones Ringback, Confirm and DialTone as far as they are nil.
	Calls b2bua.Config
	// Messages are for whom voice messages wait; nil: a board that keeps nothing.
	Messages *mwi.Board
	// Port is the jack of a line card; nil if no line is configured.
	Port func(card string, n int) jack.Port
	Log  *slog.Logger // nil: slog.Default()
}

// An Office is an exchange that runs.
type Office struct {
	Agent    *sipleg.Agent
	Gateway  *gateway.Gateway
	Exchange *b2bua.Exchange
	Messages *mwi.Board

	cfg       Config // as the office was opened with; of its parties and plan, book holds what is in force
	log       *slog.Logger
	book      atomic.Pointer[book]
	reloading sync.Mutex    // one at a time
	ready     chan struct{} // closed when all parts are there
}

// Open starts an exchange. It takes the sockets over; on an error nothing is
// left running, and they are closed.
func Open(cfg Config) (*Office, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Messages == nil {
		cfg.Messages = mwi.NewBoard(nil)
	}
	o := &Office{Messages: cfg.Messages, cfg: cfg, log: cfg.Log, ready: make(chan struct{})}
	o.book.Store(newBook(cfg.Parties, cfg.Plan))
	calls := cfg.Calls
	calls.Plan, calls.Dial, calls.Busy, calls.Log = o.Plan, o.dial, o.busy, cfg.Log
	if calls.Ringback == nil {
		calls.Ringback = o.ringback
	}
	if calls.Confirm == nil {
		calls.Confirm = o.confirm
	}
	if calls.DialTone == nil {
		calls.DialTone = o.dialTone
	}
	o.Exchange = b2bua.New(calls)
	g, err := gateway.New(o.lineConfig(o.now()))
	if err != nil {
		for _, c := range cfg.SIP.Wire.UDP {
			c.Close()
		}
		for _, l := range cfg.SIP.Wire.TCP {
			l.Close()
		}
		return nil, err
	}
	o.Gateway = g
	o.Agent = sipleg.New(o.sipConfig())
	close(o.ready)
	o.Messages.Watch(o.messagesOf)
	return o, nil
}

// Plan is the dial plan in force.
func (o *Office) Plan() *dialplan.Plan { return o.now().plan }

// now is what the file says that is in force.
func (o *Office) now() *book { return o.book.Load() }

// Close hangs up what is left of calls and lines. Those who do not answer
// before the context ends are left.
func (o *Office) Close(ctx context.Context) error {
	return errors.Join(o.Gateway.Close(ctx), o.Agent.Shutdown(ctx))
}

// Accept takes calls once all parts of the office are there.
func (o *Office) Accept(in leg.Incoming) leg.Sink {
	<-o.ready
	return o.Exchange.Accept(in)
}

// dial starts the legs to a target of a route.
func (o *Office) dial(t dialplan.Target, out leg.Outgoing) ([]leg.Leg, error) {
	switch t.Kind {
	case dialplan.ToPhone:
		return o.dialPhone(t.Name, out)
	case dialplan.ToTrunk:
		trunk := o.now().trunks[t.Name]
		if trunk.Peer != "" {
			return one(o.Agent.DialPeer(trunk.Peer, t.Number, out))
		}
		return one(o.Gateway.Dial(t.Name, t.Number, out))
	case dialplan.ToSIPAddress:
		return one(o.Agent.DialURI(t.URI, out))
	}
	return nil, leg.Cause{Status: 501}.GivenBy(leg.Us).Because("the service %q is not there yet", t.Name)
}

// dialPhone rings an extension wherever it is: its registered phones and its
// telephones on FXS lines. If none of them can be rung, a telephone that talks is
// offered the call as a second one.
func (o *Office) dialPhone(extension string, out leg.Outgoing) ([]leg.Leg, error) {
	legs, err := o.Agent.DialExtension(extension, out)
	for _, line := range o.Plan().LinesOf(extension) {
		l, lineErr := o.Gateway.DialLine(line, out)
		if lineErr != nil {
			err = lineErr
			continue
		}
		legs = append(legs, l)
	}
	if len(legs) > 0 {
		return legs, nil
	}
	for _, line := range o.Plan().LinesOf(extension) {
		if l, busy := o.Gateway.CallWaiting(line, out); busy == nil {
			legs = append(legs, l)
		}
	}
	if len(legs) > 0 {
		return legs, nil
	}
	return nil, err
}

func one(l leg.Leg, err error) ([]leg.Leg, error) {
	if err != nil {
		return nil, err
	}
	return []leg.Leg{l}, nil
}

// busy tells whether the telephone of an extension is off-hook. SIP phones tell
// by themselves.
func (o *Office) busy(extension string) bool {
	lines := o.Plan().LinesOf(extension)
	if len(lines) == 0 {
		return false
	}
	for _, s := range o.Gateway.Lines() {
		if slices.Contains(lines, s.Line) && !s.OffHook {
			return false
		}
	}
	return true
}

// digest is the judge of credentials of the office's phones.
func (o *Office) digest(secret func(user string) (string, bool)) *registrar.Digest {
	return registrar.NewDigest(registrar.DigestConfig{Realm: o.cfg.Realm, Domains: o.cfg.Parties.Domains, Log: o.log, Secret: secret})
}
