package sipleg

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/memnet"
	"crosspoint/media/rtp"
)

// Two exchanges call each other through a network that loses every fourth
// datagram, doubles some and delays others: every call is answered, held,
// taken back and ended, and nothing is left over.
func TestLossyNetwork(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 9))
				var mu sync.Mutex
				mended := false
				network := new(memnet.Network)
				a, b := newLossy(t, network, "127.0.0.1", "127.0.0.2"), newLossy(t, network, "127.0.0.2", "127.0.0.1")
				network.Fate = func(_, to netip.AddrPort, data []byte) memnet.Fate {
					if to.Port() != 5060 {
						return memnet.Fate{}
					}
					mu.Lock()
					defer mu.Unlock()
					if mended {
						return memnet.Fate{}
					}
					return memnet.Fate{Lose: random.IntN(4) == 0, Twice: random.IntN(8) == 0, Delay: time.Duration(random.IntN(40)) * time.Millisecond}
				}
				for range 15 {
					lossyCall(t, a, b)
				}
				mu.Lock()
				mended = true
				mu.Unlock()
				time.Sleep(80 * time.Second)
				synctest.Wait()
				for _, f := range []*fixture{a, b} {
					if s := f.agent.Stats(); s.Dialogs != 0 || s.Tombstones != 0 || f.ports.InUse() != 0 {
						t.Errorf("left over: %d legs, %d tombstones, %d ports", s.Dialogs, s.Tombstones, f.ports.InUse())
					}
					f.agent.Close()
				}
				if n := network.Sockets(); n != 0 {
					t.Errorf("%d sockets left", n)
				}
			})
		})
	}
}

// newLossy is an exchange whose peer is another.
func newLossy(t *testing.T, network *memnet.Network, host, peer string) *fixture {
	f := &fixture{t: t, net: network, calls: make(chan *end, 100), log: new(logBook)}
	udp, err := network.ListenUDP(host + ":5060")
	if err != nil {
		t.Fatal(err)
	}
	f.ports, err = rtp.NewPorts(rtp.PortsConfig{Address: netip.MustParseAddr(host), Rest: time.Millisecond,
		Listen: func(addr string) (rtp.Conn, error) { return network.ListenUDP(addr) }})
	if err != nil {
		t.Fatal(err)
	}
	f.agent = New(Config{
		Wire: wire.Config{UDP: []wire.Conn{udp}}, Accept: f, RTP: f.ports, Silence: time.Hour, SessionExpires: 90 * time.Second,
		Log:   slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Peers: []Peer{{Name: "other", Host: peer + ":5060", Addresses: []netip.Prefix{netip.MustParsePrefix(peer + "/32")}}},
	})
	return f
}

// lossyCall is one call from a to b.
func lossyCall(t *testing.T, a, b *fixture) {
	t.Helper()
	out := &end{f: a, ladder: new(leg.Ladder)}
	l, err := a.agent.DialPeer("other", "102", leg.Outgoing{From: leg.Party{Number: "101"}, Sink: out, Ladder: out.ladder})
	if err != nil {
		t.Fatal(err)
	}
	out.Leg = l
	var in *end
	select {
	case in = <-b.calls:
	case <-time.After(31 * time.Second):
		t.Fatal("the call did not arrive")
	}
	in.Ringing()
	time.Sleep(2 * time.Second)
	in.Answer()
	if !out.wait("Answered", 30*time.Second) {
		t.Fatalf("not answered:\n%s\n%s", out.ladder, in.ladder)
	}
	out.Hold()
	if !in.wait("Held", 30*time.Second) {
		t.Fatalf("not held:\n%s\n%s", out.ladder, in.ladder)
	}
	out.Resume()
	if !in.wait("Resumed", 30*time.Second) {
		t.Fatalf("not taken back:\n%s\n%s", out.ladder, in.ladder)
	}
	time.Sleep(100 * time.Second) // over the session timer
	in.Hangup(leg.NormalClearing)
	if !out.wait("HungUp 16", 30*time.Second) || !in.wait("HungUp 16", 30*time.Second) {
		t.Fatalf("not ended:\n%s\n%s", out.ladder, in.ladder)
	}
}

// wait looks for an event among those to come.
func (e *end) wait(what string, within time.Duration) bool {
	for until := time.Now().Add(within); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		e.mu.Lock()
		for i := e.told; i < len(e.events); i++ {
			if nameOf(e.events[i]) == what {
				e.told = i + 1
				e.mu.Unlock()
				return true
			}
		}
		e.mu.Unlock()
	}
	return false
}
