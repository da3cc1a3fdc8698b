package sipleg

import "github.com/emiago/sipgo/sip"

// options answers OPTIONS with what we can (RFC 3261 §11.2), in a call and
// outside of one. It is also how peers and phones look whether we live.
func (a *Agent) options(req *sip.Request, tag string) *sip.Response {
	status := 200
	if a.stopping.Load() {
		status = 503 // as an INVITE would be answered
	}
	res := response(req, status, "", tag)
	if unknown := a.unsupported(req); unknown != "" {
		res = response(req, 420, "", tag)
		with(res, "Unsupported", unknown)
		return res
	}
	with(res,
		"Allow", a.allow(),
		"Allow-Events", a.events(),
		"Accept", "application/sdp, application/dtmf-relay, message/sipfrag",
		"Accept-Encoding", "identity",
		"Accept-Language", "en",
		"Supported", supported,
		"Server", a.cfg.Product)
	res.SetBody(nil)
	return res
}

// unsupported are the option tags in Require that we don't speak (RFC 3261 §8.2.2.3).
func (a *Agent) unsupported(req *sip.Request) string {
	list := ""
	for _, tag := range tokens(req, "Require") {
		switch tag {
		case "100rel", "timer", "replaces":
		default:
			if list != "" {
				list += ", "
			}
			list += tag
		}
	}
	return list
}
