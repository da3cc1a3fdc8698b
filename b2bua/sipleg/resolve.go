package sipleg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// lookupTime is how long a name may take to resolve before a call fails.
const lookupTime = 5 * time.Second

// failoverAfter is how long a server may be silent if there is another one to
// ask. RFC 3263 §4.3 waits for timer B, 32 s: no caller does. A server that
// lives sends 100 within 200 ms (RFC 3261 §17.2.1).
func (a *Agent) failoverAfter() time.Duration { return 8 * a.cfg.Timing.T1 }

// destinations are the addresses of a URI, best first (RFC 3263 §4). It may
// block; the owner of a dialog calls it from another goroutine.
func (a *Agent) destinations(ctx context.Context, u sip.Uri) ([]Destination, error) {
	t, _ := u.UriParams.Get("transport")
	t = strings.ToLower(t)
	if to, ok := literal(u); ok {
		if t == "tcp" {
			return []Destination{{wire.TCP, to}}, nil
		}
		return []Destination{{wire.UDP, to}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	resolve := a.cfg.Resolve
	if resolve == nil {
		resolve = func(ctx context.Context, host string, port int, transport string) ([]Destination, error) {
			return lookUp(ctx, net.DefaultResolver, host, port, transport)
		}
	}
	list, err := resolve(ctx, u.Host, u.Port, t)
	a.silent.last(list)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no address for %s", u.Host)
	}
	return list, err
}

// A resolver asks the domain name system; *net.Resolver is one.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// lookUp finds the addresses of a host: by SRV records if no port is given,
// else, or if there are none, by address records (RFC 3263 §4.2). The resolver
// orders SRV records by priority and weight (RFC 2782). NAPTR records are not
// asked for: who has them has SRV records as well, and we speak UDP and TCP
// alike.
func lookUp(ctx context.Context, dns resolver, host string, port int, transport string) ([]Destination, error) {
	if port == 0 {
		list, err := services(ctx, dns, host, transport)
		if len(list) > 0 || errors.Is(err, errNoService) {
			return list, err
		}
		port = 5060
	}
	t := wire.UDP
	if transport == "tcp" {
		t = wire.TCP
	}
	return addresses(ctx, dns, t, host, port)
}

var (
	errNoAddress = errors.New("the name has no address")
	errNoService = errors.New("the domain says that it takes no SIP calls")
)

// services are the addresses that SRV records lead to. UDP comes first: it is
// what all peers speak.
func services(ctx context.Context, dns resolver, host, transport string) (list []Destination, err error) {
	for _, t := range []wire.Transport{wire.UDP, wire.TCP} {
		name := strings.ToLower(t.String())
		if transport != "" && transport != name {
			continue
		}
		_, records, failed := dns.LookupSRV(ctx, "sip", name, host)
		if failed != nil {
			continue
		}
		for _, r := range records {
			if strings.Trim(r.Target, ".") == "" { // RFC 2782: decidedly not available
				err = errNoService
				continue
			}
			if found, e := addresses(ctx, dns, t, r.Target, int(r.Port)); e == nil {
				list = append(list, found...)
			}
		}
	}
	return list, err
}

func addresses(ctx context.Context, dns resolver, t wire.Transport, host string, port int) ([]Destination, error) {
	ips, err := dns.LookupNetIP(ctx, "ip", strings.TrimSuffix(host, "."))
	var list []Destination
	for _, ip := range ips {
		list = append(list, Destination{t, netip.AddrPortFrom(ip.Unmap(), uint16(port))})
	}
	var why *net.DNSError
	switch {
	case len(list) > 0:
		return list, nil
	case errors.As(err, &why) && why.IsTimeout:
		return nil, errors.New("the name server does not answer")
	case errors.As(err, &why) && why.IsTemporary:
		return nil, fmt.Errorf("the name server has failed: %s", why.Err)
	}
	return nil, errNoAddress
}
