package sipleg

import (
	"slices"
	"strconv"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/sdp"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// drawStatus is a response in a ladder: "200", "183 (SDP)".
func drawStatus(res *sip.Response) string {
	text := strconv.Itoa(res.StatusCode)
	if res.StatusCode > 100 && res.StatusCode < 200 && len(res.Body()) > 0 {
		text += " (SDP)"
	}
	return text
}

// drawRequest is a request of the party within its dialog: "BYE (Also 103)",
// "REFER 103", "INVITE (hold)".
func (l *Leg) drawRequest(req *sip.Request) string {
	text := string(req.Method)
	switch req.Method {
	case sip.INVITE, sip.UPDATE:
		text += l.drawOffer(req)
	case sip.REFER:
		text += drawAddress(req, "Refer-To")
	case sip.BYE:
		if to := drawAddress(req, "Also"); to != "" {
			text += " (Also" + to + ")"
		}
	}
	return text
}

// drawInvite is an INVITE that begins a call, of either direction, with what
// makes it a part of a transfer: "INVITE (ReqBy 102)", "INVITE (Replaces)".
func drawInvite(req *sip.Request) string {
	if req.GetHeader("Replaces") != nil {
		return "INVITE (Replaces)"
	}
	if by := drawAddress(req, "Requested-By"); by != "" {
		return "INVITE (ReqBy" + by + ")"
	}
	return "INVITE"
}

// drawOffer tells what a re-INVITE or UPDATE of the party does to the audio.
func (l *Leg) drawOffer(req *sip.Request) string {
	body, err := description(req)
	if err != nil || body == nil || l.audio.session == nil {
		return ""
	}
	trial := l.audio.desc
	_, agreed, err := trial.Answer(body, l.audio.prefs(l.direction()))
	switch held := agreed.Hold != sdp.NotHeld; {
	case err != nil:
	case held:
		return drawHold(agreed.Hold == sdp.HeldZero)
	case l.audio.held:
		return " (resume)"
	}
	return ""
}

// drawHold tells a hold in the form that it has: of 1999, by the zero address
// (RFC 2543 §B.5), or of RFC 3264.
func drawHold(zero bool) string {
	if zero {
		return " (c=0)"
	}
	return " (hold)"
}

// drawAddress is a blank and whom a header names; empty: nobody.
func drawAddress(req *sip.Request, header string) string {
	v := value(req, header)
	if v == "" {
		return ""
	}
	a, err := wire.ReadAddress(v)
	if err != nil {
		return ""
	}
	u := a.URI
	if u.User == "" {
		return " " + hostName(u)
	}
	return " " + unescaped(u.User)
}

// draw draws a response, and the ACK by which its transaction answers the refusal
// of an INVITE (RFC 3261 §17.1.1.3).
func (r *request) draw(on *leg.Ladder, name string, res *sip.Response) {
	if !r.fresh(res) {
		return
	}
	on.In(name, drawStatus(res))
	if r.Request.Method == sip.INVITE && res.StatusCode >= 300 {
		on.Out(name, "ACK")
	}
}

// fresh tells whether a response is drawn: not if it is a repetition, or says
// again what its dialog has said.
func (r *request) fresh(res *sip.Response) bool {
	key := drawStatus(res) + toTag(res)
	if res.StatusCode < 200 {
		key += value(res, "RSeq")
	}
	if slices.Contains(r.drawn, key) {
		return false
	}
	if len(r.drawn) < 50 { // a callee that rings for hours need not be remembered whole
		r.drawn = append(r.drawn, key)
	}
	return true
}
