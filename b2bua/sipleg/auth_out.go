package sipleg

import (
	"github.com/emiago/sipgo/sip"
)

// maxTries bounds how often one request is sent again with credentials: once
// for the challenge, once more for a nonce that is stale.
const maxTries = 2

// authorize sends a challenged request again with our credentials (RFC 3261
// §22.2): the next CSeq number, another branch. False: we have none, or they
// were refused.
func (l *Leg) authorize(r *request, res *sip.Response) bool {
	c := l.out.client
	if c == nil || r.tries >= maxTries {
		return false
	}
	challenge, answer := "WWW-Authenticate", "Authorization"
	if res.StatusCode == 407 {
		challenge, answer = "Proxy-Authenticate", "Proxy-Authorization"
	}
	var values []string
	for _, h := range res.GetHeaders(challenge) {
		values = append(values, h.Value())
	}
	v, err := c.Answer(string(r.Request.Method), r.Request.Recipient.String(), values, value(r.Request, answer))
	if err != nil {
		l.log.Warn("the peer's challenge can't be answered", "name", l.name, "method", r.Request.Method, "err", err)
		return false
	}
	d := r.dialog
	req := r.Request.Clone()
	d.localSeq++
	req.ReplaceHeader(&sip.CSeqHeader{SeqNo: d.localSeq, MethodName: req.Method})
	req.ReplaceHeader(l.agent.via(d.flow, d.localTag))
	for req.RemoveHeader(answer) {
	}
	with(req, answer, v)
	again := l.send(d, req, string(req.Method), r.on)
	again.tries = r.tries + 1
	switch r {
	case l.out.tx:
		l.out.tx = again
		l.out.early = nil
	case l.modify.tx:
		l.modify.tx = again
	case l.ending:
		l.ending = again
	}
	return true
}
