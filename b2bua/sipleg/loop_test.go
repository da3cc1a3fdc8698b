package sipleg

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
)

// The exchange does not call itself: not by its address, not by a name that
// leads to it, not as a peer. What also leads elsewhere goes there.
func TestExchangeCallsItself(t *testing.T) {
	us := Destination{wire.UDP, netip.MustParseAddrPort("127.0.0.1:5060")}
	named := func(c *Config) {
		c.Resolve = func(_ context.Context, host string, _ int, _ string) ([]Destination, error) {
			switch host {
			case "pbx.example":
				return []Destination{us, {wire.TCP, us.Address}}, nil
			case "twin.example":
				return []Destination{us, {wire.UDP, netip.MustParseAddrPort("127.0.0.1:5072")}}, nil
			}
			return nil, errors.New("no such host")
		}
		c.Peers = append(c.Peers, Peer{Name: "mirror", Host: "127.0.0.1:5060", Origin: "office.toml:7"}, Peer{Name: "named", Host: "pbx.example"})
	}
	play(t, named, func(f *fixture) {
		for _, uri := range []string{"sip:102@127.0.0.1", "sip:102@127.0.0.1:5060;transport=tcp"} {
			_, err := f.agent.DialURI(uri, leg.Outgoing{Sink: &end{f: f}})
			var why leg.Cause
			if !errors.As(err, &why) || why.Status != 482 || !strings.Contains(why.Error(), "is this exchange itself") {
				t.Errorf("%s: %v", uri, err)
			}
		}
		e := f.dial("sip:102@pbx.example")
		e.expect("HungUp 25")
		if why := e.cause(); why.Status != 482 || why.Error() != "pbx.example is this exchange itself: add pbx.example to domains in [sip]" {
			t.Errorf("%+v", why)
		}
		for peer, want := range map[string]string{
			"mirror": "127.0.0.1:5060 is this exchange itself: correct the proxy of peer mirror, near office.toml:7",
			"named":  "pbx.example is this exchange itself: correct the proxy of peer named",
		} {
			if why := f.peer(peer, "102").cause(); why.Error() != want {
				t.Errorf("%v, want %s", why.Error(), want)
			}
		}
		f.nobody()
		p := f.phone("102", 5072)
		e = f.dial("sip:102@twin.example")
		p.Respond(p.Expect("INVITE"), 486)
		p.Expect("ACK")
		e.expect("HungUp 17")
	})
}
