package sipleg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
)

// zone is a domain name system of a few names.
type zone map[string]string // "_sip._udp.name" -> "target:port …", "name" -> "address …", or "timeout"

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	text, ok := z["_"+service+"._"+proto+"."+name]
	if !ok {
		return "", nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	var list []*net.SRV
	for _, f := range strings.Fields(text) {
		target, port, _ := strings.Cut(f, ":")
		var n uint16
		fmt.Sscan(port, &n)
		list = append(list, &net.SRV{Target: target, Port: n})
	}
	return "", list, nil
}

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch z[host] {
	case "":
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	case "timeout":
		return nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	case "servfail":
		return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	}
	var list []netip.Addr
	for _, f := range strings.Fields(z[host]) {
		list = append(list, netip.MustParseAddr(f))
	}
	return list, nil
}

func TestLookUp(t *testing.T) {
	dns := zone{
		"_sip._udp.itsp.example": "a.itsp.example.:5060 gone.itsp.example.:5060 b.itsp.example.:5070",
		"_sip._tcp.itsp.example": "b.itsp.example.:5080",
		"a.itsp.example":         "192.0.2.1 2001:db8::1", "b.itsp.example": "192.0.2.2",
		"plain.example": "::ffff:192.0.2.3", "slow.example": "timeout", "broken.example": "servfail",
		"_sip._udp.closed.example": ".:0", "closed.example": "192.0.2.9",
		"_sip._tcp.stream.example": "b.itsp.example.:5080",
	}
	for _, c := range []struct {
		host      string
		port      int
		transport string
		want      string
	}{
		{"itsp.example", 0, "", "UDP 192.0.2.1:5060, UDP [2001:db8::1]:5060, UDP 192.0.2.2:5070, TCP 192.0.2.2:5080"},
		{"itsp.example", 0, "tcp", "TCP 192.0.2.2:5080"},
		{"stream.example", 0, "", "TCP 192.0.2.2:5080"},
		{"a.itsp.example", 5062, "", "UDP 192.0.2.1:5062, UDP [2001:db8::1]:5062"},
		{"plain.example", 0, "", "UDP 192.0.2.3:5060"},
		{"plain.example", 0, "tcp", "TCP 192.0.2.3:5060"},
		{"closed.example", 0, "", "the domain says that it takes no SIP calls"},
		{"closed.example", 5060, "", "UDP 192.0.2.9:5060"},
		{"nowhere.example", 0, "", "the name has no address"},
		{"slow.example", 0, "", "the name server does not answer"},
		{"broken.example", 0, "", "the name server has failed: server misbehaving"},
	} {
		list, err := lookUp(context.Background(), dns, c.host, c.port, c.transport)
		var got []string
		for _, d := range list {
			got = append(got, d.Transport.String()+" "+d.Address.String())
		}
		if err != nil {
			got = append(got, err.Error())
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s:%d %s: %s, want %s", c.host, c.port, c.transport, s, c.want)
		}
	}
}

// peer calls a number at a peer.
func (f *fixture) peer(name, number string, change ...func(*leg.Outgoing)) *end {
	f.t.Helper()
	e := &end{f: f, ladder: new(leg.Ladder)}
	o := leg.Outgoing{Sink: e, Ladder: e.ladder}
	for _, c := range change {
		c(&o)
	}
	l, err := f.agent.DialPeer(name, number, o)
	if err != nil {
		f.t.Fatal(err)
	}
	e.Leg = l
	return e
}

// A peer's name leads to three servers: the first has an address that we have no
// socket for, the second is silent, the third takes the call.
func TestCallFailsOver(t *testing.T) {
	named := func(c *Config) {
		c.Peers = []Peer{{Name: "itsp", Host: "itsp.example"}}
		c.Resolve = func(_ context.Context, host string, _ int, _ string) ([]Destination, error) {
			if host != "itsp.example" {
				return nil, errors.New("no such host")
			}
			var list []Destination
			for _, a := range []string{"[2001:db8::1]:5060", "172.16.0.1:5060", "172.16.0.2:5060"} {
				list = append(list, Destination{wire.UDP, netip.MustParseAddrPort(a)})
			}
			return list, nil
		}
	}
	play(t, named, func(f *fixture) {
		p := provider(f, "172.16.0.2:5060")
		began := time.Now()
		e := f.peer("itsp", "912125550100")
		m := p.Expect("INVITE")
		if d := time.Since(began); d > 5*time.Second || d < 3*time.Second {
			t.Errorf("asked after %v", d)
		}
		p.Respond(m, 180)
		time.Sleep(time.Minute) // it rings for as long as it wants
		e.expect("Trying", "Ringing")
		p.Respond(m, 486)
		p.Expect("ACK")
		e.expect("HungUp 17")
		for _, wait := range []time.Duration{4 * time.Second, 0} { // the minute is over; then not again
			began = time.Now()
			e = f.peer("itsp", "912125550100")
			m = p.Expect("INVITE")
			if d := time.Since(began); d != wait {
				t.Errorf("asked after %v, not %v", d, wait)
			}
			p.Respond(m, 486)
			p.Expect("ACK")
			e.expect("HungUp 17")
		}
	})
}
