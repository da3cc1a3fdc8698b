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
		resolve = system
	}
	list, err := resolve(ctx, u.Host, u.Port, t)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no address for %s", u.Host)
	}
	return list, err
}

// system resolves by the operating system: SRV records if no port is given,
// else, or if there are none, address records (RFC 3263 §4.2).
func system(ctx context.Context, host string, port int, transport string) ([]Destination, error) {
	var list []Destination
	if port == 0 {
		for _, t := range []wire.Transport{wire.UDP, wire.TCP} {
			name := strings.ToLower(t.String())
			if transport != "" && transport != name {
				continue
			}
			_, records, err := net.DefaultResolver.LookupSRV(ctx, "sip", name, host)
			if err != nil {
				continue
			}
			for _, r := range records {
				list = append(list, addresses(ctx, t, r.Target, int(r.Port))...)
			}
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	t := wire.UDP
	if transport == "tcp" {
		t = wire.TCP
	}
	if port == 0 {
		port = 5060
	}
	if list = addresses(ctx, t, host, port); len(list) == 0 {
		return nil, fmt.Errorf("%s: %w", host, errNoAddress)
	}
	return list, nil
}

var errNoAddress = errors.New("the name has no address")

func addresses(ctx context.Context, t wire.Transport, host string, port int) []Destination {
	var list []Destination
	ips, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, ip := range ips {
		list = append(list, Destination{t, netip.AddrPortFrom(ip.Unmap(), uint16(port))})
	}
	return list
}
