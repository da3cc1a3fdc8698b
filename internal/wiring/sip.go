package wiring

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/sipleg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/dialplan"
)

// sipConfig is what the SIP agent needs to know of the office.
func (o *Office) sipConfig() sipleg.Config {
	c := o.cfg.SIP
	c.Accept = o
	c.Account = func(user string) (sipleg.Account, bool) { a, ok := o.now().accounts[user]; return a, ok }
	c.Digest = o.digest(func(user string) (string, bool) { a, ok := o.now().accounts[user]; return a.Secret, ok })
	c.Emergency = o.emergency
	c.Contacts = func(extension string) []sipleg.Contact { return o.now().fixed[extension] }
	c.Peers = sipPeers(o.now().parties.Peers)
	c.Domains = o.now().parties.Domains
	c.Messages = o.Messages
	c.Extension = func(name string) bool {
		who, ok := o.Plan().Caller(name)
		return ok && who.Kind == dialplan.FromPhone
	}
	c.Wire.Log, c.Log = o.log, o.log
	return c
}

// emergency tells whether a phone calls for help by what it dials.
func (o *Office) emergency(extension, dialed string) bool {
	from, ok := o.Plan().Caller(extension)
	if !ok {
		return false
	}
	route, _ := o.Plan().Match(dialplan.Query{From: from, Dialed: dialed, At: time.Now()})
	return route.Emergency
}

func sipPeers(peers []dialplan.Peer) []sipleg.Peer {
	var all []sipleg.Peer
	for _, p := range peers {
		host, transport := parseProxy(p.Proxy)
		peer := sipleg.Peer{Name: p.Name, Host: host, Transport: transport, User: p.User, Secret: p.Secret, FromUser: p.User, Trusted: p.Trust, AlertInfo: p.AlertInfo,
			VoiceMail: p.VoiceMail, Mailbox: p.Mailbox,
			Register: p.Register, Origin: origin(p)}
		for _, text := range p.Addresses {
			if prefix, ok := parsePrefix(text); ok {
				peer.Addresses = append(peer.Addresses, prefix)
			}
		}
		all = append(all, peer)
	}
	return all
}

// origin is where the file has what we prove ourselves by to a peer.
func origin(p dialplan.Peer) string {
	key := "user"
	if p.Has("secret") {
		key = "secret"
	}
	return p.Key(key).String()
}

// parsePrefix reads an address, an address with a port (which is not looked
// at) or a prefix.
func parsePrefix(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix, true
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		ap, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Prefix{}, false
		}
		ip = ap.Addr()
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}

// parseProxy splits "sip:itsp.example:5060;transport=tcp" into what Peer.Host
// and Peer.Transport take.
func parseProxy(proxy string) (host, transport string) {
	rest := strings.TrimPrefix(proxy, "sip:")
	host, parameters, _ := strings.Cut(rest, ";")
	for _, p := range strings.Split(parameters, ";") {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(name, "transport") {
			transport = strings.ToLower(value)
		}
	}
	return host, transport
}

// ParseContact reads the SIP address of a phone that does not register. Its
// host is an IP address: whoever has no fixed address registers.
func ParseContact(uri string) (sipleg.Contact, error) {
	rest, ok := strings.CutPrefix(uri, "sip:")
	if !ok {
		return sipleg.Contact{}, fmt.Errorf("%q is not a SIP address: write one such as sip:101@192.0.2.7:5060", uri)
	}
	hostPort, transport := parseProxy(rest)
	if _, after, found := strings.Cut(hostPort, "@"); found {
		hostPort = after
	}
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		host, port = strings.Trim(hostPort, "[]"), "5060"
	}
	ip, err := netip.ParseAddr(host)
	number, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil {
		return sipleg.Contact{}, fmt.Errorf("%q does not name an IP address: write one such as sip:101@192.0.2.7:5060, or let the phone register", uri)
	}
	c := sipleg.Contact{URI: uri, Address: netip.AddrPortFrom(ip, uint16(number)), Transport: wire.UDP}
	if transport == "tcp" {
		c.Transport = wire.TCP
	}
	return c, nil
}
