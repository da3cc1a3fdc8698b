package softphone

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// A dialog is what requests within a call need to know (RFC 3261 §12.2.1.1).
type dialog struct {
	local  sip.FromHeader
	remote sip.ToHeader
	uri    sip.Uri        // the remote target
	target netip.AddrPort // where requests are sent
	seq    uint32         // of the last request sent
	invite uint32         // CSeq of the INVITE, which its ACK carries
}

// aim takes a Contact as the remote target.
func (d *dialog) aim(contact sip.Uri) {
	d.uri = contact
	port := contact.Port
	if port == 0 {
		port = 5060
	}
	if host, err := netip.ParseAddr(contact.Host); err == nil {
		d.target = netip.AddrPortFrom(host, uint16(port))
	}
}

// request makes the next request within the dialog.
func (d *dialog) request(method sip.RequestMethod, id string) (*sip.Request, netip.AddrPort) {
	seq := d.invite
	if method != sip.ACK {
		d.seq++
		seq = d.seq
	}
	msg := sip.NewRequest(method, *d.uri.Clone())
	from, to := d.local, d.remote
	callID, hops := sip.CallIDHeader(id), sip.MaxForwardsHeader(70)
	msg.AppendHeader(&from)
	msg.AppendHeader(&to)
	msg.AppendHeader(&callID)
	msg.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	msg.AppendHeader(&hops)
	msg.SetBody(nil)
	return msg, d.target
}

// acknowledge sends the ACK of a 2xx: a transaction of its own, with the
// INVITE's number (RFC 3261 §13.2.2.4).
func (c *Call) acknowledge(body []byte) {
	c.mu.Lock()
	if c.dialog == nil {
		c.mu.Unlock()
		return
	}
	msg, to := c.dialog.request(sip.ACK, c.id)
	c.mu.Unlock()
	msg.SetBody(body)
	own := c.phone.Addr()
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: host(own.Addr()), Port: int(own.Port())}
	via.Params.Add("branch", sip.GenerateBranch())
	msg.PrependHeader(via)
	c.phone.write(msg, to)
}
