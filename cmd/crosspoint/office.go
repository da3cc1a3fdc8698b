package main

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg"
	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/media"
	"crosspoint/media/rtp"
)

// An office is an exchange that runs: everything that openOffice starts and
// close ends. Its parts know one another only through it.
type office struct {
	cfg     *Config
	log     *slog.Logger
	started time.Time

	plan      atomic.Pointer[dialplan.Plan]
	trunks    map[string]dialplan.Trunk
	music     []int16  // what a held party hears; nil is silence
	bound     []socket // SIP's, with the ports that they got
	rtp       *rtp.Ports
	registrar *registrar.Registrar
	agent     *sipleg.Agent
	cards     *cards
	gateway   *gateway.Gateway
	exchange  *b2bua.Exchange
	control   *control
	ready     chan struct{} // closed when all parts are there
}

// openOffice starts an exchange. On an error nothing is left running.
func openOffice(cfg *Config, plan *dialplan.Plan, log *slog.Logger) (o *office, err error) {
	o = &office{cfg: cfg, log: log, started: time.Now(), trunks: map[string]dialplan.Trunk{}, ready: make(chan struct{})}
	o.plan.Store(plan)
	for _, t := range cfg.Trunks {
		o.trunks[t.Name] = t
	}
	defer func() {
		if err != nil {
			o.close(context.Background())
			o = nil
		}
	}()
	if o.music, err = loadMusic(cfg.Music); err != nil {
		return o, err
	}
	if o.rtp, err = openPorts(cfg); err != nil {
		return o, err
	}
	sockets, err := openSockets(cfg.sockets())
	if err != nil {
		return o, err
	}
	o.bound = sockets.bound()
	if o.control, err = openControl(cfg.controlPath(), o, log); err != nil {
		sockets.close()
		return o, err
	}
	o.exchange = b2bua.New(b2bua.Config{Plan: o.plan.Load, Dial: o.dial, Busy: o.busy, Ringback: o.ringback, Music: o.hold, Log: log})
	if o.registrar, err = openRegistrar(cfg, log); err != nil {
		sockets.close()
		return o, err
	}
	o.agent = sipleg.New(o.sipConfig(sockets))
	if o.cards, err = openCards(cfg, log); err != nil {
		return o, err
	}
	if o.gateway, err = gateway.New(o.lineConfig()); err != nil {
		return o, err
	}
	close(o.ready)
	return o, nil
}

// close takes no new calls, lets those in progress go on until the context
// ends, hangs up the rest, leaves all lines on-hook and frees everything. It
// returns how many calls it had to hang up.
func (o *office) close(ctx context.Context) int {
	cut := 0
	if o.exchange != nil {
		cut = o.exchange.Drain(ctx)
	}
	goodbye, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if o.gateway != nil {
		if err := o.gateway.Close(goodbye); err != nil {
			o.log.Error("telephone lines are left in doubt", "error", err)
		}
	}
	if o.agent != nil {
		_ = o.agent.Shutdown(goodbye) // whoever does not answer a BYE is left
	}
	if o.registrar != nil {
		o.registrar.Close()
	}
	if o.cards != nil {
		o.cards.close()
	}
	if o.control != nil {
		_ = o.control.Close()
	}
	return cut
}

// Accept takes calls once all parts of the office are there.
func (o *office) Accept(in leg.Incoming) leg.Sink {
	<-o.ready
	return o.exchange.Accept(in)
}

// dial starts the legs to a target of a route.
func (o *office) dial(t dialplan.Target, out leg.Outgoing) ([]leg.Leg, error) {
	switch t.Kind {
	case dialplan.ToPhone:
		return o.dialPhone(t.Name, out)
	case dialplan.ToTrunk:
		trunk := o.trunks[t.Name]
		if trunk.Peer != "" {
			return one(o.agent.DialPeer(trunk.Peer, t.Number, out))
		}
		return one(o.gateway.Dial(t.Name, t.Number, out))
	case dialplan.ToSIPAddress:
		return one(o.agent.DialURI(t.URI, out))
	}
	return nil, leg.Cause{Status: 501}.GivenBy(leg.Us).Because("the service %q is not there yet", t.Name)
}

// dialPhone rings an extension wherever it is: its registered phones and its
// telephones on FXS lines.
func (o *office) dialPhone(extension string, out leg.Outgoing) ([]leg.Leg, error) {
	legs, err := o.agent.DialExtension(extension, out)
	for _, line := range o.plan.Load().LinesOf(extension) {
		l, lineErr := o.gateway.DialLine(line, out)
		if lineErr != nil {
			err = lineErr
			continue
		}
		legs = append(legs, l)
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
func (o *office) busy(extension string) bool {
	lines := o.plan.Load().LinesOf(extension)
	if len(lines) == 0 {
		return false
	}
	for _, s := range o.gateway.Lines() {
		if slices.Contains(lines, s.Line) && !s.OffHook {
			return false
		}
	}
	return true
}

func (o *office) hold() media.Source {
	if o.music == nil {
		return media.Silence{}
	}
	return &media.Samples{PCM: o.music, Loop: true}
}

func openPorts(cfg *Config) (*rtp.Ports, error) {
	low, high, _ := cfg.rtpRange()
	return rtp.NewPorts(rtp.PortsConfig{Address: cfg.rtpAddress(), First: uint16(low), Last: uint16(high)})
}

func openRegistrar(cfg *Config, log *slog.Logger) (*registrar.Registrar, error) {
	return registrar.New(registrar.Config{Min: cfg.SIP.MinExpires, Max: cfg.SIP.MaxExpires, Log: log})
}

// status implements informant.
func (o *office) status() statusView {
	v := statusView{File: o.cfg.File, PID: os.Getpid(), Started: o.started, Goroutines: runtime.NumGoroutine()}
	select {
	case <-o.ready:
	default:
		return v
	}
	for _, s := range o.bound {
		v.Listen = append(v.Listen, s.String())
	}
	v.Calls = len(o.exchange.Calls())
	for _, r := range o.exchange.Ended() {
		v.Ended++
		if r.Answered.IsZero() {
			v.Failed++
		}
	}
	v.Legs = o.agent.Stats().Dialogs
	v.RTPPorts = o.rtp.InUse()
	for _, b := range o.registrar.List() {
		v.Registrations = append(v.Registrations, registrationView{b.AOR, b.URI, b.Expires})
	}
	v.Cards = o.cards.view()
	return v
}

func (o *office) lines() []lineView {
	<-o.ready
	views := []lineView{}
	for _, s := range o.gateway.Lines() {
		views = append(views, viewLine(s))
	}
	return views
}

func (o *office) calls() []callView {
	<-o.ready
	views := []callView{}
	for _, r := range o.records() {
		views = append(views, viewCall(r, false, false))
	}
	return views
}

// records are the calls in progress and the latest ended, oldest first.
func (o *office) records() []b2bua.Record { return append(o.exchange.Ended(), o.exchange.Calls()...) }

func (o *office) call(id string, times bool) (callView, bool) {
	<-o.ready
	if id == "" {
		all := o.records()
		if len(all) == 0 {
			return callView{}, false
		}
		return viewCall(all[len(all)-1], true, times), true
	}
	r, ok := o.exchange.Find(id)
	if !ok {
		return callView{}, false
	}
	return viewCall(r, true, times), true
}
