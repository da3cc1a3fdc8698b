package lab

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
)

// Two phones lose their network: both are hung up with the reason, a minute
// after the last sign of life, which was a report by RTCP.
func TestCallOfPhonesThatAreGone(t *testing.T) {
	calls := b2bua.Config{Inactivity: b2bua.Inactivity{After: time.Minute}}
	inOfficeWith(t, officeText, calls, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.hear(alice, bob)
		time.Sleep(50 * time.Second)
		from, to := rtpOf(alice.Peer), alice.to
		report, err := o.Net.ListenUDP(netip.AddrPortFrom(from.Addr(), from.Port()+1).String())
		o.must(err)
		receiverReport := []byte{0x80, 201, 0, 1, 1, 2, 3, 4} // RFC 3550 §6.4.2, about nobody
		_, err = report.WriteToUDPAddrPort(receiverReport, netip.AddrPortFrom(to.Addr(), to.Port()+1))
		o.must(err)
		report.Close()
		alice.Peer.Silent(59 * time.Second)
		bye := alice.Peer.Expect("BYE")
		if got := bye.Get("Reason"); !strings.Contains(got, "cause=102") {
			t.Errorf("the reason is %s", got)
		}
		alice.Peer.Respond(bye, 200)
		bob.Peer.Respond(bob.Peer.Expect("BYE"), 200)
	})
}
