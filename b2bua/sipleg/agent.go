package sipleg

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/crew"
	"github.com/emiago/sipgo/sip"
)

// An Agent is the exchange's SIP user agent: it takes calls in, dials out and
// serves registrations. Its methods may be called from any goroutine.
type Agent struct {
	cfg        Config
	log        *slog.Logger
	wire       *wire.Layer
	table      *table
	crew       *crew.Crew // serves the legs
	desk       *desk
	challenged challenged
	outbound   upkeeps // ours at peers
	silent     silent
	parties    atomic.Pointer[parties]
	secret     [16]byte // of stateless tags
	dialects   dialects

	serial   atomic.Uint64 // of legs and branches
	stopping atomic.Bool
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup // desk, legs, name look-ups
	closed   sync.Once
}

// New starts to serve on the sockets of cfg.Wire. Close ends it.
func New(cfg Config) *Agent {
	cfg = cfg.filled()
	if cfg.Timing.Repeated == nil {
		cfg.Timing.Repeated = new(atomic.Int64)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Agent{cfg: cfg, log: cfg.Log, table: newTable(), crew: crew.New(), ctx: ctx, cancel: cancel}
	rand.Read(a.secret[:])
	a.desk = newDesk(a)
	a.parties.Store(newParties(Parties{cfg.Peers, cfg.Domains, cfg.Strangers, cfg.RefuseForeignIdentity}, nil))
	a.challenged.calls = make(map[string]challengedCall)
	w := cfg.Wire
	w.Handle, w.Failed = a.handle, a.connectionFailed
	if w.Log == nil {
		w.Log = cfg.Log
	}
	ready := make(chan struct{}) // a message may arrive before wire.New has returned
	handle := w.Handle
	w.Handle = func(in wire.Inbound) { <-ready; handle(in) }
	a.wire = wire.New(w)
	close(ready)
	a.desk.notifier.watch()
	a.running.Go(a.desk.run) // ends with ctx
	a.keepUp(cfg.Peers)
	return a
}

// connectionFailed tells who cares that a TCP connection is no more.
func (a *Agent) connectionFailed(f wire.Flow, err error) {
	a.table.failed(f, err)
	a.outboundLost(f)
	a.desk.in.Put(deskItem{lost: f})
}

// Stats counts what an agent holds: what a leak test reads.
type Stats struct {
	Dialogs    int   // legs in progress
	Tombstones int   // legs that are over and still answer repetitions
	Watchers   int   // phones' subscriptions to their messages
	Repeated   int64 // messages sent again, since the beginning
	Wire       wire.Stats
}

// Stats counts what the agent holds now.
func (a *Agent) Stats() Stats {
	legs, tombs := a.table.count()
	return Stats{Dialogs: legs, Tombstones: tombs, Watchers: int(a.desk.notifier.count.Load()), Repeated: a.cfg.Timing.Repeated.Load(), Wire: a.wire.Stats()}
}

// Shutdown takes our registrations and all subscriptions back and no new calls, waits until those in progress have ended or the
// context does, ends what is left with BYE, CANCEL or 503, and closes.
func (a *Agent) Shutdown(ctx context.Context) error {
	a.stopping.Store(true)
	a.takeBack(ctx)
	a.partWithPhones()
	err := a.drain(ctx)
	for _, l := range a.table.all() {
		l.Hangup(leg.ShuttingDown.GivenBy(leg.Us))
	}
	goodbye, cancel := context.WithTimeout(context.Background(), 4*a.cfg.Timing.T1)
	defer cancel()
	a.drain(goodbye) //nolint:errcheck // whoever does not answer a BYE is left
	a.Close()
	return err
}

// drain waits until no leg is in progress.
func (a *Agent) drain(ctx context.Context) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if legs, _ := a.table.count(); legs == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// Close ends all calls at once, closes the sockets and waits until nothing of
// the agent runs. It must not be called from an Acceptor or a Sink.
func (a *Agent) Close() {
	a.closed.Do(func() {
		a.outbound.mu.Lock() // nothing begins to register any more
		a.stopping.Store(true)
		a.outbound.mu.Unlock()
		for _, l := range a.table.all() {
			l.in.Put(l.abandon)
		}
		a.cancel()
		a.running.Wait()
		a.wire.Close()
		a.table.clear()
	})
}

// send puts a message on its way and logs it.
func (a *Agent) send(msg sip.Message, flow wire.Flow) error {
	a.trace("out", msg, flow)
	err := a.wire.Send(msg, flow)
	if err != nil {
		a.log.Debug("sip: not sent", "flow", flow, "err", err)
	}
	return err
}

// via is the Via header of a request: where its responses go, and a branch
// that leads them to the owner of the tag.
func (a *Agent) via(flow wire.Flow, tag string) *sip.ViaHeader {
	local := flow.Local()
	v := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: flow.Transport().String(),
		Host: hostOf(local.Addr()), Port: int(local.Port()),
	}
	v.Params.Add("branch", branchOf(tag, a.serial.Add(1)))
	v.Params.Add("rport", "") // RFC 3581 §3
	return v
}

