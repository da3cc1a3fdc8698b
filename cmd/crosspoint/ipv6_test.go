package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"crosspoint/internal/softphone"
)

// A call is the same by IPv4, by IPv6, and from one to the other: each phone is
// told an address that it reaches, and hears the other.
func TestCallsByIPv6(t *testing.T) {
	for _, c := range []struct {
		listen, from, to string // the server's address for each phone
	}{
		{`"udp:[::1]:0"`, "::1", "::1"},
		{`"udp:127.0.0.1:0", "udp:[::1]:0"`, "127.0.0.1", "::1"},
		{`"udp:127.0.0.1:0", "udp:[::1]:0"`, "::1", "127.0.0.1"},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			o, _ := serveTest(t, strings.Replace(testOffice, `"udp:127.0.0.1:0", "tcp:127.0.0.1:0"`, c.listen, 1))
			alice, bob := phoneBy(t, o, "101", c.from), phoneBy(t, o, "102", c.to)
			call, in := connect(t, alice, bob, "102")
			call.Say([]int16{4000, -4000, 4000})
			in.Say([]int16{2000, -2000, 2000})
			soon(t, "both hear the other", func() bool { return loudest(call) > 1900 && loudest(in) > 3900 })
			call.Hangup()
			soon(t, "the hang-up arrives", closed(in.Done()))
			if n := o.rtp.Traffic(); n.Strangers+n.Malformed > 0 {
				t.Errorf("packets were refused: %+v", n)
			}
		})
	}
}

// phoneBy is phoneOf for a phone that has, and asks, an address of one family.
func phoneBy(t *testing.T, o *office, extension, address string) *softphone.Phone {
	t.Helper()
	for i, s := range o.bound {
		if s.addr.Addr() == netip.MustParseAddr(address) {
			return phoneAt(t, o, extension, o.bound[i].addr)
		}
	}
	t.Fatal(fmt.Errorf("the office does not listen on %s: %v", address, o.bound))
	return nil
}

// loudest is the highest sample that a phone has heard.
func loudest(c *softphone.Call) (most int16) {
	for _, s := range c.Heard() {
		most = max(most, s)
	}
	return most
}
