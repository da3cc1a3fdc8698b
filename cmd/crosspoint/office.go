package main

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/internal/wiring"
	"crosspoint/media"
	"crosspoint/media/rtp"
)

// An office is an exchange that runs: everything that openOffice starts and
// close ends. Its parts know one another only through it.
type office struct {
	cfg     *Config // as the office was opened with
	log     *slog.Logger
	started time.Time

	inForce   atomic.Pointer[Config] // after the last reload
	reloading sync.Mutex             // one at a time

	joined    *wiring.Office
	memory    *memory  // what survives a restart
	music     []int16  // what a held party hears; nil is silence
	bound     []socket // SIP's, with the ports that they got
	rtp       *rtp.Ports
	registrar *registrar.Registrar
	agent     *sipleg.Agent
	cards     *cards
	gateway   *gateway.Gateway
	exchange  *b2bua.Exchange
	tally     *tally // of the calls that have ended
	control   *control
	monitored *metricsServer // nil: metrics are not served
	ready     chan struct{}  // closed when all parts are there
}

// openOffice starts an exchange. On an error nothing is left running.
func openOffice(cfg *Config, plan *dialplan.Plan, log *slog.Logger) (o *office, err error) {
	o = &office{cfg: cfg, log: log, started: time.Now(), tally: newTally(), ready: make(chan struct{})}
	o.inForce.Store(cfg)
	defer func() {
		if err != nil {
			o.close(context.Background())
			o = nil
		}
	}()
	if err = cfg.Recording.checkDirectory(); err != nil {
		return o, err
	}
	if o.music, err = loadMusic(cfg.Music); err != nil {
		return o, err
	}
	if o.memory, err = openMemory(cfg.storePath(), cfg.keepCalls(), log); err != nil {
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
	if o.registrar, err = openRegistrar(cfg, o.memory, log); err != nil {
		sockets.close()
		return o, err
	}
	if o.cards, err = openCards(cfg, log); err != nil {
		sockets.close()
		return o, err
	}
	o.joined, err = wiring.Open(o.wiringConfig(plan, sockets))
	if err != nil {
		return o, err
	}
	o.agent, o.gateway, o.exchange = o.joined.Agent, o.joined.Gateway, o.joined.Exchange
	close(o.ready)
	at, _ := cfg.metricsAddress()
	o.monitored, err = openMetrics(at, o, log)
	return o, err
}

// wiringConfig is what the parts of the office need to know of one another.
func (o *office) wiringConfig(plan *dialplan.Plan, s *sockets) wiring.Config {
	return wiring.Config{
		Parties: o.cfg.Config, Plan: plan, Realm: o.cfg.realm(), Port: o.cards.port, Log: o.log,
		Calls: b2bua.Config{
			Music: o.hold, Users: o.memory.store, Toll: o.memory.toll, OnEnd: o.ended,
			Record: o.cfg.Recording.open(), Recorded: o.cfg.Recording.of, Inactivity: o.cfg.RTP.inactivity(),
			HostEndsConference: o.cfg.Services.HostEndsConference, FlashSwaps: o.cfg.Services.FlashSwaps, ParkFor: o.cfg.Services.ParkFor,
		},
		Messages: mwi.NewBoard(o.memory.store),
		SIP: sipleg.Config{
			Wire: wire.Config{UDP: s.udp, TCP: s.tcp, DialTCP: dialTCP}, RTP: o.rtp, Registrar: o.registrar,
			Strangers: o.cfg.SIP.Strangers, RefuseForeignIdentity: o.cfg.SIP.StrictIdentity, SessionExpires: o.cfg.SIP.SessionExpires,
		},
	}
}

// close takes no new calls, lets those in progress go on until the context
// ends, hangs up the rest, leaves all lines on-hook and frees everything. It
// returns how many calls it had to hang up.
func (o *office) close(ctx context.Context) int {
	cut := 0
	o.leavePeers(ctx)
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
	o.monitored.Close()
	if o.control != nil {
		_ = o.control.Close()
	}
	if o.memory != nil {
		o.memory.close()
	}
	return cut
}

// ended takes the record of a call that has ended.
func (o *office) ended(r b2bua.Record) {
	o.tally.count(r)
	o.memory.keep(r)
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

func openRegistrar(cfg *Config, m *memory, log *slog.Logger) (*registrar.Registrar, error) {
	return registrar.New(registrar.Config{Min: cfg.SIP.MinExpires, Max: cfg.SIP.MaxExpires, Store: m.bindings(), Log: log})
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
	v.Peers = o.peers()
	v.Mailboxes = o.mailboxes()
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

// history are the latest calls that ended, oldest first, as far back as records
// are kept. Negative: all of them.
func (o *office) history(most int) ([]callView, error) {
	<-o.ready
	kept, err := o.memory.calls(most)
	if err != nil {
		return nil, err
	}
	views := []callView{}
	for _, c := range slices.Backward(kept) {
		views = append(views, viewKept(c))
	}
	return views, nil
}

func (o *office) call(id string, times bool) (callView, bool) {
	<-o.ready
	if id == "" {
		all := o.records()
		if len(all) == 0 {
			return callView{}, false
		}
		return viewCall(all[len(all)-1], true, times), true
	}
	if r, ok := o.exchange.Find(id); ok {
		return viewCall(r, true, times), true
	}
	c, ok := o.memory.call(id)
	if !ok {
		return callView{}, false
	}
	return viewKept(c), true
}
