package sipleg

import (
	"crosspoint/b2bua/registrar"
	"github.com/emiago/sipgo/sip"
)

// maxTries bounds how often one request is sent again with credentials: once
// for the challenge, once more for a nonce that is stale.
const maxTries = 2

// authorize sends a challenged request again with our credentials (RFC 3261
// §22.2): the next CSeq number, another branch. False: we have none, or they
// were refused.
func (l *Leg) authorize(r *request, res *sip.Response) bool {
	if l.out.client == nil || r.tries >= maxTries {
		return false
	}
	header, credentials, err := answerTo(res, r.Request, l.out.client)
	if err != nil {
		l.log.Warn("the peer's challenge can't be answered", "name", l.name, "method", r.Request.Method, "err", err)
		return false
	}
	d := r.dialog
	req := r.Request.Clone()
	d.localSeq++
	req.ReplaceHeader(&sip.CSeqHeader{SeqNo: d.localSeq, MethodName: req.Method})
	req.ReplaceHeader(l.agent.via(d.flow, d.localTag))
	for req.RemoveHeader(header) {
	}
	with(req, header, credentials)
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

// answerTo makes the credentials that answer a challenge to a request of ours,
// and names the header that takes them.
func answerTo(res *sip.Response, req *sip.Request, c *registrar.Client) (header, credentials string, err error) {
	challenge, header := "WWW-Authenticate", "Authorization"
	if res.StatusCode == 407 {
		challenge, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	credentials, err = c.Answer(string(req.Method), req.Recipient.String(), values(res, challenge), value(req, header))
	return header, credentials, err
}

// isChallenge tells that a response asks who we are.
func isChallenge(res *sip.Response) bool { return res.StatusCode == 401 || res.StatusCode == 407 }