// contactOn is our own Contact on a flow.
func contactOn(flow wire.Flow, user string) sip.Uri {
	local := flow.Local()
	u := sip.Uri{Scheme: "sip", User: user, Host: hostOf(local.Addr()), Port: int(local.Port())}
	if flow.Transport() == wire.TCP {
		u.UriParams.Add("transport", "tcp")
	}
	return u
}

// hostOf writes an address as a URI's host.
func hostOf(ip netip.Addr) string {
	if ip.Is6() {
		return "[" + ip.WithZone("").String() + "]"
	}
	return ip.String()
}

// hostKey is a URI's host in the one form in which hosts are compared.
func hostKey(host string) string {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return hostOf(ip.Unmap())
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// domain is the name that we show as ours on a flow.
func (a *Agent) domain(flow wire.Flow) string {
	if domains := a.known().Domains; len(domains) > 0 {
		return domains[0]
	}
	return hostOf(flow.Local().Addr())
}

// ours tells whether a URI's host means this exchange.
func (a *Agent) ours(u sip.Uri) bool {
	if slices.Contains(a.known().Domains, hostKey(u.Host)) {
		return true
	}
	to, ok := literal(u)
	return ok && (a.wire.Ours(wire.UDP, to) || a.wire.Ours(wire.TCP, to))
}

// newTag makes a tag that nobody can guess (RFC 3261 §19.3) and that fits into
// a branch.
func newTag() string {
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// statelessTag is our To tag in responses that leave nothing behind: the same
// for each repetition of the request (RFC 3261 §8.2.7).
func (a *Agent) statelessTag(req *sip.Request) string {
	mac := hmac.New(sha256.New, a.secret[:])
	via := req.Via()
	branch, _ := via.Params.Get("branch")
	for _, s := range []string{callID(req), fromTag(req), branch, via.Host, strconv.Itoa(int(seqOf(req)))} {
		mac.Write([]byte(s))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

func base36(n uint64) string { return strconv.FormatUint(n, 36) }

// allow is the Allow header outside of calls.
func (a *Agent) allow() string {
	list := allowed
	if a.cfg.Registrar != nil {
		list += ", REGISTER"
	}
	if a.cfg.Messages != nil {
		list += ", SUBSCRIBE"
	}
	return list
}

// unavailable answers an INVITE that finds no room.
func (a *Agent) unavailable(req *sip.Request, tag string) *sip.Response {
	res := response(req, 503, "", tag)
	with(res, "Retry-After", "5")
	if a.stopping.Load() {
		a.log.Info("call refused: the exchange is being stopped", "callid", callID(req))
	} else {
		a.log.Warn("call refused: as many calls as allowed are in progress", "legs", a.cfg.MaxLegs, "callid", callID(req))
	}
	return res
}
