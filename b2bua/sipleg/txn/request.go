package txn

import "github.com/emiago/sipgo/sip"

// AckRefusal builds the ACK of a final response other than 2xx, which belongs
// to the INVITE's transaction: its Via, its CSeq number, its Route, and the To
// of the response (RFC 3261 §17.1.1.3).
func AckRefusal(invite *sip.Request, res *sip.Response) *sip.Request {
	return follow(invite, sip.ACK, res.To())
}

// Cancel builds the CANCEL of a pending INVITE (RFC 3261 §9.1): same
// Request-URI, Via, From, To, Call-ID, CSeq number and Route.
func Cancel(invite *sip.Request) *sip.Request {
	return follow(invite, sip.CANCEL, invite.To())
}

// follow builds a request that shares the INVITE's identification.
func follow(invite *sip.Request, method sip.RequestMethod, to *sip.ToHeader) *sip.Request {
	req := sip.NewRequest(method, invite.Recipient)
	if via := invite.Via(); via != nil {
		req.AppendHeader(via.Clone())
	}
	sip.CopyHeaders("Route", invite, req)
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	if from := invite.From(); from != nil {
		req.AppendHeader(sip.HeaderClone(from))
	}
	if to != nil {
		req.AppendHeader(sip.HeaderClone(to))
	}
	if id := invite.CallID(); id != nil {
		req.AppendHeader(sip.HeaderClone(id))
	}
	if cseq := invite.CSeq(); cseq != nil {
		req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq.SeqNo, MethodName: method})
	}
	req.SetBody(nil)
	return req
}
